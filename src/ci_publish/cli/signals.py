"""What SIGINT and SIGTERM do before a run begins, and after it ended.

Imports next to nothing: it is imported first, so that not even the imports are interrupted with a traceback.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType


def end_process_on_signal() -> None:
    """From now on, end the process: before a run begins there is nothing to burn and nothing to report."""
    _set_signal_handler(lambda number, _: os._exit(128 + number))


def ignore_signals() -> None:
    """From now on, ignore signals: the run has ended, and its exit code is known."""
    _set_signal_handler(signal.SIG_IGN)


def _set_signal_handler(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
