"""Hooks with which a test intervenes between a rehearsal server and its client.

Every WSGI application of the rehearsal world passes each request through its `Hooks`: before it is handled (to refuse
it, to answer nonsense, to hang, to cut the connection) and after it was handled (to lose or to delay an answer whose
effect already happened). The functions below the class are ready-made faults; they compose: `times(2, only("/api/v1/",
answer(503)))`.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable  # noqa: TC003 - an alias's right side
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Interpose: TypeAlias = "Callable[[WSGIEnvironment], Response | None]"
"""Called before a request is handled. A response is sent instead; None lets the request through."""

After: TypeAlias = "Callable[[WSGIEnvironment, Response], Response | None]"
"""Called once a request was handled, its effects done. A response replaces the answer; None lets the answer through."""


@dataclass(slots=True, kw_only=True)
class Hooks:
    """The fault and latency settings of one WSGI application; they may be changed while it serves.

    `delay` is in seconds and is spent before anything else, on every request. A hook that raises `ConnectionError` cuts
    the connection without an answer when Werkzeug's own server serves the application.
    """

    interpose: Interpose | None = None
    after: After | None = None
    delay: float = 0.0
    sleep: Callable[[float], None] = field(default=time.sleep)


def wsgi_app_with_hooks(handle: Callable[[Request], Response], hooks: Hooks) -> WSGIApplication:
    """Make a WSGI application of a request handler, with `hooks` around it."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            if hooks.delay:
                hooks.sleep(hooks.delay)
            if hooks.interpose is not None and (instead := hooks.interpose(environ)) is not None:
                return instead(environ, start_response)
            response = handle(Request(environ))
            if hooks.after is not None and (replacement := hooks.after(environ, response)) is not None:
                response = replacement
        except ConnectionError:
            # Werkzeug's server alone would wait on this connection for another request.
            if isinstance(connection := environ.get("werkzeug.socket"), socket.socket):
                connection.shutdown(socket.SHUT_RDWR)
            raise
        return response(environ, start_response)

    return application


def answer(
    status: int, body: str = "", *, content_type: str = "text/plain", retry_after: str | None = None
) -> Interpose:
    """Answer every request with this status and body."""

    def interpose(_environ: WSGIEnvironment) -> Response:
        response = Response(body, status=status, content_type=content_type)
        if retry_after is not None:
            response.headers["Retry-After"] = retry_after
        return response

    return interpose


def drop(_environ: WSGIEnvironment) -> Response | None:
    """Cut the connection without an answer."""
    raise ConnectionResetError("the rehearsal drops this connection")


def hang(until: threading.Event, *, at_most: float = 600.0) -> Interpose:
    """Hold every request until the event is set (or `at_most` seconds have passed), then let it through."""

    def interpose(_environ: WSGIEnvironment) -> None:
        until.wait(at_most)

    return interpose


def late(until: threading.Event, *, at_most: float = 600.0) -> After:
    """Handle the request at once, but hold its answer until the event is set (or `at_most` seconds have passed)."""

    def after(_environ: WSGIEnvironment, _response: Response) -> None:
        until.wait(at_most)

    return after


def lose_answer(_environ: WSGIEnvironment, _response: Response) -> Response | None:
    """Handle the request, then cut the connection instead of answering."""
    raise ConnectionResetError("the rehearsal loses this answer")


def only(path_prefix: str, fault: Interpose, *, method: str | None = None) -> Interpose:
    """Restrict a fault to the paths with this prefix, and to one method if given."""

    def interpose(environ: WSGIEnvironment) -> Response | None:
        if not environ["PATH_INFO"].startswith(path_prefix) or method not in {None, environ["REQUEST_METHOD"]}:
            return None
        return fault(environ)

    return interpose


def times(count: int, fault: Interpose, *, after: int = 0) -> Interpose:
    """Apply a fault to `count` requests after the first `after`, and let all others through; safe across threads."""
    lock, seen = threading.Lock(), iter(range(after + count))

    def interpose(environ: WSGIEnvironment) -> Response | None:
        with lock:
            number = next(seen, None)
        return None if number is None or number < after else fault(environ)

    return interpose
