"""Every status, severity and finding has a tone."""

from ci_publish.model.events import FileStatus
from ci_publish.model.finding import FindingStatus
from ci_publish.model.problem import Severity
from ci_publish.reports import tones


def test_nothing_is_without_a_tone() -> None:
    assert set(tones.STATUS) == set(FileStatus)
    assert set(tones.FINDING) == set(FindingStatus)
    assert set(tones.SEVERITY) == set(Severity)
