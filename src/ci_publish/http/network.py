"""httpx over httpcore's pools, one for direct connections and one for each proxy; ``streams`` has the connections.

Imported late: this module costs a tenth of a second.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from ci_publish.http.messages import NoAnswerReason
from ci_publish.http.preconnect import Preconnection
from ci_publish.http.proxies import Proxy, proxy_for_url
from ci_publish.http.proxy_connections import (
    ProxyBackend,
    httpcore_proxy,
    raise_proxy_error,
    require_proxy_authenticated,
)
from ci_publish.http.sockets import ConnectionFailed, RequestAttempt, trusted_ssl_context
from ci_publish.http.streams import SocketBackend, ThreadAttempts

# What the libraries' exceptions mean; the first that matches counts. Their own texts are added only where they quote
# the response, not the request.
_MEANINGS: tuple[tuple[tuple[type[Exception], ...], NoAnswerReason, str, bool], ...] = (
    ((httpcore.ProxyError,), NoAnswerReason.CONNECT, "the proxy refuses the connection", True),
    ((httpcore.TimeoutException,), NoAnswerReason.TIMEOUT, "timed out while waiting for a free connection", False),
    ((httpcore.RemoteProtocolError,), NoAnswerReason.PROTOCOL, "the response is not valid HTTP", True),
    ((httpcore.NetworkError,), NoAnswerReason.RESET, "the connection was closed", False),
    (
        (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, httpx.InvalidURL, UnicodeError),
        NoAnswerReason.REFUSED_LOCALLY,
        "the request contains characters that are not allowed in HTTP",
        False,
    ),
)


def request_failure_reason(error: Exception) -> tuple[NoAnswerReason, str]:
    """Return the reason and a text for an exception that ended a request; the text never quotes what was sent."""
    if isinstance(error, ConnectionFailed):
        return error.reason, error.text
    if isinstance(error, httpcore.RemoteProtocolError) and "disconnected without" in str(error):
        return NoAnswerReason.RESET, "the server closed the connection without a response"
    for types, reason, text, quotable in _MEANINGS:
        if isinstance(error, types):
            return reason, f"{text}: {error}" if quotable else text
    return NoAnswerReason.PROTOCOL, f"the response cannot be understood ({type(error).__name__})"


# --- the client


@dataclass(frozen=True, slots=True, kw_only=True)
class RawHttpResponse:
    """The head of a response as received; ``chunks`` is its body, in the server's content encoding."""

    status: int
    reason: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    chunks: Iterator[bytes] = field(repr=False)


class _ResponseBody(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:  # noqa: ANN401  (httpcore's type is wider than what it gives)
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _ConnectionPools(httpx.BaseTransport):
    """httpcore's pools under httpx's client: one for direct connections, one for each proxy.

    httpx sees no headers of a response, so that it can neither keep a cookie nor prepare a redirect.
    """

    def __init__(self, backend: SocketBackend, environ: Mapping[str, str], size: int) -> None:
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
        """Send *request*. Raises ProxyAuthenticationRequired for a proxy's 407."""
        url = request.url
        proxy = proxy_for_url(str(url), self._environ)
        sent = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        pool = self._get_or_make_pool(proxy, url.scheme)
        if proxy is None:
            answer = pool.handle_request(sent)
        else:
            try:
                answer = pool.handle_request(sent)
            except httpcore.ProxyError as error:
                raise_proxy_error(proxy, error)
            require_proxy_authenticated(proxy, answer)
        extensions = {
            "reason_phrase": answer.extensions.get("reason_phrase", b""),
            "headers": tuple(answer.headers),
        }
        return httpx.Response(answer.status, stream=_ResponseBody(answer.stream), extensions=extensions)

    def _get_or_make_pool(self, proxy: Proxy | None, scheme: str) -> httpcore.ConnectionPool:
        with self._lock:
            if (proxy, scheme) not in self._pools:
                # Certificates are read only where they are needed: it takes a while.
                trust = partial(trusted_ssl_context, self._environ)
                self._pools[proxy, scheme] = httpcore.ConnectionPool(
                    ssl_context=trust() if scheme == "https" else None,
                    proxy=None if proxy is None else httpcore_proxy(proxy, trust),
                    network_backend=self._backend if proxy is None else ProxyBackend(self._backend, proxy),
                    **self._options,
                )
            return self._pools[proxy, scheme]

    def close(self) -> None:
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()


class Network:
    """One httpx client, to be used from any thread."""

    def __init__(
        self,
        *,
        user_agent: str,
        environ: Mapping[str, str],
        max_connections: int,
        preconnection: Preconnection | None = None,
    ) -> None:
        self._attempts = ThreadAttempts()
        self._client = httpx.Client(
            transport=_ConnectionPools(SocketBackend(self._attempts, preconnection), environ, max_connections),
            headers={"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=None,  # noqa: S113  (the streams count: see Attempt)
            follow_redirects=False,
            trust_env=False,  # .netrc is never read; proxies and certificates are read by proxy_for_url and ssl_context
        )

    @contextlib.contextmanager
    def exchange(
        self,
        attempt: RequestAttempt,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None,
    ) -> Iterator[RawHttpResponse]:
        """Send one request and yield its answer's head; the connection goes back or is closed at the end."""
        pool_wait = max(0.0, attempt.end - attempt.clock())
        request = self._client.build_request(
            method, url, headers=dict(headers), content=body, extensions={"timeout": {"pool": pool_wait}}
        )
        with self._attempts.use_attempt(attempt):
            response = self._client.send(request, stream=True)
            try:
                yield RawHttpResponse(
                    status=response.status_code,
                    reason=response.extensions["reason_phrase"],
                    headers=response.extensions["headers"],
                    chunks=response.iter_raw(),
                )
            finally:
                response.close()

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
