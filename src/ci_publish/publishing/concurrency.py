"""How many uploads run at once: politely fewer when the index asks for it, slowly more again."""

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

Task = TypeVar("Task")


class Pace:
    """A limit between 1 and *most*: halved when the index is throttling, raised by one after a round of successes."""

    def __init__(self, most: int) -> None:
        self._most = self._limit = most
        self._active = self._since_change = 0
        self._condition = threading.Condition()

    @property
    def limit(self) -> int:
        """How many may run at once now."""
        return self._limit

    def throttled(self) -> None:
        """The index answered 429 or 503: halve the limit, once for all uploads that were under way."""
        with self._condition:
            if self._since_change >= 0:
                self._limit = max(1, self._limit // 2)
                self._since_change = -self._active

    def enter(self) -> None:
        """Wait for a place."""
        with self._condition:
            self._condition.wait_for(lambda: self._active < self._limit)
            self._active += 1

    def leave(self) -> None:
        """Give the place back; after as many as the limit have done so without throttling, one more may run."""
        with self._condition:
            self._active -= 1
            self._since_change += 1
            if self._since_change >= self._limit and self._limit < self._most:
                self._limit += 1
                self._since_change = 0
            self._condition.notify_all()


def in_parallel(
    tasks: Iterable[Task], work: Callable[[Task], None], pace: Pace, jobs: int, go_on: Callable[[], bool]
) -> None:
    """Hand *tasks* in order to at most *jobs* threads, no faster than *pace*; stop handing out when not *go_on*.

    Returns when every task that was begun has ended. The first exception that *work* raised is raised again then.
    """
    todo = list(tasks)
    queue = iter(todo)
    lock = threading.Lock()
    failures: list[BaseException] = []

    def worker() -> None:
        while True:
            pace.enter()
            try:
                with lock:
                    task = next(queue, None) if go_on() and not failures else None
                if task is None:
                    return
                work(task)
            except BaseException as error:  # noqa: BLE001  (raised again in the caller's thread)
                failures.append(error)
                return
            finally:
                pace.leave()

    threads = [threading.Thread(target=worker, name=f"upload-{number}") for number in range(min(jobs, len(todo)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
