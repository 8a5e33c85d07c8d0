"""The ports ``Stopper`` and ``Waiting``: the fakes that other suites wait with, and what a run really waits with."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ci_publish.errors import IndexUnavailable, Interrupted
from ci_publish.publishing.interruption import BURNING_GRACE, Interruption
from tests.unit.attestations.signing_harness import PatientWaiting
from tests.unit.fakes import FakeWaiting
from tests.unit.identity.credential_harness import Harness
from tests.unit.index.scripted_index import Waits

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci_publish.model.waiting import Waiting
    from ci_publish.publishing.ports import Stopper

DEADLINE = 60.0
SIGINT = 2


@dataclass
class Kind:
    """Something to wait with, and how its run is stopped and its time passes."""

    waiting: Waiting
    stop: Callable[[], None]
    pass_time: Callable[[float], None]


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


def fake() -> Kind:
    waiting = FakeWaiting(deadline=DEADLINE)

    def stop() -> None:
        waiting.stop = True

    def pass_time(seconds: float) -> None:
        waiting.now += seconds

    return Kind(waiting, stop, pass_time)


def real() -> Kind:
    clock = Clock()
    interruption = Interruption(DEADLINE, clock)
    return Kind(interruption, lambda: interruption.request_stop(SIGINT), clock.move)


def patient() -> Kind:
    """What burning waits with: stopped only when a runner is about to kill the process."""
    clock = Clock()
    interruption = Interruption(DEADLINE, clock)

    def stop() -> None:
        interruption.request_stop(SIGINT)
        clock.move(BURNING_GRACE)

    return Kind(interruption.grace_period(), stop, clock.move)


def of_the_identity_room() -> Kind:
    waiting = Harness().waiting

    def stop() -> None:
        waiting.stopped = True

    return Kind(waiting, stop, lambda _: None)


def of_the_index_room() -> Kind:
    waiting = Waits()

    def stop() -> None:
        waiting.stopped = True

    return Kind(waiting, stop, lambda _: None)


def of_the_attestations_room() -> Kind:
    waiting = PatientWaiting()
    return Kind(waiting, waiting.stop, lambda _: None)


STOPPERS = [fake, real]
ALL = [*STOPPERS, patient, of_the_identity_room, of_the_index_room, of_the_attestations_room]


@pytest.fixture(params=ALL, ids=lambda make: make.__name__)
def kind(request: pytest.FixtureRequest) -> Kind:
    make: Callable[[], Kind] = request.param
    return make()


@pytest.fixture(params=STOPPERS, ids=lambda make: make.__name__)
def stoppable(request: pytest.FixtureRequest) -> Kind:
    make: Callable[[], Kind] = request.param
    return make()


def stopper(kind: Kind) -> Stopper:
    assert isinstance(kind.waiting, FakeWaiting | Interruption)
    return kind.waiting


def test_a_run_that_goes_on(kind: Kind) -> None:
    assert not kind.waiting.stopped
    assert not kind.waiting.cut
    assert kind.waiting.left() > 0.0
    assert kind.waiting.wait(0.0) is False


def test_a_stopped_run_waits_for_nothing(kind: Kind) -> None:
    kind.stop()
    assert kind.waiting.stopped
    began = time.monotonic()
    assert kind.waiting.wait(30.0) is True
    assert time.monotonic() - began < 5.0


def test_what_is_cut_is_stopped(kind: Kind) -> None:
    assert kind.waiting.stopped or not kind.waiting.cut
    kind.stop()
    assert kind.waiting.stopped or not kind.waiting.cut


def test_a_stop_from_another_thread_ends_a_wait() -> None:
    interruption = Interruption(DEADLINE)
    threading.Timer(0.05, interruption.request_stop, (SIGINT,)).start()
    began = time.monotonic()
    assert interruption.wait(30.0) is True
    assert time.monotonic() - began < 5.0


def test_time_passes_to_the_deadline_and_no_further(stoppable: Kind) -> None:
    stoppable.pass_time(DEADLINE - 1.0)
    assert stoppable.waiting.left() == pytest.approx(1.0)
    assert not stoppable.waiting.stopped
    stoppable.pass_time(100.0)
    assert stoppable.waiting.left() == 0.0
    assert stoppable.waiting.stopped
    assert stoppable.waiting.cut
    assert stoppable.waiting.wait(30.0) is True


def test_the_error_is_that_of_what_stopped_the_run(stoppable: Kind) -> None:
    stoppable.pass_time(DEADLINE)
    assert isinstance(stopper(stoppable).error(), IndexUnavailable)
    stoppable.stop()
    assert isinstance(stopper(stoppable).error(), Interrupted)
    assert str(stopper(stoppable).error())
