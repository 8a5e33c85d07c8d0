"""The wire under ``transport``: httpx over httpcore over sockets that know how long they may take.

httpx's own timeouts are for single reads; a server that sends one byte now and then outlives them all. So the streams
here are ours (httpcore's public ``NetworkBackend``): each operation counts down the deadline of the attempt that it
belongs to, and ends early when the run is cut off. Imported late: this module costs a tenth of a second.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpcore
import httpx

from ci_publish.http.messages import NoAnswerReason
from ci_publish.http.preconnect import Preconnection
from ci_publish.http.proxies import Proxy, proxy_for
from ci_publish.http.proxy_connections import ProxyBackend, httpcore_proxy, refused, require_authenticated
from ci_publish.http.sockets import (
    Attempt,
    ConnectionFailed,
    broken,
    close,
    connected,
    patiently,
    poll,
    secured,
    ssl_context,
)

T = TypeVar("T")

PLAIN_CHUNK = 1024 * 1024
TLS_CHUNK = 64 * 1024


class Attempts(threading.local):
    """The attempt of the current thread: httpcore hands no context down to its streams."""

    current: Attempt | None = None

    def now(self) -> Attempt:
        """Return the attempt of this thread."""
        if self.current is None:
            raise ConnectionFailed(NoAnswerReason.REFUSED_LOCALLY, "no request is under way in this thread")
        return self.current

    @contextlib.contextmanager
    def during(self, attempt: Attempt) -> Iterator[None]:
        """Make *attempt* the one of this thread."""
        self.current = attempt
        try:
            yield
        finally:
            self.current = None


class Stream(httpcore.NetworkStream):
    """One connection, plain or TLS: non-blocking underneath, so that every wait can end early."""

    def __init__(self, sock: socket.socket, attempts: Attempts, secured_for: str | None = None) -> None:
        self._sock = sock
        self._attempts = attempts
        self._secured_for = secured_for  # whose TLS it carries already, until httpcore asks for that
        self._preconnection = b""
        self._ended = False
        self._carries_tls = False  # then what comes while sending is no answer, but TLS's own business

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  (the attempt knows better)
        """Return the next bytes, empty at the end. Raises ConnectionFailed."""
        attempt = self._attempts.now()
        if self._preconnection:
            data, self._preconnection = self._preconnection[:max_bytes], self._preconnection[max_bytes:]
            return data
        until = attempt.until_read()
        data = patiently(self._sock, attempt, lambda: self._sock.recv(max_bytes), until, "waiting for the answer")
        attempt.count(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  (see read)
        """Send all of *buffer*, unless the server answers first. Raises WriteError or ConnectionFailed."""
        attempt = self._attempts.now()
        view = memoryview(buffer)
        size = TLS_CHUNK if isinstance(self._sock, ssl.SSLSocket) else PLAIN_CHUNK
        until = attempt.until(attempt.timeouts.read)
        while view:
            sent = self._send(view[:size], attempt, until)
            if sent:
                view = view[sent:]
                until = attempt.until(attempt.timeouts.read)

    def _send(self, chunk: memoryview, attempt: Attempt, until: float) -> int:
        """Send what the system takes of *chunk* now; 0 where it was worth waiting first."""
        if self._is_answered(attempt):
            raise httpcore.WriteError("the server answered before it had the whole request")
        try:
            return self._sock.send(chunk)
        except (BlockingIOError, ssl.SSLWantWriteError):
            pause = attempt.pause(until, "sending")
            listening = not (self._ended or self._carries_tls)
            poll(self._sock, read=listening, write=True, seconds=pause)
        except ssl.SSLWantReadError:
            poll(self._sock, read=True, write=False, seconds=attempt.pause(until, "sending"))
        except OSError as error:
            raise httpcore.WriteError("the connection was closed while sending") from error
        return 0

    def _is_answered(self, attempt: Attempt) -> bool:
        """Whether the server has begun its final answer; interim ones (100, 103) are kept for later."""
        if self._carries_tls:
            return False
        if not self._ended and poll(self._sock, read=True, write=False, seconds=0)[0]:
            try:
                data = self._sock.recv(TLS_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            except OSError:
                self._ended = True
                return False
            self._preconnection += data
            self._ended = not data
            attempt.count(len(data))
        return _is_final(self._preconnection)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        close(self._sock)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  (see read)
    ) -> httpcore.NetworkStream:
        """Return this connection with TLS on top of it. Raises ConnectionFailed."""
        if self._secured_for is not None and self._secured_for == server_hostname:
            self._secured_for = None
            return self
        if isinstance(self._sock, ssl.SSLSocket):
            self._carries_tls = True
            return TunnelledTls(self, ssl_context, server_hostname)
        return Stream(secured(self._sock, ssl_context, server_hostname, self._attempts.now()), self._attempts)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (httpcore's signature)
        """Answer httpcore's questions about the connection."""
        if info == "ssl_object":
            return self._sock if isinstance(self._sock, ssl.SSLSocket) else None
        if info == "is_readable":
            return bool(self._preconnection) or poll(self._sock, read=True, write=False, seconds=0)[0]
        return None


_INTERIM = (b"HTTP/1.1 1", b"HTTP/1.0 1")


def _is_final(heard: bytes) -> bool:
    """Whether there is more in *heard* than interim answers (100, 103), which do not end a request."""
    while heard.startswith(_INTERIM) and b"\r\n\r\n" in heard:
        heard = heard.partition(b"\r\n\r\n")[2]
    return bool(heard) and not heard.startswith(_INTERIM)


class TunnelledTls(httpcore.NetworkStream):
    """TLS inside of TLS, for proxies that are spoken to over https: Python's sockets cannot be wrapped twice."""

    def __init__(self, outer: Stream, context: ssl.SSLContext, hostname: str | None) -> None:
        self._outer = outer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)
        try:
            self._run(self._tls.do_handshake, "agreeing on TLS")
        except BaseException:
            self.close()
            raise

    def _run(self, operation: Callable[[], T], what: str) -> T:
        while True:
            try:
                result = operation()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            except OSError as error:
                raise broken(error, what) from error
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._outer.write(self._outgoing.read())

    def _fill(self) -> None:
        data = self._outer.read(TLS_CHUNK)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  (the attempt knows better)
        """Return the next bytes, empty at the end. Raises ConnectionFailed."""
        try:
            return self._run(lambda: self._tls.read(max_bytes), "waiting for the answer")
        except ConnectionFailed as error:
            if isinstance(error.__cause__, ssl.SSLEOFError | ssl.SSLZeroReturnError):
                return b""
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  (see read)
        """Send all of *buffer*. Raises WriteError or ConnectionFailed."""
        view = memoryview(buffer)
        while view:
            chunk = view[:TLS_CHUNK]
            view = view[self._run(lambda: self._tls.write(chunk), "sending") :]  # noqa: B023  (run at once)

    def close(self) -> None:
        """Close the connection."""
        self._outer.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (httpcore's signature)
        """Answer httpcore's questions about the connection."""
        return self._tls if info == "ssl_object" else self._outer.get_extra_info(info)


class Backend(httpcore.NetworkBackend):
    """Opens connections within the limits of the current attempt."""

    def __init__(self, attempts: Attempts, early: Preconnection | None = None) -> None:
        self._attempts = attempts
        self._preconnection = early

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  (the attempt knows better)
        local_address: str | None = None,  # noqa: ARG002  (never set by this client)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002  (never set by this client)
    ) -> httpcore.NetworkStream:
        """Connect to the first address of *host* that takes the connection. Raises ConnectionFailed."""
        attempt = self._attempts.now()
        early = None if self._preconnection is None else self._preconnection.take(host, port, attempt)
        if early is not None:
            return Stream(early, self._attempts, secured_for=host)
        return Stream(connected(host, port, attempt), self._attempts)


# Of the libraries' exceptions, each with what it means; their texts are added only where they quote what came, not
# what was sent. The first that matches counts.
_MEANINGS: tuple[tuple[tuple[type[Exception], ...], NoAnswerReason, str, bool], ...] = (
    ((httpcore.ProxyError,), NoAnswerReason.CONNECT, "the proxy refuses the connection", True),
    ((httpcore.TimeoutException,), NoAnswerReason.TIMEOUT, "timed out while waiting for a free connection", False),
    ((httpcore.RemoteProtocolError,), NoAnswerReason.PROTOCOL, "the answer is not valid HTTP", True),
    ((httpcore.NetworkError,), NoAnswerReason.RESET, "the connection was closed", False),
    (
        (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, httpx.InvalidURL, UnicodeError),
        NoAnswerReason.REFUSED_LOCALLY,
        "the request holds characters that HTTP cannot carry",
        False,
    ),
)


def explained(error: Exception) -> tuple[NoAnswerReason, str]:
    """Return what to make of an exception that ended an exchange; the text never quotes what was sent."""
    if isinstance(error, ConnectionFailed):
        return error.reason, error.text
    if isinstance(error, httpcore.RemoteProtocolError) and "disconnected without" in str(error):
        return NoAnswerReason.RESET, "the server closed the connection without an answer"
    for types, reason, text, quotable in _MEANINGS:
        if isinstance(error, types):
            return reason, f"{text}: {error}" if quotable else text
    return NoAnswerReason.PROTOCOL, f"the answer cannot be understood ({type(error).__name__})"


# --- the client


@dataclass(frozen=True, slots=True)
class RawResponse:
    """The head of an answer as it came; ``chunks`` is its body, encoded as the server chose."""

    status: int
    reason: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    chunks: Iterator[bytes] = field(repr=False)


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:  # noqa: ANN401  (httpcore's type is wider than what it gives)
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _Pools(httpx.BaseTransport):
    """httpcore's pools under httpx's client: one for direct connections, one for each proxy.

    httpx gets to see no headers of an answer, so that it can neither keep a cookie nor prepare a redirect.
    """

    def __init__(self, backend: Backend, environ: Mapping[str, str], size: int) -> None:
        self._options: dict[str, Any] = {
            "max_connections": size,
            "max_keepalive_connections": size,
            "keepalive_expiry": 15.0,
        }
        self._backend = backend
        self._environ = environ
        self._pools: dict[tuple[Proxy | None, str], httpcore.ConnectionPool] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxy = proxy_for(str(request.url), self._environ)
        answer = self._answer(request, proxy)
        extensions = {
            "reason_phrase": answer.extensions.get("reason_phrase", b""),
            "headers": tuple(answer.headers),
        }
        return httpx.Response(answer.status, stream=_Body(answer.stream), extensions=extensions)

    def _answer(self, request: httpx.Request, proxy: Proxy | None) -> httpcore.Response:
        """Send *request*. Raises ProxyAuthenticationRequired for a proxy's 407."""
        url = request.url
        pool = self._pool(proxy, url.scheme)
        sent = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        if proxy is None:
            return pool.handle_request(sent)
        try:
            answer = pool.handle_request(sent)
        except httpcore.ProxyError as error:
            refused(proxy, error)
        require_authenticated(proxy, answer)
        return answer

    def _pool(self, proxy: Proxy | None, scheme: str) -> httpcore.ConnectionPool:
        with self._lock:
            if (proxy, scheme) not in self._pools:
                self._pools[proxy, scheme] = self._opened(proxy, scheme)
            return self._pools[proxy, scheme]

    def _opened(self, proxy: Proxy | None, scheme: str) -> httpcore.ConnectionPool:
        # Certificates are read only where they are needed: it takes a while.
        context = self._trust() if scheme == "https" else None
        if proxy is None:
            return httpcore.ConnectionPool(ssl_context=context, network_backend=self._backend, **self._options)
        return httpcore.ConnectionPool(
            ssl_context=context,
            proxy=httpcore_proxy(proxy, self._trust),
            network_backend=ProxyBackend(self._backend, proxy),
            **self._options,
        )

    def _trust(self) -> ssl.SSLContext:
        return ssl_context(self._environ)

    def close(self) -> None:
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()


class Network:
    """One httpx client, to be used from any thread."""

    def __init__(
        self,
        user_agent: str,
        environ: Mapping[str, str],
        max_connections: int,
        early: Preconnection | None = None,
    ) -> None:
        self._attempts = Attempts()
        self._client = httpx.Client(
            transport=_Pools(Backend(self._attempts, early), environ, max_connections),
            headers={"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=None,  # noqa: S113  (the streams count: see Attempt)
            follow_redirects=False,
            trust_env=False,  # .netrc is never read; proxies and certificates are read by proxy_for and ssl_context
        )

    @contextlib.contextmanager
    def exchange(
        self, attempt: Attempt, method: str, url: str, headers: Mapping[str, str], body: bytes | Iterable[bytes] | None
    ) -> Iterator[RawResponse]:
        """Send one request and yield its answer's head; the connection goes back or is closed at the end."""
        pool_wait = max(0.0, attempt.end - attempt.clock())
        request = self._client.build_request(
            method, url, headers=dict(headers), content=body, extensions={"timeout": {"pool": pool_wait}}
        )
        with self._attempts.during(attempt):
            response = self._client.send(request, stream=True)
            try:
                yield RawResponse(
                    response.status_code,
                    response.extensions["reason_phrase"],
                    response.extensions["headers"],
                    response.iter_raw(),
                )
            finally:
                response.close()

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
