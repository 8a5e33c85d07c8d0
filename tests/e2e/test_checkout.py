"""A checkout whose pyproject.toml sends secrets and identities elsewhere: nothing leaves a run for a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release
from tests.e2e.in_process import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

NAMED = ("CI_PUBLISH_REPOSITORY_URL", "CI_PUBLISH_SIGSTORE_TRUST_CONFIG")


@pytest.fixture
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as opened:
        yield opened


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: RehearsalWorld) -> Shell:
    """Return a shell in a job of *world*, whose checkout alone names the index and the Sigstore instance."""
    monkeypatch.chdir(tmp_path)
    make_release(tmp_path / "dist")
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.ci-publish]\nrepository-url = "{world.repository_url}"\n'
        f'sigstore-trust-config = "{world.trust_config_path.as_posix()}"\n'
    )
    job = {name: value for name, value in world.environment().items() if name not in NAMED}
    return Shell(tmp_path, job)


def sent(world: RehearsalWorld) -> tuple[int, int, int]:
    """Return how many identities were requested, how many exchanged, and what became public."""
    return len(world.identity_provider.issued), len(world.index.mint_log), len(world.index.files)


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "workflow_run", "issue_comment"])
@pytest.mark.parametrize(
    ("command", "environ"),
    [
        (("publish",), {}),
        (("publish",), {"CI_PUBLISH_PASSWORD": "hunter2"}),
        (("plan", "--prove-credential"), {}),
        (("doctor", "--mint"), {}),
        (("attest", "--output-dir", "out"), {}),
    ],
)
def test_nothing_leaves_a_run_for_a_pull_request(
    shell: Shell, world: RehearsalWorld, event: str, command: tuple[str, ...], environ: dict[str, str]
) -> None:
    result = shell(*command, GITHUB_EVENT_NAME=event, **environ)
    assert result.code == 2
    assert "from pyproject.toml, in a run that may contain untrusted code" in result.stdout + result.stderr
    assert sent(world) == (0, 0, 0)


def test_another_run_publishes_there_and_says_so_first(shell: Shell, world: RehearsalWorld) -> None:
    result = shell("publish", GITHUB_EVENT_NAME="push")
    assert result.code == 0, result.stdout + result.stderr
    assert all(sent(world)), "the file is honoured, so the other test shows something"
    lines = (result.stdout + result.stderr).splitlines()
    assert "The destination comes from pyproject.toml" in lines[1]
    assert any("This run uses a private Sigstore instance" in line for line in lines)


def test_a_trusted_checkout_publishes_from_a_pull_request_too(shell: Shell, world: RehearsalWorld) -> None:
    result = shell("publish", GITHUB_EVENT_NAME="pull_request", CI_PUBLISH_TRUST_PROJECT_SETTINGS="true")
    assert "untrusted code" not in result.stdout + result.stderr
    assert len(world.identity_provider.issued) > 0


def test_a_token_of_pypi_is_not_shown_to_an_index_that_the_file_names(shell: Shell, world: RehearsalWorld) -> None:
    token = "pypi-AgEIcHlwaS5vcmcCAmlkAAAGIHNzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nz"
    result = shell("publish", CI_PUBLISH_PASSWORD=token)
    assert result.code == 6
    assert result.receipt["error"]["slug"] == "api-token-unusable"
    assert not world.index.files
