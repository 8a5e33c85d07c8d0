"""The wire under ``transport``: httpx over httpcore over sockets that know how long they may take.

httpx's own timeouts are for single reads; a server that sends one byte now and then outlives them all. So the streams
here are ours (httpcore's public ``NetworkBackend``): each operation counts down the deadline of the attempt that it
belongs to, and ends early when the run is cut off. Imported late: this module costs a tenth of a second.
"""

import contextlib
import functools
import os
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import unquote

import certifi
import httpcore
import httpx

from ci_publish.index.proxies import proxy_for
from ci_publish.index.urls import split
from ci_publish.model.frozen import frozen
from ci_publish.model.http import NoAnswerReason
from ci_publish.model.waiting import Waiting

T = TypeVar("T")

SLICE = 0.1
PLAIN_CHUNK = 1024 * 1024
TLS_CHUNK = 64 * 1024
MIN_CONNECT_SHARE = 3.0
# Everything of an answer but its body: status line, headers, interim answers, chunk sizes, trailers.
MAX_OVERHEAD = 256 * 1024


@frozen
class Timeouts:
    """How long single steps may take, in seconds; ``answer`` is from the last byte sent to the last byte received."""

    connect: float = 10.0
    tls: float = 10.0
    read: float = 30.0
    answer: float = 300.0

    @classmethod
    def all(cls, seconds: float) -> "Timeouts":
        """Return the same limit for every single wait."""
        return cls(seconds, seconds, seconds, seconds)


class Broken(Exception):
    """The attempt is over without an answer."""

    def __init__(self, reason: NoAnswerReason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


@dataclass(slots=True)
class Attempt:
    """What one request may still take, and how far it got. Used by the thread that sends it only."""

    timeouts: Timeouts
    end: float
    waiting: Waiting
    limit: int
    uploads: bool = False
    clock: Callable[[], float] = time.monotonic
    received: int = 0
    handed_over: bool = False
    sent_at: float | None = None

    def until(self, seconds: float) -> float:
        """Return when an operation of at most *seconds* that begins now has to be over."""
        return min(self.end, self.clock() + seconds)

    def until_read(self) -> float:
        """Return when the next read has to be over: the first one after an upload may wait for the server's work."""
        patient = self.uploads and self.received == 0
        end = self.until(self.timeouts.answer if patient else self.timeouts.read)
        return end if self.sent_at is None else min(end, self.sent_at + self.timeouts.answer)

    def pause(self, until: float, what: str) -> float:
        """Return how long to wait before asking again; raise Broken when the time is up or the run is cut off."""
        if self.waiting.cut:
            raise Broken(NoAnswerReason.CANCELLED, "the run was stopped")
        left = until - self.clock()
        if left <= 0:
            raise Broken(NoAnswerReason.TIMEOUT, f"timed out while {what}")
        return min(left, SLICE)

    def count(self, received: int) -> None:
        """Take note of bytes from the server; raise Broken when it sends more than any answer needs."""
        self.received += received
        if self.received > self.limit + MAX_OVERHEAD:
            raise Broken(NoAnswerReason.PROTOCOL, "the answer does not end")


class Attempts(threading.local):
    """The attempt of the current thread: httpcore hands no context down to its streams."""

    current: Attempt | None = None

    def now(self) -> Attempt:
        """Return the attempt of this thread."""
        if self.current is None:
            raise Broken(NoAnswerReason.REFUSED_LOCALLY, "no request is under way in this thread")
        return self.current

    @contextlib.contextmanager
    def during(self, attempt: Attempt) -> Iterator[None]:
        """Make *attempt* the one of this thread."""
        self.current = attempt
        try:
            yield
        finally:
            self.current = None


def _poll(sock: socket.socket, *, read: bool, write: bool, seconds: float) -> tuple[bool, bool]:
    """Wait until *sock* is readable or writable, at most *seconds*; errors count as both."""
    if hasattr(select, "poll"):
        poller = select.poll()
        poller.register(sock, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
        events = dict(poller.poll(seconds * 1000)).get(sock.fileno(), 0)
        broken = bool(events & (select.POLLERR | select.POLLHUP | select.POLLNVAL))
        return read and (bool(events & select.POLLIN) or broken), write and (bool(events & select.POLLOUT) or broken)
    readable, writable, failed = select.select([sock] * read, [sock] * write, [sock], seconds)
    return bool(read and (readable or failed)), bool(write and (writable or failed))


class Stream(httpcore.NetworkStream):
    """One connection, plain or TLS: non-blocking underneath, so that every wait can end early."""

    def __init__(self, sock: socket.socket, attempts: Attempts) -> None:
        self._sock = sock
        self._attempts = attempts
        self._early = b""
        self._ended = False
        self._carries_tls = False  # then what comes while sending is no answer, but TLS's own business

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  (the attempt knows better)
        """Return the next bytes, empty at the end. Raises Broken."""
        attempt = self._attempts.now()
        if self._early:
            data, self._early = self._early[:max_bytes], self._early[max_bytes:]
            return data
        until = attempt.until_read()
        data = self._patiently(lambda: self._sock.recv(max_bytes), until, "waiting for the answer")
        attempt.count(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  (see read)
        """Send all of *buffer*, unless the server answers before it has everything. Raises WriteError or Broken."""
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
            _poll(self._sock, read=listening, write=True, seconds=pause)
        except ssl.SSLWantReadError:
            _poll(self._sock, read=True, write=False, seconds=attempt.pause(until, "sending"))
        except OSError as error:
            raise httpcore.WriteError("the connection was closed while sending") from error
        return 0

    def _is_answered(self, attempt: Attempt) -> bool:
        """Whether the server has begun its final answer; interim ones (100, 103) are kept for later."""
        if self._carries_tls:
            return False
        if not self._ended and _poll(self._sock, read=True, write=False, seconds=0)[0]:
            try:
                data = self._sock.recv(TLS_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            except OSError:
                self._ended = True
                return False
            self._early += data
            self._ended = not data
            attempt.count(len(data))
        return _is_final(self._early)

    def _patiently(self, operation: Callable[[], T], until: float, what: str) -> T:
        """Repeat a non-blocking *operation* until it succeeds, or raise Broken."""
        attempt = self._attempts.now()
        while True:
            try:
                return operation()
            except (BlockingIOError, ssl.SSLWantReadError):
                _poll(self._sock, read=True, write=False, seconds=attempt.pause(until, what))
            except ssl.SSLWantWriteError:
                _poll(self._sock, read=False, write=True, seconds=attempt.pause(until, what))
            except OSError as error:
                raise _broken(error, what) from error

    def close(self) -> None:
        """Close the connection. Idempotent."""
        with contextlib.suppress(OSError):
            self._sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  (see read)
    ) -> httpcore.NetworkStream:
        """Return this connection with TLS on top of it. Raises Broken."""
        attempt = self._attempts.now()
        if isinstance(self._sock, ssl.SSLSocket):
            self._carries_tls = True
            return TunnelledTls(self, ssl_context, server_hostname)
        try:
            secured = ssl_context.wrap_socket(
                self._sock, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            stream = Stream(secured, self._attempts)
            self._sock = secured
            stream._patiently(secured.do_handshake, attempt.until(attempt.timeouts.tls), "agreeing on TLS")
        except BaseException:
            self.close()
            raise
        return stream

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (httpcore's signature)
        """Answer httpcore's questions about the connection."""
        if info == "ssl_object":
            return self._sock if isinstance(self._sock, ssl.SSLSocket) else None
        if info == "is_readable":
            return bool(self._early) or _poll(self._sock, read=True, write=False, seconds=0)[0]
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
                raise _broken(error, what) from error
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
        """Return the next bytes, empty at the end. Raises Broken."""
        try:
            return self._run(lambda: self._tls.read(max_bytes), "waiting for the answer")
        except Broken as error:
            if isinstance(error.__cause__, ssl.SSLEOFError | ssl.SSLZeroReturnError):
                return b""
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  (see read)
        """Send all of *buffer*. Raises WriteError or Broken."""
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


def _broken(error: OSError, what: str) -> Broken:
    """Map an error of a socket or of TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Broken(
            NoAnswerReason.UNTRUSTED_CERTIFICATE,
            f"the server's certificate is not trusted ({error.verify_message}); if an authority of your own made it, "
            "name its certificate in the environment variable SSL_CERT_FILE",
        )
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return Broken(
            NoAnswerReason.TLS, f"TLS failed while {what}: {getattr(error, 'reason', None) or 'unknown reason'}"
        )
    text = "the connection was closed" if isinstance(error, ssl.SSLEOFError) else _words(error)
    return Broken(NoAnswerReason.RESET, f"{text} while {what}")


def _words(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


class Backend(httpcore.NetworkBackend):
    """Opens connections within the limits of the current attempt."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  (the attempt knows better)
        local_address: str | None = None,  # noqa: ARG002  (never set by this client)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002  (never set by this client)
    ) -> httpcore.NetworkStream:
        """Connect to the first address of *host* that takes the connection. Raises Broken."""
        attempt = self._attempts.now()
        until = attempt.until(attempt.timeouts.connect)
        addresses = _addresses(host, port, attempt, until)
        problem = Broken(NoAnswerReason.CONNECT, f"{host} has no address")
        for number, (family, address) in enumerate(addresses):
            share = max(MIN_CONNECT_SHARE, (until - attempt.clock()) / (len(addresses) - number))
            try:
                return Stream(_connected(family, address, attempt, min(until, attempt.until(share))), self._attempts)
            except Broken as error:
                if error.reason is NoAnswerReason.CANCELLED:
                    raise
                problem = error
        raise problem


Address = tuple[socket.AddressFamily, Any]


def _addresses(host: str, port: int, attempt: Attempt, until: float) -> list[Address]:
    """Look *host* up; the system's resolver knows no deadline, so it runs in a thread that may be left behind."""
    try:
        family = socket.AF_INET if ip_address(host).version == 4 else socket.AF_INET6  # noqa: PLR2004
    except ValueError:
        found = _in_background(lambda: _resolve(host, port), attempt, until, f"looking up {host}")
        if isinstance(found, OSError):
            raise Broken(NoAnswerReason.CONNECT, f"{host} cannot be looked up: {_words(found)}") from found
        return found
    return [(family, (host, port))]


def _resolve(host: str, port: int) -> list[Address] | OSError:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    except UnicodeError as error:
        return OSError(0, f"not a host name ({type(error).__name__})")
    return [(family, address) for family, _, _, _, address in found]


def _in_background(work: Callable[[], T], attempt: Attempt, until: float, what: str) -> T:
    result: queue.SimpleQueue[T] = queue.SimpleQueue()
    threading.Thread(target=lambda: result.put(work()), name="ci-publish-lookup", daemon=True).start()
    while True:
        pause = attempt.pause(until, what)
        with contextlib.suppress(queue.Empty):
            return result.get(timeout=pause)


def _connected(family: socket.AddressFamily, address: Any, attempt: Attempt, until: float) -> socket.socket:  # noqa: ANN401
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)  # noqa: FBT003  (the standard library's signature)
        with contextlib.suppress(BlockingIOError):
            sock.connect(address)
        while not _poll(sock, read=False, write=True, seconds=attempt.pause(until, "connecting"))[1]:
            pass
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))  # noqa: TRY301  (one place maps what connecting brings up)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        sock.close()
        raise Broken(
            NoAnswerReason.CONNECT, f"cannot connect to {address[0]} port {address[1]}: {_words(error)}"
        ) from error
    except BaseException:
        sock.close()
        raise
    return sock


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
    if isinstance(error, Broken):
        return error.reason, error.text
    if isinstance(error, httpcore.RemoteProtocolError) and "disconnected without" in str(error):
        return NoAnswerReason.RESET, "the server closed the connection without an answer"
    for types, reason, text, quotable in _MEANINGS:
        if isinstance(error, types):
            return reason, f"{text}: {error}" if quotable else text
    return NoAnswerReason.PROTOCOL, f"the answer cannot be understood ({type(error).__name__})"


# --- the client


@dataclass(frozen=True, slots=True)
class Raw:
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
            "network_backend": backend,
        }
        self._environ = environ
        self._pools: dict[tuple[str | None, str], httpcore.ConnectionPool] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool(proxy_for(str(url), self._environ), url.scheme).handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        extensions = {
            "reason_phrase": answer.extensions.get("reason_phrase", b""),
            "headers": tuple(answer.headers),
        }
        return httpx.Response(answer.status, stream=_Body(answer.stream), extensions=extensions)

    def _pool(self, proxy: str | None, scheme: str) -> httpcore.ConnectionPool:
        with self._lock:
            if (proxy, scheme) not in self._pools:
                # Certificates are read only where they are needed: it takes a while.
                context = ssl_context(self._environ) if scheme == "https" else None
                self._pools[proxy, scheme] = httpcore.ConnectionPool(
                    ssl_context=context, proxy=None if proxy is None else self._proxy(proxy), **self._options
                )
            return self._pools[proxy, scheme]

    def _proxy(self, address: str) -> httpcore.Proxy:
        """Return a proxy as httpcore wants it. Raises Broken for one that is not spoken to by HTTP."""
        parts = split(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Broken(
                NoAnswerReason.REFUSED_LOCALLY,
                f"the proxy's address in the environment is not an http address (scheme {parts.scheme or 'missing'!r})",
            )
        secured = parts.scheme == "https"
        where = httpcore.URL(
            scheme=parts.scheme.encode(),
            host=parts.hostname.encode(),
            port=parts.port or (443 if secured else 80),
            target=b"/",
        )
        credential = (
            (unquote(parts.username).encode(), unquote(parts.password or "").encode()) if parts.username else None
        )
        return httpcore.Proxy(where, auth=credential, ssl_context=ssl_context(self._environ) if secured else None)

    def close(self) -> None:
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()


class Network:
    """One httpx client, to be used from any thread."""

    def __init__(self, user_agent: str, environ: Mapping[str, str], max_connections: int) -> None:
        self._attempts = Attempts()
        self._environ = environ
        self._client = httpx.Client(
            transport=_Pools(Backend(self._attempts), environ, max_connections),
            headers={"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=None,  # noqa: S113  (the streams count: see Attempt)
            follow_redirects=False,
            trust_env=False,  # .netrc is never read; proxies and certificates are read by proxy_for and ssl_context
        )

    @contextlib.contextmanager
    def exchange(
        self, attempt: Attempt, method: str, url: str, headers: Mapping[str, str], body: bytes | Iterable[bytes] | None
    ) -> Iterator[Raw]:
        """Send one request and yield its answer's head; the connection goes back or is closed at the end."""
        pool_wait = max(0.0, attempt.end - attempt.clock())
        request = self._client.build_request(
            method, url, headers=dict(headers), content=body, extensions={"timeout": {"pool": pool_wait}}
        )
        with self._attempts.during(attempt):
            response = self._client.send(request, stream=True)
            try:
                yield Raw(
                    response.status_code,
                    response.extensions["reason_phrase"],
                    response.extensions["headers"],
                    response.iter_raw(),
                )
            finally:
                response.close()

    def warm(self) -> None:
        """Read the certificates now. Raises Broken where they cannot be read."""
        ssl_context(self._environ)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()


_BUNDLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def ssl_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return what certificates are checked against; there is no way to check nothing.

    A bundle that the environment names (SSL_CERT_FILE and SSL_CERT_DIR; else REQUESTS_CA_BUNDLE; else CURL_CA_BUNDLE)
    replaces the public authorities; else those of certifi and of the system count. Raises Broken where the bundle
    cannot be read. The same environment gets the same context: reading the bundle costs 35 ms.
    """
    return _trusting(tuple(environ.get(name, "") for name in _BUNDLES))


@functools.lru_cache(maxsize=4)
def _trusting(bundles: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A bundle may hold no more than the intermediate authority of a company (Python 3.13's own default, too).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    *named, requests_bundle, curl_bundle = zip(_BUNDLES, bundles, strict=True)
    chosen = [item for item in named if item[1]] or [item for item in (requests_bundle, curl_bundle) if item[1]][:1]
    for variable, path in chosen:
        _trust(context, variable, path)
    if not chosen:
        context.load_default_certs()
        context.load_verify_locations(certifi.where())
    return context


def _trust(context: ssl.SSLContext, variable: str, path: str) -> None:
    try:
        if os.path.isdir(path):  # noqa: PTH112  (a name from the environment, handed on as it is)
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except OSError as error:  # also ssl.SSLError, for a file that holds no certificates
        raise Broken(
            NoAnswerReason.REFUSED_LOCALLY, f"{variable} names certificates that cannot be read: {_words(error)}"
        ) from error
