"""The console on a terminal: bars with rate and time left during uploads, a table at the end.

The only module that imports rich, and imported only on a terminal. Text from outside reaches
rich as ``Text``, never as markup.
"""

import textwrap
import threading
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column, Table
from rich.text import Text

from ci_publish.model.byte_counts import format_size
from ci_publish.model.events import (
    Event,
    FileFinished,
    Outcome,
    Planned,
    RunFinished,
    Step,
    StepFinished,
    UploadProgressed,
    UploadStarted,
)
from ci_publish.model.receipt import Receipt, Redact
from ci_publish.reports import wording
from ci_publish.reports.console_lines import INDENT, Line
from ci_publish.reports.console_renderer import ConsoleRenderer
from ci_publish.reports.neutral import neutral_line
from ci_publish.reports.ticker import ConsoleTicker
from ci_publish.reports.tones import Tone
from ci_publish.reports.waiting_messages import WaitingMessages

if TYPE_CHECKING:
    from rich.status import Status

_STYLES = {
    Tone.PLAIN: "",
    Tone.QUIET: "dim",
    Tone.STRONG: "bold",
    Tone.GOOD: "green",
    Tone.WARN: "yellow",
    Tone.BAD: "red",
}
_NAME_WIDTH = 48
_ROWS = 200
_DIGEST_SHOWN = 12
_WIDE = 110
_UNLIMITED = 100_000
# The table at the end has the first of these that fits: what is left out stands in the summary and the receipt.
_COLUMNS = (
    ("file", "index", "result", "size", "sha256", "attestation"),
    ("file", "result", "size", "attestation"),
    ("file", "result", "size"),
    ("file", "result"),
)


class Terminal:
    """Draws a run on a terminal. Thread-safe; ``close`` restores the cursor."""

    def __init__(
        self,
        *,
        stream: TextIO,
        renderer: ConsoleRenderer,
        waiting_messages: WaitingMessages,
        redact: Redact = str,
        colour: bool = True,
    ) -> None:
        self._console = Console(
            file=stream, no_color=not colour, markup=False, emoji=False, highlight=False, force_terminal=True
        )
        self._renderer = renderer
        self._waiting_messages = waiting_messages
        self._redact = redact
        self._progress: Progress | None = None
        self._bars: dict[tuple[str, str], TaskID] = {}
        self._planned: dict[tuple[str, str], int] = {}
        self._parts: dict[tuple[str, str], float] = {}
        self._sent = 0.0
        self._total: TaskID | None = None
        self._status: Status | None = None
        self._lock = threading.RLock()
        self._ticker = ConsoleTicker(self.draw_waiting_status)

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            lines = self._renderer.render_event(event)
            if lines or isinstance(event, UploadStarted | RunFinished):
                self._remove_waiting_status()
            self._draw_event(event)
            for line in lines:
                self._print_wrapped_line(line)
            self._waiting_messages.track_event(event, spoke=bool(lines))
        self._ticker.start()

    def draw_waiting_status(self) -> None:
        """Draw what the run waits for, once that takes long, as one line that is kept up to date."""
        with self._lock:
            waiting = self._waiting_messages.long_waiting_message() if self._progress is None else ""
            if not waiting:
                return
            text = Text(neutral_line(self._redact(waiting)), style="dim", no_wrap=True, overflow="ellipsis")
            if self._status is None:
                self._status = self._console.status(text, spinner="line")
                self._status.start()
            else:
                self._status.update(text)

    def close(self) -> None:
        """Remove bars and status line, and end the thread."""
        self._ticker.stop()
        with self._lock:
            self._remove_waiting_status()
            self._remove_progress_bars()

    def _remove_waiting_status(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _remove_progress_bars(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
            self._bars.clear()

    def _draw_event(self, event: Event) -> None:
        match event:
            case UploadStarted():
                self._start_upload_bar(event)
            case UploadProgressed():
                key = (event.index, event.filename)
                if key in self._bars and self._progress is not None:
                    self._progress.update(self._bars[key], completed=event.sent, total=event.total)
                    self._move_total_bar(self._progress, key, event.sent / max(event.total, 1))
            case FileFinished():
                key = (event.index, event.distribution.filename)
                bar = self._bars.pop(key, None)
                if bar is not None and self._progress is not None:
                    self._progress.remove_task(bar)
                    self._move_total_bar(self._progress, key, 1.0)
            case Planned():
                self._planned.update({(event.plan.index, each.filename): each.size for each in event.plan.uploads})
            case StepFinished(step=Step.UPLOAD):
                self._remove_progress_bars()
            case RunFinished():
                self.close()
                self._print_files_table(self._renderer.history.build_receipt())
            case _:
                pass

    def _print_wrapped_line(self, line: Line) -> None:
        """Print a line; where it is too long, what follows is below its text, and no word is broken."""
        text = self._redact(line.text)
        width = max(self._console.width, 2 * INDENT)
        longest = max(map(len, text.split()), default=0)
        below = INDENT if text[:INDENT].endswith("  ") and longest <= width - INDENT else 2
        pieces = textwrap.wrap(
            text, width, subsequent_indent=" " * below, break_long_words=False, break_on_hyphens=False
        )
        for piece in pieces if len(text) > width else [text]:
            self._console.print(Text(piece, style=_STYLES[line.tone]), soft_wrap=True)

    def _start_upload_bar(self, event: UploadStarted) -> None:
        if self._progress is None:
            # What fits next to a name, so that a bar is one line on any terminal.
            wide = (TransferSpeedColumn(), TimeRemainingColumn()) if self._console.width >= _WIDE else ()
            self._progress = Progress(
                TextColumn("upload    {task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
                BarColumn(bar_width=20),
                DownloadColumn(),
                *wide,
                expand=True,
                console=self._console,
                transient=True,
            )
            self._progress.start()
            if len(self._planned) > 1:
                name = f"all {wording.pluralise(len(self._planned), 'file')}"
                self._total = self._progress.add_task(name, total=sum(self._planned.values()))
        key = (event.index, event.filename)
        if key in self._bars:
            self._progress.reset(self._bars[key], total=event.size)
        else:
            name = neutral_line(self._redact(event.filename), _NAME_WIDTH)
            self._bars[key] = self._progress.add_task(name, total=event.size)

    def _move_total_bar(self, progress: Progress, key: tuple[str, str], part: float) -> None:
        """Move the bar of all files; bodies are a little larger than their files, so that it counts parts of files."""
        self._sent += self._planned.get(key, 0) * (part - self._parts.get(key, 0.0))
        self._parts[key] = part
        if self._total is not None:
            progress.update(self._total, completed=self._sent)

    def _print_files_table(self, receipt: Receipt) -> None:
        if not receipt.indexes or not receipt.files or receipt.outcome is Outcome.PLANNED:
            return
        tables = [_terminal_files_table(receipt, columns, self._redact) for columns in _COLUMNS]
        unlimited = self._console.options.update(max_width=_UNLIMITED)
        widths = [self._console.measure(each, options=unlimited).maximum for each in tables]
        fitting = (each for each, width in zip(tables, widths, strict=True) if width <= self._console.width)
        table = next(fitting, tables[-1])
        self._console.print()
        self._console.print(table)
        if len(receipt.files) > _ROWS:
            self._console.print(f"and {wording.pluralise(len(receipt.files) - _ROWS, 'more file')}")


def _terminal_files_table(receipt: Receipt, columns: tuple[str, ...], redact: Redact) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns:
        table.add_column(heading, overflow="fold", justify="right" if heading == "size" else "left")
    for file in receipt.files[:_ROWS]:
        cells = {
            "file": neutral_line(file.filename),
            "index": neutral_line(file.index or ""),
            "result": wording.describe_file_result(receipt, file),
            "size": "" if file.size is None else format_size(file.size),
            "sha256": "" if file.sha256 is None else f"{file.sha256[:_DIGEST_SHOWN]}…",
            "attestation": ", ".join(f"log index {each.log_index}" for each in file.attestations),
        }
        table.add_row(*(Text(redact(cells[heading])) for heading in columns))
    return table
