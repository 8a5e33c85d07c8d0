"""Performs the token exchange, one request at a time, and retries if that is safe."""

from typing import assert_never

from ci_publish.errors import (
    AudienceRefused,
    ExchangeElsewhere,
    IndexUnavailable,
    TrustedPublishingNotSupported,
    UntrustedCertificate,
)
from ci_publish.hints import Hint, option
from ci_publish.http.messages import HttpRequest
from ci_publish.http.retries import MAX_ATTEMPTS, OIDC
from ci_publish.http.urls import url_host
from ci_publish.identity import oidc_protocol
from ci_publish.identity.audiences import Audience, AudienceForeign
from ci_publish.identity.context import IdentityContext
from ci_publish.identity.mint_refusals import trusted_publishing_disabled_error
from ci_publish.model.events import Retrying, WaitStarted
from ci_publish.model.identity import Secret
from ci_publish.model.index import Endpoints

QUESTION_DEADLINE = 30.0
# PyPI's mint takes over five seconds for publishers with 200 projects and more (warehouse#18514).
MINT_DEADLINE = 30.0
BURN_DEADLINE = 5.0
_LEAST_BURN_DEADLINE = 1.0
_BURN_ATTEMPTS = 3


def index_question_deadline(tools: IdentityContext) -> float:
    """Return the seconds that a GET request may take; the transport's own timeouts may end it earlier."""
    return tools.timeout or QUESTION_DEADLINE


class OidcClient:
    """The token exchange with one index. Thread-safe; the addresses and the audience are requested once."""

    def __init__(self, endpoints: Endpoints, tools: IdentityContext) -> None:
        self._endpoints = endpoints
        self._tools = tools
        self._resolved: Endpoints | None = None
        self._audience: str | None = None

    def required_audience(self) -> str:
        """Return the audience that an identity for this index must have.

        Raises AudienceRefused, ExchangeElsewhere, TrustedPublishingNotSupported, TrustedPublishingNotEnabled or
        IndexUnavailable.
        """
        if self._audience is not None:
            return self._audience
        endpoints = self._exchange_endpoints()
        answer = self._request_audience(endpoints)
        match answer:
            case Audience(value):
                self._audience = value
                return value
            case oidc_protocol.NotEnabled(message):
                raise trusted_publishing_disabled_error(endpoints, message)
            case AudienceForeign() | oidc_protocol.NotSupported() | oidc_protocol.PointsElsewhere():
                raise self.unsupported_exchange_error(answer)
            case oidc_protocol.Unclear():
                raise self.exchange_unavailable_error("which audience it wants", answer)
            case _:
                assert_never(answer)

    def mint_upload_token(self, identity: Secret) -> oidc_protocol.MintAnswer:
        """Send *identity* once; there is no retry here, because each attempt needs a new identity token."""
        request = oidc_protocol.mint_request(self._exchange_endpoints(), identity)
        if not isinstance(request, HttpRequest):
            return request
        deadline = self._tools.timeout or MINT_DEADLINE
        self._tools.emit(WaitStarted(f"{self._endpoints.name} to exchange the OIDC identity token", deadline))
        return oidc_protocol.parse_mint_response(
            self._tools.transport.send(request, deadline=deadline), self._tools.clock()
        )

    def burn_token_request(
        self, token: Secret
    ) -> HttpRequest | oidc_protocol.NotSupported | oidc_protocol.PointsElsewhere:
        """Return the request that burns *token*, or why there is none."""
        return oidc_protocol.burn_request(self._resolved or self._endpoints, token)

    def burn_upload_token(self, token: Secret) -> oidc_protocol.BurnAnswer:
        """Burn *token*, with a few retries unless the run is being stopped."""
        request = self.burn_token_request(token)
        if not isinstance(request, HttpRequest):
            return oidc_protocol.BurnNotOffered()
        attempt = 1
        while True:
            deadline = min(
                BURN_DEADLINE,
                self._tools.timeout or BURN_DEADLINE,
                max(self._tools.waiting.left(), _LEAST_BURN_DEADLINE),
            )
            answer = oidc_protocol.parse_burn_response(self._tools.transport.send(request, deadline=deadline))
            if not isinstance(answer, oidc_protocol.Unclear) or not answer.again or attempt == _BURN_ATTEMPTS:
                return answer
            if self._tools.waiting.stopped or self._tools.waiting.wait(
                OIDC.seconds_to_wait_as_asked(attempt, self._tools.random(), answer.wait)
            ):
                return answer
            attempt += 1

    def exchange_unavailable_error(
        self, what: str, unclear: oidc_protocol.Unclear
    ) -> IndexUnavailable | UntrustedCertificate:
        """Return the error for an exchange without a usable response."""
        summary = f"{self._endpoints.name} did not respond to {what}: {unclear.reason}"
        if unclear.untrusted:
            return UntrustedCertificate(summary)
        return IndexUnavailable(summary, hints=("Run it again: files that are already published are recognised.",))

    def unsupported_exchange_error(
        self, answer: AudienceForeign | oidc_protocol.NotSupported | oidc_protocol.PointsElsewhere
    ) -> AudienceRefused | ExchangeElsewhere | TrustedPublishingNotSupported:
        """Return the error for an index without an exchange, with one elsewhere, or with another's audience."""
        check_url = "Check the index's URL; if it is right, "
        if isinstance(answer, AudienceForeign):
            own = f"{check_url}ask its operators to use the index's own host as the audience."
            name = Hint(
                "If the index's documentation names this audience: ",
                option("audience", answer.asked),
                f" (with several indexes, the value is {url_host(self._endpoints.upload)}={answer.asked})",
            )
            return AudienceRefused(
                f"{self._endpoints.name} asks for an identity token for {answer.asked!r}, which ci-publish refuses"
                f" to request: {answer.reason}.",
                detail="With such a token, the index could impersonate this job elsewhere. No token was requested,"
                " and nothing"
                " was sent.",
                hints=(own, name) if answer.nameable else (own,),
            )
        if isinstance(answer, oidc_protocol.NotSupported):
            return TrustedPublishingNotSupported(
                f"{self._endpoints.name} does not support Trusted Publishing: {answer.reason}.",
                detail="No password or API token was given, and without Trusted Publishing this index needs one.",
                hints=(
                    Hint("Provide one: set ", option("user"), " and ", option("password"), "."),
                    "If the index supports Trusted Publishing, check that the URL is that of its upload API.",
                ),
            )
        return ExchangeElsewhere(
            f"The OIDC identity token was not sent to {self._endpoints.name}: {answer.reason}.",
            detail="An identity token is sent only to the index itself, over https, and redirects are never followed.",
            hints=(f"{check_url}report this to its operators.",),
        )

    def wait_before_exchange_retry(self, what: str, attempt: int, unclear: oidc_protocol.Unclear) -> bool:
        """Report and wait before another attempt; return False if there should be none."""
        if not unclear.again or attempt >= MAX_ATTEMPTS or self._tools.waiting.stopped:
            return False
        wait = OIDC.seconds_to_wait_as_asked(attempt, self._tools.random(), unclear.wait)
        if wait >= self._tools.waiting.left():
            return False
        self._tools.emit(
            Retrying(what=what, attempt=attempt, reason=unclear.reason, wait=wait, index=self._endpoints.name)
        )
        return not self._tools.waiting.wait(wait)

    def _exchange_endpoints(self) -> Endpoints:
        """Use the discovery document (PEP 807) if the index has one, and otherwise the usual addresses."""
        if self._resolved is None:
            found: Endpoints | oidc_protocol.PointsElsewhere = self._endpoints
            if (request := oidc_protocol.discovery_request(self._endpoints)) is not None:
                answer = self._tools.transport.send(request, deadline=index_question_deadline(self._tools))
                found = oidc_protocol.parse_discovery_response(answer, self._endpoints)
            if isinstance(found, oidc_protocol.PointsElsewhere):
                raise self.unsupported_exchange_error(found)
            self._resolved = found
        return self._resolved

    def _request_audience(self, endpoints: Endpoints) -> oidc_protocol.AudienceAnswer:
        request = oidc_protocol.audience_request(endpoints)
        if not isinstance(request, HttpRequest):
            return request
        attempt, deadline = 1, index_question_deadline(self._tools)
        while True:
            answer = oidc_protocol.parse_audience_response(
                self._tools.transport.send(request, deadline=deadline), endpoints
            )
            if not isinstance(answer, oidc_protocol.Unclear) or not self.wait_before_exchange_retry(
                "the audience", attempt, answer
            ):
                return answer
            attempt += 1
