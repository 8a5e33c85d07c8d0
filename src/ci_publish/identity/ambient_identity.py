"""The CI job's OIDC identity token.

The environment is looked at first (``missing``), so that what is missing there is said before anybody is asked about an
identity; the look at what the index has comes earlier, since a run may need no identity. Tokens are fetched through
``id``, in a thread with a deadline of ours: ``id`` waits up to two minutes for a service that hangs, and does not try
again after a 5xx. GitLab's tokens are variables of the job and read here: ``id`` refuses one whose ``aud`` is a list,
and on a runner in Google Cloud it would take the machine's identity for the job's.

``id`` knows no proxies. Where one is set, GitHub's token is fetched through our own transport, which does.

``id`` reads the process's own environment; the ``CiEnvironment`` must be the same one, except
for tests of what happens before.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from random import random
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ci_publish.errors import IdentityUnavailable
from ci_publish.http import retries
from ci_publish.http.messages import BearerAuthorization, HttpRequest, NoAnswer, Transport
from ci_publish.identity.ci_environment import GITHUB_REQUEST, CiEnvironment, gitlab_id_token_variable
from ci_publish.identity.identity_errors import (
    identity_provider_failed_error,
    no_ci_identity_error,
    no_id_token_permission_error,
    wrong_gitlab_audience_error,
)
from ci_publish.identity.jwt import audiences_of_claims, decode_jwt_claims
from ci_publish.model.events import Emit, Retrying, WaitStarted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims, IdentityToken, Provider, Secret
from ci_publish.model.waiting import Waiting

Detect = Callable[[str], str | None]
"""Fetches a token for an audience, None outside of any CI; raises ``id.IdentityError``."""

BUDGET = 30.0
_GLANCE = 0.1
_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


def fetch_token_with_id(audience: str) -> str | None:
    """Fetch a token with ``id``, which is imported only now."""
    import id as ambient_id  # noqa: PLC0415  (lazily: most commands never need it)

    return ambient_id.detect_credential(audience)


@frozen
class _Fetched:
    value: str | None


@frozen(kw_only=True)
class Fetching:
    """How tokens are fetched: with ``detect``, or over ``transport`` for GitHub where a proxy is set.

    ``clock`` is monotonic, in seconds, ``random`` a source of numbers in [0, 1), and ``budget`` the seconds in all.
    """

    detect: Detect = fetch_token_with_id
    transport: Transport | None = None
    clock: Callable[[], float] = monotonic
    random: Callable[[], float] = random
    budget: float = BUDGET


class AmbientIdentity:
    """The identity of the CI job that runs us. Implements ``publishing.ports.IdentitySource``; thread-safe.

    *mask* is called with every token before it is decoded, returned or mentioned in an event.
    """

    def __init__(
        self,
        *,
        job: CiEnvironment,
        mask: Callable[[Secret], None],
        waiting: Waiting,
        emit: Emit,
        fetching: Fetching | None = None,
    ) -> None:
        self._job = job
        self._mask = mask
        self._waiting = waiting
        self._emit = emit
        self._fetching = fetching or Fetching()
        behind_proxy = any(job.variables.get(name) for name in _PROXY_VARIABLES)
        self._proxied = self._fetching.transport if behind_proxy and job.provider is Provider.GITHUB else None

    @property
    def provider(self) -> Provider | None:
        """Which CI this is."""
        return self._job.provider

    @property
    def repeatable(self) -> bool:
        """Whether each request brings a fresh token: everywhere but on GitLab."""
        return self._job.provider is not Provider.GITLAB

    def missing_identity_error(self, audience: str | None) -> IdentityUnavailable | None:
        """Return what stands in the way of a token; see ``CiEnvironment.missing_identity_error``."""
        return self._job.missing_identity_error(audience)

    def token(self, audience: str) -> IdentityToken:
        """Fetch a token for *audience*, masked. Raises IdentityUnavailable or one of its kinds."""
        provider = self._job.provider
        if provider is None:
            raise no_ci_identity_error()
        if missing := self.missing_identity_error(audience):
            raise missing
        in_gitlab = provider is Provider.GITLAB
        text = (
            self._job.variables[gitlab_id_token_variable(audience)].strip()
            if in_gitlab
            else self._fetch_token_with_retries(audience)
        )
        secret = Secret(text)
        self._mask(secret)
        return IdentityToken(
            secret=secret,
            audience=audience,
            provider=provider,
            claims=self._require_claims_for_audience(text, audience),
        )

    def _fetch_token_with_retries(self, audience: str) -> str:
        """Ask the CI, again after failures that may pass, for at most the budget in all."""
        if request_token := self._job.variables.get(GITHUB_REQUEST[0]):
            self._mask(Secret(request_token))
        ends = self._fetching.clock() + min(self._fetching.budget, self._waiting.left())
        self._emit(WaitStarted("the CI to issue an OIDC identity token", max(0.0, ends - self._fetching.clock())))
        attempt = 1
        while True:
            try:
                return self._fetch_token_once(audience, ends - self._fetching.clock())
            except _TransientTokenFailure as failure:
                wait = retries.OIDC.seconds_to_wait(attempt, self._fetching.random())
                if self._fetching.clock() + wait >= ends or self._waiting.stopped:
                    raise failure.error from failure.__cause__
                self._emit(
                    Retrying(what="the OIDC identity token", attempt=attempt, reason=failure.error.summary, wait=wait)
                )
                if self._waiting.wait(wait):
                    raise failure.error from failure.__cause__
                attempt += 1

    def _fetch_token_once(self, audience: str, seconds: float) -> str:
        if self._proxied is not None:
            return self._fetch_token_through_proxy(self._proxied, audience, seconds)
        outcome = _fetch_token_in_thread(lambda: self._fetching.detect(audience), seconds, self._waiting)
        if outcome is None:
            raise _TransientTokenFailure(
                identity_provider_failed_error(self._job.provider, f"no answer within {self._fetching.budget:g} s")
            )
        if isinstance(outcome, Exception):
            raise self._map_id_library_error(outcome) from outcome
        if not outcome.value:
            raise identity_provider_failed_error(self._job.provider, "it gave no token")
        return outcome.value

    def _fetch_token_through_proxy(self, transport: Transport, audience: str, seconds: float) -> str:
        answer = transport.send(_github_token_request(self._job.variables, audience), deadline=seconds)
        if isinstance(answer, NoAnswer):
            raise _TransientTokenFailure(identity_provider_failed_error(self._job.provider, answer.text))
        if answer.status != HTTPStatus.OK:
            error = identity_provider_failed_error(self._job.provider, f"HTTP {answer.status} {answer.reason}".strip())
            raise _TransientTokenFailure(error) if _is_transient_token_status(answer.status) else error
        return self._parse_github_token_response(answer.body)

    def _parse_github_token_response(self, body: bytes) -> str:
        try:
            value = json.loads(body)["value"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise identity_provider_failed_error(self._job.provider, "its answer holds no token") from error
        if not isinstance(value, str):
            raise identity_provider_failed_error(self._job.provider, "its answer holds no token")
        return value

    def _map_id_library_error(self, error: Exception) -> Exception:
        """Map what ``id`` raises; its texts may hold an answer's body, which is not repeated beyond its beginning."""
        text = " ".join(str(error).split())[:300] or type(error).__name__
        if type(error).__name__ == "GitHubOidcPermissionCredentialError":
            return no_id_token_permission_error(GITHUB_REQUEST[0])
        mapped = identity_provider_failed_error(self._job.provider, text)
        return _TransientTokenFailure(mapped, error) if _is_transient_id_error(error, text) else mapped

    def _require_claims_for_audience(self, token: str, audience: str) -> Claims:
        claims = decode_jwt_claims(token)
        if claims is None:
            raise identity_provider_failed_error(self._job.provider, "what it gave is not an OIDC identity token")
        if audience not in audiences_of_claims(claims):
            raise self._wrong_audience_error(audience, audiences_of_claims(claims))
        return claims

    def _wrong_audience_error(self, audience: str, found: tuple[str, ...]) -> IdentityUnavailable:
        said = ", ".join(found)[:200] or "nobody"
        if self._job.provider is not Provider.GITLAB:
            return identity_provider_failed_error(self._job.provider, f"the token is for {said}, not for {audience}")
        return wrong_gitlab_audience_error(gitlab_id_token_variable(audience), audience, said)


class _TransientTokenFailure(Exception):
    """A failure that another attempt may cure; never leaves this module."""

    def __init__(self, error: IdentityUnavailable, cause: Exception | None = None) -> None:
        super().__init__(error.summary)
        self.error = error
        self.__cause__ = cause


def _fetch_token_in_thread(
    work: Callable[[], str | None], seconds: float, waiting: Waiting
) -> _Fetched | Exception | None:
    """Run *work* in a thread of its own for at most *seconds*: None if it is still not done (and is left behind).

    A run that is being stopped waits no longer: an identity token that nobody exchanged is worth nothing to lose.
    """
    outcome: list[_Fetched | Exception] = []

    def fetch() -> None:
        try:
            outcome.append(_Fetched(work()))
        except Exception as error:  # noqa: BLE001  (handed over to the waiting thread, and mapped there)
            outcome.append(error)

    thread = threading.Thread(target=fetch, name="oidc-identity", daemon=True)
    thread.start()
    ends = monotonic() + seconds
    thread.join(min(max(0.0, seconds), _GLANCE))
    while thread.is_alive() and monotonic() < ends and not waiting.wait(0.0):
        thread.join(_GLANCE)
    return outcome[0] if outcome else None


def _is_transient_id_error(error: Exception, text: str) -> bool:
    """Return whether another attempt may bring a token: after a failed connection, 408, 429 or any 5xx."""
    status = re.search(r"code=(\d{3})", text)
    if status:
        return _is_transient_token_status(int(status[1]))
    module: Any = type(error).__module__
    return "timed out" in text or str(module).startswith("urllib3")


def _is_transient_token_status(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING


def _github_token_request(environ: Mapping[str, str], audience: str) -> HttpRequest:
    """Ask for a token as ``id`` does (docs.github.com: "OpenID Connect reference", requesting the JWT)."""
    token, address = (environ[name] for name in GITHUB_REQUEST)
    parts = urlsplit(address)
    query = urlencode({**dict(parse_qsl(parts.query)), "audience": audience})
    url = urlunsplit(parts._replace(query=query))
    return HttpRequest(
        method="GET", url=url, headers={"Accept": "application/json"}, authorization=BearerAuthorization(Secret(token))
    )
