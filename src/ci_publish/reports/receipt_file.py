"""The receipt as a file: ``--receipt FILE``."""

from pathlib import Path

from ci_publish.hints import Hint, option
from ci_publish.model.events import Emit, Noted
from ci_publish.model.receipt import Redact
from ci_publish.model.receipt_json import to_json
from ci_publish.reports.atomic_files import report_write_error_reason, write_report_atomically
from ci_publish.reports.event_history import FinalReport


class ReceiptFile(FinalReport):
    """Writes the receipt to *path*.

    A file that cannot be written is a warning (through *emit*), never a failure: what was published is published.
    """

    def __init__(self, path: Path, emit: Emit, *, redact: Redact = str) -> None:
        super().__init__()
        self._path = path
        self._emit = emit
        self._redact = redact

    def write_result(self) -> None:
        """Write the receipt."""
        try:
            write_report_atomically(self._path, to_json(self.history.build_receipt(), self._redact))
        except OSError as error:
            self._emit(
                Noted(
                    slug="receipt-not-written",
                    message=f"The receipt cannot be written to {self._path}: {report_write_error_reason(error)}.",
                    hints=(Hint("Specify a file that this job may write to: ", option("receipt", "FILE")),),
                )
            )
