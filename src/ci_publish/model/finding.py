"""One finding of doctor."""

from enum import StrEnum

from ci_publish.model.frozen import frozen


class FindingStatus(StrEnum):
    """How one of doctor's questions was answered; ``skip``: it does not apply or could not be answered."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@frozen(kw_only=True)
class Finding:
    """One thing that doctor checked. ``message`` may have several lines: tables of claims keep their columns."""

    name: str
    status: FindingStatus
    message: str
    hints: tuple[str, ...] = ()
