"""What the names of files tell, before any is opened: enough to ask the index early."""

from collections.abc import Sequence

from ci_publish.distributions import files
from ci_publish.model.filename import parse_filename


def releases(paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return project and version of the distributions that *paths* lead to, normalised, each release once.

    Files without a distribution's name are passed over, and so is what cannot be listed: collecting says so. What a
    name tells is a guess until the file was read.
    """
    found = (_release(file.path.name) for file in files.search(paths).files)
    return tuple(dict.fromkeys(release for release in found if release is not None))


def _release(filename: str) -> tuple[str, str] | None:
    try:
        parsed = parse_filename(filename)
    except ValueError:
        return None
    return parsed.project, str(parsed.version)
