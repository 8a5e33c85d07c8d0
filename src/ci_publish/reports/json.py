"""A run's result as the only text on a stream: the receipt as JSON, or the summary as Markdown (``--output``)."""

import threading
from collections.abc import Callable
from typing import TextIO

from ci_publish.model.events import Event, RunFinished
from ci_publish.model.receipt import Redact
from ci_publish.model.receipt_json import to_json
from ci_publish.reports.event_history import EventHistory
from ci_publish.reports.line_writer import LineWriter

Text = Callable[[EventHistory, Redact], str]


def _receipt_json(history: EventHistory, redact: Redact) -> str:
    return to_json(history.build_receipt(), redact)


class JsonReport:
    """Writes the receipt to *stream* once: when the run is over, or at the latest when the report is closed.

    *text* makes another text of the run's events.
    """

    def __init__(self, stream: TextIO, *, redact: Redact = str, text: Text = _receipt_json) -> None:
        self._lines = LineWriter(stream)
        self._redact = redact
        self._text = text
        self._history = EventHistory()
        self._lock = threading.Lock()
        self._written = False

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self._history.remember_event(event)
        if isinstance(event, RunFinished):
            self.close()

    def close(self) -> None:
        """Write the receipt, unless that is done."""
        with self._lock:
            if not self._written:
                self._written = True
                self._lines.write_lines(*self._text(self._history, self._redact).splitlines())
