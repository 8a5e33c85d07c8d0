"""Attestations at the rehearsal's index."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from pypi_attestations import Attestation
from sigstore import dsse
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

from ci_publish.rehearsal.ci_claims import simulated_github_claims, simulated_gitlab_claims, simulated_google_claims
from ci_publish.rehearsal.registered_publishers import (
    GitHubPublisher,
    GitLabPublisher,
    GooglePublisher,
    TrustedPublisher,
)
from ci_publish.rehearsal.trusted_publishing import registered
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_sdist, make_wheel
from tests.unit.rehearsal.published_files import mint, provenance, sign, upload, verified

REFUSED = "Invalid attestations supplied during upload: "


UNVERIFIED = f"{REFUSED}Could not verify the uploaded artifact using the included attestation: Verification failed: "


SLSA = "https://slsa.dev/provenance/v1"


GOOGLE = "publisher@demo-project.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as world:
        yield world
        assert world.failures == ()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


def sign_statement(
    world: RehearsalWorld, predicate: str, *subjects: tuple[str, str], claims: Mapping[str, object] | None = None
) -> str:
    """Sign a statement of any kind about any files (name, SHA-256), as a GitHub job: by default the rehearsed one."""
    config = ClientTrustConfig.from_json(world.trust_config_path.read_text(encoding="utf-8"))
    builder = dsse.StatementBuilder().predicate_type(predicate).predicate({})
    named = [dsse.Subject(name=name, digest=dsse.DigestSet({"sha256": digest})) for name, digest in subjects]
    token = IdentityToken(world.identity_provider.issue("sigstore", claims or simulated_github_claims()))
    with SigningContext.from_trust_config(config).signer(token) as signer:
        bundle = signer.sign_dsse(builder.subjects(named).build())
    return Attestation.from_bundle(bundle).model_dump_json()


@pytest.mark.parametrize(
    ("claims", "publisher"),
    [
        (
            simulated_github_claims(environment="pypi"),
            {"kind": "GitHub", "repository": "octo-org/demo", "workflow": "release.yml", "environment": "pypi"},
        ),
        (
            simulated_gitlab_claims(),
            {
                "kind": "GitLab",
                "repository": "octo-group/demo",
                "workflow_filepath": ".gitlab-ci.yml",
                "environment": None,
            },
        ),
        (simulated_google_claims(), {"kind": "Google", "email": GOOGLE}),
    ],
)
def test_attestations_are_taken_and_served_as_provenance_that_verifies(
    world: RehearsalWorld,
    client: httpx.Client,
    tmp_path: Path,
    claims: dict[str, object],
    publisher: dict[str, object],
) -> None:
    path = make_wheel(tmp_path, payload=json.dumps(publisher).encode(), name=str(publisher["kind"]).lower())

    taken = upload(client, world, path, mint(client, world, claims), f"[{sign(world, path, claims)}]")
    answer = provenance(client, world, path)

    assert taken == (200, "OK")
    assert answer.headers["Content-Type"] == "application/vnd.pypi.integrity.v1+json"
    assert answer.json()["attestation_bundles"][0]["publisher"] == publisher
    (subject,) = verified(world, answer)["subject"]
    assert (subject["name"], subject["digest"]["sha256"]) == (path.name, world.index.files[path.name].sha256)
    page = client.get(f"{world.base_url}/project/{world.index.files[path.name].project}/").text
    assert f"({publisher['kind']}), log index " in page


def test_one_of_each_kind_is_taken(world: RehearsalWorld, client: httpx.Client, tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "two-kinds")
    slsa = sign_statement(world, SLSA, (path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
    attestations = f"[{sign(world, path, simulated_github_claims())}, {slsa}]"

    taken = upload(client, world, path, mint(client, world, simulated_github_claims()), attestations)

    assert taken == (200, "OK")
    page = client.get(f"{world.base_url}/project/two-kinds/").text
    assert ("published by" in page, "built by" in page) == (True, True)
    assert f'data-provenance="{world.base_url}/integrity/two-kinds/' in client.get(f"{world.index_url}two-kinds/").text


@pytest.mark.parametrize(("started", "expected"), [("release.yml", (200, "OK")), ("nightly.yml", (400, UNVERIFIED))])
def test_what_a_reusable_workflow_signs_counts_for_the_workflow_that_was_started(
    world: RehearsalWorld, client: httpx.Client, tmp_path: Path, started: str, expected: tuple[int, str]
) -> None:
    path = make_wheel(tmp_path, f"started-{started.removesuffix('.yml')}")
    called = "ci-publish/ci-publish/.github/workflows/build-with-provenance.yml@refs/tags/v1.0.0"
    claims = simulated_github_claims(workflow=started, reusable_workflow_ref=called)
    slsa = sign_statement(world, SLSA, (path.name, hashlib.sha256(path.read_bytes()).hexdigest()), claims=claims)
    attestations = f"[{sign(world, path, simulated_github_claims())}, {slsa}]"

    status, said = upload(client, world, path, mint(client, world, simulated_github_claims()), attestations)

    assert (status, said[: len(expected[1])]) == expected


class TestRefusedAttestations:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return make_wheel(tmp_path, "refused", payload=os.urandom(8).hex().encode())

    def refused(self, client: httpx.Client, world: RehearsalWorld, path: Path, attestations: str) -> str:
        status, reason = upload(client, world, path, mint(client, world, simulated_github_claims()), attestations)
        assert (status, path.name in world.index.files) == (400, False)
        return reason

    def test_with_an_api_token(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        answer = upload(
            client, world, path, world.issue_api_token(), f"[{sign(world, path, simulated_github_claims())}]"
        )

        assert answer == (400, f"{REFUSED}Attestations are only supported when using Trusted Publishing")

    def test_an_empty_list(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        assert self.refused(client, world, path, "[]") == (
            f"{REFUSED}Malformed attestations: an empty attestation set is not permitted"
        )

    @pytest.mark.parametrize("rubbish", ["rubbish", "{}", '[{"version": 1}]'])
    def test_what_is_none(self, client: httpx.Client, world: RehearsalWorld, path: Path, rubbish: str) -> None:
        assert self.refused(client, world, path, rubbish).startswith(f"{REFUSED}Malformed attestations: ")

    def test_too_many(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        one = sign(world, path, simulated_github_claims())

        said = self.refused(client, world, path, f"[{one}, {one}, {one}]")

        assert said == f"{REFUSED}A maximum of 2 attestations per file are supported"

    def test_two_of_one_kind(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        one = sign(world, path, simulated_github_claims())

        said = self.refused(client, world, path, f"[{one}, {one}]")

        assert said == (
            f"{REFUSED}Multiple attestations for the same file with the same predicate type "
            "(https://docs.pypi.org/attestations/publish/v1) are not supported"
        )

    def test_of_other_bytes(self, client: httpx.Client, world: RehearsalWorld, path: Path, tmp_path: Path) -> None:
        other = make_wheel(tmp_path / "other", "refused", payload=b"other")

        said = self.refused(client, world, path, f"[{sign(world, other, simulated_github_claims())}]")

        assert said == f"{UNVERIFIED}subject does not match distribution digest"

    def test_of_another_name(self, client: httpx.Client, world: RehearsalWorld, path: Path, tmp_path: Path) -> None:
        other = make_wheel(tmp_path / "other", "other")

        said = self.refused(client, world, path, f"[{sign(world, other, simulated_github_claims())}]")

        assert said == f"{UNVERIFIED}subject does not match distribution name: {other.name} != {path.name}"

    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            (
                simulated_github_claims(repository="octo-org/other"),
                "Certificate's OIDCSourceRepositoryURI does not match (got https://github.com/octo-org/other, ",
            ),
            (
                simulated_github_claims(repository="Octo-Org/demo"),
                "Certificate's OIDCSourceRepositoryURI does not match (got https://github.com/Octo-Org/demo, ",
            ),
            (simulated_github_claims(workflow="other.yml"), "Certificate's Build Config URI ("),
            (simulated_gitlab_claims(), "Certificate's OIDCIssuerV2 does not match"),
        ],
    )
    def test_of_another_identity(
        self, client: httpx.Client, world: RehearsalWorld, path: Path, claims: dict[str, object], reason: str
    ) -> None:
        said = self.refused(client, world, path, f"[{sign(world, path, claims)}]")

        assert said.startswith(f"{UNVERIFIED}{reason}")

    @pytest.mark.parametrize(
        ("predicate", "names", "reason"),
        [
            (SLSA, ["{}", "{}"], "too many subjects in statement (must be exactly one)"),
            ("https://example.org/x", ["{}"], "unknown attestation type: https://example.org/x"),
            (SLSA, ["rubbish"], "invalid subject: "),
            (SLSA, ["rubbish.whl"], "invalid subject: "),
        ],
    )
    def test_of_another_shape(  # noqa: PLR0913, PLR0917 - three fixtures and a table
        self,
        client: httpx.Client,
        world: RehearsalWorld,
        path: Path,
        predicate: str,
        names: list[str],
        reason: str,
    ) -> None:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        attestation = sign_statement(world, predicate, *((name.format(path.name), digest) for name in names))

        assert self.refused(client, world, path, f"[{attestation}]").startswith(f"{UNVERIFIED}{reason}")

    def test_of_a_reusable_workflow(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        """The upload token is the called workflow's, the certificate the caller's: PyPI takes one and not the other."""
        called = "octo-org/demo/.github/workflows/reusable.yml@refs/tags/v1.0.0"
        claims = simulated_github_claims(reusable_workflow_ref=called)

        answer = upload(client, world, path, mint(client, world, claims), f"[{sign(world, path, claims)}]")

        assert answer[0] == 400
        assert "does not match expected Trusted Publisher (reusable.yml @ octo-org/demo)" in answer[1]

    def test_signed_in_another_world(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        with RehearsalWorld() as other:
            attestation = sign(other, path, simulated_github_claims())

        assert self.refused(client, world, path, f"[{attestation}]").startswith(REFUSED)

    def test_with_a_changed_signature(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        attestation = json.loads(sign(world, path, simulated_github_claims()))
        other = json.loads(sign(world, path, simulated_github_claims()))
        attestation["envelope"]["signature"] = other["envelope"]["signature"]

        assert self.refused(client, world, path, json.dumps([attestation])).startswith(REFUSED)

    def test_without_a_log_entrys_promise(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        attestation = json.loads(sign(world, path, simulated_github_claims()))
        del attestation["verification_material"]["transparency_entries"][0]["inclusionPromise"]

        said = self.refused(client, world, path, json.dumps([attestation]))

        assert said.startswith(f"{REFUSED}Unknown error while trying to verify included attestations: ")

    def test_when_they_are_switched_off_they_are_ignored(
        self, client: httpx.Client, world: RehearsalWorld, path: Path
    ) -> None:
        world.index.rules.flags.add("disable-pep740")
        try:
            assert upload(client, world, path, world.issue_api_token(), "rubbish") == (200, "OK")
        finally:
            world.index.rules.flags.clear()
        assert provenance(client, world, path).status_code == 404


@pytest.mark.parametrize(
    ("publisher", "claims", "status"),
    [
        (
            GitHubPublisher(repository="octo-org/demo", workflow="release.yml", environment="other"),
            simulated_github_claims(environment="other"),
            200,
        ),
        (
            GitHubPublisher(repository="octo-org/demo", workflow="release.yml"),
            simulated_github_claims(environment="any"),
            200,
        ),
        (GitLabPublisher("octo-group/demo"), simulated_gitlab_claims(), 200),
        (GooglePublisher(GOOGLE), simulated_google_claims(), 200),
    ],
)
def test_a_registered_publisher_is_the_one_that_must_have_signed(
    client: httpx.Client, tmp_path: Path, publisher: TrustedPublisher, claims: dict[str, object], status: int
) -> None:
    path = make_sdist(tmp_path)
    with RehearsalWorld(registrations=[registered(publisher, "demo", pending=True)]) as world:
        token = mint(client, world, claims)
        answer = upload(client, world, path, token, f"[{sign(world, path, claims)}]")

    assert answer[0] == status, answer[1]
