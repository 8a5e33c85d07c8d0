"""The projects of a run that get no more files, and the projects that are the reason: law 13."""

import threading

from ci_publish.errors import CiPublishError, PublishingDeferred
from ci_publish.model.frozen import frozen
from ci_publish.model.train import Train


@frozen
class Stopped:
    """Why a project gets no more files: because of these projects, possibly itself, with the first error.

    The error is PublishingDeferred if the project is deferred to a later run.
    """

    because: tuple[str, ...]
    error: CiPublishError


class StoppedProjects:
    """The projects whose files failed or were deferred, and those that require them. Thread-safe."""

    def __init__(self, train: Train) -> None:
        self._train = train
        self._lock = threading.Lock()
        self._errors: dict[str, CiPublishError] = {}
        self._whole: set[str] = set()

    def stop(self, project: str, error: CiPublishError, *, whole: bool) -> None:
        """Stop the projects that require *project* because of *error*; if *whole*, also *project* itself."""
        with self._lock:
            self._errors.setdefault(project, error)
            if whole:
                self._whole.add(project)

    def forget_failures(self) -> None:
        """Clear the failures; deferrals remain."""
        with self._lock:
            self._errors = {
                name: error for name, error in self._errors.items() if isinstance(error, PublishingDeferred)
            }
            self._whole.intersection_update(self._errors)

    def why_project_stopped(self, project: str) -> Stopped | None:
        """Return why *project* gets no more files, a failure before a deferral; None if it does."""
        with self._lock:
            concerned = self._train.requires.get(project, frozenset()) | ({project} & self._whole)
            causes = [name for name in self._errors if name in concerned]
            causes.sort(key=lambda name: (isinstance(self._errors[name], PublishingDeferred), name != project))
            if not causes:
                return None
            first = self._errors[causes[0]]
            alike = [name for name in causes if type(self._errors[name]) is type(first)]
            return Stopped((project,) if causes[0] == project else tuple(alike), first)
