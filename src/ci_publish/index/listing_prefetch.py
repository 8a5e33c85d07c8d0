"""Listings that are fetched before they are needed, while files are still being checked.

The names of a run's projects may be sent to the index as soon as they are known; nothing else may before the checks
end.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future

from ci_publish.model.events import Emit, Event
from ci_publish.model.index import IndexState
from ci_publish.model.waiting import Waiting

_SLICE = 0.1
# Connections to the Simple API at once; the listings of thirty projects take the time of four.
_AT_ONCE = 8


class PrefetchWaiting:
    """``Waiting`` that also ends when its result is no longer needed."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._closed = threading.Event()

    def close(self) -> None:
        """End every wait. Idempotent."""
        self._closed.set()

    @property
    def stopped(self) -> bool:
        """Whether no new work may begin."""
        return self._closed.is_set() or self._waiting.stopped

    @property
    def cut(self) -> bool:
        """Whether work in flight must end now."""
        return self._closed.is_set() or self._waiting.cut

    def wait(self, seconds: float) -> bool:
        """Sleep for *seconds*, or less; return whether it is over."""
        while seconds > 0 and not self.stopped:
            self._waiting.wait(min(seconds, _SLICE))
            seconds -= _SLICE
        return self.stopped

    def left(self) -> float:
        """Return the seconds that are left."""
        return 0.0 if self._closed.is_set() else self._waiting.left()


class HeldPrefetchEvents:
    """The events of a prefetch: kept until the listing is needed, and emitted at once from then on."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._lock = threading.Lock()
        self._kept: list[Event] | None = []

    def __call__(self, event: Event) -> None:
        """Keep *event*, or pass it on."""
        with self._lock:
            (self._emit if self._kept is None else self._kept.append)(event)

    def emit_held_events(self) -> None:
        """Emit what was kept, in order. To be called once."""
        with self._lock:
            kept, self._kept = self._kept, None
            for event in kept or ():
                self._emit(event)


class PrefetchEmitter:
    """An ``Emit`` that passes the events of a thread to the ``HeldPrefetchEvents`` of that thread, if it has one."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._given = threading.local()

    def __call__(self, event: Event) -> None:
        """Emit *event*, or keep it."""
        held: HeldPrefetchEvents | None = getattr(self._given, "held", None)
        (self._emit if held is None else held)(event)

    def new_held_events(self) -> HeldPrefetchEvents:
        """Return what may be given to a thread."""
        return HeldPrefetchEvents(self._emit)

    def hold_events_of_thread(self, held: HeldPrefetchEvents) -> None:
        """Keep in *held* what this thread emits from now on."""
        self._given.held = held


_Promise = tuple[Future[IndexState], HeldPrefetchEvents]


class PrefetchedListings:
    """Listings that *fetch* (project, version) may have fetched already. Thread-safe.

    The events of a prefetch are emitted once its listing is taken, otherwise never.
    """

    def __init__(self, fetch: Callable[[str, str | None], IndexState]) -> None:
        self._fetch = fetch
        self._promises: dict[tuple[str, str | None], _Promise] = {}
        self._threads: tuple[threading.Thread, ...] = ()

    def begin_prefetch(self, releases: Iterable[tuple[str, str]], emitter: PrefetchEmitter) -> None:
        """Fetch the listings of *releases* (project and version) in the background. To be called once.

        *emitter* is what ``fetch`` emits to.
        """
        self._promises = {release: (Future(), emitter.new_held_events()) for release in releases}
        projects = tuple(dict.fromkeys(project for project, _ in self._promises))
        shares = (projects[number::_AT_ONCE] for number in range(_AT_ONCE))
        self._threads = tuple(self._new_prefetch_thread(share, emitter) for share in shares if share)
        for thread in self._threads:
            thread.start()

    def _new_prefetch_thread(self, projects: Sequence[str], emitter: PrefetchEmitter) -> threading.Thread:
        """Return a thread that fetches the listings of *projects*, one after the other."""
        work = tuple(item for item in self._promises.items() if item[0][0] in projects)
        return threading.Thread(
            target=lambda: self._fetch_projects(work, emitter), name="ci-publish-prefetch", daemon=True
        )

    def finish_prefetch(self) -> None:
        """Wait for the threads of ``begin_prefetch``; they end at once when the waiting of the index is closed."""
        for thread in self._threads:
            thread.join()

    def _fetch_projects(
        self, work: Sequence[tuple[tuple[str, str | None], _Promise]], emitter: PrefetchEmitter
    ) -> None:
        for (project, version), (promise, held) in work:
            emitter.hold_events_of_thread(held)
            try:
                promise.set_result(self._fetch(project, version))
            except BaseException as error:  # noqa: BLE001  (a bug: raised where the listing is taken)
                promise.set_exception(error)

    def take_listing(self, project: str, version: str | None) -> IndexState | None:
        """Return a listing whose fetch was started, once, as soon as it is complete; None for any other."""
        prefetched = self._promises.pop((project, version), None)
        if prefetched is None:
            return None
        promise, held = prefetched
        held.emit_held_events()
        return promise.result()
