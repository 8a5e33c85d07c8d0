"""One line changed from pypa/gh-action-pypi-publish must keep working: in the container, and natively.

The failures that are new on purpose are listed in docs/migration.md. There must be no others.
"""

import difflib
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ci_publish.rehearsal.world import RehearsalWorld
from tests.containers.engine import ROOT
from tests.containers.github_runner import Job, Step, read_yaml
from tests.containers.test_native import BASH, NATIVE, PUBLISH, Runner, tools
from tests.distributions import make_release
from tests.servers.conftest import RealIndex
from tests.servers.conftest import pypiserver as pypiserver  # noqa: PLC0414  (a fixture)
from tests.unit.reports.runner import file_commands

Run = Callable[[Job, Mapping[str, str]], Step]

THEIRS = "pypa/gh-action-pypi-publish@release/v1"
OURS = {"container": "ci-publish/ci-publish@COMMIT", "native": "ci-publish/ci-publish/native@COMMIT"}
WORKFLOW = """
on: {{push: {{tags: ["v*"]}}}}
jobs:
  publish:
    runs-on: ubuntu-latest
    environment: pypi
    permissions:
      id-token: write
    steps:
      - uses: {action}
        with: {inputs}
"""

KEBAB = "repository-url: WORLD, packages-dir: dist/, verify-metadata: true, skip-existing: true, print-hash: true"
SNAKE = "repository_url: WORLD, packages_dir: dist/, verify_metadata: true, skip_existing: true, print_hash: true"
OFF = "verify-metadata: false, skip-existing: false, verbose: false, print-hash: false, attestations: false"
STEPS = {
    "Trusted Publishing": "{repository-url: WORLD}",
    "Trusted Publishing, attestations said": "{repository-url: WORLD, attestations: true}",
    "Trusted Publishing, no attestations": "{repository-url: WORLD, attestations: false}",
    "every input": f"{{user: __token__, password: TOKEN, {KEBAB}, verbose: true, attestations: true}}",
    "every input, old spellings": f"{{user: __token__, password: TOKEN, {SNAKE}, verbose: true, attestations: true}}",
    "every input off": f"{{user: __token__, password: TOKEN, repository-url: WORLD, packages-dir: dist, {OFF}}}",
    "old spellings, Trusted Publishing": f"{{{SNAKE}, verbose: true}}",
    "an API token": "{password: TOKEN, repository-url: WORLD}",
    "an empty secret and user": "{user: __token__, password: '', repository-url: WORLD}",
    "a private index": "{user: USER, password: PASSWORD, repository-url: PRIVATE}",
    "a private index, no metadata": "{user: USER, password: PASSWORD, repository_url: PRIVATE, verify_metadata: false}",
    "a private index, skip-existing": "{user: USER, password: PASSWORD, repository-url: PRIVATE, skip-existing: true}",
}


@pytest.fixture(scope="module")
def native_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment that the native action prepares, made once."""
    folder = tmp_path_factory.mktemp("native")
    programs = {"python3": sys.executable} | ({"uv": found} if (found := shutil.which("uv")) else {})
    runner = Runner(folder, tools(folder / "bin", programs))
    prepared, made = runner.native("prepare", "rehearsal")
    assert prepared.returncode == 0, prepared.stdout
    yield {"NATIVE_ACTION": str(NATIVE), "NATIVE_FOLDER": made["folder"], "NATIVE_PYTHON": made["python"]}
    runner.native("clean", NATIVE_FOLDER=made["folder"])


@pytest.fixture(params=OURS)
def front_end(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(front_end: str, request: pytest.FixtureRequest) -> Run:
    """Run the action in a job, with inputs."""
    if front_end == "container":
        image = request.getfixturevalue("action_image")
        return lambda job, inputs: job.step(ROOT / "action.yml", image, inputs)
    environment = request.getfixturevalue("native_environment")
    return lambda job, inputs: native_step(job, environment, inputs)


def native_step(job: Job, environment: Mapping[str, str], inputs: Mapping[str, str]) -> Step:
    """Run the native action's step `publish` as a runner does."""
    declared = dict.fromkeys(read_yaml(NATIVE / "action.yml")["inputs"], "")
    assert inputs.keys() <= declared.keys()
    files = {name: job.folder / "file_commands" / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("")
    result = subprocess.run(
        [BASH, "--noprofile", "--norc", "-c", PUBLISH],
        cwd=job.workspace,
        env={
            **job.environment,
            **environment,
            **{name: str(file) for name, file in files.items()},
            "PATH": os.environ["PATH"],
            "HOME": str(job.folder / "home"),
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(job.workspace),
            "NATIVE_INPUTS": json.dumps({**declared, **inputs}),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=200,
    )
    outputs = file_commands(files["GITHUB_OUTPUT"].read_text())
    return Step(result.returncode, result.stdout, outputs, files["GITHUB_STEP_SUMMARY"].read_text())


@pytest.fixture
def old_job(tmp_path: Path, world: RehearsalWorld) -> Job:
    """A job as gh-action-pypi-publish left it: distributions, their attestation files, and a README in dist/.

    Only the test's own Sigstore is named by a variable; everything else is what the workflow says.
    """
    rehearsed = world.environment()
    environment = {key: value for key, value in rehearsed.items() if not key.startswith("CI_PUBLISH_")}
    job = Job(tmp_path / "job", {**environment, "CI_PUBLISH_SIGSTORE_TRUST_CONFIG": "trust.json"})
    shutil.copy(world.trust_config_path, job.workspace / "trust.json")
    make_release(job.workspace / "dist", tmp_path.name.replace("_", "-").strip("-"))
    (job.workspace / "dist" / "README.md").write_text("Wheels.\n")
    attest = [sys.executable, "-m", "ci_publish", "attest", "dist", "--output-dir", "dist"]
    subprocess.run(attest, cwd=job.workspace, env={**os.environ, **rehearsed}, capture_output=True, check=True)
    assert len(list((job.workspace / "dist").glob("*.publish.attestation"))) == 2
    return job


def changed(front_end: str, inputs: str, values: Mapping[str, str]) -> dict[str, str]:
    """Change one line of a workflow that used gh-action-pypi-publish; return the inputs that the runner passes."""
    for name, value in values.items():
        inputs = inputs.replace(name, value)
    before = WORKFLOW.format(action=THEIRS, inputs=inputs)
    after = before.replace(THEIRS, OURS[front_end])
    assert len([line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line.startswith("+ ")]) == 1
    parsed: Any = YAML(typ="safe", pure=True).load(io.StringIO(after))
    given = parsed["jobs"]["publish"]["steps"][0]["with"]
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


@pytest.fixture
def values(world: RehearsalWorld, pypiserver: RealIndex) -> dict[str, str]:
    return {
        "WORLD": world.repository_url,
        "TOKEN": world.issue_api_token(),
        "PRIVATE": pypiserver.repository_url,
        "USER": pypiserver.user,
        "PASSWORD": pypiserver.password,
    }


@pytest.mark.parametrize("name", STEPS)
def test_a_workflow_works_with_one_line_changed(
    name: str, front_end: str, run: Run, old_job: Job, values: dict[str, str]
) -> None:
    inputs = changed(front_end, STEPS[name], values)

    first = run(old_job, inputs)
    again = run(old_job, inputs)

    assert (first.code, first.outputs["uploaded"]) == (0, "2"), first.log
    assert (again.code, again.outputs["uploaded"]) == (0, "0"), again.log
    wheel = next((old_job.workspace / "dist").glob("*.whl"))
    shown = hashlib.sha256(wheel.read_bytes()).hexdigest() in first.log
    assert shown or inputs.get("print-hash", inputs.get("print_hash", "false")) == "false"


def test_another_folder(front_end: str, run: Run, old_job: Job, values: dict[str, str]) -> None:
    (old_job.workspace / "dist").rename(old_job.workspace / "wheelhouse")

    step = run(old_job, changed(front_end, "{repository-url: WORLD, packages_dir: wheelhouse/}", values))

    assert (step.code, step.outputs["uploaded"]) == (0, "2"), step.log


@pytest.mark.parametrize("inputs", ["{repository-url: 'https://test.pypi.org/legacy/', skip-existing: true}", "{}"])
def test_pypi_and_testpypi_are_understood(front_end: str, run: Run, old_job: Job, inputs: str) -> None:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "CI_PUBLISH_DEADLINE": "5"}
    offline = Job(old_job.folder / "offline", {**old_job.environment, **nowhere})
    shutil.copytree(old_job.workspace, offline.workspace, dirs_exist_ok=True)

    step = run(offline, changed(front_end, inputs, {}))

    assert (step.code, step.outputs["exit-code"]) == (10, "10"), step.log
    assert ("test.pypi.org" if "test" in inputs else "pypi.org") in step.log


def subfolders(dist: Path) -> None:
    (dist / "wheels").mkdir()
    for wheel in dist.glob("*.whl*"):
        wheel.rename(dist / "wheels" / wheel.name)


def renamed_wheel(dist: Path) -> None:
    """PyPI's server rejects a platform tag that it does not know."""
    wheel = next(dist.glob("*.whl"))
    wheel.rename(dist / wheel.name.replace("-any.whl", "-linux_x86_64.whl"))


def nothing(dist: Path) -> None:
    """Leave the distributions as they are."""


NEW: dict[str, tuple[Callable[[Path], None], dict[str, str], int, str]] = {
    "subfolders": (subfolders, {}, 4, "dist/wheels/"),
    "refused by PyPI": (renamed_wheel, {}, 4, "linux_x86_64"),
    "another destination": (nothing, {"TWINE_REPOSITORY": "testpypi"}, 2, "TWINE_REPOSITORY"),
    "unknown variable": (nothing, {"CI_PUBLISH_API_TOKEN": "x"}, 2, "CI_PUBLISH_API_TOKEN"),
}


@pytest.mark.parametrize("name", NEW)
def test_failures_that_are_new(name: str, front_end: str, run: Run, old_job: Job, values: dict[str, str]) -> None:
    """Those of docs/migration.md, "Failures that are new": nothing is sent, and the message names the cause.

    A password for PyPI itself needs PyPI's names: tests/e2e/test_destinations.py plays them.
    """
    change, environment, code, words = NEW[name]
    change(old_job.workspace / "dist")
    job = Job(old_job.folder / "changed", {**old_job.environment, **environment})
    shutil.copytree(old_job.workspace, job.workspace, dirs_exist_ok=True)

    step = run(job, changed(front_end, "{repository-url: WORLD}", values))

    assert (step.code, step.outputs["exit-code"]) == (code, str(code)), step.log
    assert words in step.log
    assert step.outputs["uploaded"] == "0"
