from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from ci_publish.attestations.signing_worker_pool import Failed, Finished, Overdue, SigningWorkerPool
from tests.unit.attestations.signing_harness import threads_of_the_signer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def crew() -> Iterator[SigningWorkerPool[str, str]]:
    crew: SigningWorkerPool[str, str] = SigningWorkerPool(2, time.monotonic)
    yield crew
    crew.close()
    assert threads_of_the_signer() == []


def test_a_task_ends_with_its_value(crew: SigningWorkerPool[str, str]) -> None:
    crew.start_task("a", lambda: "done", 5.0)

    ending = crew.next_ending(5.0)

    assert isinstance(ending, Finished)
    assert (ending.key, ending.value, crew.busy_workers, crew.free_workers) == ("a", "done", 0, 2)


def test_a_task_ends_with_its_exception(crew: SigningWorkerPool[str, str]) -> None:
    def fail() -> str:
        raise KeyError("x")

    crew.start_task("a", fail, 5.0)

    ending = crew.next_ending(5.0)

    assert isinstance(ending, Failed)
    assert isinstance(ending.error, KeyError)


def test_nothing_within_the_patience_is_none(crew: SigningWorkerPool[str, str]) -> None:
    assert crew.next_ending(0.01) is None


def test_threads_are_kept_between_tasks(crew: SigningWorkerPool[str, str]) -> None:
    names = set()
    for _ in range(3):
        crew.start_task("a", lambda: threading.current_thread().name, 5.0)
        ending = crew.next_ending(5.0)
        assert isinstance(ending, Finished)
        names.add(ending.value)

    assert len(names) == 1


def test_a_stuck_task_is_given_up_and_another_takes_its_place(crew: SigningWorkerPool[str, str]) -> None:
    release = threading.Event()

    def stuck() -> str:
        release.wait(10)
        return "late"

    crew.start_task("a", stuck, 0.05)
    crew.start_task("b", lambda: "b", 5.0)
    endings = [crew.next_ending(5.0), crew.next_ending(5.0)]

    assert {type(ending) for ending in endings} == {Finished, Overdue}
    assert crew.free_workers == 2
    crew.start_task("c", lambda: "c", 5.0)
    assert isinstance(crew.next_ending(5.0), Finished)
    release.set()
    assert crew.next_ending(0.1) is None  # what comes late is without consequence


def test_closing_does_not_wait_for_what_is_stuck() -> None:
    release = threading.Event()
    crew: SigningWorkerPool[str, bool] = SigningWorkerPool(1, time.monotonic)
    crew.start_task("a", lambda: release.wait(10), 60.0)
    began = time.monotonic()

    crew.close()

    assert time.monotonic() - began < 1.0
    assert crew.busy_workers == 0
    release.set()
    assert threads_of_the_signer() == []
