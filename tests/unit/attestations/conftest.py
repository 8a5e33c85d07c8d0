"""A Sigstore for all tests of a module, and a signer in front of it for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.attestations.scripted_authority import Bench
from tests.unit.attestations.signing_harness import SigningHarness, signing_harness

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def shared() -> Iterator[SigningHarness]:
    with signing_harness() as world:
        yield world


@pytest.fixture
def world(shared: SigningHarness) -> SigningHarness:
    return SigningHarness(shared.provider, shared.sigstore, shared.url)


@pytest.fixture
def bench() -> Bench:
    return Bench()
