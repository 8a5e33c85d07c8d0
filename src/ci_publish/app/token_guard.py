"""Starts the process that burns the upload tokens of a run that can no longer do so itself.

The process (``app.supervisor``) is there from the start of a run. It receives each upload token over a pipe: none is in
an argument, a variable or a file. It burns what was not released when the run's process is gone (killed, out of
memory), and ends a run whose main thread holds the interpreter lock: one in which a signal stays unread, or which
outlives its deadline.
"""

import json
import os
import pkgutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

from ci_publish.http.messages import HttpRequest, SecretJson
from ci_publish.model.identity import Secret
from ci_publish.python_processes import import_search_path, passed_on_variables

_ENDING: Final = 6.0
_PROGRAM: Final = "supervisor.py"  # not imported: its modules are POSIX's


class TokenGuard:
    """Starts the process, and sends it the tokens to burn. Thread-safe; never raises.

    *inbox* is the socket on which the run's signals arrive, *left* the seconds until its deadline.
    """

    def __init__(self, inbox: socket.socket, left: float, environ: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._numbers = count()
        self._process: subprocess.Popen[bytes] | None = None
        file = Path(__file__).with_name(_PROGRAM)
        # In a zip file there is no file to run: its text is passed on.
        text = "" if file.is_file() else (pkgutil.get_data("ci_publish.app", _PROGRAM) or b"").decode()
        program = ["-c", text] if text else [str(file)]
        command = [sys.executable, "-I", "-S", "-X", "utf8", *program, str(inbox.fileno()), str(left)]
        with suppress(OSError):  # no more processes here: the run burns its tokens itself, as it does anyway
            self._process = subprocess.Popen(  # noqa: S603  (this very program)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=passed_on_variables(environ),
                pass_fds=(inbox.fileno(),),
                start_new_session=True,
            )

    def keep(self, request: HttpRequest, allow_http: Sequence[str] = ()) -> Callable[[], None]:
        """Remember how to burn a token; return the function that releases it, once it need not be burned."""
        number = next(self._numbers)
        body = request.body if isinstance(request.body, SecretJson) else SecretJson(())
        self._send_to_supervisor(
            {
                "keep": number,
                "path": import_search_path(),
                "allow_http": list(allow_http),
                "method": request.method,
                "url": request.url,
                "headers": dict(request.headers),
                "fields": [[name, secret.reveal()] for name, secret in body.fields],
            }
        )
        return lambda: self._send_to_supervisor({"release": number})

    def close(self) -> None:
        """Let the process end; it burns the tokens that were not released."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDING)

    def _send_to_supervisor(self, message: Mapping[str, object]) -> None:
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                with suppress(OSError):
                    self._process.stdin.write(json.dumps(message).encode() + b"\n")
                    self._process.stdin.flush()


def burn_kept_tokens(kept: Sequence[Mapping[str, Any]], deadline: float) -> None:
    """Send the requests that burn tokens, in the other process. Never raises because of a request."""
    from ci_publish.http.transport import ConnectionLimits, HttpTransport  # noqa: PLC0415  (late: not for the run itself)

    allowed = frozenset(host for each in kept for host in each["allow_http"])
    limits = ConnectionLimits(allow_http=allowed)
    transport = HttpTransport(waiting=_BurnWaiting(deadline), emit=lambda _: None, limits=limits, environ=os.environ)
    for each in kept:
        fields = tuple((name, Secret(value)) for name, value in each["fields"])
        request = HttpRequest(method=each["method"], url=each["url"], headers=each["headers"], body=SecretJson(fields))
        transport.send(request, deadline=deadline)
    transport.close()


class _BurnWaiting:
    """``Waiting`` for requests that only their own deadline stops."""

    stopped = False
    cut = False

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline

    def wait(self, seconds: float) -> bool:
        time.sleep(seconds)
        return False

    def left(self) -> float:
        return self._deadline
