"""How long uploads took, as a report sees it."""

from ci_publish.model.events import Event, FileFinished, FileStatus, UploadStarted
from ci_publish.reports.upload_stopwatch import UploadStopwatch
from tests.unit.reports.recorded_runs import SDIST, WHEEL


def test_an_upload_is_measured_from_its_first_attempt_to_its_end() -> None:
    moments = iter([1.0, 2.0, 4.5])
    stopwatch = UploadStopwatch(lambda: next(moments))
    events: list[Event] = [
        UploadStarted(index="pypi", filename=WHEEL.filename, size=WHEEL.size),
        UploadStarted(index="pypi", filename=WHEEL.filename, size=WHEEL.size, attempt=2),
        FileFinished(index="pypi", distribution=WHEEL, status=FileStatus.UPLOADED, attempts=2),
        FileFinished(index="pypi", distribution=SDIST, status=FileStatus.NOT_ATTEMPTED),
    ]
    for event in events[:2]:
        stopwatch.time_upload_event(event)
    assert stopwatch.upload_seconds("pypi", WHEEL.filename) is None
    for event in events[2:]:
        stopwatch.time_upload_event(event)
    assert stopwatch.upload_seconds("pypi", WHEEL.filename) == 3.5
    assert stopwatch.upload_seconds("pypi", SDIST.filename) is None
    assert stopwatch.upload_seconds("testpypi", WHEEL.filename) is None
