"""What publish adopts and what verify judges: nothing that was tampered with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ci_publish.errors import AttestationInvalid
from ci_publish.model.attestation import SLSA_PROVENANCE_V1, ProvenanceInvalid, ProvenanceVerified
from ci_publish.rehearsal.ci_claims import simulated_github_claims
from tests.unit.attestations.attestation_files import found
from tests.unit.attestations.provenance_cases import GITHUB as CLAIMS
from tests.unit.attestations.served_provenance import made, provenance, verdict
from tests.unit.attestations.signing_harness import SigningHarness, wheel
from tests.unit.attestations.tamperings import STRANGERS, TAMPERINGS, Bench

if TYPE_CHECKING:
    from typing import Any


def bench_of(world: SigningHarness) -> Bench:
    return Bench(
        trust_config=world.sigstore.trust_config(world.url),
        provider=world.provider,
        claims=CLAIMS,
        file=wheel(),
        other_file=wheel(1),
    )


@pytest.fixture(scope="module")
def bench(shared: SigningHarness) -> Bench:
    return bench_of(shared)


@pytest.fixture(scope="module")
def published(shared: SigningHarness) -> Any:  # noqa: ANN401  (JSON)
    """A sound publish attestation, which an index serves beside what was tampered with."""
    return made(shared, simulated_github_claims())


def test_there_are_more_than_twenty_and_of_every_kind() -> None:
    kinds = {name.partition(":")[0] for name in [*TAMPERINGS, *STRANGERS]}

    assert len(TAMPERINGS) > 20
    assert kinds >= {"subject", "predicate", "builder", "certificate", "order", "encoding"}


def test_what_nobody_tampered_with_is_taken(world: SigningHarness, bench: Bench, published: Any) -> None:  # noqa: ANN401
    sound = bench.sound()
    taken = world.signer().adopt([found(json.dumps(sound), kind="slsa")], [wheel()], simulated_github_claims())
    outcome = verdict(world, provenance(published, sound))

    assert [each.predicate_type for each in taken[wheel().filename]] == [SLSA_PROVENANCE_V1]
    assert isinstance(outcome, ProvenanceVerified)
    assert len(outcome.attestations) == 2


@pytest.mark.parametrize("name", [*TAMPERINGS, *STRANGERS])
def test_tampered_build_provenance_is_refused_by_publish_and_by_verify(
    world: SigningHarness,
    bench: Bench,
    published: Any,  # noqa: ANN401
    name: str,
) -> None:
    tampered = {**TAMPERINGS, **STRANGERS}[name](bench)

    with pytest.raises(AttestationInvalid) as caught:
        world.signer().adopt([found(json.dumps(tampered), kind="slsa")], [wheel()], simulated_github_claims())
    assert caught.value.exit_code == 7
    assert wheel().filename in caught.value.detail
    outcome = verdict(world, provenance(published, tampered))
    assert isinstance(outcome, ProvenanceInvalid), outcome
