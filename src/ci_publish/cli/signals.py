"""What SIGINT and SIGTERM do before a run begins, and after it ended.

Imports next to nothing: it is imported first, so that not even the imports are interrupted with a traceback.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType


def stop_at_once() -> None:
    """From now on, end the process: before a run begins there is nothing to burn and nothing to report."""
    _handle_with(lambda number, _: os._exit(128 + number))


def ignore() -> None:
    """From now on, ignore signals: the run has ended, and its exit code is known."""
    _handle_with(signal.SIG_IGN)


def _handle_with(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
