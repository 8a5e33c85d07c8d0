"""Which failures of files a report shows one by one."""

from dataclasses import replace

from ci_publish.errors import PublishingDeferred, UploadRejected
from ci_publish.model.events import Event, FileFinished, FileStatus, Outcome, ProjectLeft, RunFinished
from ci_publish.reports.file_failures import file_failures_not_in_run_error
from tests.unit.reports.recorded_runs import SDIST, WHEEL

NO = UploadRejected("pypi rejects it")


def finished(status: FileStatus, error: UploadRejected | PublishingDeferred, *, project: str = "demo") -> FileFinished:
    return FileFinished(index="pypi", distribution=replace(WHEEL, project=project), status=status, error=error)


def ended(error: UploadRejected) -> RunFinished:
    return RunFinished(outcome=Outcome.FAILED, exit_code=error.exit_code, time=0.0, error=error)


def test_what_the_end_says_is_not_said_again() -> None:
    events: list[Event] = [finished(FileStatus.REFUSED, NO)]
    assert file_failures_not_in_run_error([*events, ended(NO)]) == ()
    assert file_failures_not_in_run_error([*events, ended(UploadRejected("two files", detail=WHEEL.filename))]) == ()
    assert [error for _, error in file_failures_not_in_run_error([*events, ended(UploadRejected(SDIST.filename))])] == [
        NO
    ]


def test_what_waits_or_was_left_with_its_project_is_reported_once() -> None:
    left = ProjectLeft(index="pypi", project="plugin", because=("demo",), reason="no", deferred=False)
    end = ended(UploadRejected("other"))
    untried = finished(FileStatus.NOT_ATTEMPTED, NO, project="plugin")
    assert file_failures_not_in_run_error([untried, left, end]) == ()
    assert len(file_failures_not_in_run_error([untried, end])) == 1
    assert file_failures_not_in_run_error([finished(FileStatus.DEFERRED, PublishingDeferred("later")), end]) == ()
