"""Attestations of a run's files, over fakes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    AttestationInvalid,
    CiPublishError,
    ConfigurationError,
    IdentityUnavailable,
    SigningFailed,
)
from ci_publish.model.attestation import (
    PUBLISH_V1,
    AttestationPolicy,
)
from ci_publish.model.distribution import Distribution, FoundAttestation
from ci_publish.model.events import (
    Outcome,
    Signed,
)
from ci_publish.model.identity import CredentialKind, Purpose
from ci_publish.publishing.attest import attest, resolve_attestation_policy
from ci_publish.publishing.publish import publish
from tests.unit.fakes import (
    GENERIC,
    PYPI,
    FakeCredential,
    FakeSigner,
    fake_run,
)
from tests.unit.publishing.run_harness import ALL, ONE, TWO, credential_of, failing, index_of, notes


@pytest.mark.parametrize(
    ("option", "kind", "endpoints", "expected"),
    [
        ("auto", CredentialKind.TRUSTED_PUBLISHING, PYPI, "required"),
        ("auto", CredentialKind.TRUSTED_PUBLISHING, GENERIC, "off"),
        ("auto", CredentialKind.API_TOKEN, PYPI, "off"),
        ("required", CredentialKind.TRUSTED_PUBLISHING, GENERIC, "required"),
        ("required", CredentialKind.PASSWORD, GENERIC, "required"),
        ("if-possible", CredentialKind.API_TOKEN, PYPI, "off"),
        ("if-possible", CredentialKind.TRUSTED_PUBLISHING, PYPI, "if-possible"),
        ("off", CredentialKind.TRUSTED_PUBLISHING, PYPI, "off"),
    ],
)
def test_auto_means_required_where_pypi_takes_attestations(
    option: str, kind: CredentialKind, endpoints: object, expected: str
) -> None:
    assert resolve_attestation_policy(AttestationPolicy(option), kind, endpoints) == expected  # type: ignore[arg-type]


def test_required_attestations_with_an_api_token_on_pypi_are_refused_before_anything() -> None:
    played = fake_run(
        *ALL,
        credential=FakeCredential(CredentialKind.API_TOKEN),
        options=Settings(attestations=AttestationPolicy.REQUIRED),
    )
    failing(played, ConfigurationError)
    assert index_of(played).looks == []


def test_a_file_that_cannot_be_signed_stops_the_run_where_attestations_are_required() -> None:
    failures = {ONE.filename: SigningFailed("Rekor answered 502")}
    played = fake_run(*ALL, signer=FakeSigner(failures))
    assert failing(played, SigningFailed).summary == "Rekor answered 502"
    assert index_of(played).sent == []
    assert credential_of(played).log[-1] == "burn"


def test_many_files_that_cannot_be_signed_are_one_error() -> None:
    failures = {ONE.filename: SigningFailed("A"), TWO.filename: SigningFailed("B")}
    error = failing(fake_run(*ALL, signer=FakeSigner(failures)), SigningFailed)
    assert "2 files" in error.summary
    assert f"{TWO.filename}: B" in error.detail


def test_one_reason_for_many_files_is_told_once() -> None:
    for detail in ("", "HTTP 502 from the log"):
        failures = {file.filename: SigningFailed("Rekor is away", detail=detail) for file in (ONE, TWO)}
        error = failing(fake_run(*ALL, signer=FakeSigner(failures)), SigningFailed)
        assert error.summary.count("Rekor is away") == 1
        assert "Rekor is away" not in error.detail
        assert detail in error.detail
        assert ONE.filename in error.detail


def test_if_possible_publishes_without_and_says_so_loudly() -> None:
    failures = {ONE.filename: SigningFailed("Rekor answered 502")}
    options = Settings(attestations=AttestationPolicy.IF_POSSIBLE)
    played = fake_run(*ALL, signer=FakeSigner(failures), options=options)
    assert publish(played.run()) is Outcome.PUBLISHED
    assert dict(index_of(played).sent)[ONE.filename] == 0
    assert dict(index_of(played).sent)[TWO.filename] == 1
    assert "published-without-attestation" in notes(played)


@pytest.mark.parametrize("refusal", [IdentityUnavailable("no token"), SigningFailed("no root")])
def test_no_signing_identity_at_all_follows_the_policy_too(refusal: CiPublishError) -> None:
    strict = fake_run(*ALL, signer=FakeSigner(refusal=refusal))
    failing(strict, type(refusal))
    lenient = fake_run(
        *ALL, signer=FakeSigner(refusal=refusal), options=Settings(attestations=AttestationPolicy.IF_POSSIBLE)
    )
    assert publish(lenient.run()) is Outcome.PUBLISHED
    assert {count for _, count in index_of(lenient).sent} == {0}


def test_attestations_that_lie_beside_the_files_are_used_and_not_made_again() -> None:
    found = FoundAttestation(path=Path("dist/x"), distribution=ONE.filename, type="publish", content=b"{}")
    stray = FoundAttestation(
        path=Path("dist/y"), distribution="other-1.0-py3-none-any.whl", type="publish", content=b"{}"
    )
    played = fake_run(*ALL)
    played.distributions.attestations = (found, stray)
    publish(played.run())
    assert ONE.filename not in played.signer.signed
    assert {count for _, count in index_of(played).sent} == {1}
    told = [event.attestation.filename for event in played.events if isinstance(event, Signed)]
    assert told == [ONE.filename], "what was found is told of as what is made is"


def test_what_the_identity_claims_is_passed_on_to_who_judges_by_it() -> None:
    shown, signed = {"repository": "octo-org/demo"}, {"repository": "octo-org/demo", "aud": "sigstore"}
    played = fake_run(*ALL, credential=FakeCredential(claims=shown))
    publish(played.run())
    assert played.signer.shown == [shown]
    assert played.verifier.shown == [shown] * 3
    played = fake_run(*ALL, credential=FakeCredential(claims=shown))
    played.signer.claims = signed
    publish(played.run())
    assert played.verifier.shown == [signed] * 3, "the certificate is by the identity that signed"


@pytest.mark.parametrize(
    ("attestations", "beside", "attesting"),
    [
        (AttestationPolicy.AUTO, (), True),
        (AttestationPolicy.AUTO, ALL, False),
        (AttestationPolicy.IF_POSSIBLE, (), False),
        (AttestationPolicy.OFF, (), False),
    ],
)
def test_the_credential_learns_what_it_is_for(
    attestations: AttestationPolicy, beside: Sequence[Distribution], *, attesting: bool
) -> None:
    played = fake_run(*ALL, options=Settings(attestations=attestations))
    played.distributions.attestations = tuple(
        FoundAttestation(path=Path("dist/x"), distribution=file.filename, type="publish", content=b"{}")
        for file in beside
    )
    publish(played.run())
    assert credential_of(played).purposes == [Purpose(("demo",), attesting=attesting)]


def test_attest_signs_everything_and_writes_it_down() -> None:
    played = fake_run(*ALL, options=Settings(attestations_dir=Path("out")))
    assert attest(played.run()) is Outcome.ATTESTED
    assert played.written == [(Path("out"), 3)]
    assert index_of(played).looks == []


def test_attest_without_a_folder_is_a_mistake() -> None:
    failing(fake_run(*ALL), ConfigurationError, attest)


def test_publish_writes_attestations_where_asked() -> None:
    played = fake_run(*ALL, options=Settings(attestations_dir=Path("out")))
    publish(played.run())
    assert played.written == [(Path("out"), 3)]


def test_an_attestation_that_is_in_the_way_stops_the_run_before_anything_is_signed() -> None:
    played = fake_run(*ALL, options=Settings(attestations_dir=Path("out")))

    def refuse(folder: Path, filenames: Sequence[str], predicate_types: Sequence[str]) -> None:
        assert (folder, list(filenames)) == (Path("out"), [file.filename for file in ALL])
        assert predicate_types == (PUBLISH_V1,)
        raise ConfigurationError("already exists")

    with pytest.raises(ConfigurationError):
        publish(replace(played.run(), require_unwritten=refuse))
    assert played.signer.signed == []
    assert index_of(played).sent == []


def test_attest_that_is_switched_off_is_a_mistake() -> None:
    options = Settings(attestations=AttestationPolicy.OFF, attestations_dir=Path("out"))
    played = fake_run(*ALL, options=options)
    failing(played, ConfigurationError, attest)
    assert played.signer.signed == []


def test_wishing_for_attestations_with_an_api_token_is_answered_loudly() -> None:
    played = fake_run(
        *ALL,
        credential=FakeCredential(CredentialKind.API_TOKEN),
        options=Settings(attestations=AttestationPolicy.IF_POSSIBLE),
    )
    assert publish(played.run()) is Outcome.PUBLISHED
    assert "published-without-attestation" in notes(played)


def test_a_missing_credential_is_not_called_an_api_token() -> None:
    played = fake_run(
        *ALL,
        credential=FakeCredential(CredentialKind.NONE, refusal=IdentityUnavailable("nothing")),
        options=Settings(attestations=AttestationPolicy.REQUIRED),
    )
    failing(played, IdentityUnavailable)


def test_a_broken_attestation_file_is_found_before_the_credential_is_used() -> None:
    played = fake_run(*ALL)
    broken_file = FoundAttestation(path=Path("x"), distribution=ONE.filename, type="publish", content=b"")
    played.distributions.attestations = (broken_file,)
    failing(played, AttestationInvalid)
    assert credential_of(played).log == ["burn"]
    unused = fake_run(*ALL, options=Settings(attestations=AttestationPolicy.OFF))
    unused.distributions.attestations = (broken_file,)
    assert publish(unused.run()) is Outcome.PUBLISHED
