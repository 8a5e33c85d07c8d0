"""An identity that can, or cannot, be had a second time."""

from __future__ import annotations

import time
from collections import deque

import pytest

from ci_publish.attestations.sigstore_trouble import (
    Ended,
    Transient,
)
from ci_publish.errors import (
    IdentityUnavailable,
    SigningFailed,
    SigningIdentityExpired,
)
from tests.unit.attestations.scripted_authority import Bench, only_error


@pytest.mark.parametrize("kind", ["certifying", "attesting"])
def test_certificates_that_are_over_when_they_come_end_with_a_word_about_the_clock(bench: Bench, kind: str) -> None:
    where = bench.authority.certifying if kind == "certifying" else bench.authority.attesting
    where.extend([Ended("not within its validity period")] * 100)

    error = only_error(bench.sign(3))

    assert isinstance(error, SigningIdentityExpired)
    assert "clock" in error.detail
    assert "not within its validity period" in error.summary
    assert len(bench.authority.tokens) == 4


def test_an_identity_that_cannot_be_repeated_is_used_as_long_as_it_lasts(bench: Bench) -> None:
    bench.job.repeatable = False
    bench.authority.certifying = deque([Transient("HTTP 500")])

    assert len(bench.sign(3).attestations) == 3
    assert bench.job.asked == 1


def test_an_identity_that_ended_and_cannot_be_repeated_is_explained(bench: Bench) -> None:
    bench.job.repeatable = False
    bench.job.expires = time.time() + 1.0
    bench.authority.lifetime = 1.5
    bench.authority.seconds = 0.1

    result = bench.sign(40, workers=2)

    error = only_error(result)
    assert isinstance(error, SigningIdentityExpired)
    assert "only identity token" in error.summary
    assert any("GitLab" in hint for hint in error.hints)
    assert not error.retryable
    assert 0 < len(result.attestations) < 40


def test_an_identity_that_cannot_be_renewed_mid_run_keeps_what_is_signed(bench: Bench) -> None:
    bench.job.errors = {2: IdentityUnavailable("the token endpoint is down")}
    bench.authority.lifetime = 1.5
    bench.authority.seconds = 0.1

    result = bench.sign(40, workers=2)

    error = only_error(result)
    assert (type(error), error.retryable) == (SigningFailed, True)
    assert "the token endpoint is down" in error.summary
    assert result.attestations
