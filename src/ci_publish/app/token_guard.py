"""A small process that burns the upload tokens of a run that can no longer do it itself.

It is started with the first upload token, and is told each token over a pipe: none is in an argument, a variable or a
file. It burns what was not released when the run's process is gone (killed, out of memory), and ends a run whose main
thread holds the interpreter lock: one in which a signal stays unread, or which outlives its deadline.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Final

from ci_publish.http.messages import HttpRequest, SecretJson
from ci_publish.model.identity import Secret
from ci_publish.model.waiting import Waiting

UNREAD_FOR: Final = 5.0
"""Seconds that a signal may wait to be read by the run's own watcher, which takes a millisecond."""

OUTLIVED_BY: Final = 10.5
"""Seconds that a run may go on after its deadline; its own watcher ends it earlier."""

_PAUSE: Final = 0.25
_BURN_DEADLINE: Final = 5.0
_STOPPING: Final = frozenset({signal.SIGINT, signal.SIGTERM})
_MODULE: Final = "ci_publish.app.token_guard"


class TokenGuard:
    """The run's side of it. *inbox* is the socket on which signals arrive; thread-safe."""

    def __init__(
        self, inbox: socket.socket, *, waiting: Waiting, environ: Mapping[str, str], allow_http: Sequence[str] = ()
    ) -> None:
        self._inbox = inbox
        self._waiting = waiting
        self._environ = environ
        self._allow_http = tuple(allow_http)
        self._lock = threading.Lock()
        self._numbers = count()
        self._process: subprocess.Popen[bytes] | None = None

    def keep(self, request: HttpRequest) -> Callable[[], None]:
        """Remember how to burn a token; return what says that it needs no burning any more. Never raises."""
        number = next(self._numbers)
        body = request.body if isinstance(request.body, SecretJson) else SecretJson(())
        with self._lock:
            if self._process is None:
                self._process = self._start()
            self._say(
                {
                    "keep": number,
                    "method": request.method,
                    "url": request.url,
                    "headers": dict(request.headers),
                    "fields": [[name, secret.reveal()] for name, secret in body.fields],
                }
            )

        def release() -> None:
            with self._lock:
                self._say({"release": number})

        return release

    def close(self) -> None:
        """Let the process end; what was not released is burned by it."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_BURN_DEADLINE)

    def _start(self) -> "subprocess.Popen[bytes] | None":
        command = [sys.executable, "-I", "-X", "utf8", "-m", _MODULE, str(self._inbox.fileno())]
        try:
            process = subprocess.Popen(  # noqa: S603  (this very program)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=dict(self._environ),
                pass_fds=(self._inbox.fileno(),),
                start_new_session=True,
            )
        except OSError:  # no more processes here: the run burns its tokens itself, as it does anyway
            return None
        self._process = process
        self._say({"left": self._waiting.left(), "allow_http": self._allow_http})
        return process

    def _say(self, message: Mapping[str, object]) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.write(json.dumps(message).encode() + b"\n")
                self._process.stdin.flush()


class _Supervisor:
    """The process's side."""

    def __init__(self, inbox: socket.socket, parent: int) -> None:
        self._inbox = inbox
        self._parent = parent
        self._ends = float("inf")
        self._allow_http: list[str] = []
        self._kept: dict[int, dict[str, Any]] = {}
        self._unread_since: float | None = None

    def run(self) -> None:
        """Wait for the end of the run, of its pipe, or of its patience."""
        buffer = b""
        while True:
            ready, _, _ = select.select([0], [], [], _PAUSE)
            data = os.read(0, 65536) if ready else None
            if data == b"":
                self._burn()
                return
            *lines, buffer = (buffer + (data or b"")).split(b"\n")
            for line in lines:
                self._take(json.loads(line))
            if reason := self._stuck(time.monotonic()):
                self._burn()
                self._end(reason)
                return

    def _take(self, message: dict[str, Any]) -> None:
        if "keep" in message:
            self._kept[message["keep"]] = message
        elif "release" in message:
            self._kept.pop(message["release"], None)
        else:
            self._ends = time.monotonic() + message["left"] + OUTLIVED_BY
            self._allow_http = message["allow_http"]

    def _stuck(self, now: float) -> str:
        """Return why the run must be ended from outside, nothing where it need not."""
        try:
            unread = self._inbox.recv(64, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            unread = b""
        if not _STOPPING.intersection(unread):
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        if self._unread_since is not None and now - self._unread_since >= UNREAD_FOR:
            return "it was asked to stop, and did not react"
        return "it did not end at its deadline" if now >= self._ends else ""

    def _burn(self) -> None:
        if not self._kept:
            return
        from ci_publish.http.transport import HttpTransport  # noqa: PLC0415  (late: hardly ever needed)

        transport = HttpTransport(
            waiting=_Patient(), emit=lambda _: None, allow_http=frozenset(self._allow_http), environ=os.environ
        )
        for kept in self._kept.values():
            fields = tuple((name, Secret(value)) for name, value in kept["fields"])
            request = HttpRequest(kept["method"], kept["url"], kept["headers"], body=SecretJson(fields))
            transport.send(request, deadline=_BURN_DEADLINE)
        self._kept.clear()
        transport.close()

    def _end(self, reason: str) -> None:
        if os.getppid() == self._parent:
            os.write(2, f"error: ci-publish was killed, because {reason}. Its upload tokens were burned.\n".encode())
            with suppress(ProcessLookupError):
                os.kill(self._parent, signal.SIGKILL)


class _Patient:
    """``Waiting`` for requests that nothing stops but their own deadline."""

    stopped = False
    cut = False

    def wait(self, seconds: float) -> bool:
        time.sleep(seconds)
        return False

    def left(self) -> float:
        return _BURN_DEADLINE


def main() -> None:
    """Supervise the process that started this one; the argument is the inherited socket of its signals."""
    for number in _STOPPING:
        signal.signal(number, signal.SIG_IGN)
    _Supervisor(socket.socket(fileno=int(sys.argv[1])), os.getppid()).run()


if __name__ == "__main__":
    main()
