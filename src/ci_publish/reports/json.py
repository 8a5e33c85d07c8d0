"""The receipt as the only text on a stream: ``--output json``."""

import threading
from typing import TextIO

from ci_publish.model.events import Event, RunFinished
from ci_publish.model.receipt import Redact
from ci_publish.model.receipt_json import to_json
from ci_publish.reports.event_history import EventHistory
from ci_publish.reports.writer import LineWriter


class JsonReport:
    """Writes the receipt to *stream* once: when the run is over, or at the latest when the report is closed."""

    def __init__(self, stream: TextIO, *, redact: Redact = str) -> None:
        self._lines = LineWriter(stream)
        self._redact = redact
        self._history = EventHistory()
        self._lock = threading.Lock()
        self._written = False

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self._history.add(event)
        if isinstance(event, RunFinished):
            self.close()

    def close(self) -> None:
        """Write the receipt, unless that is done."""
        with self._lock:
            if not self._written:
                self._written = True
                self._lines.say(*to_json(self._history.receipt(), self._redact).splitlines())
