"""The adaptive crew: order, limits, and failures that surface."""

import threading
import time

import pytest

from ci_publish.model.completion import UNSCHEDULED, Permission
from ci_publish.publishing.upload_concurrency import (
    PATIENCE,
    ConcurrencyLimit,
    FirstFiles,
    ReleaseCompletions,
    ReleaseQueue,
    run_in_parallel,
)


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

    run_in_parallel(range(20), work, ConcurrencyLimit(4), lambda: True)
    assert sorted(seen) == list(range(20))
    assert 1 < most <= 4


def test_one_job_keeps_the_order() -> None:
    seen: list[int] = []
    run_in_parallel(range(10), seen.append, ConcurrencyLimit(1), lambda: True)
    assert seen == list(range(10))


def test_no_new_task_begins_when_it_should_not_go_on() -> None:
    seen: list[int] = []
    run_in_parallel(range(10), seen.append, ConcurrencyLimit(1), lambda: len(seen) < 3)
    assert seen == [0, 1, 2]


def test_an_exception_surfaces_and_stops_the_rest() -> None:
    seen: list[int] = []

    def work(task: int) -> None:
        seen.append(task)
        if task == 2:
            raise ValueError("two")

    with pytest.raises(ValueError, match="two"):
        run_in_parallel(range(10), work, ConcurrencyLimit(1), lambda: True)
    assert seen == [0, 1, 2]


def test_throttling_halves_once_for_all_that_are_under_way_and_recovers_slowly() -> None:
    limit = ConcurrencyLimit(8)
    for _ in range(8):
        limit.acquire_slot()
    limit.halve_limit()
    limit.halve_limit()
    assert limit.limit == 4, "the other uploads of the same moment say the same"
    for _ in range(8):
        limit.release_slot()
    assert limit.limit == 4
    for _ in range(4):
        limit.acquire_slot()
        limit.release_slot()
    assert limit.limit == 5
    limit.halve_limit()
    assert limit.limit == 2
    for _ in range(200):
        limit.acquire_slot()
        limit.release_slot()
    assert limit.limit == 8


def test_the_limit_never_falls_below_one() -> None:
    limit = ConcurrencyLimit(1)
    limit.acquire_slot()
    limit.halve_limit()
    assert limit.limit == 1
    limit.release_slot()


def test_a_lowered_limit_holds_new_tasks_back() -> None:
    limit = ConcurrencyLimit(2)
    limit.acquire_slot()
    limit.halve_limit()
    entered = threading.Event()

    def enter() -> None:
        limit.acquire_slot()
        entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.05)
    limit.release_slot()
    assert entered.wait(5)
    thread.join()


# completions of one release


def completions(at_once: int = 2, *, stopped: bool = False) -> ReleaseCompletions:
    return ReleaseCompletions(lambda: stopped, at_once)


def test_two_are_completed_at_once_and_the_third_when_one_has_ended() -> None:
    release = completions()
    first, second, third = (release.new_turn() for _ in range(3))
    assert [turn.wait(0) for turn in (first, second, third)] == [Permission.GRANTED] * 2 + [Permission.NOT_YET]
    assert third.wait(0.01) is Permission.NOT_YET
    second.end()
    second.end()
    assert third.wait(0) is Permission.GRANTED


def test_turns_come_in_the_order_of_asking_and_who_gives_up_is_passed_over() -> None:
    release = completions(1)
    first, gives_up, second, third = (release.new_turn() for _ in range(4))
    assert first.wait(0) is Permission.GRANTED
    assert {turn.wait(0) for turn in (gives_up, second, third)} == {Permission.NOT_YET}
    first.end()
    gives_up.end()
    assert third.wait(0) is Permission.NOT_YET
    assert second.wait(0) is Permission.GRANTED


def test_who_waits_is_woken_by_an_end() -> None:
    release = completions(1)
    first, second = release.new_turn(), release.new_turn()
    first.wait(0)
    threading.Timer(0.05, first.end).start()
    began = time.monotonic()
    assert second.wait(30) is Permission.GRANTED
    assert time.monotonic() - began < 5


def test_a_stopped_run_grants_only_what_need_not_wait() -> None:
    release = completions(1, stopped=True)
    first, second = release.new_turn(), release.new_turn()
    assert first.wait(0) is Permission.GRANTED
    assert second.wait(30) is Permission.STOPPED


def test_a_500_is_a_collision_only_where_two_overlapped_and_then_one_goes_at_a_time() -> None:
    release = completions()
    alone = release.new_turn()
    alone.wait(0)
    alone.end()
    assert not alone.may_have_collided()
    first, second, third = (release.new_turn() for _ in range(3))
    first.wait(0)
    second.wait(0)
    first.end()
    assert first.may_have_collided(), "the second was being completed when the first was answered"
    assert first.wait(0) is Permission.NOT_YET, "it is sent again alone"
    assert third.wait(0) is Permission.NOT_YET
    second.end()
    assert first.wait(0) is Permission.GRANTED
    assert third.wait(0) is Permission.NOT_YET
    first.end()
    assert not first.may_have_collided(), "nothing was completed beside it: the index has a problem of its own"


def test_who_took_its_turn_overlaps_and_is_no_collision_twice() -> None:
    release = completions(1)
    first, second = release.new_turn(), release.new_turn()
    first.wait(0)
    assert second.wait(0) is Permission.NOT_YET
    second.begin_without_permission()
    first.end()
    second.end()
    assert first.may_have_collided()
    assert second.may_have_collided()
    first.wait(0)
    second.wait(0)
    second.begin_without_permission()
    assert not first.may_have_collided()
    assert not second.may_have_collided()


def test_an_unscheduled_turn_always_comes() -> None:
    assert UNSCHEDULED.wait(0) is Permission.GRANTED
    UNSCHEDULED.begin_without_permission()
    UNSCHEDULED.end()
    assert not UNSCHEDULED.may_have_collided()


# which file is next


def test_releases_share_the_transfers() -> None:
    queue = ReleaseQueue(["a1", "a2", "a3", "b1", "b2"], lambda task: task[0], 2)
    assert [queue.take_task() for _ in range(5)] == ["a1", "b1", "a2", "b2", None]
    assert len(queue) == 1
    queue.task_ended("b1")
    assert queue.take_task() is None, "b has nothing left, and a has two under way"
    queue.task_ended("a1")
    assert queue.take_task() == "a3"


def test_more_jobs_than_a_release_may_have_do_every_task() -> None:
    seen: list[str] = []
    tasks = [f"{release}{number}" for release in "abc" for number in range(20)]
    run_in_parallel(ReleaseQueue(tasks, lambda task: task[0], 2), seen.append, ConcurrencyLimit(16), lambda: True)
    assert sorted(seen) == sorted(tasks)


def first_files(*names: str, halted: bool = False, stopped: bool = False, pairs: str = "") -> FirstFiles[str]:
    return FirstFiles(
        files=names, together=lambda one, other: one + other in pairs, halted=lambda _: halted, stopped=lambda: stopped
    )


def test_two_first_files_that_do_not_meet_are_completed_together_in_their_order() -> None:
    files = first_files("a", "b", "c", "d", pairs="ab bc")
    a, b, c, d = (files.turn_of(name) for name in "abcd")
    assert b.wait(0.0) is Permission.NOT_YET, "the first one has not begun"
    assert [turn.wait(0.0) for turn in (a, b, c)] == [Permission.GRANTED, Permission.GRANTED, Permission.NOT_YET]
    files.file_ended("a")
    assert c.wait(0.0) is Permission.GRANTED
    files.file_ended("c")
    assert d.wait(0.0) is Permission.NOT_YET, "it is completed alone"
    files.file_ended("b")
    assert d.wait(0.0) is Permission.GRANTED
    files.file_ended("d")


def test_first_files_are_completed_in_their_order_and_keep_their_turn_until_they_are_done() -> None:
    files = first_files("a", "b", "c")
    a, b = files.turn_of("a"), files.turn_of("b")
    assert b.wait(0.0) is Permission.NOT_YET
    assert a.wait(0.0) is Permission.GRANTED
    a.end()  # another attempt follows
    assert not a.may_have_collided()
    assert b.wait(0.01) is Permission.NOT_YET
    assert a.wait(0.0) is Permission.GRANTED
    files.file_ended("a")
    assert b.wait(0.0) is Permission.GRANTED
    files.file_ended("c")
    files.file_ended("b")


def test_a_first_file_is_let_go_when_the_one_before_it_is_done() -> None:
    files = first_files("a", "b")
    got: list[Permission] = []
    waiter = threading.Thread(target=lambda: got.append(files.turn_of("b").wait(5.0)))
    waiter.start()
    files.file_ended("a")
    waiter.join(2.0)
    assert got == [Permission.GRANTED]


def test_no_first_file_gets_a_turn_once_a_failure_ended_the_uploads() -> None:
    files = first_files("a", "b", halted=True)
    turns = [files.turn_of(name) for name in "ab"]
    assert [turn.wait(1.0) for turn in turns] == [Permission.STOPPED] * 2
    assert all(turn.withdrawn for turn in turns)


def test_in_a_run_that_is_being_stopped_the_first_file_whose_turn_it_is_ends_and_no_other_begins() -> None:
    files = first_files("a", "b", stopped=True)
    assert [files.turn_of(name).wait(1.0) for name in "ab"] == [Permission.GRANTED, Permission.STOPPED]


def test_a_first_file_that_waited_too_long_is_withdrawn_and_never_takes_a_turn() -> None:
    now = [0.0]
    files = FirstFiles(
        files=["a", "b"],
        together=lambda *_: False,
        halted=lambda _: False,
        stopped=lambda: False,
        clock=lambda: now[0],
    )
    turn = files.turn_of("b")
    assert turn.wait(0.0) is Permission.NOT_YET
    now[0] += PATIENCE + 1
    assert turn.wait(0.0) is Permission.STOPPED
    assert turn.withdrawn
    turn.end()
    assert turn.wait(0.0) is Permission.NOT_YET, "the next attempt may wait as long"
    assert not turn.withdrawn
    turn.begin_without_permission()
    assert turn.wait(0.0) is Permission.NOT_YET
