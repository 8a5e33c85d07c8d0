from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ci_publish.attestations import adoption
from ci_publish.attestations.attestation_publishers import attestation_publisher_of_claims
from ci_publish.attestations.signers import AcceptedSigners
from ci_publish.errors import AttestationByAnother, BuildProvenanceMissing
from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1, Attestation, BuildProvenancePolicy
from ci_publish.model.events import Noted
from ci_publish.model.publisher_identity import JobIdentity, PublisherIdentity, parse_identity
from ci_publish.rehearsal.ci_claims import (
    simulated_circleci_claims,
    simulated_github_claims,
    simulated_gitlab_claims,
    simulated_google_claims,
)
from tests.unit.attestations.attestation_files import adopt, found, refusal, signed, slsa
from tests.unit.attestations.provenance_cases import BUILDER
from tests.unit.attestations.signing_harness import SigningHarness, wheel

if TYPE_CHECKING:
    from ci_publish.model.distribution import FoundAttestation
    from ci_publish.model.identity import Claims


def test_nothing_found_asks_nobody(world: SigningHarness) -> None:
    assert adopt(world) == {}
    assert world.events == []


def test_attestations_of_this_identity_are_used(world: SigningHarness) -> None:
    claims = simulated_github_claims()

    assert adopt(world, found(signed(world)), claims=claims) == {wheel().filename: [PUBLISH_V1]}
    assert world.events == []


def test_what_was_found_is_used_byte_for_byte(world: SigningHarness) -> None:
    content = json.dumps(json.loads(signed(world)), indent=4) + "\n"

    taken = world.signer().adopt([found(content)], [wheel()], None)

    assert [attestation.json for attestation in taken[wheel().filename]] == [content]


def test_publish_and_slsa_attestations_are_used_together(world: SigningHarness) -> None:
    files = found(signed(world)), found(slsa(world, wheel()), kind="slsa")

    assert adopt(world, *files, claims=simulated_github_claims()) == {
        wheel().filename: [PUBLISH_V1, SLSA_PROVENANCE_V1]
    }


def test_attestations_of_other_files_are_left_alone(world: SigningHarness) -> None:
    assert adopt(world, found("{", wheel(7))) == {}


# Nobody knows who the run is; or only by which identity provider.
@pytest.mark.parametrize("claims", [None, {"iss": str(simulated_github_claims()["iss"])}])
def test_an_identity_that_cannot_be_compared_is_noted(world: SigningHarness, claims: Claims | None) -> None:
    assert adopt(world, found(signed(world)), claims=claims) == {wheel().filename: [PUBLISH_V1]}
    assert world.events.notes == ["attestation-identity-unchecked"]


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (simulated_github_claims(repository="octo-org/other"), "names the repository"),
        (simulated_github_claims(workflow="publish.yml"), "names the workflow"),
        (simulated_github_claims(repository="Octo-Org/demo"), "in letter case"),
        (simulated_gitlab_claims(), "names the identity provider"),
        (simulated_google_claims(), "names the identity provider"),
        ({"iss": "https://oidc.example"}, "names the identity provider"),
    ],
)
def test_attestations_of_another_identity_are_refused(world: SigningHarness, claims: Claims, words: str) -> None:
    detail = refusal(world, found(signed(world)), claims=claims)

    assert words in detail
    assert "is signed by github:octo-org/demo:release.yml" in detail


def test_a_google_account_of_another_name_is_refused(world: SigningHarness) -> None:
    content = signed(world, simulated_google_claims(email="somebody@demo-project.iam.gserviceaccount.com"))

    assert "google:somebody@demo" in refusal(world, found(content), claims=simulated_google_claims())
    assert adopt(
        world, found(content), claims=simulated_google_claims(email="somebody@demo-project.iam.gserviceaccount.com")
    )


@pytest.mark.parametrize(
    "claims",
    [
        simulated_gitlab_claims(),
        simulated_gitlab_claims(project_path="octo-group/other"),
        simulated_google_claims(),
        simulated_circleci_claims(),
    ],
    ids=["gitlab", "gitlab-other", "google", "circleci"],
)
def test_an_attestation_by_somebody_else_is_an_error_of_its_own(world: SigningHarness, claims: Claims) -> None:
    with pytest.raises(AttestationByAnother) as caught:
        adopt(world, found(signed(world, claims)), claims=simulated_github_claims())

    assert (caught.value.exit_code, caught.value.slug) == (7, "attestation-by-another")
    assert caught.value.hints[0] == f"Delete {wheel().filename}.publish.attestation: ci-publish creates a new one."


def test_the_signer_is_named_as_attested_by_takes_it(world: SigningHarness) -> None:
    with pytest.raises(AttestationByAnother) as caught:
        adopt(
            world,
            found(signed(world, simulated_gitlab_claims(environment="release"))),
            claims=simulated_github_claims(),
        )

    line = "For an index that accepts such attestations, specify the signer: attested-by: "
    assert caught.value.hints[-1] == f"{line}gitlab:octo-group/demo:.gitlab-ci.yml"
    named = parse_identity(caught.value.hints[-1].removeprefix(line))
    content = found(signed(world, simulated_gitlab_claims(environment="release")))
    assert adopt(world, content, claims=simulated_github_claims(), attested_by=(named,)) == {
        wheel().filename: [PUBLISH_V1]
    }
    assert world.events.notes == ["attestation-by-named"]


@pytest.mark.parametrize(
    "named", ["gitlab:octo-group/demo", "gitlab:octo-group/demo:.gitlab-ci.yml", "gitlab:octo-group/demo#release"]
)
def test_a_signer_that_the_user_names_is_accepted_with_a_warning(world: SigningHarness, named: str) -> None:
    content = found(signed(world, simulated_gitlab_claims(environment="release")))

    taken = adopt(world, content, claims=simulated_github_claims(), attested_by=(parse_identity(named),))

    assert taken == {wheel().filename: [PUBLISH_V1]}
    assert [note.warning for note in world.events.of(Noted)] == [True]


@pytest.mark.parametrize(
    "named",
    [
        "gitlab:octo-group/other",
        "gitlab:octo-group/demo:other.yml",
        "gitlab:octo-group/demo#production",
        "github:octo-org/demo",
        "google:somebody@octo.example",
    ],
)
@pytest.mark.parametrize("claims", [simulated_github_claims(), None], ids=["run-known", "run-unknown"])
def test_a_signer_that_the_user_does_not_name_is_refused(
    world: SigningHarness, named: str, claims: Claims | None
) -> None:
    content = found(signed(world, simulated_gitlab_claims(environment="release")))

    with pytest.raises(AttestationByAnother):
        adopt(world, content, claims=claims, attested_by=(parse_identity(named),))


@pytest.mark.parametrize("attested_by", [(), (parse_identity("gitlab:octo-group/demo"),)])
@pytest.mark.parametrize(
    "changed",
    [{"ref": "refs/heads/main"}, {"event_name": "workflow_dispatch"}, {"environment": "pypi"}],
    ids=["ref", "event", "environment"],
)
def test_another_ref_or_run_of_the_same_identity_is_fine(
    world: SigningHarness, changed: dict[str, str], attested_by: tuple[PublisherIdentity, ...]
) -> None:
    content = found(signed(world, simulated_github_claims(**changed)))

    assert adopt(world, content, claims=simulated_github_claims(), attested_by=attested_by) == {
        wheel().filename: [PUBLISH_V1]
    }
    assert world.events == []


def test_another_commit_of_the_same_identity_is_noted(world: SigningHarness) -> None:
    content = found(signed(world, simulated_github_claims(sha="ab" * 20)))

    assert adopt(world, content, claims=simulated_github_claims()) == {wheel().filename: [PUBLISH_V1]}
    assert world.events.notes == ["attestation-other-commit"]
    assert "ab" * 20 in world.events.of(Noted)[0].message


JOB = JobIdentity(parse_identity("github:Octo-Org/demo:release.yml"), str(simulated_github_claims()["sha"]))


def test_the_jobs_variables_are_compared_as_long_as_there_is_no_token(world: SigningHarness) -> None:
    mine = [found(signed(world))]
    for claims in (
        simulated_gitlab_claims(),
        simulated_github_claims(workflow="other.yml"),
        simulated_github_claims(repository="octo-org/other"),
    ):
        theirs = [found(signed(world, claims))]
        signer = world.signer(signers=AcceptedSigners(job=JOB))
        with pytest.raises(AttestationByAnother):
            signer.inspect(theirs, [wheel()])
        signer.inspect(mine, [wheel()])

    world.events.clear()
    assert world.signer(signers=AcceptedSigners(job=JOB)).adopt(mine, [wheel()], None).keys() == {wheel().filename}
    assert world.events == []


def test_the_token_is_believed_more_than_the_jobs_variables(world: SigningHarness) -> None:
    signer = world.signer(signers=AcceptedSigners(job=JOB))

    with pytest.raises(AttestationByAnother):
        signer.adopt([found(signed(world))], [wheel()], simulated_github_claims(repository="octo-org/other"))


def test_who_signed_is_in_the_attestation(world: SigningHarness) -> None:
    (taken,) = world.signer().adopt(
        [found(signed(world, simulated_github_claims(environment="pypi")))], [wheel()], None
    )[wheel().filename]

    assert str(taken.identity) == "github:octo-org/demo:release.yml#pypi"


def test_deleting_a_build_provenance_file_makes_no_new_one(world: SigningHarness) -> None:
    with pytest.raises(AttestationByAnother) as caught:
        adopt(world, found(slsa(world, wheel()), kind="slsa"), claims=simulated_gitlab_claims())

    assert caught.value.hints[0] == f"Delete {wheel().filename}.slsa.attestation to publish without it."


def test_two_attestations_of_one_type_are_refused(world: SigningHarness) -> None:
    files = found(signed(world)), found(signed(world), kind="another")

    assert "a second attestation of the type" in refusal(world, *files)


def test_all_that_is_wrong_is_told_at_once(world: SigningHarness) -> None:
    detail = refusal(world, found(b"{}"), found(b"{}", wheel(1)))

    assert wheel(0).filename in detail
    assert wheel(1).filename in detail


# build provenance --------------------------------------------------------------------------------------------------


def build_provenance(world: SigningHarness, **claims: str) -> FoundAttestation:
    """Return what a job of a reusable workflow made for a wheel."""
    said = simulated_github_claims(**{"reusable_workflow_ref": BUILDER, **claims})
    result = world.signer(world.identity(said)).sign([wheel()], (SLSA_PROVENANCE_V1,))
    (made,) = result.attestations[wheel().filename]
    world.events.clear()
    return found(made.json, kind="slsa")


def with_policy(world: SigningHarness, policy: str) -> AcceptedSigners:
    return AcceptedSigners(
        own=attestation_publisher_of_claims(simulated_github_claims()),
        commit=str(simulated_github_claims()["sha"]),
        build_provenance=BuildProvenancePolicy(policy),
    )


def taken(world: SigningHarness, file: FoundAttestation, policy: str = "if-present") -> list[Attestation]:
    signers = with_policy(world, policy)
    result = adoption.adopt_attestations(
        [file], [wheel()], trust=world.trust, signers=signers, emit=world.events.append
    )
    return [attestation for each in result.values() for attestation in each]


@pytest.mark.parametrize("policy", ["if-present", "required"])
def test_build_provenance_of_a_reusable_workflow_is_used(world: SigningHarness, policy: str) -> None:
    (attestation,) = taken(world, build_provenance(world), policy)

    assert str(attestation.builder) == "github:ci-publish/ci-publish:build-with-provenance.yml"
    assert str(attestation.identity) == "github:octo-org/demo:release.yml"
    assert world.events == []


@pytest.mark.parametrize("claims", [{"workflow": "nightly.yml"}, {"sha": "b" * 40}])
def test_build_provenance_for_something_else_is_omitted_with_a_warning(
    world: SigningHarness, claims: dict[str, str]
) -> None:
    file = build_provenance(world, **claims)

    assert taken(world, file) == []
    (note,) = world.events.of(Noted)
    assert (note.slug, note.warning, note.filename) == ("build-provenance-omitted", True, wheel().filename)
    with pytest.raises(BuildProvenanceMissing) as caught:
        taken(world, file, "required")
    assert file.path.name in caught.value.detail
    assert caught.value.exit_code == 7


def test_build_provenance_that_is_off_is_left_out_whatever_the_file_is_called(world: SigningHarness) -> None:
    file = replace(build_provenance(world), type="provenance")

    assert taken(world, file, "off") == []
    assert len(taken(world, file)) == 1


def test_a_file_that_is_not_what_its_name_says_is_refused(world: SigningHarness) -> None:
    renamed = replace(build_provenance(world), type="publish")

    assert "its name says publish, its predicate is of the type https://slsa.dev" in refusal(world, renamed)


def test_the_same_file_found_twice_is_used_once(world: SigningHarness) -> None:
    file = build_provenance(world)

    assert adopt(world, file, file, claims=simulated_github_claims()) == {wheel().filename: [SLSA_PROVENANCE_V1]}


def test_build_provenance_whose_predicate_is_not_its_certificates_is_refused(world: SigningHarness) -> None:
    assert "its predicate names the builder" in refusal(
        world, found(slsa(world, wheel(), claims=simulated_github_claims(workflow="x.yml")), kind="slsa")
    )
