"""End to end with the rehearsal's Sigstore: unmodified libraries, real signatures, loopback HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pypi_attestations import (
    Attestation,
    CircleCIPublisher,
    GitHubPublisher,
    GitLabPublisher,
    GooglePublisher,
    VerificationMaterial,
)
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.verify import Verifier

from ci_publish.attestations.examiner import sigstore_bundle_json
from ci_publish.attestations.provenance_predicates import build_provenance_predicate
from ci_publish.attestations.signing_run import SigningClocks
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.errors import AttestationUnsound, ConfigurationError, SigstoreRefused
from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1
from ci_publish.model.events import RequestTraced, Retrying
from ci_publish.rehearsal.ci_claims import (
    simulated_circleci_claims,
    simulated_github_claims,
    simulated_gitlab_claims,
    simulated_google_claims,
)
from ci_publish.rehearsal.sigstore import prepare_sigstore_home
from tests.unit.attestations.signing_harness import SigningHarness, quick, signing_harness, wheel, wheels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pypi_attestations import Publisher


@pytest.fixture
def world() -> Iterator[SigningHarness]:
    with signing_harness() as world:
        yield world


def circleci_attestation_publisher() -> CircleCIPublisher:
    claims = simulated_circleci_claims()
    return CircleCIPublisher(
        project_id=str(claims["oidc.circleci.com/project-id"]),
        pipeline_definition_id=str(claims["oidc.circleci.com/pipeline-definition-id"]),
    )


@pytest.mark.parametrize(
    ("claims", "publisher", "repeatable"),
    [
        (simulated_github_claims(), GitHubPublisher(repository="octo-org/demo", workflow="release.yml"), True),
        (
            simulated_github_claims(repository="Octo/Demo"),
            GitHubPublisher(repository="Octo/Demo", workflow="release.yml"),
            True,
        ),
        (
            simulated_gitlab_claims(),
            GitLabPublisher(repository="octo-group/demo", workflow_filepath=".gitlab-ci.yml"),
            False,
        ),
        (simulated_google_claims(), GooglePublisher(email="publisher@demo-project.iam.gserviceaccount.com"), True),
        (simulated_circleci_claims(), circleci_attestation_publisher(), True),
    ],
)
def test_what_is_signed_verifies_as_the_index_verifies_it(
    world: SigningHarness, claims: Mapping[str, object], publisher: Publisher, repeatable: bool
) -> None:
    signer = world.signer(world.identity(claims, repeatable=repeatable))

    result = signer.sign(wheels(5))

    assert result.failures == {}
    verifier = Verifier(trusted_root=ClientTrustConfig.from_json(world.sigstore.trust_config(world.url)).trusted_root)
    for distribution in wheels(5):
        (made,) = result.attestations[distribution.filename]
        attestation = Attestation.model_validate_json(made.json)
        verifier.verify_dsse(attestation.to_bundle(), publisher._as_policy())  # noqa: SLF001  (PyPI's own judgement)
        assert attestation.statement["subject"] == [
            {"name": distribution.filename, "digest": {"sha256": distribution.sha256}}
        ]
        assert (made.predicate_type, made.verified) == (PUBLISH_V1, True)
        assert made.log_index is not None
        assert made.integrated_time is not None


def test_each_file_is_one_entry_in_the_log_and_all_have_one_certificate(world: SigningHarness) -> None:
    result = world.signer().sign(wheels(12))

    certificates = {
        json.loads(made.json)["verification_material"]["certificate"] for (made,) in result.attestations.values()
    }
    assert len(world.sigstore.entries) == 12
    assert len(certificates) == 1
    assert len({made.log_index for (made,) in result.attestations.values()}) == 12


def test_a_certificate_of_another_identity_is_found_before_the_upload(world: SigningHarness) -> None:
    identity = world.identity()
    identity.claim = {
        "repository": "Octo-org/demo",
        "workflow_ref": "Octo-org/demo/.github/workflows/release.yml@refs/tags/v1.0.0",
    }

    (error,) = world.signer(identity).sign(wheels(1)).failures.values()

    assert isinstance(error, AttestationUnsound)
    assert "in letter case" in error.summary


def test_a_name_that_is_no_distributions_is_refused_in_words(world: SigningHarness) -> None:
    (error,) = world.signer().sign([replace(wheel(), filename="demo-1.0.egg")]).failures.values()

    assert "its name is not that of a distribution" in error.summary
    assert world.sigstore.entries == ()


def test_certificates_that_live_for_seconds_are_enough_for_many_files() -> None:
    with signing_harness(certificate_lifetime=2.0) as world:
        world.sigstore.hooks.delay = 0.1
        identity = world.identity()

        result = world.signer(identity, workers=2).sign(wheels(40))

    assert len(result.attestations) == 40
    assert len(identity.asked) >= 2
    assert [event for event in world.events.of(Retrying) if event.wait > 0] == []


def test_every_request_is_traced(world: SigningHarness) -> None:
    world.signer().sign(wheels(3))

    traced = world.events.of(RequestTraced)
    assert sorted((event.method, event.url.removeprefix(world.url), event.result) for event in traced) == [
        ("POST", "/api/v1/log/entries", "201"),
        ("POST", "/api/v1/log/entries", "201"),
        ("POST", "/api/v1/log/entries", "201"),
        ("POST", "/api/v2/signingCert", "200"),
    ]


def test_an_identity_is_not_sent_in_clear_text_to_another_machine(world: SigningHarness) -> None:
    config = world.sigstore.trust_config("http://sigstore.example")

    with pytest.raises(ConfigurationError, match="without HTTPS"):
        world.signer(trust=TrustSource(emit=world.events.append, config=config)).sign(wheels(1))


def test_an_instance_without_a_log_of_version_1_cannot_be_used(world: SigningHarness) -> None:
    config = json.loads(world.sigstore.trust_config(world.url))
    config["signingConfig"]["rekorTlogUrls"][0]["majorApiVersion"] = 2
    trust = TrustSource(emit=world.events.append, config=json.dumps(config))

    (error,) = world.signer(trust=trust).sign(wheels(1)).failures.values()

    assert isinstance(error, SigstoreRefused)
    assert "No valid Rekor transparency log found" in error.detail


def test_the_librarys_own_verification_accepts_it_in_another_process(world: SigningHarness, tmp_path: Path) -> None:
    """``Attestation.verify`` knows only Sigstore's public instance: there, its cached trust root is ours."""
    (made,) = world.signer().sign(wheels(1)).attestations[wheel().filename]
    script = (
        "import sys\n"
        "from pypi_attestations import Attestation, Distribution, GitHubPublisher\n"
        "attestation = Attestation.model_validate_json(sys.stdin.read())\n"
        f"distribution = Distribution(name={wheel().filename!r}, digest={wheel().sha256!r})\n"
        "publisher = GitHubPublisher(repository='octo-org/demo', workflow='release.yml')\n"
        "print(attestation.verify(publisher, distribution, offline=True)[0])\n"
    )
    home = prepare_sigstore_home(tmp_path, world.sigstore.trust_config(world.url))

    result = subprocess.run(
        [sys.executable, "-c", script],
        input=made.json,
        capture_output=True,
        text=True,
        check=True,
        env=home,
        timeout=60,
    )

    assert result.stdout.strip() == PUBLISH_V1


@pytest.mark.stress
def test_a_thousand_files_with_short_lived_certificates_and_tokens() -> None:
    """By the signer's clock each file takes a second, however long it takes here: what ends is renewed in time."""
    with signing_harness(certificate_lifetime=200.0) as world:
        identity = world.identity(lifetime=200.0)
        clocks = SigningClocks(monotonic=lambda: float(len(world.sigstore.entries)), jitter=lambda: 0.0)

        signer = world.signer(identity, patience=quick(request=600.0, budget=36_000.0), clocks=clocks)
        result = signer.sign(wheels(1000))

    assert (len(result.attestations), result.failures) == (1000, {})
    assert len(identity.asked) >= 1000 / 200
    assert world.events.of(Retrying) == [], "nothing was refused for its age"


def test_timestamps_are_not_asked_for_as_long_as_there_is_no_place_for_them() -> None:
    # When this fails, PEP 740 has a place for timestamps: Rekor v2 and timestamp authorities can be used then.
    assert "timestamps" not in VerificationMaterial.model_fields


BUILDER = "ci-publish/ci-publish/.github/workflows/build-with-provenance.yml@refs/tags/v1.0.0"


@pytest.mark.parametrize(
    ("claims", "publisher"),
    [
        (
            simulated_github_claims(reusable_workflow_ref=BUILDER),
            GitHubPublisher(repository="octo-org/demo", workflow="release.yml"),
        ),
        (simulated_gitlab_claims(), GitLabPublisher(repository="octo-group/demo", workflow_filepath=".gitlab-ci.yml")),
    ],
)
def test_build_provenance_verifies_with_the_libraries(
    world: SigningHarness, claims: Mapping[str, object], publisher: GitHubPublisher | GitLabPublisher
) -> None:
    result = world.signer(world.identity(claims)).sign([wheel()], (SLSA_PROVENANCE_V1,))
    (made,) = result.attestations[wheel().filename]

    config = ClientTrustConfig.from_json(world.sigstore.trust_config(world.url))
    bundle = Attestation.model_validate_json(made.json).to_bundle()
    kind, payload = Verifier(trusted_root=config.trusted_root).verify_dsse(bundle, publisher._as_policy())  # noqa: SLF001

    statement = json.loads(payload)
    assert kind == "application/vnd.in-toto+json"
    assert statement["subject"] == [{"name": wheel().filename, "digest": {"sha256": wheel().sha256}}]
    assert statement["predicateType"] == SLSA_PROVENANCE_V1
    assert statement["predicate"] == build_provenance_predicate(claims)
    assert Bundle.from_json(sigstore_bundle_json(made)).signing_certificate == bundle.signing_certificate


def test_claims_that_are_not_those_of_the_token_make_no_build_provenance(world: SigningHarness) -> None:
    identity = world.identity()
    identity.claim = {"run_id": "1"}

    result = world.signer(identity).sign([wheel()], (SLSA_PROVENANCE_V1,))

    (error,) = result.failures.values()
    assert isinstance(error, AttestationUnsound)
    assert "its predicate names the run" in error.summary
    assert result.attestations == {}
