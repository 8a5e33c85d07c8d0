"""The console during a run: progress and colours on a terminal, lines everywhere else."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from ci_publish.model.events import Event, RunFinished
from ci_publish.model.frozen import frozen
from ci_publish.model.receipt import Redact
from ci_publish.reports.ci_detection import is_github_job, is_gitlab_job
from ci_publish.reports.console_lines import Line, step_line
from ci_publish.reports.console_renderer import ConsoleRenderer
from ci_publish.reports.dispatcher import Report
from ci_publish.reports.line_writer import LineWriter
from ci_publish.reports.ticker import ConsoleTicker
from ci_publish.reports.tones import Tone
from ci_publish.reports.waiting_messages import WaitingMessages

_COLOURS = {Tone.QUIET: "2", Tone.STRONG: "1", Tone.GOOD: "32", Tone.WARN: "33", Tone.BAD: "31"}


class PlainConsole:
    """Writes a run as lines, each flushed: for CI logs, pipes and files. Thread-safe.

    Long waits are reported while they last. *colour*: lines have the colours of their tone.
    """

    def __init__(
        self,
        *,
        stream: TextIO,
        renderer: ConsoleRenderer,
        waiting_messages: WaitingMessages,
        redact: Redact = str,
        colour: bool = False,
    ) -> None:
        self._lines = LineWriter(stream, redact)
        self._renderer = renderer
        self._waiting_messages = waiting_messages
        self._colour = colour
        self._lock = threading.Lock()
        self._ticker = ConsoleTicker(self.report_waiting)

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            lines = self._renderer.render_event(event)
            self._write_console_lines(*lines)
            self._waiting_messages.track_event(event, spoke=bool(lines))
        if isinstance(event, RunFinished):
            self._ticker.stop()
        else:
            self._ticker.start()

    def report_waiting(self) -> None:
        """Write what the run waits for, if that is due."""
        with self._lock:
            if waiting := self._waiting_messages.due_waiting_message():
                self._write_console_lines(step_line("wait", waiting, Tone.QUIET))

    def close(self) -> None:
        """End the thread; every line is written already."""
        self._ticker.stop()

    def _write_console_lines(self, *lines: Line) -> None:
        for line in lines:
            self._lines.write_lines(line.text, style=_COLOURS.get(line.tone, "") if self._colour else "")


@frozen
class Clocks:
    """``clock`` gives seconds that never run backwards, ``now`` seconds since the epoch."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time


_CLOCKS = Clocks()


def open_console(  # noqa: PLR0913  (each of them is one option of the command line)
    stream: TextIO,
    environ: Mapping[str, str],
    *,
    redact: Redact = str,
    verbose: bool = False,
    print_hash: bool = False,
    clocks: Clocks = _CLOCKS,
) -> Report:
    """Return the console for *stream*: with rich on a terminal, lines elsewhere and in every CI.

    *environ* is asked for ``CI``, ``TERM``, ``NO_COLOR`` (https://no-color.org: set to anything but nothing),
    ``FORCE_COLOR``, and for GitHub and GitLab, whose logs show colours. rich is imported only where it draws.
    """
    dumb = environ.get("TERM", "") in {"dumb", "unknown"}
    draws = stream.isatty() and not dumb and not _is_switched_on("CI", environ)
    renderer = ConsoleRenderer(
        clock=clocks.clock, redact=redact, verbose=verbose, print_hash=print_hash, announces=not draws
    )
    waiting_messages = WaitingMessages(clocks.clock, clocks.now)
    if not draws:
        return PlainConsole(
            stream=stream,
            renderer=renderer,
            waiting_messages=waiting_messages,
            redact=redact,
            colour=not environ.get("NO_COLOR")
            and (_is_switched_on("FORCE_COLOR", environ) or is_github_job(environ) or is_gitlab_job(environ)),
        )
    from ci_publish.reports.terminal import Terminal  # noqa: PLC0415  (rich costs start-up time; CI never needs it)

    return Terminal(
        stream=stream,
        renderer=renderer,
        waiting_messages=waiting_messages,
        redact=redact,
        colour=not environ.get("NO_COLOR"),
    )


def _is_switched_on(variable: str, environ: Mapping[str, str]) -> bool:
    return environ.get(variable, "").lower() not in {"", "0", "false"}
