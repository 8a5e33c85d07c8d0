"""The events of a run that reports remember, and reports that write once, at the end (pure)."""

from abc import ABC, abstractmethod

from ci_publish.model.events import Event, RequestTraced, RunFinished, UploadProgressed
from ci_publish.model.receipt import Receipt
from ci_publish.model.receipt_building import build_receipt


class EventHistory:
    """Keeps events, apart from progress and traces, whose number grows with bytes and requests."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def remember_event(self, event: Event) -> None:
        """Remember *event*."""
        if not isinstance(event, UploadProgressed | RequestTraced):
            self._events.append(event)

    @property
    def events(self) -> tuple[Event, ...]:
        """What was remembered so far, in order."""
        return tuple(self._events)

    def build_receipt(self) -> Receipt:
        """Return the receipt of the run so far."""
        return build_receipt(self.events)


class FinalReport(ABC):
    """A report that writes once: when the run is over, or when it is closed before that."""

    def __init__(self) -> None:
        self.history = EventHistory()
        self._written = False

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self.history.remember_event(event)
        if isinstance(event, RunFinished):
            self.close()

    def close(self) -> None:
        """Write the result, unless that is done."""
        if not self._written:
            self._written = True
            self.write_result()

    @abstractmethod
    def write_result(self) -> None:
        """Write what this report makes of ``history``."""
