"""What a run is annotated with on a GitHub job's page."""

import io
from pathlib import Path

import pytest

from ci_publish.errors import InvalidDistribution, UploadRejected
from ci_publish.model.events import (
    Checked,
    FileFinished,
    FileStatus,
    Outcome,
    RunFinished,
)
from ci_publish.model.problem import Problem, Severity
from ci_publish.reports.annotations import ANNOTATIONS_OF_A_KIND
from ci_publish.reports.github import GitHubReport, path_in_github_workspace
from tests.unit.reports.github_job import Job
from tests.unit.reports.recorded_runs import (
    BEGIN,
    SDIST,
    beginning,
)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_ten_annotations_of_a_kind_and_the_rest_folded(job: Job) -> None:
    found = tuple(
        Problem(filename=f"f{number}.whl", rule="rule", severity=Severity.WARNING, message=f"m{number}\nmore")
        for number in range(25)
    )
    error = InvalidDistribution("x")
    job.run([Checked(found), RunFinished(outcome=Outcome.FAILED, exit_code=4, time=BEGIN, error=error)])
    warnings = job.annotations("warning")
    assert len(warnings) == ANNOTATIONS_OF_A_KIND
    assert dict(warnings[-1].properties) == {"title": "16 more warnings"}
    assert warnings[-1].data.splitlines()[0] == "f9.whl: rule: m9"
    assert warnings[-1].data.splitlines()[-1] == "f24.whl: rule: m24"
    assert [dict(each.properties)["title"] for each in job.annotations("error")] == ["x"]


def test_what_is_wrong_in_many_files_is_one_annotation(job: Job) -> None:
    found = tuple(
        Problem(filename=f"f{number}.whl", rule="rule", severity=Severity.ERROR, message="It is refused.")
        for number in range(200)
    )
    error = InvalidDistribution("x")
    job.run([Checked(found), RunFinished(outcome=Outcome.FAILED, exit_code=4, time=BEGIN, error=error)])
    (annotation,) = (each for each in job.annotations("error") if dict(each.properties)["title"] != "x")
    assert dict(annotation.properties) == {"title": "rule: 200 files"}
    assert annotation.data.splitlines()[0] == "It is refused."
    assert annotation.data.splitlines()[2:] == [*(f"f{number}.whl" for number in range(10)), "and 190 more"]


def test_failures_of_files_are_annotated_at_the_file(job: Job) -> None:
    refused = UploadRejected("No.", hints=("Ask.",))
    end = UploadRejected("1 file was refused.")
    failed = FileFinished(index="pypi", distribution=SDIST, status=FileStatus.REFUSED, attempts=1, error=refused)
    job.run([*beginning(SDIST), failed, RunFinished(outcome=Outcome.FAILED, exit_code=9, time=BEGIN, error=end)])
    errors = job.annotations("error")
    assert [dict(each.properties).get("file") for each in errors] == [None, "dist/demo-1.0.tar.gz"]
    assert errors[1].data.splitlines()[:2] == ["No.", "Ask."]
    assert "### <code>demo-1.0.tar.gz</code>\n\n**No.**" in job.summary


@pytest.mark.parametrize(
    ("path", "folder", "shown"),
    [
        ("dist/a.whl", "", "dist/a.whl"),
        ("dist/a.whl", "packages/one", "packages/one/dist/a.whl"),
        ("../dist/a.whl", "packages/one", "packages/dist/a.whl"),
        ("../../../a.whl", "packages/one", "../../../a.whl"),
        ("/elsewhere/a.whl", "", "/elsewhere/a.whl"),
    ],
)
def test_an_annotation_names_the_path_inside_the_repository(tmp_path: Path, path: str, folder: str, shown: str) -> None:
    workspace = tmp_path / "real"
    workspace.mkdir()
    (tmp_path / "link").symlink_to(workspace)

    for root in (workspace, tmp_path / "link"):
        assert path_in_github_workspace(path, workspace / folder, root) == shown
        assert path_in_github_workspace(str(workspace / "a.whl"), workspace / folder, root) == "a.whl"


def test_annotations_of_a_job_in_a_subfolder_name_the_path_from_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "packages").mkdir()
    monkeypatch.chdir(tmp_path / "packages")
    stream = io.StringIO()
    report = GitHubReport(stream=stream, environ={"GITHUB_WORKSPACE": str(tmp_path)}, emit=lambda _: None)

    report(
        Checked((Problem(filename="a.whl", rule="zip-malformed", severity=Severity.ERROR, message="It is broken."),))
    )
    report.close()

    assert "::error file=packages/a.whl," in stream.getvalue()
