"""The traceback of a failed run with the whole chain of causes, if ``CI_PUBLISH_DEBUG`` is set."""

import re
import traceback
from typing import TextIO

from ci_publish.model.events import Event, RunFinished
from ci_publish.model.receipt import Redact
from ci_publish.reports.line_writer import LineWriter
from ci_publish.reports.neutral import neutral_block

_LIMIT = 200_000
_USER = re.compile(r"(?<=://)[^/\s@]+@")


class TracebackReport:
    """Writes the traceback of the error that ended the run, and of each error that caused it.

    Redacted and neutralised like all other output; local variables are not shown. Names and passwords in URLs are
    removed whether or not they are known: the texts of other libraries' errors are in it.
    """

    def __init__(self, stream: TextIO, *, redact: Redact = str) -> None:
        self._redact = redact
        self._lines = LineWriter(stream, redact)

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, RunFinished) and event.error is not None:
            text = "".join(traceback.format_exception(event.error))
            self._lines.write_lines(*neutral_block(_USER.sub("***@", self._redact(text)), _LIMIT).split("\n"))

    def close(self) -> None:
        """Do nothing: every line is written already."""
