"""The events of a run that reports remember."""

import threading

from ci_publish.model.events import Event, RequestTraced, UploadProgressed
from ci_publish.model.receipt import Receipt
from ci_publish.model.receipt_building import build_receipt


class EventHistory:
    """Keeps events, apart from progress and traces, whose number grows with bytes and requests. Thread-safe."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._lock = threading.Lock()

    def remember_event(self, event: Event) -> None:
        """Remember *event*."""
        if not isinstance(event, UploadProgressed | RequestTraced):
            with self._lock:
                self._events.append(event)

    @property
    def events(self) -> tuple[Event, ...]:
        """What was remembered so far, in order."""
        with self._lock:
            return tuple(self._events)

    def build_receipt(self) -> Receipt:
        """Return the receipt of the run so far."""
        return build_receipt(self.events)
