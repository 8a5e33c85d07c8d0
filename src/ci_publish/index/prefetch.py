"""Listings that are fetched before they are needed, while files are still being checked.

The names of a run's projects may be sent to the index as soon as they are known; nothing else may before the checks
end.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from ci_publish.http.messages import Authorization
from ci_publish.model.attestation import Attestation
from ci_publish.model.completion import UNSCHEDULED, CompletionTurn
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Emit, Event
from ci_publish.model.index import Endpoints, IndexState, PublishedFile, UploadOutcome
from ci_publish.model.waiting import Waiting

if TYPE_CHECKING:
    from ci_publish.index.client import HttpIndex

_SLICE = 0.1
# Connections to the Simple API at once; the listings of thirty projects take the time of four.
_AT_ONCE = 8


class UntilClosed:
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


class HeldEvents:
    """The events of a prefetch: kept until the listing is needed, and emitted at once from then on."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._lock = threading.Lock()
        self._kept: list[Event] | None = []

    def __call__(self, event: Event) -> None:
        """Keep *event*, or pass it on."""
        with self._lock:
            (self._emit if self._kept is None else self._kept.append)(event)

    def release(self) -> None:
        """Emit what was kept, in order. To be called once."""
        with self._lock:
            kept, self._kept = self._kept, None
            for event in kept or ():
                self._emit(event)


class BufferedEmitter:
    """An ``Emit`` that passes the events of a thread to a ``HeldEvents``, where that thread was given one."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._given = threading.local()

    def __call__(self, event: Event) -> None:
        """Emit *event*, or keep it."""
        held: HeldEvents | None = getattr(self._given, "held", None)
        (self._emit if held is None else held)(event)

    def hold(self) -> HeldEvents:
        """Return what may be given to a thread."""
        return HeldEvents(self._emit)

    def give(self, held: HeldEvents) -> None:
        """Keep in *held* what this thread emits from now on."""
        self._given.held = held


_Promise = tuple[Future[IndexState], HeldEvents]


class PrefetchedIndex:
    """The port ``publishing.ports.Index``: an index whose first listings may have been fetched already.

    Thread-safe. The events of a prefetch are emitted once its listing is asked for, otherwise never. *emitter* is what
    the index and its transport emit to.
    """

    def __init__(self, index: "HttpIndex", emitter: BufferedEmitter) -> None:
        self._index = index
        self._emitter = emitter
        self._prefetched: dict[tuple[str, str | None], _Promise] = {}
        self._threads: tuple[threading.Thread, ...] = ()

    def begin(self, releases: Iterable[tuple[str, str]]) -> None:
        """Fetch the listings of *releases* (project and version) in the background. To be called once."""
        self._prefetched = {release: (Future(), self._emitter.hold()) for release in releases}
        projects = tuple(dict.fromkeys(project for project, _ in self._prefetched))
        shares = (projects[number::_AT_ONCE] for number in range(_AT_ONCE))
        self._threads = tuple(self._thread(share) for share in shares if share)
        for thread in self._threads:
            thread.start()

    def _thread(self, projects: Sequence[str]) -> threading.Thread:
        """Return a thread that fetches the listings of *projects*, one after the other."""
        work = tuple(item for item in self._prefetched.items() if item[0][0] in projects)
        return threading.Thread(target=lambda: self._run(work), name="ci-publish-prefetch", daemon=True)

    def finish(self) -> None:
        """Wait for the threads that ``begin`` started; they end at once when the waiting of the index is closed."""
        for thread in self._threads:
            thread.join()

    def _run(self, work: Sequence[tuple[tuple[str, str | None], _Promise]]) -> None:
        for (project, version), (promise, held) in work:
            self._emitter.give(held)
            try:
                promise.set_result(self._index.fetch_listing(project, version))
            except BaseException as error:  # noqa: BLE001  (a bug: raised where the listing is asked for)
                promise.set_exception(error)

    @property
    def endpoints(self) -> Endpoints:
        """The addresses of this index."""
        return self._index.endpoints

    def fetch_listing(
        self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
    ) -> IndexState:
        """Ask what the index has of *project*; see ``publishing.ports.Index``."""
        prefetched = None if fresh else self._prefetched.pop((project, version), None)
        if prefetched is None:
            return self._index.fetch_listing(project, version, fresh=fresh, patience=patience)
        promise, held = prefetched
        held.release()
        return promise.result()

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
        turn: CompletionTurn = UNSCHEDULED,
    ) -> UploadOutcome:
        """Send one file, with retries; see ``publishing.ports.Index``."""
        return self._index.upload(distribution, attestations, authorization, throttled, turn)

    def md5(self, distribution: Distribution) -> str:
        """Return the MD5 of a file's bytes; see ``publishing.ports.Index``."""
        return self._index.md5(distribution)

    def download_sha256(self, published: PublishedFile, limit: int) -> str | None:
        """Download a listed file and return its SHA-256; see ``publishing.ports.Index``."""
        return self._index.download_sha256(published, limit)

    def core_metadata(self, published: PublishedFile) -> bytes | None:
        """Fetch the core metadata that is served beside a listed file; see ``publishing.ports.Index``."""
        return self._index.core_metadata(published)

    def provenance(self, project: str, version: str, filename: str) -> bytes | None:
        """Return the provenance that the index serves for a file; see ``publishing.ports.Index``."""
        return self._index.provenance(project, version, filename)
