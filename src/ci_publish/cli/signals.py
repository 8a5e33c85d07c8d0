"""How SIGINT and SIGTERM are handled before a run begins and after it has ended.

Imports next to nothing: it is imported first, so that not even the imports are interrupted with a traceback.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType


def end_process_on_signal() -> None:
    """Let signals end the process immediately: before a run begins there is nothing to burn or report."""
    _set_signal_handler(lambda number, _: os._exit(128 + number))


def ignore_signals() -> None:
    """Ignore signals: the run has ended, and its exit code is known."""
    _set_signal_handler(signal.SIG_IGN)


def _set_signal_handler(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
