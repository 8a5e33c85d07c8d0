"""The requests and responses of the token exchange: discovery, audience, mint and burn (pure).

Sources: https://docs.pypi.org/trusted-publishers/internals/, warehouse/oidc/views.py, PEP 807 (draft) for indexes
other than PyPI, warehouse PR 20197 for burning. Whatever an index responds, an identity token is only ever sent to the
upload host itself (or to the exchange of a built-in index), over https or loopback.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from ci_publish.http.messages import HttpAnswer, HttpRequest, NoAnswer, NoAnswerReason, SecretJson
from ci_publish.http.response_texts import json_object_fields, response_message_beyond_status
from ci_publish.http.retries import (
    TRANSIENT_STATUSES,
    is_transient_failure,
    parse_http_date,
    parse_retry_after,
)
from ci_publish.http.urls import url_host
from ci_publish.identity import macaroons
from ci_publish.identity.audiences import Audience, AudienceForeign, validate_audience
from ci_publish.identity.exchange_addresses import (
    discovered_exchange_address_objection,
    exchange_address_objection,
)
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Secret
from ci_publish.model.index import Endpoints
from ci_publish.model.token_scope import TokenScope

DISCOVERY_TYPE = "application/vnd.pypi.pytp.v1+json"
JSON_TYPE = "application/json"

# PEP 807: 900 s if the index does not say, 21,600 s at most; PyPI's own tokens live 900 s.
ASSUMED_LIFETIME = 900.0
LONGEST_LIFETIME = 21_600.0

_MAX_TOKEN = 16_384
_MAX_TEXT = 500
_RETRYABLE = TRANSIENT_STATUSES | {HTTPStatus.MISDIRECTED_REQUEST}


@frozen
class PointsElsewhere:
    """The index names another host, or an address to which nothing may be sent. Nothing was sent."""

    reason: str


@frozen
class NotSupported:
    """The index has no Trusted Publishing."""

    reason: str


@frozen
class NotEnabled:
    """The index has Trusted Publishing, but its operators have disabled it."""

    message: str


@frozen(kw_only=True)
class Unclear:
    """No usable response. ``again``: a retry may get one, after ``wait`` seconds if the index said so.

    ``sent``: the index may have received and processed the request.
    """

    reason: str
    again: bool
    wait: float | None = None
    sent: bool = False
    untrusted: bool = False


@frozen(kw_only=True)
class Minted:
    """The index issued an upload token that is valid for ``lifetime`` seconds; ``scope`` is what the token states."""

    token: Secret
    lifetime: float
    scope: TokenScope = TokenScope()


@frozen
class MintRefused:
    """The index rejects the identity. ``code`` is one of warehouse/oidc/views.py, or empty for other indexes."""

    code: str
    description: str
    status: int


@frozen
class Burnt:
    """The upload token is no longer valid."""


@frozen
class BurnNotOffered:
    """The index does not support burning tokens; the token expires by itself."""


AudienceAnswer = Audience | AudienceForeign | NotSupported | NotEnabled | PointsElsewhere | Unclear
MintAnswer = Minted | MintRefused | NotSupported | PointsElsewhere | Unclear
BurnAnswer = Burnt | BurnNotOffered | Unclear


def discovery_request(endpoints: Endpoints) -> HttpRequest | None:
    """Return the request for the discovery document of PEP 807; None if the index cannot have one."""
    if endpoints.discovery is None or exchange_address_objection(endpoints.discovery, endpoints):
        return None
    return HttpRequest(method="GET", url=endpoints.discovery, headers={"Accept": DISCOVERY_TYPE})


def parse_discovery_response(answer: HttpAnswer | NoAnswer, endpoints: Endpoints) -> Endpoints | PointsElsewhere:
    """Parse the response to ``discovery_request``, and return *endpoints* with the addresses of the token exchange.

    Without a document, they are the usual addresses. Any response but a JSON object with both endpoints counts as none
    (many servers respond to unknown paths with a page or a redirect). A document that names another host is refused.
    """
    document = {} if isinstance(answer, NoAnswer) or answer.status != HTTPStatus.OK else _exchange_response_json(answer)
    if not {"audience-endpoint", "token-mint-endpoint"} <= document.keys():
        return endpoints
    audience, mint = document["audience-endpoint"], document["token-mint-endpoint"]
    for address in (audience, mint):
        if reason := discovered_exchange_address_objection(address, endpoints):
            return PointsElsewhere(reason)
    return replace(endpoints, audience=audience, mint=mint)


def audience_request(endpoints: Endpoints) -> HttpRequest | NotSupported | PointsElsewhere:
    """Return the request for the audience that the identity token must have."""
    return _token_exchange_request(endpoints.audience, endpoints)


def parse_audience_response(answer: HttpAnswer | NoAnswer, endpoints: Endpoints) -> AudienceAnswer:
    """Parse the response to ``audience_request``, and validate the audience by the pinning rule."""
    if isinstance(answer, NoAnswer) or _is_exchange_retryable(answer.status):
        return _unclear_exchange(answer)
    if answer.status == HTTPStatus.FORBIDDEN and _exchange_response_json(answer):
        return NotEnabled(_exchange_response_message(answer))
    if 300 <= answer.status < 400:  # noqa: PLR2004  (the class of redirects)
        return NotSupported(f"its audience endpoint redirects (HTTP {answer.status}), which is not followed")
    document = _exchange_response_json(answer)
    if answer.status != HTTPStatus.OK or "audience" not in document:
        return NotSupported(f"its audience endpoint responded with HTTP {answer.status} without an audience")
    return validate_audience(
        document["audience"], url_host(endpoints.upload), endpoints.pinned_audience, endpoints.named_audience
    )


def mint_request(endpoints: Endpoints, identity: Secret) -> HttpRequest | NotSupported | PointsElsewhere:
    """Return the request that exchanges *identity*, once, for an upload token."""
    return _token_exchange_request(endpoints.mint, endpoints, identity)


def parse_mint_response(answer: HttpAnswer | NoAnswer, now: float) -> MintAnswer:
    """Parse the response to ``mint_request``; *now* (seconds since the epoch) is used if it has no Date."""
    if isinstance(answer, NoAnswer) or _is_exchange_retryable(answer.status):
        return _unclear_exchange(answer)
    if 300 <= answer.status < 400:  # noqa: PLR2004  (the class of redirects)
        return PointsElsewhere(f"its mint address redirects (HTTP {answer.status}), which is never followed")
    if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED} and not _mint_errors(answer):
        return NotSupported(f"its mint address responds with HTTP {answer.status}")
    if answer.status < HTTPStatus.BAD_REQUEST:
        return _parse_minted_token(answer, now)
    for error in _mint_errors(answer):
        code, description = error.get("code"), error.get("description")
        if isinstance(code, str):
            text = description if isinstance(description, str) else ""
            return MintRefused(code[:100], text[:_MAX_TEXT], answer.status)
    return MintRefused("", _exchange_response_message(answer), answer.status)


def burn_request(endpoints: Endpoints, token: Secret) -> HttpRequest | NotSupported | PointsElsewhere:
    """Return the request that invalidates an upload token."""
    return _token_exchange_request(endpoints.burn, endpoints, token)


def parse_burn_response(answer: HttpAnswer | NoAnswer) -> BurnAnswer:
    """Parse the response to ``burn_request``."""
    if isinstance(answer, NoAnswer):
        return _unclear_exchange(answer)
    if 200 <= answer.status < 300:  # noqa: PLR2004  (the class of successes)
        return Burnt()
    if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE}:
        return BurnNotOffered()
    return _unclear_exchange(answer)


def exchange_response_date(answer: HttpAnswer) -> float | None:
    """Return the index's time (seconds since the epoch) from the Date header; None without a valid one."""
    return parse_http_date(answer.headers.get("date", ""))


def _token_exchange_request(
    address: str | None, endpoints: Endpoints, token: Secret | None = None
) -> HttpRequest | NotSupported | PointsElsewhere:
    if address is None:
        return NotSupported("no address for it is known")
    if reason := exchange_address_objection(address, endpoints):
        return PointsElsewhere(reason)
    headers = {"Accept": JSON_TYPE}
    if token is None:
        return HttpRequest(method="GET", url=address, headers=headers)
    return HttpRequest(method="POST", url=address, headers=headers, body=SecretJson((("token", token),)))


def _exchange_response_json(answer: HttpAnswer) -> Mapping[str, Any]:
    """Return the response's JSON object; empty if the body is anything else."""
    return {} if answer.truncated else json_object_fields(answer.body)


def _is_exchange_retryable(status: int) -> bool:
    return status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.OK


def _unclear_exchange(answer: HttpAnswer | NoAnswer) -> Unclear:
    if isinstance(answer, NoAnswer):
        return Unclear(
            reason=answer.text or answer.reason.value,
            again=is_transient_failure(answer),
            sent=answer.sent,
            untrusted=answer.reason is NoAnswerReason.UNTRUSTED_CERTIFICATE,
        )
    again = _is_exchange_retryable(answer.status)
    text = f"HTTP {answer.status} {_exchange_response_message(answer)}".rstrip()
    wait = parse_retry_after(answer.headers.get("retry-after"), exchange_response_date(answer))
    return Unclear(reason=text, again=again, wait=wait, sent=answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR)


def _mint_errors(answer: HttpAnswer) -> list[Mapping[str, Any]]:
    errors = _exchange_response_json(answer).get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _exchange_response_message(answer: HttpAnswer) -> str:
    return (response_message_beyond_status(answer) or answer.reason)[:_MAX_TEXT]


def _parse_minted_token(answer: HttpAnswer, now: float) -> Minted | Unclear:
    document = _exchange_response_json(answer)
    token = document.get("token")
    sound = isinstance(token, str) and 0 < len(token) <= _MAX_TOKEN and token.isascii() and token.isprintable()
    if not isinstance(token, str) or not sound or " " in token:
        return Unclear(reason=f"HTTP {answer.status} without an upload token", again=True, sent=True)
    read = macaroons.read_pypi_token(token)
    scope = read.scope if isinstance(read, macaroons.ReadToken) else TokenScope()
    expires, date = document.get("expires"), exchange_response_date(answer)
    if expires is None and scope.begins is not None:
        lifetime = _upload_token_lifetime(scope.expires, scope.begins)
    else:
        lifetime = _upload_token_lifetime(expires, now if date is None else date)
    return Minted(token=Secret(token), lifetime=lifetime, scope=scope)


def _upload_token_lifetime(expires: object, now: float) -> float:
    """Return how long the token is valid, by the index's clock, because this machine's may be wrong."""
    if not isinstance(expires, int | float) or isinstance(expires, bool) or not math.isfinite(expires):
        return ASSUMED_LIFETIME
    left = expires - now
    return min(left, LONGEST_LIFETIME) if left > 0 else ASSUMED_LIFETIME
