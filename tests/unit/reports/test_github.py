from pathlib import Path

import pytest

from ci_publish.model.events import (
    Outcome,
    RunFinished,
    Step,
    StepStarted,
)
from tests.unit.reports.github_job import Job
from tests.unit.reports.recorded_runs import (
    BEGIN,
    a_conflict,
    a_good_run,
)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_each_step_is_a_group_and_none_is_left_open(job: Job) -> None:
    job.run([*a_good_run()[:-1], StepStarted(Step.CONFIRM), StepStarted(Step.CONFIRM, "x")])
    lines = [line for line in job.log.getvalue().splitlines() if "group" in line]
    assert lines[::2][:3] == ["::group::collect", "::group::check", "::group::plan at pypi"]
    assert set(lines[1::2]) == {"::endgroup::"}
    assert lines[::2] == [line for line in lines if line.startswith("::group::")]
    assert lines[-1] == "::endgroup::"


def test_several_runs_of_a_step_stand_one_after_the_other(job: Job) -> None:
    job.run(a_conflict())
    job.run(a_good_run())
    assert [line[:4] for line in job.summary.splitlines() if line.startswith("## ")] == ["## ❌", "## ✅"]
    assert job.outputs["outcome"] == "published"


def test_a_value_cannot_end_its_own_delimiter(job: Job) -> None:
    extra = {"release-url": "x\nEND\nexit-code=0"}
    end = RunFinished(outcome=Outcome.FAILED, exit_code=9, time=BEGIN, extra=extra)
    job.run([end], delimiter=lambda: "END")
    assert job.outputs["release-url"] == "x END exit-code=0"
    assert job.outputs["exit-code"] == "9"


def test_files_that_cannot_be_written_are_warnings(job: Job, tmp_path: Path) -> None:
    job.environ = {"GITHUB_OUTPUT": str(tmp_path), "GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "folder")}
    job.run(a_good_run())
    titles = [dict(each.properties)["title"] for each in job.annotations("warning")]
    assert titles == ["runner-file-not-written"] * 2
    assert "Is a directory" in job.annotations("warning")[1].data


def test_a_runner_without_files_is_no_trouble(job: Job) -> None:
    job.environ = {}
    job.run(a_good_run())
    assert job.annotations("warning") == []
