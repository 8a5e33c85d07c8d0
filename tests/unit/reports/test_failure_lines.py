"""Errors as lines, equal ones once."""

from ci_publish.errors import CiPublishError, ContentConflict, IndexUnavailable, UploadRejected
from ci_publish.model.events import FileFinished, FileStatus
from ci_publish.reports.failure_lines import failure_lines, file_failure_lines
from tests.unit.reports.recorded_runs import distribution


def failed(name: str, error: CiPublishError) -> tuple[FileFinished, CiPublishError]:
    event = FileFinished(index="pypi", distribution=distribution(name), status=FileStatus.FAILED, error=error)
    return event, error


def test_an_error_without_detail_and_hints_says_where_to_read_on() -> None:
    lines = [line.text for line in failure_lines(ContentConflict("Other content."), str)]
    assert lines == [
        "error: Other content.",
        "More information: https://ci-publish.github.io/ci-publish/errors/content-conflict/",
    ]


def test_errors_that_differ_in_the_file_only_are_one() -> None:
    failures = [failed(f"{each}.whl", UploadRejected(f"{each}.whl is refused.", hints=("a\nb",))) for each in range(5)]
    lines = [line.text for line in file_failure_lines(failures, str)]
    assert lines[0] == "0.whl, 1.whl, 2.whl and 2 more, at pypi"
    assert lines.count("What to do:") == 1
    assert lines[3:5] == ["  - a", "    b"]


def test_many_kinds_of_errors_are_counted() -> None:
    failures = [failed(f"{each}.whl", IndexUnavailable(f"reason {each}")) for each in range(9)]
    lines = [line.text for line in file_failure_lines(failures, str)]
    assert "4 more failures: see the receipt" in lines
