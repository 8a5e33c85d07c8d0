"""How many uploads run at once, and how many of one release an index may complete at once.

Inserting a file into PyPI's database fires a trigger that updates every row of the release's files, and the file is
stored before the transaction is committed (warehouse/migrations/versions/ee5b8f66a223, warehouse/forklift/legacy.py).
Two transactions of one release that update at the same time lock these rows in different orders where a third one was
committed between their beginnings; PostgreSQL then ends one after a second, and the server responds with 500. With two
uploads after their last byte this can hardly happen: the one waits for the other's locks, and the next one comes when
an answer has arrived. With three it happens all the time. ``benchmarks/README.md`` has the measurements.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from ci_publish.model.completion import Permission

Task = TypeVar("Task")
Result = TypeVar("Result")

# How many uploads of one release the index may complete at once, and how many may be in transfer at once.
COMPLETIONS = 2
TRANSFERS = 4

# Seconds that a first file waits before its last bytes; less than ``index.upload_body.LONGEST_PAUSE``.
PATIENCE = 50.0

# Seconds between checks whether the run is being stopped.
_SLICE = 0.1


class ConcurrencyLimit:
    """A limit between 1 and *most*: halved if the index is overloaded, raised by one after a round of successes."""

    def __init__(self, most: int) -> None:
        self.most = self._limit = most
        self._active = self._since_change = 0
        self._condition = threading.Condition()

    @property
    def limit(self) -> int:
        """How many may run at once now."""
        return self._limit

    def halve_limit(self) -> None:
        """The index is overloaded: halve the limit, once for all uploads that were under way."""
        with self._condition:
            if self._since_change >= 0:
                self._limit = max(1, self._limit // 2)
                self._since_change = -self._active

    def acquire_slot(self) -> None:
        """Wait until fewer than the limit are running."""
        with self._condition:
            self._condition.wait_for(lambda: self._active < self._limit)
            self._active += 1

    def release_slot(self) -> None:
        """End one; after as many without throttling as the limit, raise the limit by one."""
        with self._condition:
            self._active -= 1
            self._since_change += 1
            if self._since_change >= self._limit and self._limit < self.most:
                self._limit += 1
                self._since_change = 0
            self._condition.notify_all()


class ReleaseCompletions:
    """Which uploads of one release the index may complete: *at_once*, in order of request; one after a collision.

    *stopped* returns whether the run is being stopped. Thread-safe.
    """

    def __init__(self, stopped: Callable[[], bool], at_once: int = COMPLETIONS) -> None:
        self._stopped = stopped
        self._at_once = at_once
        self._condition = threading.Condition()
        self._queue: deque[ReleaseTurn] = deque()
        self._active: set[ReleaseTurn] = set()

    def new_turn(self) -> "ReleaseTurn":
        """Return the turn of one more upload."""
        return ReleaseTurn(self)

    def wait(self, turn: "ReleaseTurn", seconds: float) -> Permission:
        """Wait at most *seconds* until *turn* is the next one and below the limit."""
        until = time.monotonic() + seconds
        with self._condition:
            if turn not in self._queue:
                self._queue.append(turn)
            while self._queue[0] is not turn or len(self._active) >= self._at_once:
                left = until - time.monotonic()
                if self._stopped():
                    return Permission.STOPPED
                if left <= 0:
                    return Permission.NOT_YET
                self._condition.wait(min(left, _SLICE))
            self._begin_completion(turn)
            return Permission.GRANTED

    def begin_without_permission(self, turn: "ReleaseTurn") -> None:
        """Let *turn* begin although the limit is reached."""
        with self._condition:
            self._begin_completion(turn)

    def end(self, turn: "ReleaseTurn") -> None:
        """End *turn*, even if it never began."""
        with self._condition:
            self._active.discard(turn)
            if turn in self._queue:
                self._queue.remove(turn)
            self._condition.notify_all()

    def complete_one_at_a_time(self) -> None:
        """From now on, never complete two uploads of this release at once."""
        with self._condition:
            self._at_once = 1

    def _begin_completion(self, turn: "ReleaseTurn") -> None:
        self._queue.remove(turn)
        turn.overlapped = bool(self._active)
        for other in self._active:
            other.overlapped = True
        self._active.add(turn)
        self._condition.notify_all()


class ReleaseTurn:
    """Implements ``model.completion.CompletionTurn`` for a file of a release.

    ``overlapped``: while the index completed this upload, it also completed another one of the release.
    """

    def __init__(self, completions: ReleaseCompletions) -> None:
        self._completions = completions
        self._has_collided = False
        self.overlapped = False

    def wait(self, seconds: float) -> Permission:
        """Wait for the turn."""
        return self._completions.wait(self, seconds)

    def begin_without_permission(self) -> None:
        """Begin, with or without permission."""
        self._completions.begin_without_permission(self)

    def end(self) -> None:
        """End the turn."""
        self._completions.end(self)

    def may_have_collided(self) -> bool:
        """Whether a response 500 may be due to an upload that was completed at the same time."""
        collided = self.overlapped and not self._has_collided
        if collided:
            self._has_collided = True
            self._completions.complete_one_at_a_time()
        return collided


class FirstFiles(Generic[Task]):
    """Has the index complete the first files of releases one after the other, in the order of *files*.

    Two files that may be completed *together* are: the second one may begin after the first. Their transfers overlap. A
    file keeps its turn through all its attempts, until ``file_ended``. A file that is *halted*, because another one
    failed, gets no turn; *stopped* returns whether the run is being stopped. *clock* is monotonic. Thread-safe.
    """

    def __init__(
        self,
        *,
        files: Iterable[Task],
        together: Callable[[Task, Task], bool],
        halted: Callable[[Task], bool],
        stopped: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = deque(files)
        self._begun: set[Task] = set()
        self._together = together
        self._halted = halted
        self._stopped = stopped
        self.clock = clock
        self._condition = threading.Condition()

    def turn_of(self, file: Task) -> "FirstFileTurn[Task]":
        """Return the turn of *file*, one of those that this was made with."""
        return FirstFileTurn(self, file)

    def wait(self, file: Task, seconds: float) -> Permission:
        """Wait at most *seconds* until *file* may be completed."""
        until = time.monotonic() + seconds
        with self._condition:
            while not self._halted(file):
                if self._is_next_to_complete(file):
                    self._begun.add(file)
                    self._condition.notify_all()
                    return Permission.GRANTED
                left = until - time.monotonic()
                if self._stopped():
                    break
                if left <= 0:
                    return Permission.NOT_YET
                self._condition.wait(min(left, _SLICE))
            return Permission.STOPPED

    def _is_next_to_complete(self, file: Task) -> bool:
        first = self._queue[0]
        if first == file:
            return True
        return len(self._queue) > 1 and self._queue[1] == file and first in self._begun and self._together(first, file)

    def file_ended(self, file: Task) -> None:
        """Record the end of *file*, whether it was completed or not."""
        with self._condition:
            self._queue.remove(file)
            self._condition.notify_all()


class FirstFileTurn(Generic[Task]):
    """Implements ``model.completion.CompletionTurn`` for the first file of a release.

    An index does not wait for a request permanently, so the upload is withdrawn after ``PATIENCE``, and sent again when
    those before it are done. ``withdrawn``: it was withdrawn, for that reason or because the uploads were ended.
    """

    def __init__(self, files: FirstFiles[Task], file: Task) -> None:
        self._files = files
        self._file = file
        self._waits_since: float | None = None
        self.withdrawn = False

    def wait(self, seconds: float) -> Permission:
        """Wait for the turn."""
        if self._waits_since is None:
            self._waits_since = self._files.clock()
        permission = self._files.wait(self._file, seconds)
        if permission is Permission.NOT_YET and self._files.clock() - self._waits_since > PATIENCE:
            permission = Permission.STOPPED
        self.withdrawn = permission is Permission.STOPPED
        return permission

    def begin_without_permission(self) -> None:
        """Do nothing: ``wait`` ends the upload before that."""

    def end(self) -> None:
        """Keep the turn until ``FirstFiles.file_ended``; the next attempt may wait as long as this one."""
        self._waits_since = None

    def may_have_collided(self) -> bool:
        """Return False: no other file of its release is being uploaded."""
        return False


class ReleaseQueue(Generic[Task]):
    """Hands out tasks so that releases share the transfers: in order, but at most *transfers* of one release at once.

    *release_of* returns the release of a task. Thread-safe.
    """

    def __init__(self, tasks: Iterable[Task], release_of: Callable[[Task], object], transfers: int) -> None:
        self._tasks = list(tasks)
        self._release_of = release_of
        self._transfers = transfers
        self._active: Counter[object] = Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many tasks are still to be handed out."""
        return len(self._tasks)

    def take_task(self) -> Task | None:
        """Return the next task of the release with the fewest transfers; None if every release has enough transfers.

        A worker that gets None can end: the workers that already transfer a release do the rest of it.
        """
        with self._lock:
            task = min(
                (task for task in self._tasks if self._active[self._release_of(task)] < self._transfers),
                key=lambda task: self._active[self._release_of(task)],
                default=None,
            )
            if task is not None:
                self._tasks.remove(task)
                self._active[self._release_of(task)] += 1
            return task

    def task_ended(self, task: Task) -> None:
        """Record that *task*, which was handed out, has ended."""
        with self._lock:
            self._active[self._release_of(task)] -= 1


def run_in_parallel(
    tasks: Iterable[Task] | ReleaseQueue[Task],
    work: Callable[[Task], None],
    limit: ConcurrencyLimit,
    go_on: Callable[[], bool],
) -> None:
    """Hand *tasks* in order to threads, at most *limit* at once; stop handing out when *go_on* returns False.

    Returns when every task that was begun has ended. Then, the first exception that *work* raised is raised again.
    """
    queue = tasks if isinstance(tasks, ReleaseQueue) else ReleaseQueue(tasks, lambda _: None, limit.most)
    failures: list[BaseException] = []

    def worker() -> None:
        while True:
            limit.acquire_slot()
            try:
                task = queue.take_task() if go_on() and not failures else None
                if task is None:
                    return
                try:
                    work(task)
                finally:
                    queue.task_ended(task)
            except BaseException as error:  # noqa: BLE001  (raised again in the caller's thread)
                failures.append(error)
                return
            finally:
                limit.release_slot()

    threads = [
        threading.Thread(target=worker, name=f"upload-{number}") for number in range(min(limit.most, len(queue)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def map_in_parallel(
    tasks: Iterable[Task] | ReleaseQueue[Task], work: Callable[[Task], Result], jobs: int, go_on: Callable[[], bool]
) -> dict[Task, Result]:
    """Return what *work* returns for each task that was handed to at most *jobs* threads; see ``run_in_parallel``."""
    results: dict[Task, Result] = {}

    def keep_result(task: Task) -> None:
        results[task] = work(task)  # one operation of a dict, which needs no lock

    run_in_parallel(tasks, keep_result, ConcurrencyLimit(jobs), go_on)
    return results
