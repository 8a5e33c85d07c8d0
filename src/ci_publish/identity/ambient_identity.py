"""The CI job's OIDC identity token.

``missing_identity_error`` checks the environment first, so that a missing permission or variable is reported before any
request for a token. The index's listing is fetched even earlier, because a run may need no identity. ``id`` fetches the
tokens, in a thread with a deadline of our own: ``id`` waits up to two minutes for a service that hangs, and does not
retry after a 5xx. GitLab's tokens are variables of the job and are read here: ``id`` refuses a token whose ``aud`` is a
list, and on a runner in Google Cloud it would use the machine's identity instead of the job's.

``id`` does not support proxies. If a proxy is set, our own transport fetches GitHub's token.

``id`` reads the environment of the process. ``CiEnvironment`` must have the same variables, except in tests that end
before a token is fetched.
"""

import re
import threading
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from random import random
from time import monotonic
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ci_publish.errors import IdentityUnavailable
from ci_publish.http import retries
from ci_publish.http.messages import BearerAuthorization, HttpRequest, NoAnswer, Transport
from ci_publish.http.response_texts import json_object_fields
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
from ci_publish.model.identity import IdentityToken, Provider, Secret
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


@frozen(kw_only=True)
class Fetching:
    """How tokens are fetched: with ``detect``, or over ``transport`` for GitHub if a proxy is set.

    ``clock`` is monotonic, in seconds; ``random`` returns a number in [0, 1); ``budget`` is the total time in seconds.
    """

    detect: Detect = fetch_token_with_id
    transport: Transport | None = None
    clock: Callable[[], float] = monotonic
    random: Callable[[], float] = random
    budget: float = BUDGET


class AmbientIdentity:
    """The identity of the CI job that runs us. Implements ``model.identity.IdentitySource``; thread-safe.

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
        behind_proxy = job.provider is Provider.GITHUB and any(job.variables.get(name) for name in _PROXY_VARIABLES)
        self._fetch_token = (
            partial(self._fetch_token_through_proxy, self._fetching.transport)
            if behind_proxy and self._fetching.transport is not None
            else self._fetch_token_in_thread
        )

    @property
    def provider(self) -> Provider | None:
        """The CI that this job runs in; None if it is not a known one."""
        return self._job.provider

    @property
    def repeatable(self) -> bool:
        """Whether each request returns a new token: everywhere except on GitLab."""
        return self._job.provider is not Provider.GITLAB

    def missing_identity_error(self, audience: str | None) -> IdentityUnavailable | None:
        """Return why no token can be fetched; see ``CiEnvironment.missing_identity_error``."""
        return self._job.missing_identity_error(audience)

    def token(self, audience: str) -> IdentityToken:
        """Fetch a token for *audience* and mask it. Raises IdentityUnavailable or a subclass."""
        provider = self._job.provider
        if provider is None:
            raise no_ci_identity_error()
        if missing := self.missing_identity_error(audience):
            raise missing
        if provider is Provider.GITLAB:
            text = self._job.variables[gitlab_id_token_variable(audience)].strip()
        else:
            text = self._fetch_token_with_retries(audience)
        secret = Secret(text)
        self._mask(secret)
        claims = decode_jwt_claims(text)
        if claims is None:
            raise self._provider_failed("its response is not an OIDC identity token")
        found = audiences_of_claims(claims)
        if audience not in found:
            said = ", ".join(found)[:200] or "nobody"
            if provider is Provider.GITLAB:
                raise wrong_gitlab_audience_error(gitlab_id_token_variable(audience), audience, said)
            raise self._provider_failed(f"the token is for {said}, not for {audience}")
        return IdentityToken(secret=secret, audience=audience, provider=provider, claims=claims)

    def _provider_failed(self, reason: str) -> IdentityUnavailable:
        return identity_provider_failed_error(self._job.provider, reason)

    def _fetch_token_with_retries(self, audience: str) -> str:
        """Request a token from the CI; retry after transient failures, within the total budget."""
        if request_token := self._job.variables.get(GITHUB_REQUEST[0]):
            self._mask(Secret(request_token))
        ends = self._fetching.clock() + min(self._fetching.budget, self._waiting.left())
        self._emit(WaitStarted("the CI to issue an OIDC identity token", max(0.0, ends - self._fetching.clock())))
        attempt = 1
        while True:
            try:
                return self._fetch_token(audience, ends - self._fetching.clock())
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

    def _fetch_token_in_thread(self, audience: str, seconds: float) -> str:
        """Fetch a token with ``id`` in a separate thread; after *seconds*, abandon the thread.

        A run that is being stopped does not wait: an identity token that was never exchanged can be lost.
        """
        outcome: list[str | Exception | None] = []

        def fetch() -> None:
            try:
                outcome.append(self._fetching.detect(audience))
            except Exception as error:  # noqa: BLE001  (passed to the waiting thread and mapped there)
                outcome.append(error)

        thread = threading.Thread(target=fetch, name="oidc-identity", daemon=True)
        thread.start()
        ends = monotonic() + seconds
        thread.join(min(max(0.0, seconds), _GLANCE))
        while thread.is_alive() and monotonic() < ends and not self._waiting.wait(0.0):
            thread.join(_GLANCE)
        if not outcome:
            raise _TransientTokenFailure(self._provider_failed(f"no response within {self._fetching.budget:g} s"))
        [fetched] = outcome
        if isinstance(fetched, Exception):
            raise self._map_id_library_error(fetched) from fetched
        if not fetched:
            raise self._provider_failed("it issued no token")
        return fetched

    def _map_id_library_error(self, error: Exception) -> Exception:
        """Map an exception of ``id``. Its text may include a response body, so only the beginning is repeated.

        Failed connections and the statuses 408, 429 and 5xx are transient.
        """
        text = " ".join(str(error).split())[:300] or type(error).__name__
        if type(error).__name__ == "GitHubOidcPermissionCredentialError":
            return no_id_token_permission_error(GITHUB_REQUEST[0])
        if status := re.search(r"code=(\d{3})", text):
            transient = _is_transient_token_status(int(status[1]))
        else:
            transient = "timed out" in text or type(error).__module__.startswith("urllib3")
        return _TransientTokenFailure(self._provider_failed(text)) if transient else self._provider_failed(text)

    def _fetch_token_through_proxy(self, transport: Transport, audience: str, seconds: float) -> str:
        """Fetch a token as ``id`` does (docs.github.com: "OpenID Connect reference", requesting the JWT)."""
        token, address = (self._job.variables[name] for name in GITHUB_REQUEST)
        parts = urlsplit(address)
        query = urlencode({**dict(parse_qsl(parts.query)), "audience": audience})
        request = HttpRequest(
            method="GET",
            url=urlunsplit(parts._replace(query=query)),
            headers={"Accept": "application/json"},
            authorization=BearerAuthorization(Secret(token)),
        )
        answer = transport.send(request, deadline=seconds)
        if isinstance(answer, NoAnswer):
            raise _TransientTokenFailure(self._provider_failed(answer.text))
        if answer.status != HTTPStatus.OK:
            error = self._provider_failed(f"HTTP {answer.status} {answer.reason}".strip())
            raise _TransientTokenFailure(error) if _is_transient_token_status(answer.status) else error
        value = json_object_fields(answer.body).get("value")
        if not isinstance(value, str):
            raise self._provider_failed("its response contains no token")
        return value


class _TransientTokenFailure(Exception):
    """A failure after which a retry may succeed; never leaves this module."""

    def __init__(self, error: IdentityUnavailable) -> None:
        super().__init__(error.summary)
        self.error = error


def _is_transient_token_status(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING
