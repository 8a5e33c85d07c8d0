"""Work on daemon threads, each attempt with a deadline.

sigstore's clients may never return, and a ``ThreadPoolExecutor`` would keep the interpreter from exiting until a stuck
call returns. The pool abandons a stuck worker: its daemon thread does not delay the exit, and another takes its place.
Threads are reused, because each has a connection of its own.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from ci_publish.model.frozen import frozen

Key = TypeVar("Key")
Value = TypeVar("Value")


@frozen
class Finished(Generic[Key, Value]):
    """A task returned *value*."""

    key: Key
    started: float
    value: Value


@frozen
class Failed(Generic[Key]):
    """A task raised."""

    key: Key
    started: float
    error: BaseException


@frozen
class Overdue(Generic[Key]):
    """A task did not end in time; its result will be ignored."""

    key: Key
    started: float


Ending = Finished[Key, Value] | Failed[Key] | Overdue[Key]


class _Worker(threading.Thread):
    def __init__(self, report: Callable[["_Worker", object, BaseException | None], None], number: int) -> None:
        super().__init__(daemon=True, name=f"sigstore-{number}")
        self._report = report
        self.tasks: SimpleQueue[Callable[[], object] | None] = SimpleQueue()  # None ends the thread

    def run(self) -> None:
        while (task := self.tasks.get()) is not None:
            try:
                value = task()
            except BaseException as error:  # noqa: BLE001  (it is reported, not handled)
                self._report(self, None, error)
            else:
                self._report(self, value, None)


@frozen
class _Running(Generic[Key]):
    key: Key
    started: float
    ends: float


class SigningWorkerPool(Generic[Key, Value]):
    """Runs at most *size* tasks at once and abandons each at its deadline. Use it from one thread, and close it."""

    def __init__(self, size: int, clock: Callable[[], float]) -> None:
        self._size = size
        self._clock = clock
        self._idle: list[_Worker] = []
        self._running: dict[_Worker, _Running[Key]] = {}
        self._reports: SimpleQueue[tuple[_Worker, object, BaseException | None]] = SimpleQueue()
        self._started = 0

    @property
    def busy_workers(self) -> int:
        """How many tasks are running."""
        return len(self._running)

    @property
    def free_workers(self) -> int:
        """How many more tasks may be started."""
        return self._size - self.busy_workers

    def start_task(self, key: Key, task: Callable[[], Value], seconds: float) -> None:
        """Begin *task* on a free worker; `next_ending` returns how it ended, after *seconds* at the latest."""
        if self._idle:
            worker = self._idle.pop()
        else:
            self._started += 1
            worker = _Worker(lambda *report: self._reports.put(report), self._started)
            worker.start()
        now = self._clock()
        self._running[worker] = _Running(key, now, now + seconds)
        worker.tasks.put(task)

    def next_ending(self, patience: float) -> "Ending[Key, Value] | None":
        """Return the next ending, or None if there is none within *patience* seconds."""
        now = self._clock()
        soonest = min((running.ends for running in self._running.values()), default=now + patience)
        try:
            worker, value, error = self._reports.get(timeout=max(0.0, min(patience, soonest - now)))
        except Empty:
            now = self._clock()
            overdue = next((worker for worker, running in self._running.items() if running.ends <= now), None)
            if overdue is None:
                return None
            running = self._running.pop(overdue)
            overdue.tasks.put(None)
            return Overdue(running.key, running.started)
        if worker not in self._running:  # abandoned earlier
            return None
        running = self._running.pop(worker)
        self._idle.append(worker)
        if error is not None:
            return Failed(running.key, running.started, error)
        return Finished(running.key, running.started, value)  # type: ignore[arg-type]  # its task returns a Value

    def close(self) -> None:
        """Let every thread end as soon as it can; running tasks are abandoned."""
        for worker in (*self._idle, *self._running):
            worker.tasks.put(None)
        self._idle.clear()
        self._running.clear()
