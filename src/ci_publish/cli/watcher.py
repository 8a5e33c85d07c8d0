"""A thread that notices signals and the deadline even while the main thread is stuck.

Python's own signal handlers run in the main thread, when that comes to its next instruction. The C part of a handler
runs at once, and writes the signal's number to a socket (``signal.set_wakeup_fd``), which this thread reads. Where
another thread holds the interpreter lock, this one does not run: a process (``app.supervisor``) watches it, too.
"""

import _thread
import signal
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

from ci_publish.errors import CiPublishError
from ci_publish.publishing.interruption import Guard, Interruption

BURN_AFTER: Final = 6.0
"""Seconds after a run was asked to end; by then requests in flight were cut."""

LEAVE_AFTER: Final = 9.3
"""GitHub sends SIGKILL ten seconds after its first signal."""

_PAUSE: Final = 0.25
_STOPPING: Final = frozenset({signal.SIGINT, signal.SIGTERM})


class ClosingGuard(Guard, Protocol):
    """A guard with its own process."""

    def close(self) -> None:
        """Let the process end; it burns the tokens that were not released."""


class Watcher:
    """Watches one run from entering the context to leaving it; to be entered in the main thread.

    Reports each signal to *interruption*. Ends a local step of the main thread at the deadline. If the run has not
    ended some seconds after it was asked to, burns its upload tokens, and calls *leave* with the run's error. *guard*
    starts the process that does so from outside, given the socket.
    """

    def __init__(
        self,
        interruption: Interruption,
        leave: Callable[[CiPublishError], object],
        guard: Callable[[socket.socket], ClosingGuard] | None = None,
    ) -> None:
        self._interruption = interruption
        self._leave = leave
        self._start_guard = guard
        self._guard: ClosingGuard | None = None
        self._inbox, self._outbox = socket.socketpair()
        self._outbox.settimeout(0.0)
        self._inbox.settimeout(_PAUSE)
        self._thread = threading.Thread(target=self._watch_for_stop, name="watcher", daemon=True)
        self._poked = self._abandoned = self._left = False
        self._before = -1

    def __enter__(self) -> Self:
        if self._start_guard is not None:
            self._guard = self._interruption.guard = self._start_guard(self._inbox)
        self._before = signal.set_wakeup_fd(self._outbox.fileno(), warn_on_full_buffer=False)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._before)
        self._interruption.guard = None
        if self._guard is not None:
            self._guard.close()
        self._outbox.close()
        self._thread.join()
        self._inbox.close()

    def _watch_for_stop(self) -> None:
        while True:
            try:
                numbers = self._inbox.recv(64)
            except TimeoutError:
                numbers = b"\0"
            if not numbers:
                return
            for number in _STOPPING.intersection(numbers):
                for _ in range(numbers.count(number)):
                    self._interruption.request_stop(number, heard_by="watcher")
            self._act_on_stop()

    def _act_on_stop(self) -> None:
        since = self._interruption.seconds_since_stop()
        if since is None:
            return
        if not self._poked and hasattr(signal, "SIGALRM"):
            self._poked = True
            _thread.interrupt_main(signal.SIGALRM)
        if since >= BURN_AFTER and not self._abandoned:
            self._abandoned = True
            threading.Thread(target=self._interruption.abandon, name="burn", daemon=True).start()
        if since >= LEAVE_AFTER and not self._left:
            self._left = True
            self._leave(self._interruption.error())
