"""The port ``Emit``: a list's ``append``, as tests listen, and what a run hands its events to."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ci_publish.model.events import Event, Noted
from ci_publish.reports.dispatcher import Dispatcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci_publish.model.events import Emit

THREADS, EACH = 8, 200


class Heard:
    """A report that keeps what it hears."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def __call__(self, event: Event) -> None:
        self._events.append(event)

    def close(self) -> None:
        """Nothing is left to write."""


class ConnectionFailed(Heard):
    """A report that fails at every event."""

    def __call__(self, event: Event) -> None:
        message = f"cannot tell of {event}"
        raise OSError(message)


def plain(events: list[Event]) -> Emit:
    return events.append


def fanned(events: list[Event]) -> Emit:
    return Dispatcher([Heard(events)])


def fanned_beside_a_broken_one(events: list[Event]) -> Emit:
    return Dispatcher([ConnectionFailed([]), Heard(events)])


@pytest.fixture(params=[plain, fanned, fanned_beside_a_broken_one], ids=lambda make: make.__name__)
def listening(request: pytest.FixtureRequest) -> tuple[Emit, list[Event]]:
    make: Callable[[list[Event]], Emit] = request.param
    events: list[Event] = []
    return make(events), events


def numbered(events: list[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Noted) and event.slug == "number"]


def test_events_are_heard_once_and_in_order(listening: tuple[Emit, list[Event]]) -> None:
    emit, events = listening
    for number in range(10):
        emit(Noted(slug="number", message=str(number)))
    assert numbered(events) == [str(number) for number in range(10)]


def test_events_of_all_threads_are_heard_each_threads_in_order(listening: tuple[Emit, list[Event]]) -> None:
    emit, events = listening

    def tell(thread: int) -> None:
        for number in range(EACH):
            emit(Noted(slug="number", message=f"{thread} {number}"))

    threads = [threading.Thread(target=tell, args=(thread,)) for thread in range(THREADS)]
    for started in threads:
        started.start()
    for started in threads:
        started.join(30)
    heard = numbered(events)
    assert len(heard) == THREADS * EACH
    for thread in range(THREADS):
        own = [text for text in heard if text.startswith(f"{thread} ")]
        assert own == [f"{thread} {number}" for number in range(EACH)]


def test_emitting_never_raises(listening: tuple[Emit, list[Event]]) -> None:
    emit, events = listening
    emit(Noted(slug="number", message="only"))
    assert numbered(events) == ["only"]
