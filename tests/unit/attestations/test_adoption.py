from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pypi_attestations import Attestation as Pep740Attestation
from sigstore.dsse import DigestSet, StatementBuilder, Subject
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

from ci_publish.errors import AttestationInvalid
from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1
from ci_publish.model.distribution import Distribution, FoundAttestation
from ci_publish.rehearsal.ci_claims import github_claims, gitlab_claims
from tests.unit.attestations.signing_world import SigningWorld, signing_world, wheel, wheels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ci_publish.model.identity import Claims


@pytest.fixture(scope="module")
def shared() -> Iterator[SigningWorld]:
    with signing_world() as world:
        yield world


@pytest.fixture
def world(shared: SigningWorld) -> SigningWorld:
    return SigningWorld(shared.provider, shared.sigstore, shared.url)


def signed(world: SigningWorld, claims: Mapping[str, object] | None = None, number: int = 0) -> str:
    """Return what an earlier step signed for a wheel."""
    result = world.signer(world.identity(claims)).sign([wheel(number)])
    (made,) = result.attestations[wheel(number).filename]
    world.events.clear()
    return made.json


def slsa(world: SigningWorld, subject: Distribution, predicate_type: str = SLSA_PROVENANCE_V1) -> str:
    config = ClientTrustConfig.from_json(world.sigstore.trust_config(world.url))
    statement = (
        StatementBuilder()
        .subjects([Subject(name=subject.filename, digest=DigestSet(root={"sha256": subject.sha256}))])
        .predicate_type(predicate_type)
        .predicate({"buildDefinition": {}})
        .build()
    )
    with SigningContext.from_trust_config(config).signer(IdentityToken(world.provider.issue("sigstore"))) as signer:
        return Pep740Attestation.from_bundle(signer.sign_dsse(statement)).model_dump_json()


def found(content: str | bytes, distribution: Distribution | None = None, kind: str = "publish") -> FoundAttestation:
    name = (distribution or wheel()).filename
    raw = content if isinstance(content, bytes) else content.encode()
    return FoundAttestation(Path("dist") / f"{name}.{kind}.attestation", name, kind, raw)


def adopt(world: SigningWorld, *files: FoundAttestation, claims: Claims | None = None) -> dict[str, list[str]]:
    signer = world.signer(claims=claims)
    taken = signer.adopt(files, wheels(2))
    assert all(attestation.verified for attestations in taken.values() for attestation in attestations)
    return {name: [attestation.predicate_type for attestation in taken[name]] for name in taken}


def refusal(world: SigningWorld, *files: FoundAttestation, claims: Claims | None = None) -> str:
    with pytest.raises(AttestationInvalid) as caught:
        adopt(world, *files, claims=claims)
    assert caught.value.exit_code == 7
    assert caught.value.hints
    return caught.value.detail


def test_nothing_found_asks_nobody(world: SigningWorld) -> None:
    assert adopt(world) == {}
    assert world.events == []


def test_attestations_of_this_identity_are_used(world: SigningWorld) -> None:
    claims = github_claims()

    assert adopt(world, found(signed(world)), claims=claims) == {wheel().filename: [PUBLISH_V1]}
    assert world.events == []


def test_what_was_found_is_used_byte_for_byte(world: SigningWorld) -> None:
    content = json.dumps(json.loads(signed(world)), indent=4) + "\n"

    taken = world.signer().adopt([found(content)], [wheel()])

    assert [attestation.json for attestation in taken[wheel().filename]] == [content]


def test_publish_and_slsa_attestations_are_used_together(world: SigningWorld) -> None:
    files = found(signed(world)), found(slsa(world, wheel()), kind="slsa")

    assert adopt(world, *files, claims=github_claims()) == {wheel().filename: [PUBLISH_V1, SLSA_PROVENANCE_V1]}


def test_attestations_of_other_files_are_left_alone(world: SigningWorld) -> None:
    assert adopt(world, found("{", wheel(7))) == {}


@pytest.mark.parametrize("claims", [None, gitlab_claims()])
def test_an_identity_that_cannot_be_compared_is_noted(world: SigningWorld, claims: Claims | None) -> None:
    assert adopt(world, found(signed(world)), claims=claims) == {wheel().filename: [PUBLISH_V1]}
    assert world.events.notes == ["attestation-identity-unchecked"]


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (github_claims(repository="octo-org/other"), "names the repository"),
        (github_claims(workflow="publish.yml"), "names the workflow"),
        (github_claims(repository="Octo-Org/demo"), "in the case of letters"),
    ],
)
def test_attestations_of_another_identity_are_refused(world: SigningWorld, claims: Claims, words: str) -> None:
    assert words in refusal(world, found(signed(world)), claims=claims)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a PEP 740 attestation"),
        (b'{"version": 1}', "not a PEP 740 attestation"),
        (b"\xff\xfe", "not a PEP 740 attestation"),
        (b"[]", "not a PEP 740 attestation"),
    ],
)
def test_what_is_no_attestation_is_refused(world: SigningWorld, content: bytes, words: str) -> None:
    assert words in refusal(world, found(content))


def test_an_attestation_of_other_bytes_is_refused(world: SigningWorld) -> None:
    assert "another file" in refusal(world, found(signed(world, number=1), wheel(0)))


def test_a_changed_statement_is_refused(world: SigningWorld) -> None:
    content = json.loads(signed(world, number=1))
    statement = base64.b64decode(content["envelope"]["statement"]).decode()
    forged = statement.replace(wheel(1).filename, wheel(0).filename).replace(wheel(1).sha256, wheel(0).sha256)
    content["envelope"]["statement"] = base64.b64encode(forged.encode()).decode()

    detail = refusal(world, found(json.dumps(content), wheel(0)))

    assert "signature" in detail


@pytest.mark.parametrize("key", ["integratedTime", "logIndex"])
def test_a_changed_log_entry_is_refused(world: SigningWorld, key: str) -> None:
    content = json.loads(signed(world))
    entry = content["verification_material"]["transparency_entries"][0]
    entry[key] = str(int(entry[key]) + 1)

    assert refusal(world, found(json.dumps(content)))


def test_an_entry_without_a_promise_is_refused(world: SigningWorld) -> None:
    content = json.loads(signed(world))
    content["verification_material"]["transparency_entries"][0]["inclusionPromise"] = None

    assert refusal(world, found(json.dumps(content)))


def test_a_certificate_of_another_instance_is_refused(world: SigningWorld) -> None:
    with signing_world() as other:
        content = signed(other)

    assert refusal(world, found(content))


def test_a_predicate_that_indexes_do_not_take_is_refused(world: SigningWorld) -> None:
    content = slsa(world, wheel(), "https://example.org/mine/v1")

    assert "predicate type (https://example.org/mine/v1)" in refusal(world, found(content))


def test_two_attestations_of_one_type_are_refused(world: SigningWorld) -> None:
    files = found(signed(world)), found(signed(world), kind="slsa")

    assert "a second attestation of the type" in refusal(world, *files)


def test_all_that_is_wrong_is_told_at_once(world: SigningWorld) -> None:
    detail = refusal(world, found(b"{}"), found(b"{}", wheel(1)))

    assert wheel(0).filename in detail
    assert wheel(1).filename in detail
