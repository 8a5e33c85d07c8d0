"""Attestation files as an earlier step leaves them, and what a signer makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pypi_attestations import Attestation as Pep740Attestation
from sigstore.dsse import DigestSet, StatementBuilder, Subject
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

from ci_publish.attestations.provenance_predicates import build_provenance_predicate
from ci_publish.attestations.signers import AcceptedSigners
from ci_publish.errors import AttestationInvalid
from ci_publish.model.attestation import SLSA_PROVENANCE_V1
from ci_publish.model.distribution import Distribution, FoundAttestation
from ci_publish.rehearsal.ci_claims import simulated_github_claims
from tests.unit.attestations.signing_harness import SigningHarness, wheel, wheels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ci_publish.model.identity import Claims
    from ci_publish.model.publisher_identity import PublisherIdentity


def signed(world: SigningHarness, claims: Mapping[str, object] | None = None, number: int = 0) -> str:
    """Return what an earlier step signed for a wheel."""
    result = world.signer(world.identity(claims)).sign([wheel(number)])
    (made,) = result.attestations[wheel(number).filename]
    world.events.clear()
    return made.json


def slsa(
    world: SigningHarness,
    subject: Distribution,
    predicate_type: str = SLSA_PROVENANCE_V1,
    claims: Mapping[str, object] | None = None,
) -> str:
    """Return a statement that sigstore signs for the usual job, whatever *claims* its predicate is made from."""
    config = ClientTrustConfig.from_json(world.sigstore.trust_config(world.url))
    statement = (
        StatementBuilder()
        .subjects([Subject(name=subject.filename, digest=DigestSet(root={"sha256": subject.sha256}))])
        .predicate_type(predicate_type)
        .predicate(build_provenance_predicate(claims or simulated_github_claims()))
        .build()
    )
    with SigningContext.from_trust_config(config).signer(IdentityToken(world.provider.issue("sigstore"))) as signer:
        return Pep740Attestation.from_bundle(signer.sign_dsse(statement)).model_dump_json()


def found(content: str | bytes, distribution: Distribution | None = None, kind: str = "publish") -> FoundAttestation:
    name = (distribution or wheel()).filename
    raw = content if isinstance(content, bytes) else content.encode()
    return FoundAttestation(path=Path("dist") / f"{name}.{kind}.attestation", distribution=name, type=kind, content=raw)


def adopt(
    world: SigningHarness,
    *files: FoundAttestation,
    claims: Claims | None = None,
    attested_by: tuple[PublisherIdentity, ...] = (),
) -> dict[str, list[str]]:
    taken = world.signer(signers=AcceptedSigners(named=attested_by)).adopt(files, wheels(2), claims)
    assert all(attestation.verified for attestations in taken.values() for attestation in attestations)
    return {name: [attestation.predicate_type for attestation in taken[name]] for name in taken}


def refusal(world: SigningHarness, *files: FoundAttestation, claims: Claims | None = None) -> str:
    with pytest.raises(AttestationInvalid) as caught:
        adopt(world, *files, claims=claims)
    assert caught.value.exit_code == 7
    assert caught.value.hints
    return caught.value.detail
