"""A connection that is opened before the first request, while the machine does other work."""

import contextlib
import math
import ssl
import threading
import time
from collections.abc import Mapping

from ci_publish.http.proxies import proxy_for_url
from ci_publish.http.sockets import (
    SLICE,
    RequestAttempt,
    Timeouts,
    close_socket,
    connect_socket,
    start_tls_on_socket,
    trusted_ssl_context,
)
from ci_publish.http.urls import url_origin

# What httpcore offers, too (RFC 7301).
ALPN = ["http/1.1"]


class _PreconnectionWaiting:
    """``Waiting`` without a run: it ends when the connection is no longer needed."""

    stopped = cut = False

    def wait(self, seconds: float) -> bool:
        """Sleep for *seconds*."""
        time.sleep(seconds)
        return self.stopped

    def left(self) -> float:
        """Return infinity: the limits of single steps are enough."""
        return math.inf


class Preconnection:
    """A connection with TLS to the server of *url*, opened in the background; nothing is sent over it.

    The next connection to that server may take it, once. Failures are left to that attempt, which then connects and
    reports them itself. Servers behind a proxy, and those without TLS, are not connected to.
    """

    def __init__(self, url: str, environ: Mapping[str, str], timeouts: Timeouts | None = None) -> None:
        scheme, host, port = url_origin(url)
        self._server = (host, port)
        self._open = scheme == "https" and host.isascii() and proxy_for_url(url, environ) is None
        self._environ = environ
        self._timeouts = timeouts or Timeouts()
        self._until_closed = _PreconnectionWaiting()
        self._lock = threading.Lock()
        self._secured: ssl.SSLSocket | None = None
        self._thread = threading.Thread(target=self._connect_in_background, name="ci-publish-early", daemon=True)
        if self._open:
            self._thread.start()

    def _connect_in_background(self) -> None:
        host, port = self._server
        try:
            end = time.monotonic() + self._timeouts.connect + self._timeouts.tls
            attempt = RequestAttempt(timeouts=self._timeouts, end=end, waiting=self._until_closed, limit=0)
            with contextlib.ExitStack() as on_failure:
                opened = connect_socket(host, port or 0, attempt)
                on_failure.callback(close_socket, opened)
                context = trusted_ssl_context(self._environ)
                context.set_alpn_protocols(ALPN)
                on_failure.pop_all()
                self._secured = start_tls_on_socket(opened, context, host, attempt)
        except Exception:  # noqa: BLE001  (the edge: the next attempt to connect reports it)
            return

    def take_connection(self, host: str, port: int, attempt: RequestAttempt) -> ssl.SSLSocket | None:
        """Return the connection if it is to *host* and *port* and still open; wait for one in progress.

        Raises ConnectionFailed when the time of *attempt* to connect is over first.
        """
        with self._lock:
            wanted, self._open = self._open and (host, port) == self._server, False
        if not wanted:
            return None
        until = attempt.operation_deadline(attempt.timeouts.connect + attempt.timeouts.tls)
        while self._thread.is_alive():
            self._thread.join(min(SLICE, attempt.next_check_wait(until, "connecting")))
        found, self._secured = self._secured, None
        return found if found is not None and _is_connection_open(found) else None

    def close(self) -> None:
        """Close the connection if it was not taken. Idempotent."""
        self._until_closed.cut = True
        if self._thread.ident is not None:
            self._thread.join()
        found, self._secured = self._secured, None
        if found is not None:
            close_socket(found)


def _is_connection_open(sock: ssl.SSLSocket) -> bool:
    """Whether the server has neither closed the connection nor sent anything yet; if it has, close it.

    Reading also processes TLS's own records, such as session tickets.
    """
    try:
        sock.recv(1)
    except (ssl.SSLWantReadError, BlockingIOError):
        return True
    except OSError:
        pass
    close_socket(sock)
    return False
