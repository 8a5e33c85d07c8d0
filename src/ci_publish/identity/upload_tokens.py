"""The credential of Trusted Publishing: an OIDC identity, exchanged for upload tokens that are valid for minutes.

Laws:

* An identity token is sent once. Every attempt to mint uses a new one; if there is only one (GitLab), there is only one
  attempt.
* Every upload token is masked before anything else is done with it, is stored, and is burned in the end.
* A thread that needs a token while another thread is minting waits for that token.
"""

import threading
from collections.abc import Callable
from typing import assert_never

from ci_publish.errors import (
    AudienceRefused,
    CiPublishError,
    CredentialRejected,
    IdentityUnavailable,
    IndexUnavailable,
    MintAnswerLost,
    UploadTokenExpired,
)
from ci_publish.http.messages import Authorization, BasicAuthorization, HttpRequest
from ci_publish.http.urls import url_host
from ci_publish.identity import oidc_protocol
from ci_publish.identity.audiences import is_foreign_audience
from ci_publish.identity.context import IdentityContext
from ci_publish.identity.jwt import audiences_of_claims
from ci_publish.identity.local_refusals import local_identity_refusal
from ci_publish.identity.mint_refusals import explain_mint_refusal
from ci_publish.identity.oidc_client import OidcClient
from ci_publish.identity.static_credentials import TOKEN_USER
from ci_publish.model.events import CredentialChanged, Noted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims, CredentialKind, CredentialState, IdentityToken, Purpose
from ci_publish.model.index import Endpoints
from ci_publish.model.token_scope import TokenScope

# A token is replaced when less than a fifth of its life is left, but never more than two minutes early.
MARGIN_SHARE = 0.2
LONGEST_MARGIN = 120.0

# Refusals after which a new identity token may be accepted (warehouse/oidc/views.py): each gets one more attempt.
_WORTH_ANOTHER = frozenset({"invalid-token", "invalid-reuse-token", "invalid-pending-publisher"})
_BURN_PATIENCE = 3.0
_RUN_AGAIN = "Run the job again:"

# The audience of Sigstore's public instance and of its clients (docs.sigstore.dev, "OIDC in Fulcio").
SIGSTORE_AUDIENCE = "sigstore"


@frozen(kw_only=True)
class _Held:
    """An upload token, and until when it is used and valid, by this machine's clock."""

    authorization: BasicAuthorization
    scope: TokenScope
    use_until: float
    valid_until: float
    after_refusal: bool
    release: Callable[[], None] | None


class TrustedPublishingCredential:
    """Implements ``publishing.ports.Credential``; thread-safe. *purpose* applies until ``authenticate`` gets one."""

    def __init__(self, endpoints: Endpoints, tools: IdentityContext, purpose: Purpose | None = None) -> None:
        self._endpoints = endpoints
        self._tools = tools
        self._exchanger = OidcClient(endpoints, tools)
        self._purpose = purpose or Purpose()
        self._minting = threading.RLock()
        self._books = threading.Lock()
        self._identity: IdentityToken | None = None
        self._claims: Claims | None = None
        self._only_identity_used = False
        self._final: CiPublishError | None = None
        self._held: _Held | None = None
        self._unburnt: list[_Held] = []
        self._ended = False
        self._burnt: bool | None = None

    @property
    def state(self) -> CredentialState:
        """The kind, the CI, when the upload token expires (this machine's clock), and whether all are burned."""
        held, provider = self._held, self._tools.source.provider
        return CredentialState(
            kind=CredentialKind.TRUSTED_PUBLISHING,
            provider=provider.value if provider else None,
            expires=held.valid_until if held else None,
            burnt=self._burnt,
            scope=held.scope if held else None,
        )

    def missing_credential_error(self, purpose: Purpose | None = None) -> CiPublishError | None:
        """Return why the job has no identity for this index, or for Sigstore if attestations are required."""
        missing = self._tools.source.missing_identity_error(self._endpoints.pinned_audience)
        attesting = (purpose or self._purpose).attesting
        return missing or (self._tools.source.missing_identity_error(SIGSTORE_AUDIENCE) if attesting else None)

    def authenticate(self, purpose: Purpose | None = None, *, mint: bool = True) -> Claims | None:
        """Mint if the CI can issue another OIDC token; otherwise validate the claims of the only one, and keep it.

        Without *mint*, only validate the claims; the index is asked for nothing but its audience.
        """
        with self._minting:
            self._purpose = purpose or self._purpose
            if self._held is not None:
                return self._claims
            if missing := self.missing_credential_error():
                raise missing
            if self._tools.source.repeatable and mint:
                self._mint_upload_token()
            elif self._tools.source.repeatable:
                self._fetch_identity_token()
            elif self._identity is None:
                self._identity = self._fetch_identity_token()
                message = (
                    f"This job can exchange its identity with {self._endpoints.name} only once: the upload must finish"
                    " before the upload token expires (usually after 15 minutes)."
                )
                self._tools.emit(Noted(slug="one-identity-token", message=message, warning=False))
            return self._claims

    def authorization(self) -> Authorization:
        """Return an authorization that is valid now: the current token, or a new one shortly before that expires.

        If a new one cannot be obtained because of an outage, the current one is used until it expires.
        """
        with self._minting:
            held = self._held
            if held is None:
                return self._mint_upload_token().authorization
            if self._tools.clock() >= held.use_until and self._can_mint():
                try:
                    return self._mint_upload_token().authorization
                except (IndexUnavailable, IdentityUnavailable):
                    if self._tools.clock() >= held.valid_until:
                        raise
            elif self._tools.clock() >= held.valid_until:
                raise UploadTokenExpired(
                    f"The upload token for {self._endpoints.name} has expired, and this job has no unused identity"
                    " token to exchange.",
                    detail="A GitLab job has one OIDC identity token for each audience; uploading took longer than the"
                    " upload token was valid.",
                    hints=(
                        f"{_RUN_AGAIN} files that are already published are recognised, and only the rest is sent.",
                    ),
                )
            return held.authorization

    def renew(self, refused: Authorization | None) -> Authorization | None:
        """Return a token other than *refused*; None if none is available, or if a newly minted one was also refused."""
        with self._minting:
            held = self._held
            if held is not None and held.authorization != refused:
                return held.authorization
            if not self._can_mint() or (
                held is not None and held.after_refusal and self._tools.clock() < held.use_until
            ):
                return None
            return self._mint_upload_token(after_refusal=True).authorization

    def burn(self) -> None:
        """Burn every upload token of this run; one that arrives later is burned when it arrives."""
        with self._books:
            self._ended = True
        patience = min(_BURN_PATIENCE, max(0.0, self._tools.waiting.left()))
        minting_ended = self._minting.acquire(timeout=patience)
        try:
            self._burn_upload_tokens()
        finally:
            if minting_ended:
                self._minting.release()

    def _can_mint(self) -> bool:
        return self._tools.source.repeatable or not self._only_identity_used

    def _mint_upload_token(self, *, after_refusal: bool = False) -> _Held:
        """Mint an upload token; a final refusal is stored, and raised again without another request."""
        if self._final is not None:
            raise self._final
        try:
            return self._exchange_until_minted(after_refusal=after_refusal)
        except CiPublishError as error:
            if self._only_identity_used or isinstance(error, CredentialRejected):
                self._final = error
            raise

    def _exchange_until_minted(self, *, after_refusal: bool) -> _Held:
        """Exchange identity tokens, a new one for each attempt."""
        cured: set[str] = set()
        attempt = 1
        while True:
            kept, self._identity = self._identity, None
            identity = kept or self._fetch_identity_token()
            self._only_identity_used = not self._tools.source.repeatable
            answer = self._exchange_identity_once(identity, after_refusal=after_refusal)
            match answer:
                case _Held():
                    return answer
                case oidc_protocol.MintRefused():
                    curable = self._tools.source.repeatable and answer.code in _WORTH_ANOTHER - cured
                    if not curable:
                        raise explain_mint_refusal(answer, identity.claims, self._endpoints, self._purpose.projects)
                    cured.add(answer.code)
                case oidc_protocol.Unclear():
                    self._wait_or_raise_after_unclear_exchange(answer, attempt)
                case oidc_protocol.NotSupported() | oidc_protocol.PointsElsewhere():
                    raise self._exchanger.unsupported_exchange_error(answer)
                case _:
                    assert_never(answer)
            attempt += 1

    def _exchange_identity_once(
        self, identity: IdentityToken, *, after_refusal: bool
    ) -> (
        _Held
        | oidc_protocol.MintRefused
        | oidc_protocol.NotSupported
        | oidc_protocol.PointsElsewhere
        | oidc_protocol.Unclear
    ):
        """Send one identity token; no signal may interrupt before the upload token is stored."""
        with self._tools.shielded():
            answer = self._exchanger.mint_upload_token(identity.secret)
            if not isinstance(answer, oidc_protocol.Minted):
                return answer
            self._tools.mask(answer.token)
            ends = self._tools.clock() + answer.lifetime
            request = self._exchanger.burn_token_request(answer.token)
            held = _Held(
                authorization=BasicAuthorization(TOKEN_USER, answer.token),
                scope=answer.scope,
                use_until=ends - min(LONGEST_MARGIN, answer.lifetime * MARGIN_SHARE),
                valid_until=ends,
                after_refusal=after_refusal,
                release=self._tools.guard(request) if isinstance(request, HttpRequest) else None,
            )
            with self._books:
                self._held, self._burnt = held, False
                self._unburnt.append(held)
                ended = self._ended
            self._tools.emit(CredentialChanged(self._endpoints.name, self.state))
            if ended:
                self._burn_upload_tokens()
            return held

    def _wait_or_raise_after_unclear_exchange(self, unclear: oidc_protocol.Unclear, attempt: int) -> None:
        """Wait for another attempt, or raise an error if there is none."""
        what, repeatable = "the token exchange", self._tools.source.repeatable
        if not repeatable and (unclear.sent or unclear.again):
            raise MintAnswerLost(
                f"{self._endpoints.name} did not respond to {what}: {unclear.reason}",
                detail=(
                    "A GitLab job has one OIDC identity token for each audience, and an index accepts each token only"
                    " once, so it is not sent again. There is no way to know whether the response was lost or never"
                    " sent."
                ),
                hints=(
                    f"{_RUN_AGAIN} a new job has a new token, and files that are already published are recognised.",
                ),
            )
        if not repeatable or not self._exchanger.wait_before_exchange_retry(what, attempt, unclear):
            raise self._exchanger.exchange_unavailable_error(what, unclear)

    def _fetch_identity_token(self) -> IdentityToken:
        """Fetch an identity token and validate its claims; without one, raise before any request to the index."""
        if missing := self._tools.source.missing_identity_error(self._endpoints.pinned_audience):
            raise missing
        identity = self._tools.source.token(self._exchanger.required_audience())
        host, named = url_host(self._endpoints.upload), self._endpoints.named_audience
        others = [other for other in audiences_of_claims(identity.claims) if other != identity.audience]
        if foreign := [other for other in others if is_foreign_audience(other, host, named)]:
            raise AudienceRefused(
                f"The OIDC identity token for {self._endpoints.name} is also for {', '.join(foreign)[:200]}.",
                detail="With such a token, the index could impersonate this job elsewhere. It was not sent.",
                hints=("In `id_tokens:`, write one token for each audience.",),
            )
        if error := local_identity_refusal(identity.claims, self._endpoints, attesting=self._purpose.attesting):
            raise error
        self._claims = identity.claims
        return identity

    def _burn_upload_tokens(self) -> None:
        """Burn all tokens, and record whether that succeeded. Any failure is only a warning."""
        with self._books:
            tokens, self._unburnt = self._unburnt, []
        if not tokens:
            return
        all_burnt, index = True, self._endpoints.name
        for held in tokens:
            if self._tools.clock() > held.valid_until + LONGEST_MARGIN:
                continue
            try:
                answer = self._exchanger.burn_upload_token(held.authorization.secret)
            except Exception as error:  # noqa: BLE001  (nothing may hide the error that ends the run)
                answer = oidc_protocol.Unclear(reason=type(error).__name__, again=False)
            if held.release is not None:
                held.release()
            if isinstance(answer, oidc_protocol.Unclear):
                message = f"An upload token for {index} could not be burned: {answer.reason}"
                hint = "It expires by itself, usually 15 minutes after it was issued."
                self._tools.emit(Noted(slug="upload-token-not-burnt", message=message, hints=(hint,)))
            elif isinstance(answer, oidc_protocol.BurnNotOffered):
                message = (
                    f"{index} has no endpoint for burning upload tokens; the token of this run expires by itself,"
                    " usually"
                    " 15 minutes after it was issued."
                )
                self._tools.emit(Noted(slug="upload-token-not-burnt", message=message, warning=False))
            all_burnt = all_burnt and isinstance(answer, oidc_protocol.Burnt)
        self._burnt = all_burnt
        self._tools.emit(CredentialChanged(index, self.state))
