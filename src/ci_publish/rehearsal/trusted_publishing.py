"""Trusted Publishing at the rehearsal's index: audience, exchange of an identity token, burning of an upload token.

Source: `warehouse/oidc/views.py` at 6b62157124ab; token burning is newer, and follows other clients' tests.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import jwt
from packaging.utils import canonicalize_name
from werkzeug.wrappers import Request, Response

from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.identity_provider import IdentityTokenError, RehearsalIdentityProvider
from ci_publish.rehearsal.message_responses import RefusedError, json_response
from ci_publish.rehearsal.registered_publishers import (
    SERVICE_NAMES,
    Claims,
    InvalidPublisherError,
    TrustedPublisher,
    find_matching_publisher,
    publisher_of_claims,
)
from ci_publish.rehearsal.upload_token_store import Caveat, TokenPublisher, UploadTokenStore, project_id_in_caveat

AUDIENCE: Final = "ci-publish-rehearsal"
TOKEN_LIFETIME_SECONDS: Final = 900
_LARGEST_BODY: Final = 1024 * 1024


class _RefusedExchangeError(Exception):
    """The index issues no token; `code` and the message are PyPI's."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


@frozen
class Registration:
    """A Trusted Publisher that is registered for projects (normalised names).

    A pending one is for one project that does not exist, and creates it when it is used.
    """

    publisher: TrustedPublisher
    projects: frozenset[str]
    pending: bool = False


def registered(publisher: TrustedPublisher, *projects: str, pending: bool = False) -> Registration:
    """Register a publisher for projects, in any spelling of their names."""
    return Registration(publisher, frozenset(canonicalize_name(name) for name in projects), pending)


@dataclass(slots=True, kw_only=True)
class RehearsalExchange:
    """The exchange of identity tokens for upload tokens.

    Without `registrations` any identity of the rehearsal's CI matches, and projects are created on demand. `lifetime`
    is in seconds. `create` makes a project that a pending publisher is for (or raises RefusedError).
    """

    identity_provider: RehearsalIdentityProvider
    tokens: UploadTokenStore
    clock: Callable[[], float]
    create: Callable[[str], None]
    exists: Callable[[str], bool]
    registrations: list[Registration] | None = None
    audience: str = AUDIENCE
    lifetime: float = TOKEN_LIFETIME_SECONDS
    flags: set[str] = field(default_factory=set)

    def serve_oidc_audience(self, _request: Request) -> Response:
        """Answer `GET /_/oidc/audience`."""
        if "disallow-oidc" in self.flags:
            return json_response({"message": "Trusted publishing functionality not enabled"}, 403)
        return json_response({"audience": self.audience})

    def mint_upload_token(self, request: Request) -> Response:
        """Answer `POST /_/oidc/mint-token`."""
        try:
            token, expires = self._exchange_identity_token(_token_in_json_body(request))
        except _RefusedExchangeError as refusal:
            error = {"code": refusal.code, "description": str(refusal)}
            return json_response({"message": "Token request failed", "errors": [error]}, 422)
        return json_response({"success": True, "token": token, "expires": expires})

    def burn_upload_token(self, request: Request) -> Response:
        """Answer `POST /_/oidc/burn-token`."""
        try:
            self.tokens.burn_upload_token(_token_in_json_body(request))
        except _RefusedExchangeError as refusal:
            return json_response({"message": str(refusal)}, 422)
        return json_response({"message": "Accepted"}, 202)

    def _exchange_identity_token(self, identity_token: str) -> tuple[str, int]:
        claims = self._verify_identity_token(identity_token)
        self._reify_pending_publisher(claims)
        identity = self._publisher_identity_of_claims(claims)
        jti = str(claims.get("jti", ""))
        if jti and not self.tokens.claim_identity_token(jti):
            raise _reused_identity_token_error()
        now = int(self.clock())
        expires = now + int(self.lifetime)
        caveats: list[Caveat] = [[4, identity.id, None], [0, expires, now]]
        if identity.projects is not None:
            caveats.insert(1, [2, sorted(map(project_id_in_caveat, identity.projects))])
        return self.tokens.issue_upload_token(identity, caveats, jti=jti, expires=expires), expires

    def _verify_identity_token(self, identity_token: str) -> Claims:
        try:
            issuer = jwt.decode(identity_token, options={"verify_signature": False})["iss"]
        except (jwt.PyJWTError, KeyError) as error:
            raise _RefusedExchangeError("invalid-payload", "malformed JWT") from error
        service = SERVICE_NAMES.get(str(issuer))
        if service is None:
            raise _RefusedExchangeError("invalid-payload", "unknown trusted publishing issuer")
        if {"disallow-oidc", f"disallow-{service}-oidc"} & self.flags:
            raise _RefusedExchangeError("not-enabled", f"{service} trusted publishing functionality not enabled")
        try:
            return self.identity_provider.verify(identity_token, self.audience)
        except IdentityTokenError as error:
            raise _RefusedExchangeError("invalid-token", "malformed or invalid token") from error

    def _reify_pending_publisher(self, claims: Claims) -> None:
        """Turn the pending publisher of these claims, if there is one, into a publisher of a new project."""
        registrations = self.registrations or []
        pending = [registration for registration in registrations if registration.pending]
        try:
            found = find_matching_publisher([registration.publisher for registration in pending], claims)
        except InvalidPublisherError:
            return
        registration = next(registration for registration in pending if registration.publisher == found)
        name = next(iter(registration.projects))
        registrations.remove(registration)
        if self.exists(name):
            raise _RefusedExchangeError("invalid-pending-publisher", "valid token, but project already exists")
        try:
            self.create(name)
        except RefusedError as refusal:
            raise _RefusedExchangeError("invalid-payload", refusal.message) from refusal
        registrations.append(Registration(found, registration.projects))

    def _publisher_identity_of_claims(self, claims: Claims) -> TokenPublisher:
        if self.tokens.was_identity_token_used(str(claims.get("jti", ""))):
            raise _reused_identity_token_error()
        publisher: TrustedPublisher
        projects = None
        try:
            if self.registrations is None:
                publisher = publisher_of_claims(claims)
            else:
                active = [registration for registration in self.registrations if not registration.pending]
                publisher = find_matching_publisher([registration.publisher for registration in active], claims)
                projects = frozenset[str]().union(*(each.projects for each in active if each.publisher == publisher))
        except InvalidPublisherError as reason:
            description = f"valid token, but no corresponding publisher ({reason})"
            raise _RefusedExchangeError("invalid-publisher", description) from reason
        # In the form of Warehouse's, and the same for the same publisher.
        stable_id = str(uuid.uuid5(uuid.NAMESPACE_URL, repr(publisher)))
        return TokenPublisher(id=stable_id, publisher=publisher, claims=claims, projects=projects)


def _reused_identity_token_error() -> _RefusedExchangeError:
    return _RefusedExchangeError("invalid-reuse-token", "invalid token: already used")


def _token_in_json_body(request: Request) -> str:
    """Return the `token` of a JSON body; the Content-Type and other keys are ignored."""
    try:
        content = json.loads(request.stream.read(_LARGEST_BODY))
    except ValueError as error:
        raise _RefusedExchangeError(
            "invalid-payload", f"1 validation error for TokenPayload\n  Invalid JSON: {error}"
        ) from error
    match content:
        case {"token": str(token)}:
            return token
        case {"token": _}:
            problem = "Input should be a valid string"
        case Mapping():
            problem = "Field required"
        case _:
            problem = "Input should be an object"
    raise _RefusedExchangeError("invalid-payload", f"1 validation error for TokenPayload\ntoken\n  {problem}")
