"""Writes finished lines to a stream, for the console and the CI reports."""

from typing import TextIO

from ci_publish.model.receipt import Redact
from ci_publish.reports.neutral import guard


class LineWriter:
    """Writes whole lines, flushed, in an encoding that the stream has. Not thread-safe by itself.

    ``say`` is for text: secrets are redacted once more and no line can be a workflow command. ``command`` is for our
    own commands, whose parts were encoded by ``neutral``.
    """

    def __init__(self, stream: TextIO, redact: Redact = str) -> None:
        self._stream = stream
        self._redact = redact

    def say(self, *lines: str) -> None:
        """Write *lines*; each must already be neutral."""
        self._write("".join(f"{guard(self._redact(line)).rstrip()}\n" for line in lines))

    def command(self, line: str) -> None:
        """Write one of our own commands or control sequences."""
        self._write(f"{self._redact(line)}\n")

    def _write(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._stream.flush()
