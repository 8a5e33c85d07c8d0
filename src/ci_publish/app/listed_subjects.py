"""Files that are attested by the name and digest that an earlier job listed, without the files themselves."""

import json
import re
from collections import Counter
from pathlib import Path

from ci_publish.errors import ConfigurationError
from ci_publish.model.attestation import Subject
from ci_publish.model.filename import DistributionFilename
from ci_publish.regular_files import read_settings_file

_SHA256 = re.compile(r"[0-9a-f]{64}")
# GNU's sha256sum: a digest, a blank, a blank or an asterisk, a path.
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


class _Unusable(Exception):
    """A list names no files that can be attested; the message is a clause that says why."""


def read_listed_subjects(path: Path) -> tuple[Subject, ...]:
    """Read a list of distributions with their SHA-256: JSON, or what sha256sum prints. Raises ConfigurationError."""
    try:
        return _parse_listed_subjects(read_settings_file(path))
    except (OSError, UnicodeDecodeError, _Unusable) as error:
        reason = str(error) if isinstance(error, _Unusable) else f"it cannot be read: {error}"
        raise ConfigurationError(
            f"The list of files in {path} (subjects) cannot be used.",
            detail=f"{reason[0].upper()}{reason[1:]}.",
            hints=(
                "Provide a JSON list of objects with filename and sha256, such as the action's output `files`.",
                "Or provide the output of `sha256sum dist/*`.",
            ),
        ) from error


def _parse_listed_subjects(text: str) -> tuple[Subject, ...]:
    """Read a list of objects with ``filename`` and ``sha256``, or lines of sha256sum. Raises _Unusable."""
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _Unusable(f"it is not JSON: {error}") from error
    else:
        listed = [_object_of_checksum_line(line) for line in text.splitlines() if line.strip()]
    if not listed:
        raise _Unusable("it lists no filesss")
    subjects = []
    for each in listed:
        match each:
            case {"filename": str() as filename, "sha256": str() as sha256} if _SHA256.fullmatch(sha256):
                subjects.append(Subject(filename, sha256))
            case _:
                raise _Unusable("an entry lacks a filename, or a sha256 of 64 lower-case hexadecimal digits")
        if DistributionFilename.parse_or_none(filename) is None:
            raise _Unusable(f"not the name of a wheel or sdist: {filename[:200]!r}")
    name, number = Counter(subject.filename for subject in subjects).most_common(1)[0]
    if number > 1:
        raise _Unusable(f"it lists {name} more than once")
    return tuple(subjects)


def _object_of_checksum_line(line: str) -> dict[str, str]:
    found = _LINE.fullmatch(line.rstrip())
    if found is None:
        raise _Unusable(f"not a line of sha256sum output: {line[:100]!r}")
    return {"filename": found[2].rpartition("/")[2], "sha256": found[1]}
