"""RECORD: a wheel's table of its members and their digests (pure)."""

import base64
import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ci_publish.distributions.limits import MAX_RECORD_LINES
from ci_publish.model.frozen import frozen

# Where str.splitlines ends a line, as the server splits RECORD (warehouse/utils/wheel.py:209); one line at a time.
_LINE_END: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


@frozen(kw_only=True)
class WheelRecord:
    """The rows of a RECORD: ``digests`` by path as listed, "" for rows without one; the first row of a path counts.

    ``readable``: it is CSV in UTF-8; if it is not, there are no rows. ``blank_line``: it has an empty line.
    ``complete``: it has no more than ``limits.MAX_RECORD_LINES``; otherwise, the rest was not read.
    """

    digests: Mapping[str, str]
    readable: bool = True
    blank_line: bool = False
    complete: bool = True

    def has_sha256(self, name: str) -> bool:
        """Return whether there is a SHA-256 digest for *name*."""
        return self.digests.get(name, "").startswith("sha256=")

    def differs_from_listed_digest(self, name: str, digest: bytes) -> bool:
        """Return whether the SHA-256 *digest* differs from the one listed for *name*; needs ``has_sha256``."""
        listed = self.digests[name].partition("=")[2]
        return listed.rstrip("=") != base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def parse_wheel_record(text: bytes, names: Iterable[str] = ()) -> WheelRecord:
    """Read RECORD (PEP 376: CSV with path, digest and size); equal paths share the strings *names*."""
    shared = {name: name for name in names}
    digests: dict[str, str] = {}
    blank_line = False
    try:
        for number, row in enumerate(csv.reader(_split_record_lines(text.decode("utf-8")))):
            if number >= MAX_RECORD_LINES:
                return WheelRecord(digests=digests, blank_line=blank_line, complete=False)
            blank_line |= not row
            if row:
                digests.setdefault(shared.get(row[0], row[0]), row[1] if len(row) > 1 else "")
    except (UnicodeDecodeError, csv.Error):
        return WheelRecord(digests={}, readable=False)
    return WheelRecord(digests=digests, blank_line=blank_line)


def _split_record_lines(text: str) -> Iterator[str]:
    """Yield the lines of *text* as ``str.splitlines`` returns them, but one at a time."""
    start = 0
    for end in _LINE_END.finditer(text):
        yield text[start : end.start()]
        start = end.end()
    if start < len(text):
        yield text[start:]
