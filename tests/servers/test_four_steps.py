"""The matrix of four steps on real servers: fresh, same again, check, modified must fail."""

import hashlib
from pathlib import Path

import pytest

from tests.distributions import make_release
from tests.e2e.conftest import Cli, cli, served
from tests.servers.conftest import RealIndex

__all__ = ["cli", "served"]

pytestmark = pytest.mark.servers


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_fresh_again_verify_and_modified(cli: Cli, index: RealIndex) -> None:
    project = f"steps-{index.kind}"
    run = cli.with_environment(index.environment)
    paths = make_release(run.folder / "dist", project)
    wanted = {path.name: digest(path) for path in paths}

    fresh = run("publish")
    assert fresh.code == 0, fresh.stdout
    assert set(fresh.statuses.values()) == {"uploaded"}
    assert all(file["listed"] for file in fresh.receipt["files"])
    assert index.digests(project) == wanted

    again = run("publish")
    assert again.code == 0, again.stdout
    assert again.receipt["outcome"] == "already-published"
    assert set(again.statuses.values()) == {"already-published"}
    assert "upload" not in again.receipt["timings"]

    verified = run("verify")
    assert verified.code == 0, verified.stdout

    make_release(run.folder / "dist", project, payload=b"x = 2\n")
    modified = run("publish")
    assert modified.code == 8, modified.stdout
    assert set(modified.statuses.values()) == {"conflict"}
    assert index.digests(project) == wanted, "nothing was overwritten, even where the index would let us"


def test_keep_published_leaves_the_published_file_loudly(cli: Cli, index: RealIndex) -> None:
    project = f"keep-{index.kind}"
    run = cli.with_environment(index.environment)
    (path, wheel) = make_release(run.folder / "dist", project)
    wheel.unlink()
    before = digest(path)
    assert run("publish").code == 0
    make_release(run.folder / "dist", project, payload=b"x = 2\n")
    kept = run("publish", "--on-conflict", "keep-published")
    assert kept.code == 0, kept.stdout
    assert kept.statuses[path.name] == "kept-published"
    assert before in kept.stdout
    assert digest(path) in kept.stdout
    assert index.digests(project)[path.name] == before


def test_a_wrong_password_is_a_rejected_credential(cli: Cli, index: RealIndex) -> None:
    project = f"wrong-{index.kind}"
    make_release(cli.folder / "dist", project)
    wrong = cli.with_environment({**index.environment, "CI_PUBLISH_PASSWORD": "pypi-not-this-one"})("publish")
    assert wrong.code == 6, wrong.stdout
    assert "pypi-not-this-one" not in wrong.stdout + wrong.stderr
