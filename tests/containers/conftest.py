"""The image of this checkout, and a world on loopback that it publishes to."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_publish.rehearsal.world import RehearsalWorld
from tests.containers.engine import ROOT, build, engine
from tests.containers.github_runner import Job
from tests.containers.runtimes import notice
from tests.distributions import make_release

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.containers)


@pytest.fixture(scope="session")
def action_image() -> Iterator[str]:
    """The image as the runner builds it: the last stage."""
    tag = "localhost/ci-publish-test:action"
    yield build(tag, ROOT)
    subprocess.run([engine(), "rmi", "--force", tag], capture_output=True, check=False)


@pytest.fixture(scope="session")
def gitlab_image(action_image: str) -> Iterator[str]:
    tag = "localhost/ci-publish-test:gitlab"
    build(tag, ROOT, "--target", "gitlab")
    yield tag
    subprocess.run([engine(), "rmi", "--force", tag], capture_output=True, check=False)


@pytest.fixture(scope="session")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as world:
        yield world
        assert world.failures == ()


@pytest.fixture
def job(tmp_path: Path, world: RehearsalWorld) -> Job:
    """A job with `id-token: write` in the world, with two distributions of a project of its own."""
    environment = {key: value for key, value in world.environment().items() if not key.startswith("CI_PUBLISH_")}
    job = Job(tmp_path, environment)
    project = tmp_path.name.replace("_", "-").strip("-")
    make_release(job.workspace / "dist", project)
    shutil.copy(world.trust_config_path, job.workspace / "trust.json")
    return job


@pytest.fixture
def here(world: RehearsalWorld) -> dict[str, str]:
    """The inputs by which the action publishes to the world."""
    return {"repository-url": world.repository_url, "sigstore-trust-config": "trust.json"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say last what could not run."""
    if text := notice():
        terminalreporter.write_line(text)
