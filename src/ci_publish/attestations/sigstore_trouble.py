"""Failures of Sigstore, and what to do about each: retry, renew or give up (pure).

Foreign exceptions become one of these at the edge (``authority``); the signer only knows these.
"""

from collections.abc import Iterator, Mapping

from ci_publish.http.response_texts import json_object_fields
from ci_publish.http.retries import parse_retry_after
from ci_publish.model.html_scanner import visible_html_text

# Nobody waits longer than this because a server says so.
LONGEST_RETRY_AFTER = 300.0

_LONGEST_TEXT = 300
MAX_BODY = 20_000
_RETRY_STATUSES = frozenset({408, 409, 425, 429})


class Trouble(Exception):
    """A step of signing failed; ``reason`` is a clause that says why, in the server's own words if it gave any."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Transient(Trouble):
    """It may go away by itself; ``retry_after`` in seconds if the server stated it."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Refusal(Trouble):
    """Sigstore rejects the request, and would reject it again."""


class Untrusted(Refusal):
    """The certificate of the service comes from an issuer that this machine does not trust."""


class Rejection(Refusal):
    """Sigstore's response says that it does not accept the request."""


class IdentityRefusal(Refusal):
    """Sigstore refuses to certify this identity."""


class Ended(Trouble):
    """A certificate or identity token has expired or is not valid yet: it has to be renewed."""


class Unsound(Trouble):
    """An attestation does not verify."""


def trouble_of_sigstore_response(
    service: str, status: int, body: str, headers: Mapping[str, str], now: float
) -> Transient | Rejection:
    """Return the failure that an error response of *service* means; *now* in seconds since the epoch.

    The reason quotes the answer: a JSON message, or its text without tags. 409 is worth another try: it comes from an
    entry that an earlier attempt left, and the next has a fresh signature.
    """
    message = json_object_fields(body[:MAX_BODY]).get("message")
    said = message if isinstance(message, str) and message else visible_html_text(body[:MAX_BODY], title=True)
    words = " ".join(said.split())
    if len(words) > _LONGEST_TEXT:
        words = f"{words[:_LONGEST_TEXT]}…"
    reason = f"{service} responded with HTTP {status}{f': {words}' if words else ''}"
    if status >= 500 or status in _RETRY_STATUSES:  # noqa: PLR2004  (the server errors)
        asked = parse_retry_after(headers.get("Retry-After"), now) or 0.0
        return Transient(reason, min(asked, LONGEST_RETRY_AFTER))
    return Rejection(reason)


def sigstore_exception_chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and its causes, the first cause last."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def trouble_text(error: BaseException) -> str:
    """Return the first text in a chain of exceptions, or the type's name; never empty."""
    texts = (" ".join(str(step).split()) for step in sigstore_exception_chain(error))
    return next((text[:_LONGEST_TEXT] for text in texts if text), type(error).__name__)
