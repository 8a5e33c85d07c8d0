"""`verify` and whom it expects: the job's own repository, whom the user names, or nobody."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from ci_publish.rehearsal.ci_claims import simulated_github_claims
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release
from tests.e2e.in_process import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

SIGNER = "github:octo-org/demo:release.yml#pypi"


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as opened:
        yield opened
        assert opened.failures == ()


@pytest.fixture(scope="module")
def folder(world: RehearsalWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A release that is published with attestations from the environment pypi."""
    with pytest.MonkeyPatch.context() as patch:
        shell = Shell(tmp_path_factory.mktemp("release"))
        patch.chdir(shell.folder)
        make_release(shell.folder / "dist", "expected")
        assert shell.in_job_of(world, "github", **simulated_github_claims(environment="pypi"))("publish").code == 0
        yield shell


@pytest.fixture
def outside(world: RehearsalWorld, folder: Shell) -> Shell:
    """No CI around it."""
    return Shell(
        folder.folder,
        {
            "CI_PUBLISH_REPOSITORY_URL": world.repository_url,
            "CI_PUBLISH_SIGSTORE_TRUST_CONFIG": str(world.trust_config_path),
        },
    )


@pytest.mark.parametrize("what", ["dist", "expected==1.0"])
@pytest.mark.parametrize(
    ("publishers", "code"),
    [
        ([SIGNER], 0),
        (["github:octo-org/demo"], 0),
        (["github:Octo-Org/demo#pypi"], 0),
        (["gitlab:octo-group/demo", "github:octo-org/demo:release.yml"], 0),
        (["github:octo-org/demo#testpypi"], 11),
        (["github:octo-org/demo:other.yml"], 11),
        (["github:octo-org/other"], 11),
        (["gitlab:octo-org/demo"], 11),
        (["google:octo@demo.example"], 11),
    ],
)
def test_the_expected_publisher_is_compared_in_every_part(
    outside: Shell, publishers: list[str], code: int, what: str
) -> None:
    result = outside("verify", what, *(part for each in publishers for part in ("--publisher", each)))

    assert result.code == code, result.stdout
    assert {file["provenance_publisher"] for file in result.receipt["files"]} == {SIGNER}
    if code:
        assert result.receipt["error"]["slug"] == "unexpected-publisher"
        assert f"--publisher {shlex.quote(SIGNER)}" in result.receipt["error"]["hints"][-1]


def test_the_publisher_of_the_hint_is_accepted(outside: Shell) -> None:
    hint = outside("verify", "dist", "--publisher", "github:octo-org/other").receipt["error"]["hints"][-1]

    assert outside("verify", "dist", "--publisher", shlex.split(hint)[-1]).code == 0


def test_for_a_release_nobody_is_expected_and_the_last_line_says_who_signed(
    world: RehearsalWorld, outside: Shell, folder: Shell
) -> None:
    for shell in (outside, folder.in_job_of(world, "github", **simulated_github_claims(repository="octo-org/other"))):
        result = shell("verify", "expected==1.0")
        assert result.code == 0, result.stdout
        assert result.stdout.splitlines()[-1] == f"Verified: 2 published; signed by {SIGNER}."
        assert "publisher-expected" not in result.stdout


def test_a_job_expects_its_own_repository(world: RehearsalWorld, folder: Shell) -> None:
    # The workflow is not part of it: one workflow publishes, another one verifies.
    own = folder.in_job_of(world, "github", **simulated_github_claims(workflow="verify.yml", environment="other"))(
        "verify", "dist"
    )
    assert own.code == 0, own.stdout
    assert "Provenance must be from github:octo-org/demo, the job's own repository" in own.stdout

    for shell in (
        folder.in_job_of(world, "github", **simulated_github_claims(repository="octo-org/other")),
        folder.in_job_of(world, "gitlab"),
    ):
        other = shell("verify", "dist")
        assert other.code == 11, other.stdout
        assert "not from the job's own repository" in other.receipt["error"]["summary"]
        assert shell("verify", "dist", "--publisher", SIGNER).code == 0
        assert shell("verify").code == 11, "dist is meant where nothing is named"


def test_the_receipt_holds_who_signed_each_file(outside: Shell) -> None:
    for what in ("dist", "expected==1.0"):
        for file in outside("verify", what).receipt["files"]:
            (attestation,) = file["attestations"]
            assert attestation["identity"] == SIGNER
            assert attestation["signer"].startswith("https://github.com/octo-org/demo/.github/workflows/release.yml@")
            assert attestation["verified"]
            assert file["provenance_publisher"] == SIGNER


def test_a_file_without_provenance_is_by_nobody(world: RehearsalWorld, folder: Shell) -> None:
    make_release(folder.folder / "unsigned", "unsigned")
    job = folder.in_job_of(world, "github")
    assert job("publish", "unsigned", "--attestations", "off").code == 0

    unnamed = job("verify", "unsigned")
    assert unnamed.code == 0, "without a name, that is a warning"
    assert "2 files without verified provenance" in unnamed.stdout
    assert job("verify", "unsigned", "--publisher", "github:octo-org/demo").code == 11


@pytest.mark.parametrize("publisher", ["octo-org/demo", "github:demo", "gitlab:demo", "google:octo", "github:a/b#"])
def test_what_is_no_identity_is_a_wrong_setting(outside: Shell, publisher: str) -> None:
    for command, flag in (("verify", "--publisher"), ("publish", "--attested-by")):
        result = outside(command, "dist", flag, publisher)
        assert result.code == 2, result.stdout
        assert flag in result.receipt["error"]["summary"]


def test_a_publisher_cannot_be_expected_where_attestations_are_off(outside: Shell) -> None:
    for what in ("dist", "expected==1.0"):
        assert outside("verify", what, "--publisher", SIGNER, "--attestations", "off").code == 2
