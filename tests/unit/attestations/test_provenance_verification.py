from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ci_publish.attestations.provenance_verification import ProvenanceJudge
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.model.attestation import (
    PUBLISH_V1,
    SLSA_PROVENANCE_V1,
    ProvenanceByAnother,
    ProvenanceVerified,
)
from ci_publish.model.publisher_identity import parse_identity
from ci_publish.rehearsal.ci_claims import (
    simulated_circleci_claims,
    simulated_github_claims,
    simulated_gitlab_claims,
    simulated_google_claims,
)
from tests.unit.attestations.attestation_files import slsa
from tests.unit.attestations.served_provenance import (
    CIRCLECI,
    GITHUB,
    GITLAB,
    GOOGLE,
    made,
    provenance,
    reason,
    verdict,
)
from tests.unit.attestations.signing_harness import Events, SigningHarness, wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ci_publish.model.identity import Claims


@pytest.mark.parametrize(
    ("claims", "publisher", "label"),
    [
        (simulated_github_claims(), GITHUB, "github:octo-org/demo:release.yml"),
        (simulated_gitlab_claims(), GITLAB, "gitlab:octo-group/demo:.gitlab-ci.yml"),
        (simulated_google_claims(), GOOGLE, "google:publisher@demo-project.iam.gserviceaccount.com"),
        (simulated_circleci_claims(), CIRCLECI, "CircleCI project f1d6a9b2-5b7c-4c6d-8e9f-0a1b2c3d4e5f"),
    ],
)
def test_provenance_that_fits_is_verified(
    world: SigningHarness, claims: Mapping[str, object], publisher: Mapping[str, object], label: str
) -> None:
    outcome = verdict(world, provenance(made(world, claims), publisher=publisher))

    assert isinstance(outcome, ProvenanceVerified)
    assert outcome.publisher == label
    assert outcome.log_index is not None


@pytest.mark.parametrize(
    ("claims", "publisher"),
    [
        (simulated_github_claims(), GITHUB),
        (simulated_gitlab_claims(), GITLAB),
        (simulated_google_claims(), GOOGLE),
        (simulated_circleci_claims(), CIRCLECI),
    ],
)
def test_provenance_of_this_run_is_verified(
    world: SigningHarness, claims: Mapping[str, object], publisher: Mapping[str, object]
) -> None:
    outcome = verdict(world, provenance(made(world, claims), publisher=publisher), run=claims)

    assert isinstance(outcome, ProvenanceVerified)


def test_a_slsa_attestation_beside_the_publish_attestation_is_verified_too(world: SigningHarness) -> None:
    served = provenance(json.loads(slsa(world, wheel())), made(world))

    assert isinstance(verdict(world, served), ProvenanceVerified)


def test_a_slsa_attestation_alone_is_not_enough(world: SigningHarness) -> None:
    assert "no publish attestation" in reason(verdict(world, provenance(json.loads(slsa(world, wheel())))))


@pytest.mark.parametrize(
    "served", [b'{"version": 1, "attestation_bundles": []}', provenance(), provenance(attestation_bundles=[])]
)
def test_provenance_without_attestations_is_invalid(world: SigningHarness, served: bytes) -> None:
    assert "no publish attestation" in reason(verdict(world, served))


def test_one_bad_attestation_spoils_the_rest(world: SigningHarness) -> None:
    assert "for another file" in reason(verdict(world, provenance(made(world), made(world, number=1))))


@pytest.mark.parametrize(
    "run",
    [
        simulated_github_claims(repository="octo-org/other"),
        simulated_github_claims(workflow="publish.yml"),
        simulated_github_claims(repository="Octo-org/demo"),
        simulated_gitlab_claims(),
    ],
)
def test_provenance_of_another_publisher_than_this_run_is_invalid(world: SigningHarness, run: Claims) -> None:
    assert "but this run is" in reason(verdict(world, provenance(made(world)), run=run))


def test_a_run_whose_publisher_is_not_known_takes_any(world: SigningHarness) -> None:
    assert isinstance(verdict(world, provenance(made(world)), run={"iss": "https://x.example"}), ProvenanceVerified)


@pytest.mark.parametrize(
    ("expected", "accepted"),
    [
        ("github:octo-org/demo", True),
        ("github:Octo-Org/Demo:release.yml", True),
        ("github:octo-org/demo#pypi", True),
        ("github:octo-org/demo#PyPI", True),
        ("github:octo-org/demo:release.yml#pypi", True),
        ("github:octo-org/demo:Release.yml", False),
        ("github:octo-org/demo:publish.yml#pypi", False),
        ("github:octo-org/demo#testpypi", False),
        ("github:octo-org/demo2", False),
        ("github:octo-org2/demo", False),
        ("gitlab:octo-org/demo", False),
        ("google:release@octo.example", False),
    ],
)
def test_provenance_is_by_the_expected_publisher(world: SigningHarness, expected: str, *, accepted: bool) -> None:
    judge = ProvenanceJudge(world.trust, named=(parse_identity(expected),))
    served = provenance(made(world, simulated_github_claims(environment="pypi")))

    outcome = judge.verify(wheel(), served, None)

    assert isinstance(outcome, ProvenanceVerified if accepted else ProvenanceByAnother)
    assert outcome.publisher == "github:octo-org/demo:release.yml#pypi"
    if isinstance(outcome, ProvenanceByAnother):
        assert expected in outcome.reason


@pytest.mark.parametrize(
    ("claims", "publisher", "expected", "accepted"),
    [
        (simulated_gitlab_claims(environment="release"), GITLAB, "gitlab:octo-group/demo:.gitlab-ci.yml#release", True),
        (simulated_gitlab_claims(environment="release"), GITLAB, "gitlab:octo-group/demo#Release", False),
        (simulated_gitlab_claims(), GITLAB, "gitlab:octo-group/demo:ci/publish.yml", False),
        (simulated_gitlab_claims(), GITLAB, "gitlab:octo-group", None),
        (simulated_google_claims(), GOOGLE, f"google:{GOOGLE['email']}", True),
        (simulated_google_claims(), GOOGLE, "google:somebody@demo-project.iam.gserviceaccount.com", False),
        (simulated_circleci_claims(), CIRCLECI, "github:octo-org/demo", False),
    ],
)
def test_publishers_of_other_providers_are_expected_alike(
    world: SigningHarness,
    claims: Mapping[str, object],
    publisher: Mapping[str, object],
    expected: str,
    *,
    accepted: bool | None,
) -> None:
    if accepted is None:
        with pytest.raises(ValueError, match="full path of a GitLab project"):
            parse_identity(expected)
        return
    judge = ProvenanceJudge(world.trust, named=(parse_identity(expected),))

    outcome = judge.verify(wheel(), provenance(made(world, claims), publisher=publisher), None)

    assert isinstance(outcome, ProvenanceVerified if accepted else ProvenanceByAnother)


@pytest.mark.parametrize(
    ("stated", "accepted"), [("pypi", True), ("PyPI", True), ("testpypi", False), ("", False), (None, False)]
)
def test_without_an_environment_in_the_certificate_the_indexs_word_is_compared(
    world: SigningHarness, stated: str | None, *, accepted: bool
) -> None:
    judge = ProvenanceJudge(world.trust, named=(parse_identity("github:octo-org/demo#pypi"),))

    outcome = judge.verify(wheel(), provenance(made(world), publisher={**GITHUB, "environment": stated}), None)

    assert isinstance(outcome, ProvenanceVerified if accepted else ProvenanceByAnother)
    assert outcome.publisher == "github:octo-org/demo:release.yml", "only what is signed is shown"


def test_the_certificates_environment_goes_before_the_indexs_word(world: SigningHarness) -> None:
    judge = ProvenanceJudge(world.trust, named=(parse_identity("github:octo-org/demo#pypi"),))
    served = provenance(
        made(world, simulated_github_claims(environment="other")), publisher={**GITHUB, "environment": "pypi"}
    )

    assert isinstance(judge.verify(wheel(), served, None), ProvenanceByAnother)


def test_any_of_several_expected_publishers_will_do(world: SigningHarness) -> None:
    named = tuple(map(parse_identity, ("gitlab:octo-group/demo", "github:octo-org/demo")))
    served = provenance(made(world))

    for number in range(2):
        judge = ProvenanceJudge(world.trust, named=named[number:])
        assert isinstance(judge.verify(wheel(), served, None), ProvenanceVerified)
    judge = ProvenanceJudge(world.trust, named=named[:1])
    assert isinstance(judge.verify(wheel(), served, None), ProvenanceByAnother)


def test_a_run_takes_its_own_provenance_besides_that_of_the_named(world: SigningHarness) -> None:
    named = (parse_identity("gitlab:octo-group/demo"),)
    served = {
        "own": provenance(made(world)),
        "named": provenance(made(world, simulated_gitlab_claims()), publisher=GITLAB),
        "other": provenance(made(world, simulated_google_claims()), publisher=GOOGLE),
    }
    judge = ProvenanceJudge(world.trust, named=named)

    outcomes = {name: judge.verify(wheel(), content, simulated_github_claims()) for name, content in served.items()}

    assert {name for name, outcome in outcomes.items() if isinstance(outcome, ProvenanceVerified)} == {"own", "named"}
    assert isinstance(outcomes["other"], ProvenanceByAnother)
    assert outcomes["other"].expected == ("GitHub octo-org/demo (release.yml)", "gitlab:octo-group/demo")


def test_every_attestation_is_by_an_expected_publisher(world: SigningHarness) -> None:
    judge = ProvenanceJudge(world.trust, named=(parse_identity("github:octo-org/demo"),))
    ours, theirs = (
        (json.loads(provenance(made(world)))),
        json.loads(provenance(made(world, simulated_gitlab_claims()), publisher=GITLAB)),
    )
    both = {**ours, "attestation_bundles": [*ours["attestation_bundles"], *theirs["attestation_bundles"]]}

    outcome = judge.verify(wheel(), json.dumps(both).encode(), None)

    assert isinstance(outcome, ProvenanceByAnother)
    assert outcome.publisher == "gitlab:octo-group/demo:.gitlab-ci.yml"


def test_what_was_served_is_in_the_outcome(world: SigningHarness) -> None:
    outcome = verdict(world, provenance(json.loads(slsa(world, wheel())), made(world)))

    assert isinstance(outcome, ProvenanceVerified)
    assert sorted(each.predicate_type for each in outcome.attestations) == [PUBLISH_V1, SLSA_PROVENANCE_V1]
    assert {str(each.identity) for each in outcome.attestations} == {"github:octo-org/demo:release.yml"}


def test_more_attestations_than_anybody_makes_are_not_all_verified(world: SigningHarness) -> None:
    assert "more than 32" in reason(verdict(world, provenance(*[made(world)] * 40)))


def test_a_trust_configuration_that_is_bad_is_a_reason_not_an_exception(world: SigningHarness) -> None:
    judge = ProvenanceJudge(TrustSource(emit=Events().append, config="{}"))

    assert "trust configuration" in reason(judge.verify(wheel(), provenance(), None))
