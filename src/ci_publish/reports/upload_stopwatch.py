"""How long uploads took, as seen by a report: events carry no time of their own."""

from collections.abc import Callable

from ci_publish.model.events import Event, FileFinished, UploadStarted


class UploadStopwatch:
    """Measures from a file's first attempt to its end, waits between attempts included. Not thread-safe.

    *clock* gives seconds that never run backwards.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun: dict[tuple[str, str], float] = {}
        self._seconds: dict[tuple[str, str], float] = {}

    def time_upload_event(self, event: Event) -> None:
        """Start or stop the watch of the file that *event* is about."""
        match event:
            case UploadStarted(index=index, filename=filename):
                self._begun.setdefault((index, filename), self._clock())
            case FileFinished(index=index, distribution=distribution):
                key = (index, distribution.filename)
                if key in self._begun:
                    self._seconds[key] = self._clock() - self._begun.pop(key)
            case _:
                pass

    def upload_seconds(self, index: str, filename: str) -> float | None:
        """Return how long the upload of a file took; None where it has not ended or was not tried."""
        return self._seconds.get((index, filename))
