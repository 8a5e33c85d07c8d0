"""What publish and verify demand of build provenance, over fakes and values."""

from pathlib import Path

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    BuildProvenanceMissing,
    BuildProvenanceUnverified,
    CiPublishError,
    ConfigurationError,
    SigningFailed,
    Unverified,
)
from ci_publish.model.attestation import (
    PUBLISH_V1,
    SLSA_PROVENANCE_V1,
    Attestation,
    AttestationPolicy,
    BuildProvenancePolicy,
    ProvenanceInvalid,
    ProvenanceMissing,
    ProvenanceVerified,
    Subject,
)
from ci_publish.model.distribution import FoundAttestation
from ci_publish.model.events import Collected, Outcome
from ci_publish.model.identity import CredentialKind
from ci_publish.model.publisher_identity import PublisherIdentity, parse_identity
from ci_publish.publishing import required_build_provenance
from ci_publish.publishing.attest import attest
from ci_publish.publishing.publish import publish
from ci_publish.publishing.verify import verify
from tests.unit.fakes import PYPI, FakeCredential, FakeIndex, FakeRun, FakeSigner, FakeVerifier, fake_run, published
from tests.unit.publishing.run_harness import ALL, ONE, TWO, credential_of, failing, index_of

REQUIRED = Settings(build_provenance=BuildProvenancePolicy.REQUIRED)


def found(*names: str, kind: str = "slsa") -> tuple[FoundAttestation, ...]:
    return tuple(
        FoundAttestation(path=Path(f"{name}.{kind}.attestation"), distribution=name, type=kind, content=b"{}")
        for name in names
    )


def played(*beside: FoundAttestation, options: Settings | None = None, **more: object) -> FakeRun:
    run = fake_run(*ALL, options=options, **more)  # type: ignore[arg-type]  # fields of a FakeRun
    run.distributions.attestations = beside
    return run


def test_build_provenance_is_uploaded_beside_a_new_publish_attestation() -> None:
    run = played(*found(ONE.filename))
    assert publish(run.run()) is Outcome.PUBLISHED
    assert dict(index_of(run).sent)[ONE.filename] == 2
    assert dict(index_of(run).sent)[TWO.filename] == 1
    assert sorted(run.signer.signed) == sorted(file.filename for file in ALL)


def test_where_it_is_off_it_is_not_looked_at() -> None:
    broken = FoundAttestation(path=Path("x"), distribution=ONE.filename, type="slsa", content=b"")
    run = played(broken, options=Settings(build_provenance=BuildProvenancePolicy.OFF))
    assert publish(run.run()) is Outcome.PUBLISHED
    assert {count for _, count in index_of(run).sent} == {1}


def test_what_is_required_and_missing_is_found_before_the_credential_is_used() -> None:
    run = played(*found(ONE.filename), *found(TWO.filename, kind="publish"), options=REQUIRED)
    error = failing(run, BuildProvenanceMissing)
    assert TWO.filename in error.detail
    assert ONE.filename not in error.detail
    assert credential_of(run).log == ["burn"]
    assert run.signer.signed == []
    assert publish(played(*found(*(file.filename for file in ALL)), options=REQUIRED).run()) is Outcome.PUBLISHED


def test_it_cannot_be_required_for_an_index_that_is_sent_no_attestations() -> None:
    credential = FakeCredential(CredentialKind.API_TOKEN)
    run = played(*found(*(file.filename for file in ALL)), options=REQUIRED, credential=credential)
    failing(run, ConfigurationError)
    assert index_of(run).sent == []


def test_an_index_that_keeps_an_attestation_to_itself_is_reported() -> None:
    alone = ProvenanceVerified("somebody", attestations=(served(predicate_type=PUBLISH_V1),))
    run = played(*found(ONE.filename), verifier=FakeVerifier({ONE.filename: alone}))
    error = failing(run, Unverified)
    assert error.detail == f"{ONE.filename}: {SLSA_PROVENANCE_V1}"


def test_a_file_that_is_published_without_it_ends_the_run_where_it_is_required() -> None:
    index = FakeIndex(files={file.filename: published(file) for file in ALL})
    again = played(options=REQUIRED, index=index)
    assert publish(again.run()) is Outcome.ALREADY_PUBLISHED
    alone = ProvenanceVerified("somebody", attestations=(served(predicate_type=PUBLISH_V1),))
    for outcome in (alone, ProvenanceMissing("none"), ProvenanceInvalid("broken")):
        bare = played(options=REQUIRED, index=index, verifier=FakeVerifier({ONE.filename: outcome}))
        assert ONE.filename in failing(bare, BuildProvenanceMissing).summary
        verifier = FakeVerifier(dict.fromkeys((ONE.filename, TWO.filename), outcome))
        several = played(options=REQUIRED, index=index, verifier=verifier)
        assert "2 files are" in failing(several, BuildProvenanceMissing).summary
    assert publish(played(index=index, verifier=FakeVerifier({ONE.filename: alone})).run()) is Outcome.ALREADY_PUBLISHED


# attest --build --------------------------------------------------------------------------------------------------


def building(**options: object) -> Settings:
    return Settings(build=True, attestations_dir=Path("out"), **options)  # type: ignore[arg-type]  # by name


def test_attest_build_makes_build_provenance_of_every_file() -> None:
    run = played(*found(ONE.filename), options=building())
    assert attest(run.run()) is Outcome.ATTESTED
    assert run.signer.predicate_types == (SLSA_PROVENANCE_V1,)
    assert run.written == [(Path("out"), 3)]


def test_both_types_are_made_at_once() -> None:
    run = played(options=building(with_publish=True))
    assert attest(run.run()) is Outcome.ATTESTED
    assert run.signer.predicate_types == (PUBLISH_V1, SLSA_PROVENANCE_V1)
    assert run.written == [(Path("out"), 6)]


def test_files_that_are_not_at_hand_are_attested_by_their_digests() -> None:
    subject = Subject("demo-1.0.tar.gz", "a" * 64)
    run = played(options=building())
    run.subjects = (subject,)
    assert attest(run.run()) is Outcome.ATTESTED
    assert run.signer.signed == [subject.filename]
    assert [event for event in run.events if isinstance(event, Collected)] == [Collected((), subjects=(subject,))]


def test_a_file_that_cannot_be_attested_leaves_none_behind() -> None:
    signer = FakeSigner({ONE.filename: SigningFailed("Rekor answered 502")})
    run = played(options=building(), signer=signer)
    failing(run, SigningFailed, attest)
    assert run.written == []


@pytest.mark.parametrize("option", ["with_publish", "sigstore_bundle", "subjects"])
def test_what_is_for_build_provenance_is_refused_without_it(option: str) -> None:
    value = {option: True} if option != "subjects" else {}
    run = played(options=Settings(attestations_dir=Path("out"), **value))  # type: ignore[arg-type]  # by name
    if option == "subjects":
        run.subjects = (Subject("demo-1.0.tar.gz", "a" * 64),)
    failing(run, ConfigurationError, attest)
    assert run.signer.signed == []


# verify ----------------------------------------------------------------------------------------------------------

BUILDER, SOURCE = parse_identity("github:octo-org/ci:build.yml"), parse_identity("github:octo-org/demo:release.yml")


def served(
    builder: PublisherIdentity | None = BUILDER,
    source: PublisherIdentity | None = SOURCE,
    predicate_type: str = SLSA_PROVENANCE_V1,
) -> Attestation:
    return Attestation(
        filename=ONE.filename, predicate_type=predicate_type, json="{}", builder=builder, identity=source
    )


def judged(*attestations: Attestation, **demands: object) -> str | None:
    """Return why served attestations are not what is demanded of one file."""
    options = Settings(**demands)  # type: ignore[arg-type]  # by name
    assert required_build_provenance.is_build_provenance_demanded(options)
    outcome = ProvenanceVerified("somebody", attestations=attestations)
    try:
        required_build_provenance.require_demanded_build_provenance(PYPI, {ONE.filename: outcome}, options)
    except BuildProvenanceUnverified as error:
        return error.detail.removeprefix(f"{ONE.filename}: ")
    return None


def test_build_provenance_by_anybody_is_enough_where_nobody_is_named() -> None:
    assert judged(served(), require_build_provenance=True) is None
    assert judged(served(None, None), require_build_provenance=True) is None
    publish_only = served(predicate_type=PUBLISH_V1)
    assert judged(publish_only, require_build_provenance=True) == "no build provenance is served"
    assert judged(publish_only, builder=(BUILDER,)) == "no build provenance is served"


def test_builder_and_source_are_compared_in_every_part_that_is_named() -> None:
    anywhere = parse_identity("github:octo-org/ci")
    other = parse_identity("github:octo-org/other:build.yml")
    assert judged(served(), builder=(other, anywhere), source=(SOURCE,)) is None
    assert judged(served(), builder=(other,)) == f"it was built by {BUILDER}, not by {other}"
    assert judged(served(None), builder=(other,)) == f"it was built by None, not by {other}"
    assert judged(served(), source=(other, BUILDER)) == f"it was built from {SOURCE}, not from {other} or {BUILDER}"
    assert judged(served(other), served(), builder=(BUILDER,)) is None


def test_verify_demands_it_of_every_file_of_an_index() -> None:
    there = {file.filename: published(file) for file in ALL}
    good = fake_run(*ALL, index=FakeIndex(files=there), options=Settings(require_build_provenance=True))
    assert verify(good.run()) is Outcome.VERIFIED
    other = fake_run(*ALL, index=FakeIndex(files=there), options=Settings(builder=(BUILDER,)))
    failing(other, BuildProvenanceUnverified, verify)
    bare = FakeIndex(files=there, provenances={ONE.filename: None})
    assert verify(fake_run(*ALL, index=bare).run()) is Outcome.VERIFIED
    error: CiPublishError = failing(fake_run(*ALL, index=bare, options=good.options), Unverified, verify)
    assert ONE.filename in error.detail


def test_it_cannot_be_demanded_where_attestations_are_off() -> None:
    for options in ({"require_build_provenance": True}, {"builder": (BUILDER,)}, {"source": (SOURCE,)}):
        settings = Settings(attestations=AttestationPolicy.OFF, **options)
        failing(fake_run(*ALL, options=settings), ConfigurationError, verify)
