"""The receipt as a file: ``--receipt FILE``."""

import threading
from pathlib import Path

from ci_publish.hints import Hint, option
from ci_publish.model.events import Emit, Event, Noted, RunFinished
from ci_publish.model.receipt import Redact
from ci_publish.model.receipt_json import to_json
from ci_publish.reports.atomic_files import report_write_error_reason, write_report_atomically
from ci_publish.reports.event_history import EventHistory


class ReceiptFile:
    """Writes the receipt to *path* when the run is over, or when it is closed before that.

    A file that cannot be written is a warning (through *emit*), never a failure: what was published is published.
    """

    def __init__(self, path: Path, emit: Emit, *, redact: Redact = str) -> None:
        self._path = path
        self._emit = emit
        self._redact = redact
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
            if self._written:
                return
            self._written = True
        try:
            write_report_atomically(self._path, to_json(self._history.build_receipt(), self._redact))
        except OSError as error:
            self._emit(_receipt_not_written_note(self._path, error))


def _receipt_not_written_note(path: Path, error: OSError) -> Noted:
    return Noted(
        slug="receipt-not-written",
        message=f"The receipt cannot be written to {path}: {report_write_error_reason(error)}.",
        hints=(Hint("Name a file that this job may write to: ", option("receipt", "FILE")),),
    )
