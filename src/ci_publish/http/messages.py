"""Requests and responses as values, so that everything on the wire can be built and read without a socket."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Protocol

from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Secret


@frozen
class BasicAuthorization:
    """A user name and a secret, sent as HTTP Basic authentication."""

    user: str
    secret: Secret


@frozen
class BearerAuthorization:
    """A secret sent as ``Authorization: Bearer``."""

    secret: Secret


Authorization = BasicAuthorization | BearerAuthorization


class BodyChanged(Exception):
    """Raised while a StreamedBody is iterated: its source has changed; the text is a message for the user.

    The transport aborts the request, so that no server gets a complete one, and returns NoAnswer(FILE_CHANGED).
    """


class BodyBroken(OSError):
    """Raised while the body of a StreamedAnswer is iterated: it broke off, or is longer than it may be."""


class BodyWithdrawn(Exception):
    """Raised while a StreamedBody is iterated: the request must not be completed; the text is a message for the user.

    The transport aborts the request, so that no server gets a complete one, and returns NoAnswer(CANCELLED).
    """


class StreamedBody(Protocol):
    """A request body that is produced while it is sent; each iteration starts from the beginning."""

    @property
    def length(self) -> int:
        """The exact number of bytes that an iteration yields."""

    @property
    def content_type(self) -> str:
        """The value of the Content-Type header."""

    def __iter__(self) -> Iterator[bytes]: ...


@frozen
class SecretJson:
    """A JSON object whose values are secrets; only the transport renders it."""

    fields: tuple[tuple[str, Secret], ...]


@frozen(kw_only=True)
class HttpRequest:
    """One request. Redirects are never followed by the transport.

    ``pause`` is how many seconds its body may wait before its end; they are added to the time that the request may
    take.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    authorization: Authorization | None = None
    body: bytes | StreamedBody | SecretJson | None = None
    pause: float = 0.0


@frozen(kw_only=True)
class HttpAnswer:
    """A response: header names in lower case, body capped and already decompressed.

    ``truncated`` says that the body was longer than the cap of the request's kind or broke off.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    truncated: bool = False


@frozen
class StreamedAnswer:
    """A response whose body is read while it arrives, once; it may raise BodyBroken. Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Iterator[bytes]


class NoAnswerReason(StrEnum):
    """Why a request got no response."""

    CONNECT = "connect"
    UNTRUSTED_CERTIFICATE = "untrusted-certificate"
    INVALID_CERTIFICATE = "invalid-certificate"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    PROTOCOL = "protocol"
    FILE_CHANGED = "file-changed"
    CANCELLED = "cancelled"
    REFUSED_LOCALLY = "refused-locally"


@frozen
class NoAnswer:
    """No usable response; ``sent`` says whether the server may have received the whole request."""

    reason: NoAnswerReason
    text: str
    sent: bool = False


class Transport(Protocol):
    """Sends one request and waits for its response, never longer than ``deadline`` seconds.

    Never raises for I/O, except ProxyAuthenticationRequired, which stops a run.
    """

    def send(
        self, request: HttpRequest, *, deadline: float | None = None, limit: int | None = None
    ) -> HttpAnswer | NoAnswer:
        """Send *request*; read at most *limit* bytes of the response's body (the transport's default is 64 KiB)."""
