"""Carries the token exchange out, one request at a time, with retries where these are harmless."""

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
from ci_publish.identity import oidc_protocol
from ci_publish.identity.audiences import Audience, AudienceForeign
from ci_publish.identity.context import IdentityContext
from ci_publish.identity.exchange_addresses import upload_host
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
    """Return the seconds that a question to the index may take; the transport's own timeouts may end it earlier."""
    return tools.timeout or QUESTION_DEADLINE


class OidcClient:
    """The token exchange with one index. Thread-safe; the addresses and the audience are asked for once."""

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
        if self._audience is None:
            endpoints = self._exchange_endpoints()
            self._audience = self._require_audience(self._request_audience(endpoints), endpoints)
        return self._audience

    def mint_upload_token(self, identity: Secret) -> oidc_protocol.MintAnswer:
        """Send *identity* once; never repeated here, since each attempt needs a token of its own."""
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
        """Return what burns *token*, or why nothing does."""
        return oidc_protocol.burn_request(self._resolved or self._endpoints, token)

    def burn_upload_token(self, token: Secret) -> oidc_protocol.BurnAnswer:
        """Burn *token*; tried again a few times, unless the run is being stopped."""
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
        """Return the error for an exchange that brought no usable answer."""
        summary = f"{self._endpoints.name} did not answer {what}: {unclear.reason}"
        if unclear.untrusted:
            return UntrustedCertificate(summary)
        return IndexUnavailable(summary, hints=("Run it again: what is published already is recognised.",))

    def unsupported_exchange_error(
        self, answer: oidc_protocol.NotSupported | oidc_protocol.PointsElsewhere
    ) -> Exception:
        """Return the error for an index that has no exchange, or has it where nothing may be sent."""
        if isinstance(answer, oidc_protocol.NotSupported):
            return _exchange_not_supported_error(self._endpoints, answer)
        return ExchangeElsewhere(
            f"The OIDC identity token was not sent to {self._endpoints.name}: {answer.reason}.",
            detail="An identity token is sent only to the index itself, over https, and redirects are never followed.",
            hints=("Check the index's URL; if it is right, tell its operators.",),
        )

    def wait_before_exchange_retry(self, what: str, attempt: int, unclear: oidc_protocol.Unclear) -> bool:
        """Wait before another attempt and say so; return False where there should be none."""
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
        if self._resolved is None:
            self._resolved = self._discover_endpoints()
        return self._resolved

    def _discover_endpoints(self) -> Endpoints:
        """Follow PEP 807 where the index may have it; without a document, the usual addresses hold."""
        request = oidc_protocol.discovery_request(self._endpoints)
        if request is None:
            return self._endpoints
        answer = oidc_protocol.parse_discovery_response(
            self._tools.transport.send(request, deadline=index_question_deadline(self._tools)), self._endpoints
        )
        match answer:
            case oidc_protocol.Discovered(endpoints):
                return endpoints
            case oidc_protocol.PointsElsewhere():
                raise self.unsupported_exchange_error(answer)
            case _:
                return self._endpoints

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

    def _require_audience(self, answer: oidc_protocol.AudienceAnswer, endpoints: Endpoints) -> str:
        match answer:
            case Audience(value):
                return value
            case AudienceForeign():
                raise _foreign_audience_error(endpoints, answer)
            case oidc_protocol.NotEnabled(message):
                raise trusted_publishing_disabled_error(endpoints, message)
            case oidc_protocol.NotSupported() | oidc_protocol.PointsElsewhere():
                raise self.unsupported_exchange_error(answer)
            case oidc_protocol.Unclear():
                raise self.exchange_unavailable_error("which audience it wants", answer)
            case _:
                assert_never(answer)


def _foreign_audience_error(endpoints: Endpoints, answer: AudienceForeign) -> AudienceRefused:
    own = "Check the index's URL; if it is right, ask its operators to use the index's own host as the audience."
    name = Hint(
        "If the index's documentation names this audience: ",
        option("audience", answer.asked),
        f" (with several indexes, the value is {upload_host(endpoints)}={answer.asked})",
    )
    return AudienceRefused(
        f"{endpoints.name} asks for an identity for {answer.asked!r}, which is refused: {answer.reason}.",
        detail="With such a token, the index could act in your name elsewhere. None was requested, and nothing was"
        " sent.",
        hints=(own, name) if answer.nameable else (own,),
    )


def _exchange_not_supported_error(
    endpoints: Endpoints, answer: oidc_protocol.NotSupported
) -> TrustedPublishingNotSupported:
    return TrustedPublishingNotSupported(
        f"{endpoints.name} has no Trusted Publishing: {answer.reason}.",
        detail="No password or API token was given, and without Trusted Publishing this index needs one.",
        hints=(
            Hint("Provide one: set ", option("user"), " and ", option("password"), "."),
            "If the index has Trusted Publishing, check that the URL is that of its upload API.",
        ),
    )
