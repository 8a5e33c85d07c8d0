"""What a signer says when it gives up."""

from __future__ import annotations

import threading
import time
from collections import deque

import pytest

from ci_publish.attestations.signing_errors import final_signing_error
from ci_publish.attestations.sigstore_trouble import (
    IdentityRefusal,
    Refusal,
    Transient,
    Unsound,
    Untrusted,
)
from ci_publish.errors import (
    AttestationUnsound,
    SigningFailed,
    SigstoreIdentityRejected,
    SigstoreRefused,
    SigstoreUnavailable,
    UntrustedCertificate,
)
from tests.unit.attestations.scripted_authority import Bench, only_error
from tests.unit.attestations.signing_harness import quick, threads_of_the_signer


def test_an_outage_ends_with_the_budget_and_the_last_reason(bench: Bench) -> None:
    bench.authority.attesting = deque(Transient("HTTP 503: down") for _ in range(10_000))
    began = time.monotonic()

    error = only_error(bench.sign(5, quick(budget=0.5)))

    assert isinstance(error, SigstoreUnavailable)
    assert "5 of 5" in error.summary
    assert "HTTP 503: down" in error.summary
    assert error.retryable
    assert 0.3 < time.monotonic() - began < 2.0
    assert len(bench.authority.attested) < 40  # a service in trouble is not hammered


def test_a_retry_after_beyond_the_budget_is_not_waited_for(bench: Bench) -> None:
    bench.authority.attesting = deque([Transient("HTTP 429", retry_after=300.0)])
    began = time.monotonic()

    error = only_error(bench.sign(1))

    assert isinstance(error, SigstoreUnavailable)
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(
    ("trouble", "kind", "retryable"),
    [
        (Refusal("HTTP 400: no"), SigstoreRefused, False),
        (Unsound("it is for different content"), AttestationUnsound, False),
    ],
)
def test_a_refusal_of_one_file_ends_it_for_all(
    bench: Bench, trouble: Exception, kind: type[SigningFailed], retryable: bool
) -> None:
    bench.authority.attesting = deque([trouble])
    bench.authority.later = threading.Event()

    error = only_error(bench.sign(20, workers=2))

    bench.authority.later.set()
    assert threads_of_the_signer() == []
    assert len(bench.authority.attested) <= 2, "none is handed to a worker afterwards"
    assert type(error) is kind
    assert str(trouble) in error.summary
    assert error.retryable is retryable
    assert error.exit_code == 7


def test_an_identity_that_sigstore_refuses_twice_is_rejected(bench: Bench) -> None:
    bench.authority.certifying = deque(IdentityRefusal("HTTP 400: not you") for _ in range(9))

    error = only_error(bench.sign(3))

    assert isinstance(error, SigstoreIdentityRejected)
    assert "not you" in error.summary
    assert bench.job.asked == 2


def test_a_certificate_that_is_not_trusted_is_a_setting() -> None:
    error = final_signing_error(Untrusted("the certificate of Rekor is not trusted"), None)

    assert isinstance(error, UntrustedCertificate)
    assert "No file could be signed: the certificate of Rekor is not trusted." in error.summary
