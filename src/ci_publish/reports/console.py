"""What people read during a run: progress and colours on a terminal, plain lines everywhere else."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from ci_publish.model.events import Event
from ci_publish.model.receipt import Redact
from ci_publish.reports.console_renderer import ConsoleRenderer
from ci_publish.reports.dispatcher import Report
from ci_publish.reports.writer import LineWriter


class PlainConsole:
    """Writes a run as plain lines, each flushed: for CI logs, pipes and files. Thread-safe."""

    def __init__(self, stream: TextIO, renderer: ConsoleRenderer, *, redact: Redact = str) -> None:
        self._lines = LineWriter(stream, redact)
        self._renderer = renderer
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            self._lines.say(*(line.text for line in self._renderer.render(event)))

    def close(self) -> None:
        """Do nothing: every line is written already."""


def console(  # noqa: PLR0913  (each of them is one option of the command line)
    stream: TextIO,
    environ: Mapping[str, str],
    *,
    redact: Redact = str,
    verbose: bool = False,
    print_hash: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """Return the console for *stream*: with rich on a terminal, plain elsewhere and in every CI.

    *environ* is asked for ``CI``, ``TERM`` and ``NO_COLOR`` (https://no-color.org: set to anything but nothing). rich
    is imported only where it draws.
    """
    renderer = ConsoleRenderer(clock=clock, redact=redact, verbose=verbose, print_hash=print_hash)
    if not _draws(stream, environ):
        return PlainConsole(stream, renderer, redact=redact)
    from ci_publish.reports.terminal import Terminal  # noqa: PLC0415  (rich costs start-up time; CI never needs it)

    return Terminal(stream=stream, renderer=renderer, redact=redact, colour=not environ.get("NO_COLOR"))


def _draws(stream: TextIO, environ: Mapping[str, str]) -> bool:
    dumb = environ.get("TERM", "") in {"dumb", "unknown"}
    in_ci = environ.get("CI", "").lower() not in {"", "0", "false"}
    return stream.isatty() and not dumb and not in_ci
