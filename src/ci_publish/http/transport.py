"""Sends requests and returns responses, both as values: the only way to the network.

Laws: nothing is sent over plain http except to loopback, or to a host that was allowed (and then no identity and no
upload token); no redirect is followed; certificates are always checked; every wait ends; the number of bytes that are
read of a response is capped; secrets that the server echoes are redacted; nothing is raised for what a network or a
server does, except for a proxy that requires authentication, which is a configuration error.
"""

import contextlib
import os
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from json import dumps
from threading import Lock
from typing import TYPE_CHECKING, assert_never

from ci_publish.about import USER_AGENT
from ci_publish.errors import CiPublishError
from ci_publish.http.messages import (
    BasicAuthorization,
    BearerAuthorization,
    BodyChanged,
    BodyWithdrawn,
    HttpAnswer,
    HttpRequest,
    NoAnswer,
    NoAnswerReason,
    SecretJson,
    StreamedAnswer,
)
from ci_publish.http.response_reading import capped_body_chunks, read_response, redacted_headers
from ci_publish.http.urls import is_loopback_host, redacted_url, split_url, url_has_secrets, url_host
from ci_publish.model.events import Emit, RequestTraced
from ci_publish.model.frozen import frozen
from ci_publish.model.waiting import Waiting

if TYPE_CHECKING:
    from ci_publish.http.network import Network
    from ci_publish.http.preconnect import Preconnection
    from ci_publish.http.sockets import RequestAttempt, Timeouts

DEFAULT_LIMIT = 64 * 1024
# Slower than this, in bytes a second, an upload is not worth waiting for.
SLOWEST_UPLOAD = 16 * 1024
MIN_SECRET = 4


@frozen(kw_only=True)
class ConnectionLimits:
    """How long a request may take, how many connections there are at once, and which hosts may use plain http.

    ``timeout`` (in seconds) overrides every single limit where the user set one; ``timeouts`` are those limits.
    """

    timeout: float | None = None
    timeouts: "Timeouts | None" = None
    allow_http: frozenset[str] = frozenset()
    connections: int = 16


class HttpTransport:
    """Implements ``http.messages.Transport`` with httpx. Thread-safe; connections are kept and shared.

    *environ* names proxies and certificate bundles.
    Nothing is imported or opened before ``import_network_modules`` or the first request.
    """

    def __init__(
        self,
        *,
        waiting: Waiting,
        emit: Emit,
        limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008  (frozen)
        environ: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiting = waiting
        self._clock = clock
        self._emit = emit
        self._limits = limits
        self._allow_http = frozenset(host.lower().rstrip(".") for host in limits.allow_http)
        self._environ = environ
        self._lock = Lock()
        self._opened: Network | None = None
        self._preconnection: Preconnection | None = None

    def preconnect(self, url: str) -> None:
        """Begin to connect to *url*'s server in the background; call it before the first request.

        Nothing is sent. Whatever goes wrong is left to the first request, which connects by itself.
        """
        from ci_publish.http.preconnect import Preconnection  # noqa: PLC0415  (late: not for every command)

        self._preconnection = Preconnection(url, self._environment_variables(), self._request_timeouts())

    def import_network_modules(self) -> None:
        """Import what the first request needs: that takes a while, and threads should not wait for it."""
        self._network_made_once()

    def close(self) -> None:
        """Close all connections; a later request opens new ones."""
        with self._lock:
            opened, self._opened = self._opened, None
            early, self._preconnection = self._preconnection, None
        if opened is not None:
            opened.close()
        if early is not None:
            early.close()

    def send(
        self, request: HttpRequest, *, deadline: float | None = None, limit: int | None = None
    ) -> HttpAnswer | NoAnswer:
        """Send *request*; see ``http.messages.Transport``. Never raises for network, server or file.

        Raises ProxyAuthenticationRequired for a proxy's 407, which no retry cures.
        """
        began = time.monotonic()
        refusal = self._refused_answer_before_sending(request)
        result = refusal or self._send_and_read_response(request, deadline, DEFAULT_LIMIT if limit is None else limit)
        self._emit(
            RequestTraced(
                method=request.method,
                url=redacted_url(request.url),
                result=_trace_text_of_result(result),
                seconds=time.monotonic() - began,
            )
        )
        return result

    @contextlib.contextmanager
    def stream(self, request: HttpRequest, *, limit: int) -> Iterator[StreamedAnswer | NoAnswer]:
        """Send *request* and yield its response while the body is still on its way, to be read in the same thread.

        At most *limit* bytes are read of it. Never raises for network or server, except as ``send`` does; the body
        raises BodyBroken where it breaks off or is longer.
        """
        answer: StreamedAnswer | NoAnswer | None = self._refused_answer_before_sending(request)
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            if answer is None:
                answer = self._open_response_stream(request, limit, stack)
            self._emit(
                RequestTraced(
                    method=request.method,
                    url=redacted_url(request.url),
                    result=_trace_text_of_result(answer),
                    seconds=time.monotonic() - began,
                )
            )
            yield answer

    def _open_response_stream(
        self, request: HttpRequest, limit: int, stack: contextlib.ExitStack
    ) -> StreamedAnswer | NoAnswer:
        from ci_publish.http import network  # noqa: PLC0415  (late: imports httpx)

        attempt = self._new_attempt(request, None, limit)
        try:
            headers = {**request.headers, **_authorization_header(request)}
            exchange = self._network_made_once().exchange(attempt, request.method, request.url, headers, None)
            raw = stack.enter_context(exchange)
        except CiPublishError:
            raise
        except Exception as error:  # noqa: BLE001  (the edge, as in ``_send_and_read_response``)
            return NoAnswer(*network.request_failure_reason(error))
        secrets = _secret_forms(request)
        return StreamedAnswer(raw.status, redacted_headers(raw, secrets), capped_body_chunks(raw.chunks, limit))

    def _refused_answer_before_sending(self, request: HttpRequest) -> NoAnswer | None:
        """Return why *request* must not leave this machine, None if it may."""
        host = url_host(request.url)
        if url_has_secrets(request.url) or not host:
            return _locally_refused_answer(f"{redacted_url(request.url)} is not a valid request URL")
        if split_url(request.url).scheme == "https" or is_loopback_host(host):
            return None
        if host not in self._allow_http:
            return _locally_refused_answer(f"{redacted_url(request.url)} is plain http")
        if isinstance(request.body, SecretJson):
            return _locally_refused_answer(
                f"{redacted_url(request.url)} is plain http, over which no identity token or upload token is sent"
            )
        return None

    def _send_and_read_response(
        self, request: HttpRequest, deadline: float | None, limit: int
    ) -> HttpAnswer | NoAnswer:
        from ci_publish.http import network  # noqa: PLC0415  (late: imports httpx)

        secrets = _secret_forms(request)
        opened = self._network_made_once()
        attempt = self._new_attempt(request, deadline, limit)
        try:
            framing, body = _request_body_and_headers(request, attempt)
            headers = {**request.headers, **_authorization_header(request), **framing}
            with opened.exchange(attempt, request.method, request.url, headers, body) as raw:
                return read_response(raw, limit, secrets)
        except BodyChanged as error:
            return NoAnswer(NoAnswerReason.FILE_CHANGED, str(error))
        except BodyWithdrawn as error:
            return NoAnswer(NoAnswerReason.CANCELLED, str(error))
        except CiPublishError:
            raise
        except Exception as error:  # noqa: BLE001  (the edge: whatever a hostile answer makes the libraries raise)
            reason, text = network.request_failure_reason(error)
            return NoAnswer(reason, text, sent=attempt.handed_over)

    def _network_made_once(self) -> "Network":
        from ci_publish.http.network import Network  # noqa: PLC0415  (late: imports httpx)

        with self._lock:
            if self._opened is None:
                self._opened = Network(
                    user_agent=USER_AGENT,
                    environ=self._environment_variables(),
                    max_connections=self._limits.connections,
                    preconnection=self._preconnection,
                )
            return self._opened

    def _environment_variables(self) -> Mapping[str, str]:
        return os.environ if self._environ is None else self._environ

    def _request_timeouts(self) -> "Timeouts":
        from ci_publish.http.sockets import Timeouts  # noqa: PLC0415  (late: not for every command)

        limits = self._limits
        return limits.timeouts or (
            Timeouts() if limits.timeout is None else Timeouts.same_for_every_wait(limits.timeout)
        )

    def _new_attempt(self, request: HttpRequest, deadline: float | None, limit: int) -> "RequestAttempt":
        from ci_publish.http.sockets import RequestAttempt  # noqa: PLC0415  (late: not for every command)

        timeouts, body = self._request_timeouts(), request.body
        streamed = None if body is None or isinstance(body, bytes | SecretJson) else body
        size = 0 if streamed is None else streamed.length
        steps = timeouts.connect + timeouts.tls + timeouts.read + timeouts.answer
        longest = steps + size / SLOWEST_UPLOAD + request.pause
        whole = longest if deadline is None else min(deadline, longest)
        return RequestAttempt(
            timeouts=timeouts,
            end=self._clock() + min(whole, self._waiting.left()),
            waiting=self._waiting,
            clock=self._clock,
            limit=limit,
            uploads=streamed is not None,
        )


# --- what is sent


def _authorization_header(request: HttpRequest) -> dict[str, str]:
    match request.authorization:
        case None:
            return {}
        case BasicAuthorization(user, secret):
            return {"Authorization": f"Basic {b64encode(f'{user}:{secret.reveal()}'.encode()).decode()}"}
        case BearerAuthorization(secret):
            return {"Authorization": f"Bearer {secret.reveal()}"}
        case _:
            assert_never(request.authorization)


def _request_body_and_headers(
    request: HttpRequest, attempt: "RequestAttempt"
) -> tuple[dict[str, str], Iterable[bytes] | None]:
    """Return the headers that describe the body, and the body, which reports its progress to *attempt*."""
    match request.body:
        case None:
            return {}, None
        case bytes() as content:
            return {"Content-Length": str(len(content))}, _CountedBody((content,), len(content), attempt)
        case SecretJson(fields):
            content = dumps({name: secret.reveal() for name, secret in fields}).encode()
            headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
            return headers, _CountedBody((content,), len(content), attempt)
        case streamed:
            headers = {"Content-Type": streamed.content_type, "Content-Length": str(streamed.length)}
            return headers, _CountedBody(streamed, streamed.length, attempt)


class _CountedBody:
    """A body that records in the attempt when its last block is handed to the network, and when it has been sent."""

    def __init__(self, blocks: Iterable[bytes], length: int, attempt: "RequestAttempt") -> None:
        self._blocks = blocks
        self._length = length
        self._new_attempt = attempt

    def __iter__(self) -> Iterator[bytes]:
        left = self._length
        for block in self._blocks:
            left -= len(block)
            # From here on the server may have everything, even if the network fails in the middle of the block.
            self._new_attempt.handed_over = left <= 0
            yield block
        self._new_attempt.sent_at = self._new_attempt.clock()


def _secret_forms(request: HttpRequest) -> tuple[bytes, ...]:
    """Return every form in which a server could echo a secret of *request*, the longest first."""
    forms: set[bytes] = set()
    if request.authorization is not None:
        forms |= {header.partition(" ")[2].encode() for header in _authorization_header(request).values()}
        forms.add(request.authorization.secret.reveal().encode())
    if isinstance(request.body, SecretJson):
        forms |= {secret.reveal().encode() for _, secret in request.body.fields}
    return tuple(sorted((form for form in forms if len(form) >= MIN_SECRET), key=len, reverse=True))


def _trace_text_of_result(result: HttpAnswer | StreamedAnswer | NoAnswer) -> str:
    if isinstance(result, NoAnswer):
        return f"{result.reason.value}: {result.text}"
    if isinstance(result, StreamedAnswer):
        return f"{result.status}"
    return f"{result.status} {result.reason}".strip()


def _locally_refused_answer(text: str) -> NoAnswer:
    return NoAnswer(NoAnswerReason.REFUSED_LOCALLY, text)
