"""The styles of console lines, and the style of each severity and status (pure)."""

from enum import StrEnum

from ci_publish.model.events import FileStatus
from ci_publish.model.finding import FindingStatus
from ci_publish.model.problem import Severity


class Tone(StrEnum):
    """The style of a line, for consoles that have colours."""

    PLAIN = "plain"
    QUIET = "quiet"
    STRONG = "strong"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


SEVERITY = {Severity.ERROR: Tone.BAD, Severity.WARNING: Tone.WARN, Severity.NOTE: Tone.QUIET}
FINDING = {
    FindingStatus.OK: Tone.GOOD,
    FindingStatus.WARN: Tone.WARN,
    FindingStatus.FAIL: Tone.BAD,
    FindingStatus.SKIP: Tone.QUIET,
}
STATUS = {
    FileStatus.UPLOADED: Tone.GOOD,
    FileStatus.UPLOADED_MD5: Tone.WARN,
    FileStatus.NOT_CONFIRMED: Tone.WARN,
    FileStatus.ALREADY_PUBLISHED: Tone.GOOD,
    FileStatus.SAME_MD5: Tone.WARN,
    FileStatus.KEPT_PUBLISHED: Tone.WARN,
    FileStatus.PLANNED: Tone.PLAIN,
    FileStatus.CONFLICT: Tone.BAD,
    FileStatus.REFUSED: Tone.BAD,
    FileStatus.FAILED: Tone.BAD,
    FileStatus.UNKNOWN: Tone.BAD,
    FileStatus.DEFERRED: Tone.WARN,
    FileStatus.NOT_ATTEMPTED: Tone.QUIET,
}
