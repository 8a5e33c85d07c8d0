"""The adaptive crew: order, limits, and failures that surface."""

import threading
import time

import pytest

from ci_publish.publishing.concurrency import Pace, in_parallel


def test_every_task_is_done_once_by_no_more_threads_than_jobs() -> None:
    seen: list[int] = []
    most, active, lock = 0, 0, threading.Lock()

    def work(task: int) -> None:
        nonlocal most, active
        with lock:
            active += 1
            most = max(most, active)
        time.sleep(0.005)
        with lock:
            active -= 1
            seen.append(task)

    in_parallel(range(20), work, Pace(4), 4, lambda: True)
    assert sorted(seen) == list(range(20))
    assert 1 < most <= 4


def test_one_job_keeps_the_order() -> None:
    seen: list[int] = []
    in_parallel(range(10), seen.append, Pace(1), 1, lambda: True)
    assert seen == list(range(10))


def test_no_new_task_begins_when_it_should_not_go_on() -> None:
    seen: list[int] = []
    in_parallel(range(10), seen.append, Pace(1), 1, lambda: len(seen) < 3)
    assert seen == [0, 1, 2]


def test_an_exception_surfaces_and_stops_the_rest() -> None:
    seen: list[int] = []

    def work(task: int) -> None:
        seen.append(task)
        if task == 2:
            raise ValueError("two")

    with pytest.raises(ValueError, match="two"):
        in_parallel(range(10), work, Pace(1), 1, lambda: True)
    assert seen == [0, 1, 2]


def test_throttling_halves_once_for_all_that_are_under_way_and_recovers_slowly() -> None:
    pace = Pace(8)
    for _ in range(8):
        pace.enter()
    pace.throttled()
    pace.throttled()
    assert pace.limit == 4, "the other uploads of the same moment say the same"
    for _ in range(8):
        pace.leave()
    assert pace.limit == 4
    for _ in range(4):
        pace.enter()
        pace.leave()
    assert pace.limit == 5
    pace.throttled()
    assert pace.limit == 2
    for _ in range(200):
        pace.enter()
        pace.leave()
    assert pace.limit == 8


def test_the_limit_never_falls_below_one() -> None:
    pace = Pace(1)
    pace.enter()
    pace.throttled()
    assert pace.limit == 1
    pace.leave()


def test_a_lowered_limit_holds_new_tasks_back() -> None:
    pace = Pace(2)
    pace.enter()
    pace.throttled()
    entered = threading.Event()

    def enter() -> None:
        pace.enter()
        entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.05)
    pace.leave()
    assert entered.wait(5)
    thread.join()
