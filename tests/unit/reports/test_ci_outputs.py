"""The outputs of a run for later steps and jobs."""

import json
from pathlib import Path

import pytest

from ci_publish.errors import PublishingDeferred
from ci_publish.model.events import Outcome, RunFinished
from ci_publish.reports.ci_outputs import Artifacts, action_outputs
from tests.unit.reports.github_job import Job
from tests.unit.reports.recorded_runs import (
    a_good_run,
    beginning,
    distribution,
)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_the_outputs_of_a_good_run(job: Job, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.touch()
    job.run(a_good_run(), artifacts=Artifacts(receipt, Path("attestations")))
    files = json.loads(job.outputs.pop("files"))
    assert [file["status"] for file in files] == ["already-published", "uploaded"]
    assert {name: value for name, value in job.outputs.items() if name != "files"} == {
        "outcome": "published",
        "exit-code": "0",
        "uploaded": "1",
        "already-published": "1",
        "receipt": str(receipt),
        "attestations-dir": "attestations",
        "resume-after": "",
        "release-url": "https://pypi.org/project/demo/1.0/",
    }


def test_a_receipt_that_is_not_there_is_not_handed_on(tmp_path: Path) -> None:
    assert action_outputs([], Artifacts(tmp_path / "nothing"))["receipt"] == ""


def test_the_files_output_shrinks_before_a_job_drops_it() -> None:
    def files_of(number: int) -> list[dict[str, object]]:
        every = [distribution(f"demo-{each}.tar.gz") for each in range(number)]
        return list(json.loads(action_outputs(beginning(*every), Artifacts())["files"]))

    assert len(files_of(100)[0]) == 18
    assert list(files_of(600)[0]) == ["filename", "status", "sha256"]
    assert files_of(2_000) == []


def test_a_deferred_run_says_when_it_can_go_on() -> None:
    error = PublishingDeferred("1 project is deferred", resume_after=0.0)
    extra = {"resume-after": "2026-11-29T04:00:00Z"}
    ended = RunFinished(outcome=Outcome.DEFERRED, exit_code=12, time=0.0, error=error, extra=extra)
    made = action_outputs([beginning()[0], ended], Artifacts())
    assert (made["outcome"], made["exit-code"], made["resume-after"]) == ("deferred", "12", "2026-11-29T04:00:00Z")
