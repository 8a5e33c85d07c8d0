"""Attestation files next to the distributions that another CI, project or workflow signed."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ci_publish.rehearsal.ci_claims import simulated_github_claims, simulated_gitlab_claims
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release
from tests.e2e.in_process import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_publish.rehearsal.simulated_job import Provider
    from tests.e2e.conftest import Result

pytestmark = pytest.mark.e2e

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as opened:
        yield opened
        assert opened.failures == ()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    make_release(tmp_path / "dist", f"foreign{next(NUMBERS)}")
    return Shell(tmp_path)


def attest(shell: Shell, world: RehearsalWorld, provider: Provider, suffix: str = ".tar.gz", **claims: str) -> None:
    """Sign as another job, and leave only the attestation of one file next to the distributions."""
    made = simulated_gitlab_claims(**claims) if provider == "gitlab" else simulated_github_claims(**claims)
    signed = shell.in_job_of(world, provider, **made)("attest", "--output-dir", "out")
    assert signed.code == 0, signed.stdout
    for path in Path("out").glob(f"*{suffix}.publish.attestation"):
        path.rename(Path("dist") / path.name)


def traces(world: RehearsalWorld) -> tuple[int, int, int]:
    """Return how often the index and Sigstore were asked for something that stays."""
    return len(world.index.mint_log), len(world.sigstore.entries), len(world.index.files)


def refused(shell: Shell, world: RehearsalWorld, *arguments: str) -> Result:
    before = traces(world)
    result = shell.in_job_of(world, "github")("publish", *arguments)
    assert result.code == 7, result.stdout
    assert result.receipt["error"]["slug"] == "attestation-by-another"
    assert set(result.statuses.values()) == {"not-attempted"}
    assert traces(world) == before, "nothing was exchanged, signed or uploaded"
    return result


@pytest.mark.parametrize(
    ("provider", "claims", "signer"),
    [
        ("gitlab", {}, "gitlab:octo-group/demo:.gitlab-ci.yml"),
        ("github", {"repository": "octo-org/other"}, "github:octo-org/other:release.yml"),
        ("github", {"workflow": "nightly.yml"}, "github:octo-org/demo:nightly.yml"),
    ],
    ids=["gitlab", "other-repository", "other-workflow"],
)
def test_an_attestation_by_somebody_else_stops_the_run_before_anything_is_sent(
    world: RehearsalWorld, shell: Shell, provider: Provider, claims: dict[str, str], signer: str
) -> None:
    attest(shell, world, provider, **claims)

    result = refused(shell, world)

    assert signer in result.receipt["error"]["detail"]
    again = refused(shell, world)
    assert again.receipt["error"] == result.receipt["error"]
    # What the message says is true: deleting the file is a cure.
    name = next(Path("dist").glob("*.attestation")).name
    assert f"Delete {name}: ci-publish creates a new one." in result.receipt["error"]["hints"]
    (Path("dist") / name).unlink()
    assert shell.in_job_of(world, "github")("publish").code == 0


@pytest.mark.parametrize("command", [("plan",), ("plan", "--prove-credential"), ("doctor",), ("publish", "--dry-run")])
def test_plan_and_doctor_end_as_publish_would(world: RehearsalWorld, shell: Shell, command: tuple[str, ...]) -> None:
    attest(shell, world, "gitlab")
    before = traces(world)
    job = shell.in_job_of(world, "github")

    result = job(*command)

    assert result.code == 7, result.stdout
    assert result.receipt["error"]["slug"] == "attestation-by-another"
    assert traces(world) == before
    assert job(*command, "--attested-by", "gitlab:octo-group/demo").code == 0
    assert job(*command, "--attestations", "off").code == 0


@pytest.mark.parametrize("command", ["plan", "doctor", "publish"])
def test_a_published_file_without_the_required_attestation_ends_all_alike(
    world: RehearsalWorld, shell: Shell, command: str
) -> None:
    job = shell.in_job_of(world, "github")
    assert job("publish", "--attestations", "off", *Path("dist").glob("*.whl")).code == 0

    result = job(command, "--attestations", "required")

    assert result.code == 7, result.stdout
    assert result.receipt["error"]["slug"] == "published-unattested"
    assert job(command).code == 0


@pytest.mark.parametrize("command", ["plan", "doctor"])
def test_attestations_of_files_that_are_published_already_are_not_judged(
    world: RehearsalWorld, shell: Shell, command: str
) -> None:
    assert shell.in_job_of(world, "github")("publish").code == 0
    attest(shell, world, "gitlab")

    assert shell.in_job_of(world, "github")(command).code == 0


def test_an_attestation_whose_signer_is_named_is_sent(world: RehearsalWorld, shell: Shell) -> None:
    attest(shell, world, "gitlab")
    refused(shell, world, "--attested-by", "gitlab:octo-group/other")
    before = traces(world)

    result = shell.in_job_of(world, "github")("publish", "--attested-by", "gitlab:octo-group/demo")

    # This index has PyPI's rules, of which the warning tells; what it refuses is said in its own words.
    assert "PyPI accepts attestations only from the Trusted Publisher" in result.stdout
    assert result.code == 9, result.stdout
    assert traces(world)[0] > before[0]


@pytest.mark.parametrize(
    ("claims", "noted"),
    [
        ({"ref": "refs/heads/main"}, False),
        ({"event_name": "workflow_dispatch"}, False),
        ({"sha": "ab" * 20}, True),
    ],
    ids=["ref", "run", "commit"],
)
def test_another_run_of_the_same_identity_is_used(
    world: RehearsalWorld, shell: Shell, claims: dict[str, str], *, noted: bool
) -> None:
    attest(shell, world, "github", **claims)

    result = shell.in_job_of(world, "github")("publish")

    assert result.code == 0, result.stdout
    assert ("was created for another commit" in result.stdout) is noted
    by_kind = {file["kind"]: file["attestations"][0] for file in result.receipt["files"]}
    assert by_kind["sdist"]["commit"] == claims.get("sha", by_kind["wheel"]["commit"])
    assert {entry["identity"] for entry in by_kind.values()} == {"github:octo-org/demo:release.yml"}


def test_attest_refuses_them_too(world: RehearsalWorld, shell: Shell) -> None:
    attest(shell, world, "gitlab")
    signed = len(world.sigstore.entries)

    result = shell.in_job_of(world, "github")("attest", "--output-dir", "again")

    assert result.code == 7, result.stdout
    assert len(world.sigstore.entries) == signed


def test_a_gitlab_job_refuses_those_of_github(world: RehearsalWorld, shell: Shell) -> None:
    attest(shell, world, "github")
    before = traces(world)

    result = shell.in_job_of(world, "gitlab")("publish")

    assert result.code == 7, result.stdout
    assert "github:octo-org/demo:release.yml" in json.dumps(result.receipt["error"])
    assert traces(world) == before
