"""The order of signing, against an authority that fails as it is told to."""

from __future__ import annotations

import threading
import time
from collections import deque

import pytest

from ci_publish.attestations.sigstore_trouble import (
    Ended,
    IdentityRefusal,
    Transient,
    Unsound,
)
from ci_publish.errors import (
    SigstoreUnavailable,
)
from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1
from ci_publish.model.events import Retrying
from tests.unit.attestations.scripted_authority import Bench, only_error
from tests.unit.attestations.signing_harness import quick, wheels


def test_all_files_are_signed_with_one_identity_and_one_certificate(bench: Bench) -> None:
    result = bench.sign(50)

    assert list(result.attestations) == [wheel.filename for wheel in wheels(50)]
    assert result.failures == {}
    assert (bench.job.asked, len(bench.authority.tokens)) == (1, 1)
    assert sorted(bench.events.signed) == sorted(result.attestations)
    assert bench.authority.tokens[0].audience == "sigstore"
    assert result.claims == bench.authority.tokens[0].claims


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_than_the_workers_are_under_way(bench: Bench, workers: int) -> None:
    bench.authority.seconds = 0.01

    bench.sign(10, workers=workers)

    assert bench.authority.most_active == workers


def test_finished_attestations_are_kept_while_others_are_retried(bench: Bench) -> None:
    bench.authority.attesting = deque([Transient("HTTP 502"), Transient("dropped")])

    result = bench.sign(10)

    assert len(result.attestations) == 10
    assert len(bench.authority.attested) == 12
    assert sorted(bench.events.reasons) == ["HTTP 502", "dropped"]
    assert len(bench.authority.tokens) == 1


def test_a_certificate_that_is_not_given_at_once_is_asked_for_again(bench: Bench) -> None:
    bench.authority.certifying = deque([Transient("HTTP 500"), Transient("HTTP 500")])

    assert len(bench.sign(3).attestations) == 3
    assert [(event.what, event.attempt) for event in bench.events.of(Retrying)] == [
        ("signing certificate", 1),
        ("signing certificate", 2),
    ]


def test_retry_after_holds_everybody_back(bench: Bench) -> None:
    bench.authority.attesting = deque([Transient("HTTP 429", retry_after=0.4)])
    began = time.monotonic()

    result = bench.sign(3, workers=1)

    assert time.monotonic() - began >= 0.4
    assert len(result.attestations) == 3
    assert bench.events.of(Retrying)[0].wait == pytest.approx(0.4, abs=0.05)


def test_what_was_signed_before_the_budget_ended_is_in_the_result(bench: Bench) -> None:
    bench.authority.seconds = 0.15

    result = bench.sign(10, quick(budget=0.8), workers=1)

    assert 0 < len(result.attestations) < 10
    assert len(result.attestations) + len(result.failures) == 10
    assert isinstance(only_error(result), SigstoreUnavailable)


def test_a_stuck_request_is_given_up_and_made_again(bench: Bench) -> None:
    bench.authority.stuck = threading.Event()

    result = bench.sign(4, quick(request=0.1))

    assert len(result.attestations) == 4
    assert bench.authority.attested.count(bench.authority.attested[0]) == 2
    assert "did not respond" in bench.events.reasons[0]
    bench.authority.stuck.set()


def test_an_identity_that_sigstore_refuses_once_is_tried_with_a_new_token(bench: Bench) -> None:
    bench.authority.certifying = deque([IdentityRefusal("HTTP 400: try again")])

    assert len(bench.sign(3).attestations) == 3


def test_a_bug_is_raised_as_it_is(bench: Bench) -> None:
    bench.authority.attesting = deque([ZeroDivisionError()])

    with pytest.raises(ZeroDivisionError):
        bench.sign(3)


def test_an_old_certificate_is_renewed_before_it_ends(bench: Bench) -> None:
    bench.authority.lifetime = 0.5
    bench.authority.seconds = 0.1

    result = bench.sign(20, workers=2)

    assert len(result.attestations) == 20
    assert len(bench.authority.tokens) >= 3
    assert len({token.secret for token in bench.authority.tokens}) == len(bench.authority.tokens)
    assert bench.events.reasons == []


def test_files_whose_certificate_ended_under_way_get_one_new_certificate(bench: Bench) -> None:
    bench.authority.attesting = deque(Ended("the signing certificate has expired") for _ in range(8))
    bench.authority.seconds = 0.05

    result = bench.sign(8)

    assert len(result.attestations) == 8
    assert len(bench.authority.tokens) == 2
    assert bench.events.reasons == ["the signing certificate has expired"]


def test_a_stopped_run_stops_signing_at_once(bench: Bench) -> None:
    bench.authority.seconds = 0.3
    threading.Timer(0.2, bench.waiting.stop).start()
    began = time.monotonic()

    result = bench.sign(100, workers=2)

    assert time.monotonic() - began < 3.0
    assert "stopped" in only_error(result).summary
    assert len(result.attestations) + len(result.failures) == 100


def test_two_types_of_attestation_share_identity_certificate_and_workers(bench: Bench) -> None:
    bench.authority.attesting = deque([Transient("HTTP 502")])
    bench.authority.seconds = 0.005

    result = bench.sign(10, workers=3, predicate_types=(PUBLISH_V1, SLSA_PROVENANCE_V1))

    assert result.failures == {}
    assert [[each.predicate_type for each in made] for made in result.attestations.values()] == [
        [PUBLISH_V1, SLSA_PROVENANCE_V1]
    ] * 10
    assert (bench.job.asked, len(bench.authority.tokens)) == (1, 1)
    assert (len(bench.authority.attested), bench.authority.most_active) == (21, 3)


def test_a_file_that_lacks_one_of_two_attestations_is_a_failure_with_what_it_has(bench: Bench) -> None:
    bench.authority.attesting = deque([Unsound("it differs")])

    result = bench.sign(1, workers=1, predicate_types=(PUBLISH_V1, SLSA_PROVENANCE_V1))

    assert set(result.failures) == {wheels(1)[0].filename}
    assert result.attestations == {}
