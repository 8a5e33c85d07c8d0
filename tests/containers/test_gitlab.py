"""The GitLab component in a project that includes it, run by gitlab-ci-local against a world on loopback."""

import html
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from ci_publish.rehearsal.world import RehearsalWorld
from tests.containers.engine import ROOT, engine
from tests.containers.repositories import make_repository
from tests.containers.runtimes import runtime
from tests.containers.test_installation import offer_something_to_try
from tests.distributions import make_release

PIPELINE = Path(__file__).parent / "assets" / "gitlab-ci.yml"
# The helper image; it has rsync.
HELPER = os.environ.get("ACT_JOB_IMAGE", "localhost/act-runner:latest")
EXECUTORS = {
    "shell": ("--force-shell-executor", "--shell-isolation"),
    "podman": (
        *("--container-executable=podman", "--pull-policy=if-not-present", "--network=host"),
        f"--helper-image={HELPER}",
    ),
}


def project(folder: Path, world: RehearsalWorld, name: str, changes: Mapping[str, str] | None = None) -> Path:
    """Make a project whose pipeline builds distributions of *name* and includes the component at its own commit.

    *changes* replace lines of the pipeline.
    """
    folder.mkdir()
    shutil.copytree(ROOT / "templates", folder / "templates")
    pipeline = PIPELINE.read_text()
    for before, after in (changes or {}).items():
        assert before in pipeline
        pipeline = pipeline.replace(before, after)
    (folder / ".gitlab-ci.yml").write_text(pipeline)
    shutil.copy(world.trust_config_path, folder / "trust.json")
    make_release(folder / "offered", name)
    offer_something_to_try(folder / "tried")
    make_repository(folder)
    return folder


def run(folder: Path, executor: str, variables: Mapping[str, str], path: Sequence[Path] = ()) -> tuple[int, str]:
    """Run the whole pipeline of the project in *folder*; return how it ended and what it said."""
    command = [runtime("gitlab-ci-local"), *EXECUTORS[executor]]
    command += [part for key, value in variables.items() for part in ("--variable", f"{key}={value}")]
    result = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=200,
    )
    return result.returncode, result.stdout


def command_on_path(folder: Path) -> Path:
    """Make a folder with a `ci-publish` that runs this checkout: what the image has, for the shell executor."""
    folder.mkdir()
    script = folder / "ci-publish"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT / "src"}" exec "{sys.executable}" -m ci_publish "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def program() -> str:
    """The program; asked for first, so that nothing is built in vain."""
    return runtime("gitlab-ci-local")


def exited() -> set[str]:
    """Return the containers that have ended."""
    command = [engine(), "ps", "--all", "--quiet", "--filter=status=exited"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Remove the helper containers that gitlab-ci-local leaves behind."""
    before = exited()
    yield
    if left := exited() - before:
        subprocess.run([engine(), "rm", *left], capture_output=True, check=False)


@pytest.fixture
def variables(program: str, world: RehearsalWorld, gitlab_image: str) -> dict[str, str]:
    """What a GitLab job would find: identity tokens, which gitlab-ci-local takes from outside."""
    tokens = {key: value for key, value in world.environment("gitlab").items() if key.endswith("_ID_TOKEN")}
    return {**tokens, "GITLAB_CI": "true", "WORLD": world.repository_url, "IMAGE": gitlab_image}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_component_publishes_what_an_earlier_job_built(
    tmp_path: Path, world: RehearsalWorld, variables: dict[str, str], executor: str
) -> None:
    folder = project(tmp_path / "project", world, f"gitlab-{executor}")

    code, log = run(folder, executor, variables, [command_on_path(tmp_path / "bin")])

    assert code == 0, log[-8_000:]
    reports = next(folder.rglob("receipt.json")).parent
    receipt = json.loads((reports / "receipt.json").read_text())
    assert (receipt["outcome"], {file["status"] for file in receipt["files"]}) == ("published", {"uploaded"})
    assert f"gitlab_{executor}-1.0.tar.gz" in (reports / "summary.md").read_text()
    assert ET.parse(reports / "junit.xml").getroot().tag in {"testsuite", "testsuites"}  # noqa: S314  (our own file)
    assert "AFTERWARDS published 2" in log


@pytest.mark.parametrize("wrong", ["jobs: many", 'strict: "perhaps"'])
def test_a_wrong_input_is_refused_before_any_job(
    tmp_path: Path, world: RehearsalWorld, variables: dict[str, str], wrong: str
) -> None:
    folder = project(tmp_path / "project", world, "gitlab-wrong", {"jobs: 4": wrong})

    code, log = run(folder, "shell", variables)

    assert code != 0
    assert wrong.partition(":")[0] in log
    assert not list(folder.rglob("receipt.json"))


RULES = "      rules: [{when: always}]\n"


@pytest.mark.parametrize("tag", ["", "v1.0"])
def test_the_component_publishes_from_tags_and_not_from_branches(
    tmp_path: Path, world: RehearsalWorld, variables: dict[str, str], tag: str
) -> None:
    folder = project(tmp_path / "project", world, f"gitlab-tag-{'given' if tag else 'none'}", {RULES: ""})
    if tag:
        variables = {**variables, "CI_COMMIT_TAG": tag}

    code, log = run(folder, "shell", variables, [command_on_path(tmp_path / "bin")])

    assert code == 0, log[-8_000:]
    assert bool(list(folder.rglob("receipt.json"))) == bool(tag), log[-8_000:]


def test_variables_of_the_pipeline_count_where_an_input_is_not_given(
    tmp_path: Path, world: RehearsalWorld, variables: dict[str, str]
) -> None:
    ours = "stages: [build, deploy, after]\nvariables:\n  CI_PUBLISH_REPOSITORY_URL: $WORLD\n  CI_PUBLISH_JOBS: '2'\n"
    changes = {
        "stages: [build, deploy, after]\n": f"{ours}  CI_PUBLISH_DRY_RUN: 'true'\n  CI_PUBLISH_VERIFY: 'false'\n",
        "      repository-url: $WORLD\n": "",
        "      jobs: 4\n": "      strict: true\n      timeout: 7.5\n",
    }
    folder = project(tmp_path / "project", world, "gitlab-variables", changes)

    code, log = run(folder, "shell", variables, [command_on_path(tmp_path / "bin")])

    assert code == 0, log[-8_000:]
    receipt = json.loads(next(folder.rglob("receipt.json")).read_text())
    assert (receipt["outcome"], receipt["indexes"][0]["repository_url"]) == ("planned", world.repository_url)
    summary = html.unescape(next(folder.rglob("summary.md")).read_text())
    for setting in ("CI_PUBLISH_JOBS", "CI_PUBLISH_VERIFY", "component input strict", "component input timeout"):
        assert setting in summary, summary


COMPONENT = "/publish@$CI_COMMIT_SHA"
# The component `rehearse`, in a job without identity tokens.
REHEARSAL = {
    COMPONENT: "/rehearse@$CI_COMMIT_SHA",
    "      repository-url: $WORLD\n      sigstore-trust-config: trust.json\n": "      stage: deploy\n",
    "      jobs: 4\n": (
        "      install: true\n      install-upstream: tried/wheels\n      install-run: python -c pass\n"
        "      packages-dir: tried/dist\n"
    ),
    "$PUBLISH_OUTCOME $PUBLISH_UPLOADED": "$PUBLISH_OUTCOME $PUBLISH_EXIT_CODE",
}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_component_for_rehearsals_installs_and_tries(
    tmp_path: Path, world: RehearsalWorld, gitlab_image: str, program: str, executor: str
) -> None:
    assert program
    folder = project(tmp_path / "project", world, "gitlab-tried", REHEARSAL)

    code, log = run(folder, executor, {"GITLAB_CI": "true", "IMAGE": gitlab_image}, [command_on_path(tmp_path / "bin")])

    assert code == 0, log[-8_000:]
    receipt = json.loads(next(folder.rglob("receipt.json")).read_text())
    assert receipt["outcome"] == "rehearsed"
    assert {trial["result"] for file in receipt["files"] for trial in file["tried"]} == {"passed"}
    assert sum(len(file["tried"]) for file in receipt["files"]) == 2
    suites = ET.parse(next(folder.rglob("junit.xml"))).getroot()  # noqa: S314  (our own file)
    assert len(suites.findall("./testsuite[@name='installations']/testcase")) == 2


def test_the_component_for_rehearsals_installs_nothing_beside_an_identity(
    tmp_path: Path, world: RehearsalWorld, variables: dict[str, str]
) -> None:
    folder = project(tmp_path / "project", world, "gitlab-refused", REHEARSAL)

    code, log = run(folder, "shell", variables, [command_on_path(tmp_path / "bin")])

    assert code != 0
    assert "without `id_tokens:`" in log, log[-8_000:]
