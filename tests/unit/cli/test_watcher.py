"""A run that is asked to end, watched by a thread, on a clock of our own."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from ci_publish.cli.watcher import BURN_AFTER, LEAVE_AFTER, Watcher
from ci_publish.errors import CiPublishError, IndexUnavailable, Terminated
from ci_publish.publishing.interruption import Interruption


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def _deaf() -> Iterator[None]:
    """Handle SIGTERM without doing anything: the watcher alone hears of it."""
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    yield
    signal.signal(signal.SIGTERM, before)


def soon(condition: Callable[[], object]) -> bool:
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return bool(condition())


@pytest.mark.usefixtures("_deaf")
@pytest.mark.parametrize("windows", [False, True])
def test_a_run_that_does_not_end_has_its_tokens_burned_and_is_left(
    monkeypatch: pytest.MonkeyPatch, *, windows: bool
) -> None:
    if windows:
        monkeypatch.delattr(signal, "SIGALRM")
    clock = Clock()
    interruption = Interruption(600.0, clock)
    burned: list[str] = []
    left: list[CiPublishError] = []
    interruption.when_abandoned(lambda: burned.append("token"))
    with Watcher(interruption, left.append):
        assert not interruption.stopped
        os.kill(os.getpid(), signal.SIGTERM)
        assert soon(lambda: interruption.stopped)
        assert (burned, left) == ([], [])
        clock.now += BURN_AFTER
        assert soon(lambda: burned)
        assert left == []
        clock.now = 100.0 + LEAVE_AFTER + 0.1
        assert soon(lambda: left)
    assert burned == ["token"]
    assert [type(error) for error in left] == [Terminated]


def test_a_run_that_outlives_its_deadline_is_left_as_well() -> None:
    clock = Clock()
    interruption = Interruption(600.0, clock)
    burned: list[str] = []
    left: list[CiPublishError] = []
    interruption.when_abandoned(lambda: burned.append("token"))
    with Watcher(interruption, left.append):
        clock.now += 600.0 + LEAVE_AFTER + 0.1
        assert soon(lambda: burned and left)
    assert [type(error) for error in left] == [IndexUnavailable]


def test_a_watched_run_that_ends_by_itself_is_left_alone() -> None:
    before = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before)
    left: list[CiPublishError] = []
    with Watcher(Interruption(600.0), left.append):
        assert signal.set_wakeup_fd(-1) != before
    assert signal.set_wakeup_fd(before) == before
    assert left == []
