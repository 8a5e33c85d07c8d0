"""The server under the rehearsal world: WSGI over HTTP/1.1 on loopback, in threads of this process.

Werkzeug's own handler closes every connection after one response, so the HTTP part is ours: connections are kept alive,
a body may be chunked, a status line has its message, and an application that raises `ConnectionError` closes the
connection.

Requests must name this machine as their Host: a page of another site whose name resolves to 127.0.0.1 (DNS rebinding)
gets 421, a request without a Host 400. There are no CORS headers, on purpose unlike PyPI's.
"""

import io
import re
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self

from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError
from werkzeug.serving import DechunkedInput, ThreadedWSGIServer, WSGIRequestHandler

from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from _typeshed import WriteableBuffer

_READ_SIZE: Final = 64 * 1024
# After an early answer, up to this much of the request is read and discarded, so that the client sees the answer.
_MOST_DRAINED: Final = 4 * 1024 * 1024 * 1024
_HOST: Final = "127.0.0.1"
_BACKLOG: Final = 128
_WITHOUT_BODY: Final = frozenset({204, 304})
_OWN_HOSTS: Final = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{0,5})?", re.IGNORECASE)


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes | None: ...


class _RequestBody(io.RawIOBase):
    """A request's body: it ends where the request ends, and knows whether it was read to its end."""

    def __init__(self, source: _Readable, length: int | None) -> None:
        """Read *length* bytes from *source*, or all of it where None."""
        self._source = source
        self._left = length
        self.finished = length == 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        wanted = len(view) if self._left is None else min(len(view), self._left)
        data = b"" if self.finished or not wanted else self._source.read(wanted) or b""
        view[: len(data)] = data
        if self._left is not None:
            self._left -= len(data)
            if wanted and not data and not self.finished:
                raise ConnectionResetError("the client stopped in the middle of its request")
        self.finished = self.finished or self._left == 0 or not data
        return len(data)

    def drain_rest(self) -> None:
        """Read what is left, up to a bound."""
        total = 0
        while not self.finished and total < _MOST_DRAINED:
            total += len(self.read(_READ_SIZE) or b"")


class _ConnectionHandler(WSGIRequestHandler):
    """Speaks HTTP/1.1 with one client until one of them closes the connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = _READ_SIZE
    timeout = 120
    server: "_LoopbackServer"

    def setup(self) -> None:
        """Do the TLS handshake here, in the client's own thread, so that a slow client does not block others."""
        if self.server.ssl_context is not None:
            self.request.settimeout(self.timeout)
            self.request = self.server.ssl_context.wrap_socket(self.request, server_side=True)
        self.server.add_connection(self.request)
        super().setup()

    def finish(self) -> None:
        self.server.remove_connection(self.request)
        try:
            super().finish()
        except OSError:
            pass
        finally:
            self.rfile.close()  # which is left open where the client is gone with an answer in the buffer
            if isinstance(self.request, ssl.SSLSocket):
                self.request.close()

    def handle_expect_100(self) -> bool:
        """Ask for the body at once: the client waits for it."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def run_wsgi(self) -> None:
        """Answer one request."""
        self.environ = environ = self.make_environ()
        source, length = environ["wsgi.input"], environ.get("CONTENT_LENGTH", "")
        if isinstance(source, DechunkedInput):
            body = _RequestBody(source, None)
        else:
            body = _RequestBody(source, int(length) if length.isdigit() else 0)
        environ["wsgi.input"] = io.BufferedReader(body, _READ_SIZE)
        environ["wsgi.input_terminated"] = True
        try:
            self._run_application(environ)
            self.wfile.flush()
            body.drain_rest()
        except (OSError, EOFError):
            self.close_connection = True
        if not body.finished:
            self.close_connection = True

    def _run_application(self, environ: "WSGIEnvironment") -> None:
        answer = _HttpResponseWriter(self, environ["REQUEST_METHOD"])
        try:
            app = _app_for_misdirected_request(self.headers.get_all("Host", [])) or self.server.app
            chunks = app(environ, answer.start_response)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - the last place that can turn a bug into an answer
            self.server.failures.append(error)
            chunks = InternalServerError()(environ, answer.start_response)
        try:
            answer.send_response_body(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - Werkzeug's signature
        """Log nothing: standard error belongs to the run."""


class _HttpResponseWriter:
    """One answer on its way out."""

    def __init__(self, handler: _ConnectionHandler, method: str) -> None:
        self._handler = handler
        self._method = method
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._chunked = False

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        _exc_info: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
        /,
    ) -> Callable[[bytes], None]:
        """Take status and headers, as WSGI has it."""
        self._status, self._headers = status, headers
        return self._write_response_chunk

    def send_response_body(self, chunks: Iterable[bytes]) -> None:
        """Send the whole answer."""
        code, _, reason = self._status.partition(" ")
        self._handler.send_response(int(code), reason)
        names = {name.lower() for name, _ in self._headers}
        for name, value in self._headers:
            self._handler.send_header(name, value)
        has_body = self._method != "HEAD" and int(code) not in _WITHOUT_BODY
        if has_body and "content-length" not in names:
            self._chunked = self._handler.request_version >= "HTTP/1.1"
            if self._chunked:
                self._handler.send_header("Transfer-Encoding", "chunked")
            else:
                self._handler.close_connection = True
        if self._handler.close_connection:
            self._handler.send_header("Connection", "close")
        self._handler.end_headers()
        for chunk in chunks:
            if self._method != "HEAD":
                self._write_response_chunk(chunk)
        if self._chunked:
            self._handler.wfile.write(b"0\r\n\r\n")

    def _write_response_chunk(self, data: bytes) -> None:
        if data:
            self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)


class _Misdirected(HTTPException):
    code = 421
    description = "This rehearsal answers only to 127.0.0.1, localhost and [::1]."


def _app_for_misdirected_request(hosts: Sequence[str]) -> "WSGIApplication | None":
    """Return what refuses a request with these Host headers; None for one that names this machine (RFC 9110, 7.2)."""
    if len(hosts) != 1 or not hosts[0].strip():
        return BadRequest("A request names exactly one Host.")
    return None if _OWN_HOSTS.fullmatch(hosts[0].strip()) else _Misdirected()


class _LoopbackServer(ThreadedWSGIServer):
    """Tracks its connections, so that it can close them."""

    def __init__(self, listening: socket.socket, app: "WSGIApplication") -> None:
        host, port = listening.getsockname()[:2]
        super().__init__(host, port, app, _ConnectionHandler, fd=listening.fileno())
        self.failures: list[Exception] = []
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()

    def add_connection(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.add(connection)

    def remove_connection(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.discard(connection)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's signature
        """Ignore an error of the connection, which its client notices; record a bug in `failures`."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.failures.append(error)

    def cut_all_connections(self) -> None:
        """Close all connections now."""
        with self._connections_lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class RehearsalServer:
    """A WSGI application served on loopback while the context is entered; gone, with all its connections, afterwards.

    `port` 0 takes a free one; raises ConfigurationError for one that cannot be had. With *tls* it speaks TLS only.
    """

    def __init__(self, *, app: "WSGIApplication", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((_HOST, port))
                listening.listen(_BACKLOG)
            except OSError as error:
                raise ConfigurationError(
                    f"The rehearsal cannot listen on {_HOST}, port {port}: {error.strerror or error}.",
                    hints=(Hint("Omit ", option("port"), " (or set it to 0) to use a free port."),),
                ) from error
            self._server = _LoopbackServer(listening, app)
        self._server.ssl_context = tls
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        scheme = "https" if tls else "http"
        self.port: int = self._server.server_address[1]
        self.base_url = f"{scheme}://{_HOST}:{self.port}"

    @property
    def failures(self) -> tuple[Exception, ...]:
        """Exceptions of the application: bugs."""
        return tuple(self._server.failures)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.cut_all_connections()
        self._server.server_close()
