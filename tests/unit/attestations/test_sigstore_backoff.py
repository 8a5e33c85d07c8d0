from __future__ import annotations

import pytest

from ci_publish.attestations.sigstore_backoff import SigstoreBackoff
from ci_publish.http.retries import Backoff


def pace(jitter: float = 1.0) -> SigstoreBackoff:
    return SigstoreBackoff(Backoff(first=1.0, longest=8.0), lambda: jitter)


def test_the_pause_doubles_up_to_its_ceiling() -> None:
    rhythm, now, waits = pace(), 0.0, []
    for _ in range(6):
        waits.append(rhythm.pause_after_failure(now, now, 0.0))
        now = rhythm.resume

    assert waits == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_jitter_takes_away_at_most_half() -> None:
    assert pace(jitter=0.0).pause_after_failure(0.0, 0.0, 0.0) == 0.5


def test_attempts_that_were_under_way_tell_nothing_new() -> None:
    rhythm = pace()
    rhythm.pause_after_failure(0.0, 5.0, 0.0)

    assert rhythm.pause_after_failure(1.0, 5.5, 0.0) == pytest.approx(0.5)
    assert rhythm.pause_after_failure(4.9, 7.0, 0.0) == 0.0
    assert rhythm.allowed_attempts(8) == 8


def test_retry_after_is_honoured_even_by_attempts_under_way() -> None:
    rhythm = pace()

    assert rhythm.pause_after_failure(0.0, 5.0, 30.0) == 30.0
    assert rhythm.pause_after_failure(0.0, 5.0, 60.0) == 60.0
    assert rhythm.resume == 65.0


def test_a_long_outage_is_probed_by_one_until_a_success() -> None:
    rhythm, now = pace(), 0.0
    for _ in range(3):
        rhythm.pause_after_failure(now, now, 0.0)
        now = rhythm.resume

    assert rhythm.allowed_attempts(8) == 1
    rhythm.note_outage_over()
    assert rhythm.allowed_attempts(8) == 8
    assert rhythm.pause_after_failure(now, now, 0.0) == 1.0
