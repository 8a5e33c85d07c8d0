"""Which projects of a run get no more files, and because of which: law 13 of a run over several projects."""

import threading

from ci_publish.errors import CiPublishError
from ci_publish.model.frozen import frozen
from ci_publish.model.train import Train


@frozen
class Stopped:
    """Why a project gets no more files: the projects ``because`` of which, which may be itself, and the first error."""

    because: tuple[str, ...]
    error: CiPublishError


class StoppedProjects:
    """The projects whose files failed, and those that require them. Thread-safe."""

    def __init__(self, train: Train) -> None:
        self._train = train
        self._lock = threading.Lock()
        self._failed: dict[str, CiPublishError] = {}
        self._refused: set[str] = set()

    def fail(self, project: str, error: CiPublishError, *, refused: bool) -> None:
        """Stop what requires *project*, one of whose files failed; the project itself where all of it is *refused*."""
        with self._lock:
            self._failed.setdefault(project, error)
            if refused:
                self._refused.add(project)

    def forget(self) -> None:
        """Go on as if nothing had failed."""
        with self._lock:
            self._failed, self._refused = {}, set()

    def reason(self, project: str) -> Stopped | None:
        """Return why *project* gets no more files; None where it does."""
        with self._lock:
            if project in self._refused:
                return Stopped((project,), self._failed[project])
            required = self._train.requires.get(project, frozenset())
            causes = tuple(cause for cause in self._failed if cause in required)
            return Stopped(causes, self._failed[causes[0]]) if causes else None
