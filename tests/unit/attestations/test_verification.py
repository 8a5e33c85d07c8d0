from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from ci_publish.attestations.trust import TrustSource
from ci_publish.attestations.verification import ProvenanceJudge
from ci_publish.model.attestation import (
    PUBLISH_V1,
    SLSA_PROVENANCE_V1,
    ProvenanceByAnother,
    ProvenanceInvalid,
    ProvenanceVerified,
)
from ci_publish.model.publisher_identity import parse_identity
from ci_publish.rehearsal.ci_claims import circleci_claims, github_claims, gitlab_claims, google_claims
from tests.unit.attestations.signing_harness import Events, SigningHarness, signing_harness, wheel
from tests.unit.attestations.test_adoption import slsa

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ci_publish.model.attestation import ProvenanceOutcome
    from ci_publish.model.identity import Claims

GITHUB = {"kind": "GitHub", "repository": "octo-org/demo", "workflow": "release.yml", "environment": ""}
GITLAB = {"kind": "GitLab", "repository": "octo-group/demo", "workflow_filepath": ".gitlab-ci.yml"}
GOOGLE = {"kind": "Google", "email": "publisher@demo-project.iam.gserviceaccount.com"}
CIRCLECI = {
    "kind": "CircleCI",
    "project_id": "f1d6a9b2-5b7c-4c6d-8e9f-0a1b2c3d4e5f",
    "pipeline_definition_id": "0c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f",
    "vcs_origin": "github.com/octo-org/demo",
    "vcs_ref": "refs/tags/v1.0.0",
}


@pytest.fixture(scope="module")
def world() -> Iterator[SigningHarness]:
    with signing_harness() as world:
        yield world


def made(world: SigningHarness, claims: Mapping[str, object] | None = None, number: int = 0) -> object:
    result = world.signer(world.identity(claims)).sign([wheel(number)])
    return json.loads(result.attestations[wheel(number).filename][0].json)


def provenance(*attestations: object, publisher: Mapping[str, object] = GITHUB, **more: object) -> bytes:
    """Return what PyPI's Integrity API serves (with the `claims` that it adds)."""
    bundle = {"publisher": {"claims": None, **publisher}, "attestations": attestations}
    return json.dumps({"version": 1, "attestation_bundles": [bundle], **more}).encode()


def verdict(world: SigningHarness, served: bytes, *, run: Claims | None = None, number: int = 0) -> ProvenanceOutcome:
    judge = ProvenanceJudge(world.trust, lambda: run)
    return judge.verify(wheel(number).filename, wheel(number).sha256, served)


def reason(outcome: ProvenanceOutcome) -> str:
    assert isinstance(outcome, ProvenanceInvalid)
    return outcome.reason


@pytest.mark.parametrize(
    ("claims", "publisher", "label"),
    [
        (github_claims(), GITHUB, "github:octo-org/demo:release.yml"),
        (gitlab_claims(), GITLAB, "gitlab:octo-group/demo:.gitlab-ci.yml"),
        (google_claims(), GOOGLE, "google:publisher@demo-project.iam.gserviceaccount.com"),
        (circleci_claims(), CIRCLECI, "CircleCI project f1d6a9b2-5b7c-4c6d-8e9f-0a1b2c3d4e5f"),
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
    [(github_claims(), GITHUB), (gitlab_claims(), GITLAB), (google_claims(), GOOGLE), (circleci_claims(), CIRCLECI)],
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


@pytest.mark.parametrize(
    "served", [b"", b"<html>", b"[]", b"{}", b'{"version": 2, "attestation_bundles": []}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_provenance_is_invalid(world: SigningHarness, served: bytes) -> None:
    assert "not a PEP 740 provenance object" in reason(verdict(world, served))


def test_an_unknown_kind_of_publisher_is_invalid(world: SigningHarness) -> None:
    assert reason(verdict(world, provenance(made(world), publisher={"kind": "Forgejo", "repository": "x/y"})))


def test_provenance_of_other_bytes_is_invalid(world: SigningHarness) -> None:
    judge = ProvenanceJudge(world.trust)

    outcome = judge.verify(wheel().filename, "0" * 64, provenance(made(world)))

    assert "about other bytes" in reason(outcome)


def test_provenance_of_another_file_is_invalid(world: SigningHarness) -> None:
    assert "about another file" in reason(verdict(world, provenance(made(world, number=1))))


def test_one_bad_attestation_spoils_the_rest(world: SigningHarness) -> None:
    assert "about another file" in reason(verdict(world, provenance(made(world), made(world, number=1))))


@pytest.mark.parametrize(
    ("publisher", "words"),
    [
        ({**GITHUB, "repository": "octo-org/other"}, "names the repository"),
        ({**GITHUB, "repository": "Octo-org/demo"}, "in the case of letters"),
        ({**GITHUB, "workflow": "publish.yml"}, "names the workflow"),
        (GITLAB, "names the identity provider"),
    ],
)
def test_a_publisher_that_the_attestation_does_not_prove_is_invalid(
    world: SigningHarness, publisher: Mapping[str, object], words: str
) -> None:
    assert words in reason(verdict(world, provenance(made(world), publisher=publisher)))


def test_a_google_account_that_the_attestation_does_not_prove_is_invalid(world: SigningHarness) -> None:
    served = provenance(made(world, google_claims()), publisher={**GOOGLE, "email": "somebody@else.example"})

    assert "somebody@else.example" in reason(verdict(world, served))


@pytest.mark.parametrize(
    "run",
    [
        github_claims(repository="octo-org/other"),
        github_claims(workflow="publish.yml"),
        github_claims(repository="Octo-org/demo"),
        gitlab_claims(),
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
    served = provenance(made(world, github_claims(environment="pypi")))

    outcome = judge.verify(wheel().filename, wheel().sha256, served)

    assert isinstance(outcome, ProvenanceVerified if accepted else ProvenanceByAnother)
    assert outcome.publisher == "github:octo-org/demo:release.yml#pypi"
    if isinstance(outcome, ProvenanceByAnother):
        assert expected in outcome.reason


@pytest.mark.parametrize(
    ("claims", "publisher", "expected", "accepted"),
    [
        (gitlab_claims(environment="release"), GITLAB, "gitlab:octo-group/demo:.gitlab-ci.yml#release", True),
        (gitlab_claims(environment="release"), GITLAB, "gitlab:octo-group/demo#Release", False),
        (gitlab_claims(), GITLAB, "gitlab:octo-group/demo:ci/publish.yml", False),
        (gitlab_claims(), GITLAB, "gitlab:octo-group", None),
        (google_claims(), GOOGLE, f"google:{GOOGLE['email']}", True),
        (google_claims(), GOOGLE, "google:somebody@demo-project.iam.gserviceaccount.com", False),
        (circleci_claims(), CIRCLECI, "github:octo-org/demo", False),
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

    outcome = judge.verify(wheel().filename, wheel().sha256, provenance(made(world, claims), publisher=publisher))

    assert isinstance(outcome, ProvenanceVerified if accepted else ProvenanceByAnother)


@pytest.mark.parametrize(
    ("stated", "accepted"), [("pypi", True), ("PyPI", True), ("testpypi", False), ("", False), (None, False)]
)
def test_without_an_environment_in_the_certificate_the_indexs_word_is_compared(
    world: SigningHarness, stated: str | None, *, accepted: bool
) -> None:
    judge = ProvenanceJudge(world.trust, named=(parse_identity("github:octo-org/demo#pypi"),))

    outcome = judge.verify(
        wheel().filename, wheel().sha256, provenance(made(world), publisher={**GITHUB, "environment": stated})
    )

    assert isinstance(outcome, ProvenanceVerified if accepted else ProvenanceByAnother)
    assert outcome.publisher == "github:octo-org/demo:release.yml", "only what is signed is shown"


def test_the_certificates_environment_goes_before_the_indexs_word(world: SigningHarness) -> None:
    judge = ProvenanceJudge(world.trust, named=(parse_identity("github:octo-org/demo#pypi"),))
    served = provenance(made(world, github_claims(environment="other")), publisher={**GITHUB, "environment": "pypi"})

    assert isinstance(judge.verify(wheel().filename, wheel().sha256, served), ProvenanceByAnother)


def test_any_of_several_expected_publishers_will_do(world: SigningHarness) -> None:
    named = tuple(map(parse_identity, ("gitlab:octo-group/demo", "github:octo-org/demo")))
    served = provenance(made(world))

    for number in range(2):
        judge = ProvenanceJudge(world.trust, named=named[number:])
        assert isinstance(judge.verify(wheel().filename, wheel().sha256, served), ProvenanceVerified)
    judge = ProvenanceJudge(world.trust, named=named[:1])
    assert isinstance(judge.verify(wheel().filename, wheel().sha256, served), ProvenanceByAnother)


def test_a_run_takes_its_own_provenance_besides_that_of_the_named(world: SigningHarness) -> None:
    named = (parse_identity("gitlab:octo-group/demo"),)
    served = {
        "own": provenance(made(world)),
        "named": provenance(made(world, gitlab_claims()), publisher=GITLAB),
        "other": provenance(made(world, google_claims()), publisher=GOOGLE),
    }
    judge = ProvenanceJudge(world.trust, github_claims, named=named)

    outcomes = {name: judge.verify(wheel().filename, wheel().sha256, content) for name, content in served.items()}

    assert {name for name, outcome in outcomes.items() if isinstance(outcome, ProvenanceVerified)} == {"own", "named"}
    assert isinstance(outcomes["other"], ProvenanceByAnother)
    assert outcomes["other"].expected == ("GitHub octo-org/demo (release.yml)", "gitlab:octo-group/demo")


def test_every_attestation_is_by_an_expected_publisher(world: SigningHarness) -> None:
    judge = ProvenanceJudge(world.trust, named=(parse_identity("github:octo-org/demo"),))
    ours, theirs = (
        (json.loads(provenance(made(world)))),
        json.loads(provenance(made(world, gitlab_claims()), publisher=GITLAB)),
    )
    both = {**ours, "attestation_bundles": [*ours["attestation_bundles"], *theirs["attestation_bundles"]]}

    outcome = judge.verify(wheel().filename, wheel().sha256, json.dumps(both).encode())

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

    assert "trust configuration" in reason(judge.verify(wheel().filename, wheel().sha256, provenance()))


def test_a_certificate_of_another_instance_is_invalid(world: SigningHarness) -> None:
    with signing_harness() as other:
        served = provenance(made(other))

    assert reason(verdict(world, served))


JUNK: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    "x",
    "\u0000",
    "AAAA",
    [],
    [None],
    {},
    {"a": 1},
    "-" * 10_000,
)


def leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value inside a JSON document."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from leaves(child, (*path, key))


def changed(document: object, path: tuple[str | int, ...], junk: object) -> bytes:
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    return json.dumps(copy).encode()


def test_whatever_is_changed_is_judged_and_never_raises(world: SigningHarness) -> None:
    document = json.loads(provenance(made(world)))
    harmless = {"environment", "claims", "version"}  # True is 1 to Python
    chance = random.Random(6)  # noqa: S311  (a seed, so that a failure can be repeated)
    judge = ProvenanceJudge(world.trust)

    for path in leaves(document):
        for junk in chance.sample(JUNK, 4):
            outcome = judge.verify(wheel().filename, wheel().sha256, changed(document, path, junk))

            assert isinstance(outcome, ProvenanceInvalid) or harmless & set(path), (path, junk, outcome)
            assert not isinstance(outcome, ProvenanceInvalid) or outcome.reason


def test_whatever_bit_is_flipped_never_raises(world: SigningHarness) -> None:
    served = provenance(made(world))
    chance = random.Random(6)  # noqa: S311  (see above)
    judge = ProvenanceJudge(world.trust)

    for _ in range(150):
        place = chance.randrange(len(served))
        flipped = served[:place] + bytes([served[place] ^ (1 << chance.randrange(7))]) + served[place + 1 :]

        outcome = judge.verify(wheel().filename, wheel().sha256, flipped)

        assert isinstance(outcome, ProvenanceInvalid | ProvenanceVerified)
