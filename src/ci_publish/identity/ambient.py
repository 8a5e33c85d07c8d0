"""The CI job's OIDC identity token.

The environment is looked at first (``missing``), so that what is missing there is said before anybody is asked about an
identity; the look at what the index has comes earlier, since a run may need no identity. Tokens are fetched through
``id``, in a thread with a deadline of ours: ``id`` waits up to two minutes for a service that hangs, and does not try
again after a 5xx. GitLab's tokens are variables of the job and read here: ``id`` refuses one whose ``aud`` is a list,
and on a runner in Google Cloud it would take the machine's identity for the job's.

``id`` knows no proxies. Where one is set, GitHub's token is fetched through our own transport, which does.

``id`` reads the process's own environment; *environ* must be the same one, except for tests of what happens before.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ci_publish.errors import (
    ForkPullRequest,
    GitLabIdTokenAudience,
    GitLabIdTokenMissing,
    IdentityProviderFailed,
    IdentityUnavailable,
    NoIdTokenPermission,
    PullRequestTarget,
)
from ci_publish.http import retries
from ci_publish.http.messages import BearerAuthorization, HttpRequest, NoAnswer, Transport
from ci_publish.identity.jwt import audiences, decode_claims
from ci_publish.model.events import Emit, Retrying
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims, IdentityToken, Provider, Secret
from ci_publish.model.waiting import Waiting

Detect = Callable[[str], str | None]
"""Fetches a token for an audience, None outside of any CI; raises ``id.IdentityError``."""

BUDGET = 30.0
_GLANCE = 0.1
_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_LARGEST_EVENT = 32 * 1024 * 1024
_DMI_PRODUCT = Path("/sys/class/dmi/id/product_name")
_GOOGLE_PRODUCTS = frozenset({"Google", "Google Compute Engine"})
_GITHUB_REQUEST = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL")

_ENVIRONMENTS = (
    # Variables of the job go before what the machine is: a GitLab or Buildkite runner may be a Google machine.
    ("GITHUB_ACTIONS", Provider.GITHUB),
    ("BUILDKITE", Provider.BUILDKITE),
    ("GITLAB_CI", Provider.GITLAB),
    ("CIRCLECI", Provider.CIRCLECI),
    ("GOOGLE_SERVICE_ACCOUNT_NAME", Provider.GOOGLE),
)

# Runners that set GITHUB_ACTIONS, too. Their identity, where they have one, has an issuer of its own.
_RUNNERS = (("FORGEJO_ACTIONS", "Forgejo Actions"), ("GITEA_ACTIONS", "Gitea Actions"), ("ACT", "act"))


def runner(environ: Mapping[str, str]) -> str | None:
    """Return the name of a runner that passes for GitHub's; None on GitHub and everywhere else."""
    return next((name for variable, name in _RUNNERS if environ.get(variable) not in {None, "", "false"}), None)


_NAMES: dict[Provider | None, str] = {
    None: "This machine",
    Provider.GITHUB: "GitHub",
    Provider.GITLAB: "GitLab",
    Provider.GOOGLE: "Google Cloud",
    Provider.BUILDKITE: "Buildkite",
    Provider.CIRCLECI: "CircleCI",
}

_PERMISSION_LINES = "permissions:\n  id-token: write  # for the publishing job"


def detect_with_id(audience: str) -> str | None:
    """Fetch a token with ``id``, which is imported only now."""
    import id as ambient_id  # noqa: PLC0415  (lazily: most commands never need it)

    return ambient_id.detect_credential(audience)


def read_google_product() -> str:
    """Return what the machine's firmware says it is; empty where it does not say."""
    try:
        return _DMI_PRODUCT.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def read_event(path: str) -> bytes:
    """Return the payload of the event that started a GitHub workflow; empty where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(_LARGEST_EVENT)
    except (OSError, ValueError):
        return b""


def gitlab_variable(audience: str) -> str:
    """Return the name of the variable in which a GitLab job finds its token for *audience* (the rule of ``id``)."""
    return f"{re.sub(r'[^A-Z0-9_]|^[^A-Z_]', '_', audience.upper())}_ID_TOKEN"


def can_request(environ: Mapping[str, str]) -> bool:
    """Return whether the environment holds what a request for an identity token needs; nothing is asked or sent."""
    match _provider(environ, str):
        case None:
            return False
        case Provider.GITHUB:
            return all(environ.get(name) for name in _GITHUB_REQUEST)
        case Provider.GITLAB:
            return any(value and name.endswith("_ID_TOKEN") for name, value in environ.items())
        case _:
            return True


@frozen
class _Fetched:
    value: str | None


class AmbientIdentity:
    """The identity of the CI job that runs us. Implements ``publishing.ports.IdentitySource``; thread-safe.

    ``mask`` is called with every token before it is decoded, returned or mentioned in an event. ``transport`` is used
    for GitHub where the environment names a proxy.
    """

    def __init__(  # noqa: PLR0913  (collaborators with defaults: each one is what a test replaces)
        self,
        *,
        environ: Mapping[str, str],
        mask: Callable[[Secret], None],
        waiting: Waiting,
        emit: Emit,
        random: Callable[[], float],
        detect: Detect = detect_with_id,
        clock: Callable[[], float] = monotonic,
        read_event: Callable[[str], bytes] = read_event,
        machine: Callable[[], str] = read_google_product,
        transport: Transport | None = None,
        budget: float = BUDGET,
    ) -> None:
        self._environ = environ
        self._mask = mask
        self._waiting = waiting
        self._emit = emit
        self._random = random
        self._detect = detect
        self._clock = clock
        self._read_event = read_event
        self._provider = _provider(environ, machine)
        self._proxied = transport if any(environ.get(name) for name in _PROXY_VARIABLES) else None
        self._budget = budget

    @property
    def provider(self) -> Provider | None:
        """Which CI this is."""
        return self._provider

    @property
    def repeatable(self) -> bool:
        """Whether each request brings a fresh token: everywhere but on GitLab."""
        return self._provider is not Provider.GITLAB

    def token(self, audience: str) -> IdentityToken:
        """Fetch a token for *audience*, masked. Raises IdentityUnavailable or one of its kinds."""
        provider = self._provider
        if provider is None:
            raise _nowhere()
        if missing := self.missing(audience):
            raise missing
        text = self._gitlab_token(audience) if provider is Provider.GITLAB else self._fetch(audience)
        secret = Secret(text)
        self._mask(secret)
        return IdentityToken(
            secret=secret, audience=audience, provider=provider, claims=self._checked_claims(text, audience)
        )

    def missing(self, audience: str | None) -> IdentityUnavailable | None:
        """Return what stands in the way of a token, as far as the environment tells; nothing is asked or sent.

        With None, the audience is not known yet: what only it decides (GitLab's variable) is left open.
        """
        match self._provider:
            case None:
                return _nowhere()
            case Provider.GITHUB:
                return self._missing_on_github()
            case Provider.GITLAB:
                return self._missing_on_gitlab(audience)
            case _:
                return None

    def _missing_on_github(self) -> IdentityUnavailable | None:
        event = self._environ.get("GITHUB_EVENT_NAME", "")
        if event == "pull_request_target":
            return _pull_request_target()
        absent = [name for name in _GITHUB_REQUEST if not self._environ.get(name)]
        if not absent:
            return None
        if (other := runner(self._environ)) is not None:
            return _not_githubs(other)
        if is_fork_event(self._read_event(self._environ.get("GITHUB_EVENT_PATH", ""))):
            return _fork(event)
        return _no_permission(absent[0])

    def _missing_on_gitlab(self, audience: str | None) -> IdentityUnavailable | None:
        if audience is None:
            return None
        name = gitlab_variable(audience)
        return None if self._environ.get(name) else _no_gitlab_variable(name, audience)

    def _gitlab_token(self, audience: str) -> str:
        return self._environ[gitlab_variable(audience)].strip()

    def _fetch(self, audience: str) -> str:
        """Ask the CI, again after failures that may pass, for at most the budget in all."""
        if request_token := self._environ.get(_GITHUB_REQUEST[0]):
            self._mask(Secret(request_token))
        ends = self._clock() + min(self._budget, self._waiting.left())
        attempt = 1
        while True:
            try:
                return self._attempt(audience, ends - self._clock())
            except _Passing as failure:
                wait = retries.OIDC.wait(attempt, self._random())
                if self._clock() + wait >= ends or self._waiting.stopped:
                    raise failure.error from failure.__cause__
                self._emit(
                    Retrying(what="the OIDC identity token", attempt=attempt, reason=failure.error.summary, wait=wait)
                )
                if self._waiting.wait(wait):
                    raise failure.error from failure.__cause__
                attempt += 1

    def _attempt(self, audience: str, seconds: float) -> str:
        if self._proxied is not None and self._provider is Provider.GITHUB:
            return self._attempt_proxied(self._proxied, audience, seconds)
        outcome = _in_thread(lambda: self._detect(audience), seconds, self._waiting)
        if outcome is None:
            raise _Passing(_failed(self._name(), f"no answer within {self._budget:g} s"))
        if isinstance(outcome, Exception):
            raise self._mapped(outcome) from outcome
        if not outcome.value:
            raise _failed(self._name(), "it gave no token")
        return outcome.value

    def _attempt_proxied(self, transport: Transport, audience: str, seconds: float) -> str:
        answer = transport.send(_github_request(self._environ, audience), deadline=seconds)
        if isinstance(answer, NoAnswer):
            raise _Passing(_failed(self._name(), answer.text))
        if answer.status != HTTPStatus.OK:
            failed = _failed(self._name(), f"HTTP {answer.status} {answer.reason}".strip())
            raise _Passing(failed) if _status_may_pass(answer.status) else failed
        return self._github_value(answer.body)

    def _github_value(self, body: bytes) -> str:
        try:
            value = json.loads(body)["value"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _failed(self._name(), "its answer holds no token") from error
        if not isinstance(value, str):
            raise _failed(self._name(), "its answer holds no token")
        return value

    def _mapped(self, error: Exception) -> Exception:
        """Map what ``id`` raises; its texts may hold an answer's body, which is not repeated beyond its beginning."""
        text = " ".join(str(error).split())[:300] or type(error).__name__
        if _is_permission_error(error):
            return _no_permission(_GITHUB_REQUEST[0])
        failed = _failed(self._name(), text)
        return _Passing(failed, error) if _may_pass(error, text) else failed

    def _checked_claims(self, token: str, audience: str) -> Claims:
        claims = decode_claims(token)
        if claims is None:
            raise _failed(self._name(), "what it gave is not an OIDC identity token")
        if audience not in audiences(claims):
            raise self._wrong_audience(audience, audiences(claims))
        return claims

    def _wrong_audience(self, audience: str, found: tuple[str, ...]) -> IdentityUnavailable:
        said = ", ".join(found)[:200] or "nobody"
        if self._provider is not Provider.GITLAB:
            return _failed(self._name(), f"the token is for {said}, not for {audience}")
        name = gitlab_variable(audience)
        return GitLabIdTokenAudience(
            f"The token in {name} is for {said}, not for {audience}.",
            detail="Its `aud` in `id_tokens:` does not say what the variable's name says.",
            hints=_gitlab_lines(name, audience),
        )

    def _name(self) -> str:
        return _NAMES[self._provider]


class _Passing(Exception):
    """A failure that another attempt may cure; never leaves this module."""

    def __init__(self, error: IdentityUnavailable, cause: Exception | None = None) -> None:
        super().__init__(error.summary)
        self.error = error
        self.__cause__ = cause


def is_fork_event(payload: bytes) -> bool:
    """Return whether a GitHub event's payload is about a pull request from another repository."""
    try:
        pull_request = json.loads(payload)["pull_request"]
        head, base = pull_request["head"]["repo"], pull_request["base"]["repo"]
        return head is None or bool(head["full_name"] != base["full_name"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _provider(environ: Mapping[str, str], machine: Callable[[], str]) -> Provider | None:
    """Tell the CI by its variables (any text counts, as for ``id``: gitlab-ci-local says ``GITLAB_CI=false``)."""
    for name, provider in _ENVIRONMENTS:
        if environ.get(name):
            return provider
    return Provider.GOOGLE if machine() in _GOOGLE_PRODUCTS else None


def _in_thread(work: Callable[[], str | None], seconds: float, waiting: Waiting) -> _Fetched | Exception | None:
    """Run *work* in a thread of its own for at most *seconds*: None if it is still not done (and is left behind).

    A run that is being stopped waits no longer: an identity token that nobody exchanged is worth nothing to lose.
    """
    outcome: list[_Fetched | Exception] = []

    def run() -> None:
        try:
            outcome.append(_Fetched(work()))
        except Exception as error:  # noqa: BLE001  (handed over to the waiting thread, and mapped there)
            outcome.append(error)

    thread = threading.Thread(target=run, name="oidc-identity", daemon=True)
    thread.start()
    ends = monotonic() + seconds
    thread.join(min(max(0.0, seconds), _GLANCE))
    while thread.is_alive() and monotonic() < ends and not waiting.wait(0.0):
        thread.join(_GLANCE)
    return outcome[0] if outcome else None


def _not_githubs(name: str) -> IdentityUnavailable:
    return IdentityUnavailable(
        f"{name} gives this job no OIDC identity token.",
        detail="It sets the variables of GitHub Actions, but not those with which a job requests an identity token.",
        hints=("Set CI_PUBLISH_PASSWORD to an API token, or pass it on standard input.",),
    )


def _is_permission_error(error: Exception) -> bool:
    return type(error).__name__ == "GitHubOidcPermissionCredentialError"


def _may_pass(error: Exception, text: str) -> bool:
    """Tell whether another attempt may bring a token: a failed connection, 408, 429 or any 5xx."""
    status = re.search(r"code=(\d{3})", text)
    if status:
        return _status_may_pass(int(status[1]))
    module: Any = type(error).__module__
    return "timed out" in text or str(module).startswith("urllib3")


def _status_may_pass(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING


def _github_request(environ: Mapping[str, str], audience: str) -> HttpRequest:
    """Ask for a token as ``id`` does (docs.github.com: "OpenID Connect reference", requesting the JWT)."""
    token, address = (environ[name] for name in _GITHUB_REQUEST)
    parts = urlsplit(address)
    query = urlencode({**dict(parse_qsl(parts.query)), "audience": audience})
    url = urlunsplit(parts._replace(query=query))
    return HttpRequest(
        method="GET", url=url, headers={"Accept": "application/json"}, authorization=BearerAuthorization(Secret(token))
    )


def _failed(provider: str, reason: str) -> IdentityProviderFailed:
    return IdentityProviderFailed(
        f"{provider} did not give an OIDC identity token: {reason}",
        detail="The job may ask for one, so this is usually an outage of the CI's own identity service.",
        hints=("Run the job again; if it stays, look at the status page of your CI.",),
    )


def _nowhere() -> IdentityUnavailable:
    return IdentityUnavailable(
        "Not running in a CI that issues OIDC identity tokens.",
        detail="GitHub Actions, GitLab CI, Google Cloud, Buildkite and CircleCI are known; this looks like none.",
        hints=(
            "In a container or a child process, pass the CI's variables on.",
            "Elsewhere, give an API token: set CI_PUBLISH_PASSWORD.",
        ),
    )


def _pull_request_target() -> PullRequestTarget:
    return PullRequestTarget(
        "This workflow was started by `pull_request_target`, and nothing is published from there.",
        detail="It runs with your permissions on what others propose; PyPI refuses its identity since March 2026.",
        hints=("Publish from `release`, `push` of a tag, or `workflow_dispatch`.",),
    )


def _fork(event: str) -> ForkPullRequest:
    return ForkPullRequest(
        f"This workflow runs for a pull request from a fork ({event}), which gets no OIDC identity token.",
        detail="GitHub gives these workflows no such token, even where `id-token: write` is configured.",
        hints=("Publish from an event that forks cannot start: `release`, `push` of a tag, `workflow_dispatch`.",),
    )


def _no_permission(variable: str) -> NoIdTokenPermission:
    return NoIdTokenPermission(
        "This job may not ask GitHub for an OIDC identity token: `id-token: write` is missing.",
        detail=f"{variable} is not set; GitHub sets it for jobs with that permission.",
        hints=(
            f"Add to the job that publishes:\n{_PERMISSION_LINES}",
            "If a reusable workflow holds the job, its caller must grant the permission as well.",
            "In a container of your own, pass ACTIONS_ID_TOKEN_REQUEST_TOKEN and ACTIONS_ID_TOKEN_REQUEST_URL on.",
        ),
    )


def _no_gitlab_variable(name: str, audience: str) -> GitLabIdTokenMissing:
    return GitLabIdTokenMissing(
        f"This GitLab job has no OIDC identity token for {audience}: the variable {name} is not set.",
        detail="GitLab gives a job only the tokens that its `id_tokens:` declares.",
        hints=_gitlab_lines(name, audience),
    )


def _gitlab_lines(name: str, audience: str) -> tuple[str, ...]:
    return (f"Add to the job that publishes:\nid_tokens:\n  {name}:\n    aud: {audience}",)
