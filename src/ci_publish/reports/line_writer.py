"""Writes finished lines to a stream, for the console and the CI reports."""

from typing import TextIO

from ci_publish.model.receipt import Redact
from ci_publish.reports.neutral import defuse_workflow_commands


class LineWriter:
    """Writes whole lines, flushed, in an encoding that the stream has. Not thread-safe by itself.

    ``write_lines`` is for text: secrets are redacted once more and no line can be a workflow command.
    ``write_command`` is for our own commands, whose parts were encoded by ``neutral``.
    """

    def __init__(self, stream: TextIO, redact: Redact = str) -> None:
        self._stream = stream
        self._redact = redact

    def write_lines(self, *lines: str, style: str = "") -> None:
        """Write *lines*; each must already be neutral. *style*: the parameters of the SGR sequence that styles them."""
        begin, end = (f"\x1b[{style}m", "\x1b[0m") if style else ("", "")
        texts = (defuse_workflow_commands(self._redact(line)).rstrip() for line in lines)
        self._write_encoded("".join(f"{begin}{text}{end}\n" if text else "\n" for text in texts))

    def write_command(self, line: str) -> None:
        """Write one of our own commands or control sequences."""
        self._write_encoded(f"{self._redact(line)}\n")

    def _write_encoded(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._stream.flush()
