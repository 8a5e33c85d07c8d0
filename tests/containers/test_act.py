"""A user's workflow with the actions and the reusable workflows, run by act against a world on loopback."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci_publish.rehearsal.ci_claims import simulated_github_claims
from ci_publish.rehearsal.world import RehearsalWorld
from tests.containers.engine import ROOT, engine
from tests.containers.repositories import git, make_repository
from tests.containers.runtimes import runtime
from tests.containers.test_installation import offer_something_to_try
from tests.distributions import make_release, make_wheel

ASSETS = Path(__file__).parent / "assets"
# Where jobs run. A job that uses a docker action needs an image (with bash, git and node), because act mounts the files
# of the runner's commands from there; the others take the machine itself, which is ten times as fast.
ON_THE_HOST = "-self-hosted"
JOB_IMAGE = os.environ.get("ACT_JOB_IMAGE", "localhost/act-runner:latest")
PROJECT = "ci-publish/ci-publish"
WORKFLOWS = ("build.yml", "build-with-provenance.yml", "publish.yml")
COPIED = ("action.yml", "native", "requirements", "src", *(f".github/workflows/{name}" for name in WORKFLOWS))


@pytest.fixture(scope="module")
def program() -> str:
    """The program; asked for first, so that nothing is built in vain."""
    return runtime("act")


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """podman, as act wants it: behind a socket that speaks Docker's language."""
    path = tmp_path_factory.mktemp("podman") / "podman.sock"
    service = subprocess.Popen([engine(), "system", "service", "--time=0", f"unix://{path}"])
    for _ in range(100):
        if path.exists():
            break
        time.sleep(0.1)
    yield f"unix://{path}"
    service.terminate()
    service.wait(timeout=20)


def user_s_repository(folder: Path, image: str, world: RehearsalWorld) -> Path:
    """Make a repository that is this project and its user at once.

    act knows no `uses: $/…`. For an action that is this project at this commit, found in this folder; a workflow that
    is called lies in the caller's own repository.
    """
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    shutil.copy(ASSETS / "caller.yml", folder / ".github" / "workflows")
    shutil.copy(ROOT / "docs" / "examples" / "monorepo.yml", folder / ".github" / "workflows")
    make_family(folder)
    shutil.copytree(ASSETS / "project", folder / "project")
    shutil.copytree(ASSETS / "project", folder / "proven-project")
    for path in (folder / "proven-project").iterdir():
        path.write_text(
            path.read_text().replace("built-by-act", "proven-by-act").replace("built_by_act", "proven_by_act")
        )
    shutil.copy(world.trust_config_path, folder / "trust.json")
    for name in ("action", "native"):
        make_release(folder / "offered" / name, f"act-{name}")
    for path in (folder / ".github" / "workflows").iterdir():
        text = path.read_text().replace("uses: $/.github/", "uses: ./.github/")
        path.write_text(re.sub(r"uses: \$(?:/$|(/\S+))", rf"uses: {PROJECT}\1@{commit()}", text, flags=re.MULTILINE))
    # As released: the image by name instead of the Dockerfile.
    action = folder / "action.yml"
    action.write_text(action.read_text().replace("image: Dockerfile", f"image: docker://{image}"))
    offer_something_to_try(folder / "tried")
    make_repository(folder)
    return folder


def make_family(folder: Path) -> None:
    """Make three projects in ``packages``, and a pipx that builds what was built before: act has no registry."""
    requires = {"core": (), "plugin": ("core==1.0",), "meta": ("core==1.0", "plugin==1.0")}
    for name, siblings in requires.items():
        (folder / "packages" / name).mkdir(parents=True)
        (folder / "packages" / name / "pyproject.toml").touch()
        extra = "".join(f"Requires-Dist: {each}\n" for each in siblings)
        make_wheel(folder / "built" / name, name, extra=extra)
    pipx = folder / "bin" / "pipx"
    pipx.parent.mkdir()
    pipx.write_text('#!/bin/sh\nmkdir -p "$4" && cp "built/$(basename "$5")"/* "$4"\n')
    pipx.chmod(0o755)


def commit() -> str:
    """Return the commit of this checkout."""
    command = [*git(ROOT), "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def fakes(workflow_folder: Path) -> Iterator[str]:
    """Yield the options by which act takes our stand-ins for GitHub's own actions, at the commits that are pinned."""
    text = "".join(path.read_text() for path in workflow_folder.glob("*.yml"))
    for name, commit in sorted(set(re.findall(r"uses: actions/([\w-]+)@([0-9a-f]{40})", text))):
        if (ASSETS / "fakes" / name).is_dir():
            yield f"--local-repository=actions/{name}@{commit}={ASSETS / 'fakes' / name}"


class Act:
    """act, in one repository, against one world."""

    def __init__(self, program: str, repository: Path, socket: str, world: RehearsalWorld, store: Path) -> None:
        self._program = program
        self.repository = repository
        self._environment = {
            **os.environ,
            "DOCKER_HOST": socket,
            "XDG_CONFIG_HOME": str(store / "config"),
            "XDG_CACHE_HOME": str(store / "cache"),
            "API_TOKEN": world.issue_api_token(),
        }
        self._world = world
        (store / "config" / "act").mkdir(parents=True)
        (store / "config" / "act" / "actrc").touch()
        self._options = [
            *("--pull=false", "--action-offline-mode", "--no-cache-server", "--container-daemon-socket=-", "--rm"),
            f"--var=REPOSITORY_URL={world.repository_url}",
            f"--env=ARTIFACTS={store / 'artifacts'}",
            *(f"--env={k}={v}" for k, v in world.environment().items() if k.startswith("ACTIONS_")),
            f"--local-repository={PROJECT}@{commit()}={repository}",
            *fakes(repository / ".github" / "workflows"),
        ]

    def in_job_of(self, **claims: str) -> list[str]:
        """Return the options that give the jobs of a run an identity of this repository at its commit."""
        head = subprocess.run(
            [*git(self.repository), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        own = {"workflow": "caller.yml", "ref": "refs/heads/main", **claims}
        said = simulated_github_claims(repository="acme/demo", **own) | dict.fromkeys(
            ("sha", "workflow_sha", "job_workflow_sha"), head
        )
        variables = self._world.environment("github", **said)
        identity = [f"--env={k}={v}" for k, v in variables.items() if k.startswith("ACTIONS_")]
        # A called workflow has no inputs for a test's Sigstore, and GitHub would hand none of these on to it.
        trust = f"--env=CI_PUBLISH_SIGSTORE_TRUST_CONFIG={self._world.trust_config_path}"
        return [*identity, trust, "--env=GITHUB_REPOSITORY=acme/demo"]

    def __call__(
        self, job: str, *arguments: str, platform: str = ON_THE_HOST, workflow: str = "caller", event: str = "push"
    ) -> "subprocess.CompletedProcess[str]":
        """Run a job of a workflow, and those that it needs."""
        options = [f"--workflows=.github/workflows/{workflow}.yml", f"--job={job}"]
        options.append(f"--platform=ubuntu-latest={platform}")
        command = [self._program, event, *options, *self._options, *arguments]
        return subprocess.run(
            command,
            cwd=self.repository,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )


@pytest.fixture(scope="module")
def act(program: str, tmp_path_factory: pytest.TempPathFactory, socket: str, world: RehearsalWorld) -> Act:
    repository = user_s_repository(tmp_path_factory.mktemp("demo"), "localhost/ci-publish-test:action", world)
    return Act(program, repository, socket, world, tmp_path_factory.mktemp("store"))


def told(log: str, by: str) -> dict[str, Any]:
    line = re.search(rf"\| TOLD-{by} (\{{.*)", log)
    assert line is not None, log[-8_000:]
    values: dict[str, Any] = json.loads(line[1])
    return values


@pytest.mark.usefixtures("action_image")
@pytest.mark.parametrize(("job", "platform"), [("action", JOB_IMAGE), ("native", ON_THE_HOST)])
def test_an_action_publishes_with_trusted_publishing(act: Act, job: str, platform: str) -> None:
    result = act(job, platform=platform)

    assert result.returncode == 0, result.stdout[-8_000:]
    outputs = told(result.stdout, job)
    assert (outputs["outcome"], outputs["exit-code"], outputs["uploaded"]) == ("published", "0", "2")
    assert {file["status"] for file in json.loads(outputs["files"])} == {"uploaded"}
    assert not re.search(r"\| LEFT-native \S", result.stdout)


# A job with `permissions: {}`; act gives every job what it is told to give.
WITHOUT_IDENTITY = [f"--env={name}=" for name in ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")]


@pytest.mark.parametrize(("job", "platform"), [("try", JOB_IMAGE), ("try-native", ON_THE_HOST)])
def test_an_action_installs_and_tries_what_it_rehearses(act: Act, job: str, platform: str) -> None:
    result = act(job, *WITHOUT_IDENTITY, platform=platform)

    assert result.returncode == 0, result.stdout[-8_000:]
    outputs = told(result.stdout, job)
    assert (outputs["outcome"], outputs["exit-code"]) == ("rehearsed", "0")
    assert result.stdout.count("passed in") == 2


def test_the_build_workflow_installs_in_a_job_of_its_own(act: Act) -> None:
    result = act("built-and-tried", *WITHOUT_IDENTITY)

    assert result.returncode == 0, result.stdout[-8_000:]
    assert len(re.findall(r"Install and try.*built_by_act\S+ .*passed in", result.stdout)) == 2, result.stdout[-8_000:]


@pytest.mark.parametrize(("job", "platform"), [("try", JOB_IMAGE), ("try-native", ON_THE_HOST)])
def test_an_action_installs_nothing_where_the_job_has_an_identity(act: Act, job: str, platform: str) -> None:
    result = act(job, platform=platform)

    assert result.returncode != 0
    assert "Nothing was installed." in result.stdout
    assert "Move the rehearsal to a separate job, without `id-token: write`" in result.stdout


def test_the_reusable_workflows_build_rehearse_and_publish(act: Act) -> None:
    result = act("told", "--secret=API_TOKEN")

    assert result.returncode == 0, result.stdout[-8_000:]
    built, sent = told(result.stdout, "build"), told(result.stdout, "publish")
    digests = {file["filename"]: file["sha256"] for file in json.loads(built["files"])}
    assert set(digests) == {"built_by_act-1.0.tar.gz", "built_by_act-1.0-py3-none-any.whl"}
    assert built["artifact-id"].isdecimal()
    assert len(built["artifact-digest"]) == 64
    assert sent["outcome"] == "published"
    assert {file["filename"]: file["sha256"] for file in json.loads(sent["files"])} == digests


def test_build_provenance_of_the_reusable_workflow_is_served_beside_the_publish_attestation(
    act: Act, world: RehearsalWorld
) -> None:
    builder = "ci-publish/ci-publish/.github/workflows/build-with-provenance.yml@refs/tags/v1.0.0"

    built = act("told-provenance", *act.in_job_of(reusable_workflow_ref=builder))

    assert built.returncode == 0, built.stdout[-8_000:]
    outputs = told(built.stdout, "provenance")
    assert {"artifact-id", "artifact-digest", "files", "provenance-artifact-id"} == outputs.keys()
    assert outputs["artifact-id"] != outputs["provenance-artifact-id"]

    published = act("publish-with-provenance", *act.in_job_of())

    assert published.returncode == 0, published.stdout[-8_000:]
    files = {file["filename"]: file for file in json.loads(told(published.stdout, "proven")["files"])}
    digests = {file["filename"]: file["sha256"] for file in json.loads(outputs["files"])}
    assert set(digests) == {"proven_by_act-1.0.tar.gz", "proven_by_act-1.0-py3-none-any.whl"}
    assert {name: file["sha256"] for name, file in files.items()} == digests
    for name in digests:
        made = {each["predicate_type"]: each["signer"] for each in files[name]["attestations"]}
        assert made["https://slsa.dev/provenance/v1"] == f"https://github.com/{builder}"
        provenance = world.index.files[name].provenance
        assert provenance is not None
        assert len(provenance["attestation_bundles"][0]["attestations"]) == 2


def test_the_publishing_workflow_says_why_it_stops_without_a_password(act: Act) -> None:
    result = act("without-password")

    assert result.returncode != 0
    assert "https://github.com/pypi/warehouse/issues/11096" in result.stdout
    assert "Download the distributions" not in result.stdout.partition("issues/11096")[2]


def test_the_workflow_of_the_guide_to_monorepos_rehearses_a_family(act: Act) -> None:
    path = f"--env=PATH={act.repository / 'bin'}:{os.environ['PATH']}"
    result = act("rehearse", path, workflow="monorepo", event="release")

    assert result.returncode == 0, result.stdout[-8_000:]
    assert re.findall(r"\| (core|plugin|meta)\n", result.stdout) == ["core", "plugin", "meta"]
    assert re.search(r"order +3\. meta \(new project\)", result.stdout)


def test_the_workflow_of_the_guide_to_monorepos_publishes_a_family_after_its_rehearsal(
    act: Act, world: RehearsalWorld
) -> None:
    path = f"--env=PATH={act.repository / 'bin'}:{os.environ['PATH']}"
    job = act.in_job_of(workflow="monorepo.yml", ref="refs/tags/v1.0", environment="pypi", event_name="release")
    # act's jobs know no other index than PyPI, unless a variable that the workflow does not have names it
    destination = f"--env=CI_PUBLISH_REPOSITORY_URL={world.repository_url}"
    result = act("publish", path, destination, *job, workflow="monorepo", event="release")

    assert result.returncode == 0, result.stdout[-8_000:]
    jobs = re.findall(r"\[Release/([\w ]+?) *\] +🏁 +Job succeeded", result.stdout)
    assert jobs == ["Build all projects", "Rehearse", "Publish"]
    family = [f"{name}-1.0-py3-none-any.whl" for name in ("core", "plugin", "meta")]
    published = [name for name in world.index.files if name in family]
    assert sorted(published, key=lambda name: world.index.files[name].uploaded) == family
    assert all(world.index.files[name].provenance is not None for name in family)
