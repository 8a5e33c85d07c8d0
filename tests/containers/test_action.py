"""The containerized action under the runner's contract."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ci_publish.rehearsal.world import RehearsalWorld
from tests.containers.engine import ROOT, Container, build, engine
from tests.containers.github_runner import Job
from tests.distributions import make_release

ACTION = ROOT / "action.yml"
# Everything that an action's container can do without; as root among another user's files it needs this one capability.
CONFINED = (
    "--read-only",
    "--cap-drop=all",
    "--cap-add=DAC_OVERRIDE",
    "--security-opt=no-new-privileges",
    "--tmpfs=/tmp",
)

# Imports all that a publishing run imports, then prints which of it had no bytecode that needs no checking.
BYTECODE = """
import importlib, pathlib, pkgutil, sys
import ci_publish.cli.command_invocation, ci_publish.app.composition, ci_publish.attestations.sigstore_signer
print(*(name for name, module in sys.modules.items() if getattr(module, "__cached__", None)
        and not (pathlib.Path(module.__cached__).exists()
                 and pathlib.Path(module.__cached__).read_bytes()[4:8] == b"\\x01\\0\\0\\0")))
"""


def test_it_publishes_with_trusted_publishing(
    job: Job, world: RehearsalWorld, action_image: str, here: dict[str, str]
) -> None:
    wanted = {"receipt": "out/receipt.json", "attestations-dir": "out/attestations", "print_hash": "true"}

    step = job.step(ACTION, action_image, {**here, **wanted})

    assert (step.code, step.outputs["outcome"], step.outputs["exit-code"]) == (0, "published", "0"), step.log
    assert set(step.files.values()) == {"uploaded"}
    assert (step.outputs["uploaded"], step.outputs["already-published"]) == ("2", "0")
    assert step.outputs["receipt"] == "out/receipt.json"
    assert json.loads((job.workspace / "out" / "receipt.json").read_text())["outcome"] == "published"
    assert step.outputs["attestations-dir"] == "out/attestations"
    assert len(list((job.workspace / "out" / "attestations").iterdir())) == 2
    assert step.outputs["release-url"].startswith(world.base_url)
    assert all(name in step.summary for name in step.files)


def test_a_second_run_finds_everything_published(job: Job, action_image: str, here: dict[str, str]) -> None:
    job.step(ACTION, action_image, here)

    again = job.step(ACTION, action_image, here)

    assert (again.code, again.outputs["uploaded"], again.outputs["already-published"]) == (0, "0", "2"), again.log


def test_a_failure_comes_back_as_exit_code_annotation_and_summary(
    job: Job, action_image: str, here: dict[str, str]
) -> None:
    job.step(ACTION, action_image, here)
    project = next((job.workspace / "dist").glob("*.whl")).name.split("-")[0].replace("_", "-")
    make_release(job.workspace / "dist", project, payload=b"y = 2\n")

    step = job.step(ACTION, action_image, here)

    assert (step.code, step.outputs["exit-code"], step.outputs["outcome"]) == (8, "8", "failed"), step.log
    assert "content-conflict" in step.summary
    assert [command for command in step.commands if command.name == "error"]


def test_it_rehearses_without_any_identity(tmp_path: Path, action_image: str) -> None:
    job = Job(tmp_path)
    make_release(job.workspace / "dist", "rehearsed")
    before = sorted(path.name for path in job.workspace.rglob("*"))

    step = job.step(ACTION, action_image, {"rehearse": "true"}, ["--network=none"])

    assert (step.code, step.outputs["outcome"]) == (0, "rehearsed"), step.log
    assert "rehearsed-1.0.tar.gz" in step.summary
    assert sorted(path.name for path in job.workspace.rglob("*")) == before


def test_it_needs_no_writable_image_and_one_capability(job: Job, action_image: str, here: dict[str, str]) -> None:
    step = job.step(ACTION, action_image, here, CONFINED)

    assert (step.code, step.outputs["uploaded"]) == (0, "2"), step.log
    assert "::warning" not in step.log


def test_nothing_in_the_workspace_is_imported(job: Job, action_image: str, here: dict[str, str]) -> None:
    for name in ("sitecustomize.py", "json.py", "ci_publish.py", "httpx.py"):
        (job.workspace / name).write_text("raise SystemExit('IMPORTED')\n")

    step = job.step(ACTION, action_image, {**here, "dry-run": "true"}, ["-e", "PYTHONPATH=/github/workspace"])

    assert (step.code, step.outputs["outcome"]) == (0, "planned"), step.log
    assert not list(job.workspace.rglob("__pycache__"))


def test_all_that_a_run_imports_is_compiled(action_image: str) -> None:
    ran = Container(action_image, ["-c", BYTECODE], ["--entrypoint=/opt/ci-publish/bin/python"]).run()

    assert (ran.code, ran.log.split()) == (0, [])


def test_the_same_checkout_gives_the_same_image(action_image: str) -> None:
    tag = "localhost/ci-publish-test:again"

    again = build(tag, ROOT, "--no-cache")

    subprocess.run([engine(), "rmi", tag], capture_output=True, check=True)
    assert again == action_image


def test_the_gitlab_image_has_a_shell_and_no_entry_point(gitlab_image: str) -> None:
    inspected = subprocess.run(
        [engine(), "inspect", "--format", "{{.Config.Entrypoint}}", gitlab_image],
        capture_output=True,
        text=True,
        check=True,
    )
    ran = Container(gitlab_image, ["bash", "-c", "ci-publish --version"]).run()

    assert inspected.stdout.strip() in {"[]", "<nil>"}
    assert (ran.code, ran.log.split()[0]) == (0, "ci-publish")


@pytest.mark.parametrize("umask", [0o002, 0o077])
def test_a_checkout_made_with_another_umask_gives_the_same_image(tmp_path: Path, action_image: str, umask: int) -> None:
    for name in ("Dockerfile", ".dockerignore", "requirements", "src"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)

    image = build("localhost/ci-publish-test:umask", tmp_path)

    subprocess.run([engine(), "rmi", "localhost/ci-publish-test:umask"], capture_output=True, check=True)
    assert image == action_image


@pytest.mark.parametrize(("name", "value"), [("REHEARSE", "true"), ("DRY-RUN", "true"), ("REPOSITORY-URL", "testpypi")])
def test_a_docker_step_whose_inputs_would_be_ignored_publishes_nothing(
    job: Job, action_image: str, name: str, value: str
) -> None:
    docker_step = {**job.environment, f"INPUT_{name}": value}
    flags = ["-v", f"{job.workspace}:/github/workspace", "--workdir=/github/workspace"]

    ran = Container(action_image, (), flags, docker_step).run()

    assert ran.code == 2, ran.log
    assert f"INPUT_{name} is {value}, but this run would ignore it." in ran.log
    assert "CI_PUBLISH_ACTION: docker" in ran.log


def test_files_in_the_workspace_belong_to_the_runner_s_user(job: Job, action_image: str, here: dict[str, str]) -> None:
    outputs = {"receipt": "new/deep/receipt.json", "attestations-dir": "new/attestations", "reports-dir": "reports"}

    step = job.step(ACTION, action_image, {**here, **outputs})

    assert step.code == 0, step.log
    written = list(job.workspace.rglob("*"))
    assert {path.name for path in written} >= {"receipt.json", "attestations", "deep", "publish.env", "junit.xml"}
    assert {path.stat().st_uid for path in written} == ({1001} if os.geteuid() == 0 else {os.geteuid()})


def test_a_failed_run_leaves_nothing_of_root_s_either(job: Job, action_image: str) -> None:
    step = job.step(ACTION, action_image, {"jobs": "many", "receipt": "new/receipt.json"})

    assert step.code == 2, step.log
    owners = {path.stat().st_uid for path in (job.workspace / "new").rglob("*")}
    assert owners == ({1001} if os.geteuid() == 0 else {os.geteuid()})


def test_a_place_that_cannot_be_written_to_is_found_before_anything_is_signed(
    job: Job, action_image: str, here: dict[str, str]
) -> None:
    (job.workspace / "blocked").write_text("")

    steps = {
        name: job.step(ACTION, action_image, {**here, name: "blocked"}) for name in ("attestations-dir", "reports-dir")
    }

    for name, step in steps.items():
        assert (step.code, step.outputs["exit-code"]) == (2, "2"), step.log
        assert f"Cannot write to blocked ({name})" in step.log
        assert "transparency log" not in step.log


def test_an_annotation_names_a_refused_file_by_its_path(job: Job, action_image: str, here: dict[str, str]) -> None:
    (job.workspace / "dist" / "broken-1.0-py3-none-any.whl").write_bytes(b"no zip")

    step = job.step(ACTION, action_image, here)

    assert step.code == 4, step.log
    files = {dict(command.properties).get("file") for command in step.commands if command.name == "error"}
    assert "dist/broken-1.0-py3-none-any.whl" in files
    assert step.files["broken-1.0-py3-none-any.whl"] == "not-attempted"
