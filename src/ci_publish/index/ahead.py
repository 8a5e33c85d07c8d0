"""Looks that are made before they are asked for, while files are still being checked.

The names of a run's projects may go to the index as soon as they are known; nothing else may before the checks end.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from ci_publish.model.attestation import Attestation
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Emit, Event
from ci_publish.model.http import Authorization
from ci_publish.model.index import Endpoints, IndexState, UploadOutcome
from ci_publish.model.waiting import Waiting

if TYPE_CHECKING:
    from ci_publish.index.client import HttpIndex

_SLICE = 0.1


class UntilClosed:
    """``Waiting`` that is also over when nobody wants any more what is waited for."""

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


class Postponed:
    """An ``Emit`` that keeps back what one thread tells, until somebody wants to hear it."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._kept = threading.local()

    def __call__(self, event: Event) -> None:
        """Pass *event* on, or keep it."""
        kept: list[Event] | None = getattr(self._kept, "events", None)
        (self._emit if kept is None else kept.append)(event)

    def keep(self) -> list[Event]:
        """Return the list that takes what this thread tells from now on."""
        events: list[Event] = []
        self._kept.events = events
        return events


class LookingAhead:
    """The port ``pipeline.Index``: an index whose first look at a release may have been made already.

    Thread-safe. What such a look had to tell is told when it is asked for; who never asks never hears of it. *told* is
    what the index and its transport emit to.
    """

    def __init__(self, index: "HttpIndex", told: Postponed) -> None:
        self._index = index
        self._told = told
        self._ahead: dict[tuple[str, str | None], Future[tuple[IndexState, Sequence[Event]]]] = {}
        self._thread: threading.Thread | None = None

    def begin(self, releases: Iterable[tuple[str, str]]) -> None:
        """Look at *releases* (project and version), one after the other, in the background. To be called once."""
        self._ahead = {release: Future() for release in releases}
        work = tuple(self._ahead.items())
        self._thread = threading.Thread(target=lambda: self._run(work), name="ci-publish-look", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait for the end of what ``begin`` began: at once where what the index waits by is closed."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, work: Sequence[tuple[tuple[str, str | None], Future[tuple[IndexState, Sequence[Event]]]]]) -> None:
        for (project, version), promise in work:
            events = self._told.keep()
            try:
                promise.set_result((self._index.look(project, version), events))
            except BaseException as error:  # noqa: BLE001  (a bug: raised where the look is asked for)
                promise.set_exception(error)

    @property
    def endpoints(self) -> Endpoints:
        """The addresses of this index."""
        return self._index.endpoints

    def look(
        self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
    ) -> IndexState:
        """Ask what the index has of *project*; see ``pipeline.Index``."""
        promise = None if fresh else self._ahead.pop((project, version), None)
        if promise is None:
            return self._index.look(project, version, fresh=fresh, patience=patience)
        state, events = promise.result()
        for event in events:
            self._told(event)
        return state

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
    ) -> UploadOutcome:
        """Send one file, with retries; see ``pipeline.Index``."""
        return self._index.upload(distribution, attestations, authorization, throttled)

    def provenance(self, project: str, version: str, filename: str) -> bytes | None:
        """Return the provenance that the index serves for a file; see ``pipeline.Index``."""
        return self._index.provenance(project, version, filename)
