"""The ports ``Signer`` and ``ProvenanceVerifier``: the pipeline's fakes, and Sigstore as the rehearsal plays it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ci_publish.attestations.provenance_verification import ProvenanceJudge
from ci_publish.errors import IdentityUnavailable, SigningFailed
from ci_publish.model.attestation import PUBLISH_V1, ProvenanceInvalid, ProvenanceVerified
from ci_publish.model.distribution import Digests, FoundAttestation
from ci_publish.model.events import Signed
from ci_publish.rehearsal.hooks import answer
from tests.unit.attestations.signing_harness import Events, SigningHarness, signing_harness, wheels
from tests.unit.fakes import FakeSigner, FakeVerifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ci_publish.publishing.ports import ProvenanceVerifier, Signer

FILES = wheels(4)
GITHUB = {"kind": "GitHub", "repository": "octo-org/demo", "workflow": "release.yml", "environment": ""}
NO_IDENTITY = IdentityUnavailable("Not running in a CI that issues OIDC identity tokens.")


@dataclass(frozen=True)
class Kind:
    """A signer that works, one whose service refuses, one without an identity, and one that verifies what is served."""

    signer: Signer
    refused: Signer
    nobody: Signer
    verifier: ProvenanceVerifier
    events: Events
    valid: bytes
    served: bytes


def fake() -> Iterator[Kind]:
    events = Events()
    failures = {file.filename: SigningFailed("Sigstore rejected it.") for file in FILES}
    yield Kind(
        FakeSigner(emit=events.append),
        FakeSigner(failures, emit=events.append),
        FakeSigner(refusal=NO_IDENTITY, emit=events.append),
        FakeVerifier(),
        events,
        b"{}",
        b"{}",
    )


def sigstore() -> Iterator[Kind]:
    with signing_harness() as world, signing_harness() as down:
        down.sigstore.hooks.interpose = answer(404, "no such thing")
        nobody = world.identity()
        nobody.error = NO_IDENTITY
        made = world.signer().sign(FILES[:1]).attestations[FILES[0].filename][0].json
        world.events.clear()
        bundle = {"publisher": GITHUB, "attestations": [json.loads(made)]}
        yield Kind(
            world.signer(),
            SigningHarness(down.provider, down.sigstore, down.url, world.events).signer(),
            world.signer(nobody),
            ProvenanceJudge(world.trust),
            world.events,
            made.encode(),
            json.dumps({"version": 1, "attestation_bundles": [bundle]}).encode(),
        )


@pytest.fixture(params=[fake, sigstore], ids=lambda make: make.__name__)
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    make: Callable[[], Iterator[Kind]] = request.param
    yield from make()


def found(content: bytes, filename: str = FILES[0].filename) -> FoundAttestation:
    return FoundAttestation(
        path=Path("dist") / f"{filename}.publish.attestation", distribution=filename, type="publish", content=content
    )


def test_each_file_is_attested_verified_and_told_of_once(kind: Kind) -> None:
    result = kind.signer.sign(FILES)
    names = {file.filename for file in FILES}
    assert result.attestations.keys() == names
    assert result.failures == {}
    for name, made in result.attestations.items():
        assert [(each.filename, each.predicate_type, each.verified) for each in made] == [(name, PUBLISH_V1, True)]
        assert isinstance(json.loads(made[0].json), dict)
    assert sorted(event.attestation.filename for event in kind.events.of(Signed)) == sorted(names)


def test_nothing_to_sign_signs_nothing(kind: Kind) -> None:
    for signer in (kind.signer, kind.refused):
        result = signer.sign([])
        assert (dict(result.attestations), dict(result.failures)) == ({}, {})
    assert kind.events.of(Signed) == []


def test_what_could_not_be_attested_is_in_the_result_with_its_reason(kind: Kind) -> None:
    result = kind.refused.sign(FILES[:2])
    assert result.attestations == {}
    assert result.failures.keys() == {file.filename for file in FILES[:2]}
    for failure in result.failures.values():
        assert isinstance(failure, SigningFailed)
        assert failure.summary
    assert kind.events.of(Signed) == []


def test_a_job_without_an_identity_is_raised(kind: Kind) -> None:
    with pytest.raises(IdentityUnavailable, match="Not running in a CI"):
        kind.nobody.sign(FILES)


def test_nothing_found_adopts_nothing(kind: Kind) -> None:
    assert kind.signer.adopt([], FILES, None) == {}


def test_what_was_found_is_adopted_as_it_is(kind: Kind) -> None:
    adopted = kind.signer.adopt([found(kind.valid)], FILES, None)
    assert adopted.keys() == {FILES[0].filename}
    (attestation,) = adopted[FILES[0].filename]
    assert (attestation.predicate_type, attestation.verified) == (PUBLISH_V1, True)
    assert attestation.json.encode() == kind.valid


def test_what_belongs_to_another_file_is_left_alone(kind: Kind) -> None:
    assert kind.signer.adopt([found(kind.valid), found(b"", "other-1.0.tar.gz")], FILES, None).keys() == {
        FILES[0].filename
    }


def test_what_does_not_verify_is_raised(kind: Kind) -> None:
    with pytest.raises(SigningFailed) as caught:
        kind.signer.adopt([found(b"")], FILES, None)
    assert caught.value.exit_code == 7
    assert caught.value.summary


def test_provenance_of_the_very_file_is_verified(kind: Kind) -> None:
    outcome = kind.verifier.verify(FILES[0], kind.served, None)
    assert isinstance(outcome, ProvenanceVerified)
    assert outcome.publisher
    assert PUBLISH_V1 in {each.predicate_type for each in outcome.attestations}


@pytest.mark.parametrize(("sha256", "served"), [(FILES[0].sha256, b""), ("", None)], ids=["nothing", "no digest"])
def test_what_proves_nothing_is_invalid_and_never_raised(kind: Kind, sha256: str, served: bytes | None) -> None:
    file = replace(FILES[0], digests=Digests(sha256))
    outcome = kind.verifier.verify(file, kind.served if served is None else served, None)
    assert isinstance(outcome, ProvenanceInvalid)
    assert outcome.reason
