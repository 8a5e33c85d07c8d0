"""Installing and trying what is rehearsed, as the image, the actions and the component do it."""

from pathlib import Path

from tests.containers.engine import ROOT
from tests.containers.github_runner import Job
from tests.containers.test_action import CONFINED
from tests.installable import sdist, wheel

ACTION = ROOT / "action.yml"
INPUTS = {
    "rehearse": "true",
    "install": "true",
    "install-upstream": "wheels",
    "install-run": "python -c pass\npython -V",
}


def offer_something_to_try(workspace: Path, *, missing: str = "") -> None:
    """A wheel with a console script, an sdist, and a folder with what both require."""
    files = {"demo/__init__.py": "import dep\n\n\ndef main():\n    print('hello')\n"}
    metadata = ["Requires-Dist: dep>=1", *([f"Requires-Dist: {missing}"] if missing else [])]
    wheel(workspace / "dist", files=files, metadata=metadata, scripts={"demo": "demo:main"})
    sdist(workspace / "dist", requires=["dep"])
    wheel(workspace / "wheels", "dep", "1.5")


def test_the_image_needs_no_network_for_a_folder_of_wheels(tmp_path: Path, action_image: str) -> None:
    job = Job(tmp_path)
    offer_something_to_try(job.workspace)
    before = sorted(path.name for path in job.workspace.rglob("*"))

    step = job.step(ACTION, action_image, INPUTS, ["--network=none", *CONFINED])

    assert (step.code, step.outputs["outcome"]) == (0, "rehearsed"), step.log
    assert step.log.count("passed in") == 2
    assert step.summary.count("CPython 3.13") == 2
    assert sorted(path.name for path in job.workspace.rglob("*")) == before


def test_what_does_not_work_fails_the_step_and_is_annotated(tmp_path: Path, action_image: str) -> None:
    job = Job(tmp_path)
    offer_something_to_try(job.workspace, missing="absent>=3")

    step = job.step(ACTION, action_image, INPUTS, ["--network=none"])

    assert (step.code, step.outputs["exit-code"]) == (4, "4"), step.log
    errors = [command for command in step.commands if command.name == "error"]
    assert any("absent>=3 cannot be met on Python 3.13" in error.data for error in errors), step.log
    assert "install-unresolvable" in step.summary


def test_the_image_installs_nothing_where_the_job_has_an_identity(job: Job, action_image: str) -> None:
    step = job.step(ACTION, action_image, {"rehearse": "true", "install": "true"})

    assert (step.code, step.outputs["exit-code"]) == (2, "2"), step.log
    assert "id-token: write" in step.log
    assert "Nothing was installed." in step.log
