"""How a run ends early: flags, grace, shields and deadlines, on a clock of our own."""

import signal
import time

import pytest

from ci_publish.app.front_end_wording import FrontEnd, FrontEndWording
from ci_publish.errors import (
    CiPublishError,
    ContentConflict,
    IdentityProviderFailed,
    IndexUnavailable,
    Interrupted,
    SigningFailed,
    Terminated,
)
from ci_publish.publishing.interruption import BURNING_GRACE, GRACE, LAST_QUESTION_GRACE, SHIELDED_GRACE, Interruption


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def interruption(clock: Clock) -> Interruption:
    return Interruption(60.0, clock)


def test_a_run_that_nobody_stops_goes_on(interruption: Interruption) -> None:
    assert not interruption.stopped
    assert not interruption.cut
    assert not interruption.wait(0.0)
    assert interruption.left() == 60.0
    assert interruption.seconds_since_signal() is None


def test_a_signal_stops_new_work_at_once_and_cuts_old_work_after_the_grace(
    interruption: Interruption, clock: Clock
) -> None:
    interruption.request_stop(signal.SIGINT)
    assert interruption.stopped
    assert not interruption.cut
    assert interruption.wait(30.0), "a stopped run does not sleep"
    clock.now += GRACE
    assert interruption.cut
    assert type(interruption.error()) is Interrupted


@pytest.mark.parametrize(("seconds", "cut"), [(4.9, False), (5.0, True)])
def test_uploads_in_flight_have_five_seconds(
    interruption: Interruption, clock: Clock, seconds: float, *, cut: bool
) -> None:
    """GitHub sends SIGTERM 7.5 s after SIGINT: the run must have reported by then."""
    interruption.request_stop(signal.SIGINT)
    clock.now += seconds
    assert interruption.cut is cut


def test_a_second_signal_cuts_at_once(interruption: Interruption) -> None:
    interruption.request_stop(signal.SIGINT)
    interruption.request_stop(signal.SIGTERM)
    assert interruption.cut
    assert type(interruption.error()) is Interrupted, "the first signal names the end"


def test_sigterm_has_its_own_end(interruption: Interruption) -> None:
    interruption.request_stop(signal.SIGTERM)
    error = interruption.error()
    assert type(error) is Terminated
    assert error.exit_code == 143


def test_a_shield_keeps_a_mint_request_alive_a_little_longer(interruption: Interruption, clock: Clock) -> None:
    with interruption.shielded_from_cut():
        interruption.request_stop(signal.SIGTERM)
        clock.now += GRACE
        assert not interruption.cut
        clock.now += SHIELDED_GRACE - GRACE
        assert interruption.cut
    assert interruption.cut


def test_the_last_question_may_be_asked_when_uploads_are_cut(interruption: Interruption, clock: Clock) -> None:
    interruption.request_stop(signal.SIGTERM)
    clock.now += GRACE
    assert interruption.cut
    with interruption.last_question():
        assert not interruption.cut
        clock.now += LAST_QUESTION_GRACE - GRACE
        assert interruption.cut
        clock.now -= 1.0
        interruption.request_stop(signal.SIGTERM)
        assert interruption.cut, "a second signal ends it"


def test_the_last_question_may_be_asked_after_the_deadline(interruption: Interruption, clock: Clock) -> None:
    clock.now += interruption.left()
    assert interruption.cut
    with interruption.last_question():
        assert interruption.stopped
        assert not interruption.cut
        assert interruption.left() == GRACE
        clock.now += GRACE
        assert interruption.cut
        assert interruption.left() == 0.0
    assert interruption.cut


def test_local_steps_are_left_at_once(interruption: Interruption) -> None:
    with pytest.raises(Interrupted), interruption.interruptible_at_once():
        interruption.request_stop(signal.SIGINT)
    with interruption.interruptible_at_once():
        pass
    interruption.request_stop(signal.SIGINT)
    assert interruption.cut


def test_the_deadline_ends_a_run_as_an_outage(interruption: Interruption, clock: Clock) -> None:
    clock.now += 61.0
    assert interruption.stopped
    assert interruption.cut
    assert interruption.left() == 0.0
    error = interruption.error()
    assert type(error) is IndexUnavailable
    assert "60 s" in error.summary
    assert "was slow" in error.detail


def test_at_the_deadline_the_last_failure_is_the_cause(interruption: Interruption, clock: Clock) -> None:
    for reason in ("the name does not resolve", "connection refused."):
        interruption.remember_failure(reason)
    clock.now += 61.0
    assert interruption.error().detail == (
        "The last failure before that, which would have been retried: connection refused."
    )
    interruption.remember_failure("")
    assert "was slow" in interruption.error().detail


@pytest.mark.parametrize("stopping", [None, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["publish", "rehearse", "plan", "verify", "diff", "doctor", "check", "attest"])
def test_only_a_command_that_sends_says_that_the_rest_is_completed(
    interruption: Interruption, clock: Clock, command: str, stopping: int | None
) -> None:
    if stopping is None:
        clock.now += 61.0
    else:
        interruption.request_stop(stopping)
    error = interruption.error()
    hints = FrontEndWording(FrontEnd.COMMAND_LINE, command).reword_hints(error.hints)
    assert sum("Run it again" in hint for hint in hints) == 1
    assert any("the rest is completed" in hint for hint in hints) is (command in {"publish", "rehearse"})


def test_burning_goes_on_while_a_run_is_stopped(interruption: Interruption, clock: Clock) -> None:
    patient = interruption.grace_period()
    assert not patient.wait(0.0)
    assert patient.left() == 60.0
    interruption.request_stop(signal.SIGINT)
    assert not patient.stopped
    assert patient.left() == BURNING_GRACE
    assert patient.wait(10.0), "nothing is retried after a pause any more"
    clock.now += BURNING_GRACE
    assert patient.stopped
    assert patient.cut
    assert patient.left() == 0.0


def test_burning_is_allowed_after_the_deadline(interruption: Interruption, clock: Clock) -> None:
    clock.now += 100.0
    assert interruption.grace_period().left() == BURNING_GRACE
    assert not interruption.grace_period().cut


@pytest.mark.parametrize("kind", [IndexUnavailable, SigningFailed, IdentityProviderFailed])
def test_what_a_stop_broke_ends_as_a_stop(interruption: Interruption, kind: type[CiPublishError]) -> None:
    """A request that was cut fails in the words of its room; the run ended because somebody stopped it."""
    broken = kind("cut short")
    assert interruption.error_instead_of(broken) is broken
    interruption.request_stop(signal.SIGTERM)
    ended = interruption.error_instead_of(broken)
    assert isinstance(ended, Terminated)
    assert ended.__cause__ is broken


def test_a_refusal_stands_also_in_a_run_that_is_stopped(interruption: Interruption) -> None:
    refusal = ContentConflict("other bytes")
    interruption.request_stop(signal.SIGINT)
    assert interruption.error_instead_of(refusal) is refusal


def test_a_signal_that_is_heard_twice_is_one_signal(interruption: Interruption) -> None:
    interruption.request_stop(signal.SIGINT, heard_by="watcher")
    interruption.request_stop(signal.SIGINT, heard_by="handler")
    assert not interruption.cut
    interruption.request_stop(signal.SIGINT, heard_by="watcher")
    assert interruption.cut


def test_only_the_main_thread_leaves_a_local_step_and_once(interruption: Interruption) -> None:
    with interruption.interruptible_at_once():
        interruption.raise_in_immediate_step()
        interruption.request_stop(signal.SIGINT, heard_by="watcher")
        with pytest.raises(Interrupted):
            interruption.raise_in_immediate_step()
        interruption.raise_in_immediate_step()


def test_how_long_ago_the_run_was_asked_to_end(interruption: Interruption, clock: Clock) -> None:
    assert interruption.seconds_since_stop() is None
    clock.now += 60.0
    assert interruption.seconds_since_stop() == 0.0
    clock.now += 0.5
    assert interruption.seconds_since_stop() == 0.5
    interruption.request_stop(signal.SIGINT)
    clock.now += 2.0
    assert interruption.seconds_since_stop() == 2.5


def test_a_signal_counts_from_when_it_came(interruption: Interruption, clock: Clock) -> None:
    clock.now += 10.0
    interruption.request_stop(signal.SIGINT)
    clock.now += 3.0
    assert (interruption.seconds_since_stop(), interruption.seconds_since_signal()) == (3.0, 3.0)


def test_what_must_be_done_is_done_for_a_run_that_does_not_end(interruption: Interruption) -> None:
    done: list[str] = []
    interruption.when_abandoned(lambda: done.append("burnt"))
    interruption.when_abandoned(lambda: done.append("reported"))
    assert done == []
    interruption.abandon()
    assert done == ["burnt", "reported"]


def test_no_wait_takes_no_time(interruption: Interruption, clock: Clock) -> None:
    began = time.monotonic()
    for seconds in (0.0, -1.0, 0.0, -1.0):
        assert not interruption.wait(seconds)
    clock.now += 60.0
    assert interruption.wait(30.0), "nothing is left of the deadline"
    assert time.monotonic() - began < 3.0
