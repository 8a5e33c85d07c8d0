"""A run's result as the only text on a stream: the receipt as JSON, or the summary as Markdown (``--output``)."""

from collections.abc import Callable
from typing import TextIO

from ci_publish.model.receipt import Redact
from ci_publish.model.receipt_json import to_json
from ci_publish.reports.event_history import EventHistory, FinalReport
from ci_publish.reports.line_writer import LineWriter


def receipt_text(history: EventHistory, redact: Redact) -> str:
    """Return the receipt as JSON."""
    return to_json(history.build_receipt(), redact)


def summary_text(history: EventHistory, redact: Redact) -> str:
    """Return the summary as Markdown."""
    from ci_publish.reports.summary import SummaryInput, markdown_summary  # noqa: PLC0415  (only where it is asked for)

    return markdown_summary(SummaryInput(events=history.events, redact=redact))


class JsonReport(FinalReport):
    """Writes the receipt to *stream*, or what *text* makes of the run."""

    def __init__(
        self, stream: TextIO, *, redact: Redact = str, text: Callable[[EventHistory, Redact], str] = receipt_text
    ) -> None:
        super().__init__()
        self._lines = LineWriter(stream)
        self._redact = redact
        self._text = text

    def write_result(self) -> None:
        """Write the text."""
        self._lines.write_lines(*self._text(self.history, self._redact).splitlines())
