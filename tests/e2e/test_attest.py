"""Attestations as a user meets them: made ahead, found beside, wished for in an outage, refused without an identity."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from pypi_attestations import Attestation, GitHubPublisher
from sigstore.models import ClientTrustConfig
from sigstore.verify import Verifier

from ci_publish.rehearsal.ci_claims import simulated_github_claims
from ci_publish.rehearsal.hooks import answer
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release
from tests.e2e.in_process import Shell, hooked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

# What goes away by itself is waited for, up to a quarter of an hour (tests/faults/test_signing_faults.py); this is not.
DOWN = answer(404, "<h1>Sigstore has moved</h1>", content_type="text/html")


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as opened:
        yield opened
        assert all(token.burnt for token in opened.index.mint_log)
        assert opened.failures == ()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


@pytest.fixture
def job(world: RehearsalWorld, shell: Shell) -> Shell:
    """A job with a summary, and a release that no other test has."""
    make_release(shell.folder / "dist", project(shell))
    (shell.folder / "summary.md").touch()
    environ = world.environment("github")
    return Shell(shell.folder, {**environ, "GITHUB_STEP_SUMMARY": str(shell.folder / "summary.md")})


def project(shell: Shell) -> str:
    return shell.folder.name.removeprefix("test_").rstrip("0123456789_").replace("_", "-")


def content(folder: Path) -> dict[str, tuple[str, int]]:
    """Return what lies in a folder, by name: digest and time of change."""
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) for path in folder.iterdir()
    }


def column(receipt: dict[str, Any], name: str) -> set[Any]:
    return {file[name] for file in receipt["files"]}


def only_predicates(receipt: dict[str, Any]) -> list[str]:
    return [file["attestations"][0]["predicate_type"] for file in receipt["files"] if file["attestations"]]


# attest -----------------------------------------------------------------------------------------------------------


def test_attest_writes_files_that_another_program_verifies(world: RehearsalWorld, job: Shell) -> None:
    before = content(job.folder / "dist")
    result = job("attest", "--output-dir", "out")
    assert result.code == 0, result.stdout
    assert result.receipt["outcome"] == "attested"
    assert result.receipt["indexes"] == []
    assert content(job.folder / "dist") == before
    assert content(job.folder / "out").keys() == {f"{name}.publish.attestation" for name in before}

    config = ClientTrustConfig.from_json(world.trust_config_path.read_text(encoding="utf-8"))
    verifier = Verifier(trusted_root=config.trusted_root)
    publisher = GitHubPublisher(repository="octo-org/demo", workflow="release.yml")
    for name in before:
        made = (job.folder / "out" / f"{name}.publish.attestation").read_text(encoding="utf-8")
        statement = verified(verifier, Attestation.model_validate_json(made), publisher)
        sha256 = hashlib.sha256((job.folder / "dist" / name).read_bytes()).hexdigest()
        assert statement["subject"] == [{"name": name, "digest": {"sha256": sha256}}]
        assert statement["predicateType"] == "https://docs.pypi.org/attestations/publish/v1"


def verified(verifier: Verifier, attestation: Attestation, publisher: GitHubPublisher) -> dict[str, Any]:
    """Return the statement of an attestation that sigstore itself verified for a publisher."""
    kind, payload = verifier.verify_dsse(attestation.to_bundle(), publisher._as_policy())  # noqa: SLF001
    assert kind == "application/vnd.in-toto+json"
    statement: dict[str, Any] = json.loads(payload)
    return statement


def test_attest_without_a_folder_is_a_mistake_that_signs_nothing(world: RehearsalWorld, job: Shell) -> None:
    signed = len(world.sigstore.entries)
    result = job("attest")
    assert result.code == 2
    assert "--output-dir" in json.dumps(result.receipt["error"]["hints"])
    assert len(world.sigstore.entries) == signed


def test_attest_twice_replaces_nothing(job: Shell) -> None:
    assert job("attest", "--output-dir", "out").code == 0
    before = content(job.folder / "out")
    again = job("attest", "--output-dir", "out")
    assert again.code == 2, again.stdout
    assert content(job.folder / "out") == before


def test_what_was_attested_ahead_is_published_as_it_is(world: RehearsalWorld, job: Shell) -> None:
    assert job("attest", "--output-dir", "dist").code == 0
    beside, signed = content(job.folder / "dist"), len(world.sigstore.entries)
    result = job("publish")
    assert result.code == 0, result.stdout
    assert len(world.sigstore.entries) == signed, "nothing was signed again"
    assert column(result.receipt, "status") == {"uploaded"}
    assert column(result.receipt, "provenance_verified") == {True}
    assert content(job.folder / "dist") == beside
    for path in (job.folder / "dist").glob("*.attestation"):
        provenance: Any = world.index.files[path.name.removesuffix(".publish.attestation")].provenance
        served = [item for bundle in provenance["attestation_bundles"] for item in bundle["attestations"]]
        assert served == [json.loads(path.read_text(encoding="utf-8"))]
    assert len(only_predicates(result.receipt)) == 2, "the receipt tells of attestations that were found, too"


def test_a_file_that_lost_its_attestation_gets_a_new_one(world: RehearsalWorld, job: Shell) -> None:
    assert job("attest", "--output-dir", "dist").code == 0
    next(iter((job.folder / "dist").glob("*.tar.gz.publish.attestation"))).unlink()
    signed = len(world.sigstore.entries)
    assert job("publish").code == 0
    assert len(world.sigstore.entries) == signed + 1


# policies ---------------------------------------------------------------------------------------------------------


def test_required_publishes_nothing_in_an_outage(world: RehearsalWorld, job: Shell) -> None:
    before = content(job.folder / "dist")
    with hooked(world.sigstore.hooks, interpose=DOWN):
        result = job("publish")
    assert result.code == 7, result.stdout
    assert column(result.receipt, "status") == {"not-attempted"}
    assert world.index.state.project(project(job)) is None
    assert "Sigstore has moved" in json.dumps(result.receipt["error"])
    assert content(job.folder / "dist") == before
    assert job("publish").code == 0, "and when the outage is over, the same command finishes"


def test_if_possible_publishes_without_and_says_so_everywhere(world: RehearsalWorld, job: Shell) -> None:
    with hooked(world.sigstore.hooks, interpose=DOWN):
        result = job("publish", "--attestations", "if-possible")
    assert result.code == 0, result.stdout
    assert column(result.receipt, "status") == {"uploaded"}
    assert column(result.receipt, "listed") == {True}
    assert [file["attestations"] for file in result.receipt["files"]] == [[], []]
    assert column(result.receipt, "provenance_verified") == {None}
    summary = (job.folder / "summary.md").read_text(encoding="utf-8")
    for name in ("tar.gz", "whl"):
        said = [line for line in result.stdout.splitlines() if "WITHOUT an attestation" in line and name in line]
        assert said, result.stdout
        assert [line for line in summary.splitlines() if "WITHOUT an attestation" in line and name in line], summary
    assert "::warning" in result.stdout
    assert all(file.provenance is None for file in world.index.state.project(project(job)).files.values())  # type: ignore[union-attr]


def test_if_possible_attests_when_it_can(world: RehearsalWorld, job: Shell) -> None:
    signed = len(world.sigstore.entries)
    result = job("publish", "--attestations", "if-possible")
    assert result.code == 0
    assert len(world.sigstore.entries) == signed + 2
    assert column(result.receipt, "provenance_verified") == {True}


@pytest.mark.parametrize("value", ["off", "false"])
def test_off_signs_nothing(world: RehearsalWorld, job: Shell, value: str) -> None:
    signed = len(world.sigstore.entries)
    result = job("publish", "--attestations", value)
    assert result.code == 0
    assert len(world.sigstore.entries) == signed
    assert "sign" not in result.receipt["timings"]
    assert [file["attestations"] for file in result.receipt["files"]] == [[], []]
    assert job("verify").code == 0, "no provenance is no lie"
    assert job("verify", "--attestations", "required").code == 11


def test_an_api_token_publishes_without_and_cannot_be_required_to_attest(world: RehearsalWorld, job: Shell) -> None:
    signed = len(world.sigstore.entries)
    with_token = Shell(job.folder, {**job.environment, "CI_PUBLISH_PASSWORD": world.issue_api_token()})
    required = with_token("publish", "--attestations", "required")
    assert required.code == 2, required.stdout
    assert column(required.receipt, "status") == {"not-attempted"}
    assert "Trusted Publishing" in json.dumps(required.receipt["error"])
    result = with_token("publish")
    assert result.code == 0, result.stdout
    assert result.receipt["indexes"][0]["credential"]["kind"] == "api-token"
    assert len(world.sigstore.entries) == signed


def test_a_private_repository_is_told_what_becomes_public(world: RehearsalWorld, job: Shell) -> None:
    claims = simulated_github_claims(repository="octo-org/secret-plans", repository_visibility="private")
    private = Shell(job.folder, {**job.environment, **world.environment("github", **claims)})
    result = private("publish")
    assert result.code == 0, result.stdout
    warned = [line for line in result.stdout.splitlines() if line.startswith("::warning")]
    assert [line for line in warned if "octo-org/secret-plans" in line], result.stdout
    assert "octo-org/secret-plans" in (job.folder / "summary.md").read_text(encoding="utf-8")

    make_release(job.folder / "dist", project(job), "1.1")
    quiet = private("publish", "--attestations", "off")
    assert quiet.code == 0, quiet.stdout
    assert not [line for line in quiet.stdout.splitlines() if "::warning" in line and "log permanently shows" in line]
