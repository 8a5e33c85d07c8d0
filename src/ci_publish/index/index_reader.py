"""GET requests to an index: retries within a budget, and redirects by hand.

A credential never crosses origins, and no redirect leads from https to http.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin

from ci_publish.http.messages import Authorization, HttpAnswer, HttpRequest, NoAnswer, Transport
from ci_publish.http.response_texts import response_status_line
from ci_publish.http.retries import (
    MAX_ATTEMPTS,
    FailedAttempt,
    GiveUp,
    RetryState,
    decide_retry,
    failed_attempt_without_answer,
    is_transient_status,
    server_requested_wait,
)
from ci_publish.http.urls import have_same_origin, split_url
from ci_publish.index.current_endpoints import Sources
from ci_publish.model.events import Emit, Retrying
from ci_publish.model.waiting import Waiting

MAX_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True, kw_only=True)
class RetryBudget:
    """The limits of one query: attempts for each of its requests, and seconds until its last retry may begin."""

    began: float
    max_attempts: int = MAX_ATTEMPTS
    patience: float | None = None
    waited: float = 0.0

    def left(self, now: float) -> float:
        """Return the seconds that retries may still take; ``now`` is by the clock of ``began``."""
        return math.inf if self.patience is None else self.patience - max(self.waited, now - self.began)


class IndexReader:
    """Reads from one index. Thread-safe.

    *authorization* returns the credential that may be sent to an address. *index* is the name of the index in events.
    """

    def __init__(  # noqa: PLR0913  (collaborators, by name)
        self,
        *,
        transport: Transport,
        index: str,
        authorization: Callable[[str], Authorization | None],
        emit: Emit,
        waiting: Waiting,
        sources: Sources,
    ) -> None:
        self._transport = transport
        self._index = index
        self._authorization = authorization
        self._emit = emit
        self._waiting = waiting
        self._sources = sources

    def retry_budget(self, *, max_attempts: int = MAX_ATTEMPTS, patience: float | None = None) -> RetryBudget:
        """Return the budget of a query that begins now."""
        return RetryBudget(began=self._sources.clock(), max_attempts=max_attempts, patience=patience)

    def get(
        self, url: str, headers: Mapping[str, str], limit: int, what: str, budget: RetryBudget
    ) -> tuple[HttpAnswer | NoAnswer, str]:
        """GET with retries and redirects; return the response and the address that it came from.

        A redirect that is not followed is returned as it is: one from https to http, or one too many.
        """
        history = RetryState()
        while True:
            history = history.with_attempt()
            answer, at = self._get_following_redirects(url, headers, limit)
            failure: FailedAttempt | None = None
            if isinstance(answer, NoAnswer):
                failure = failed_attempt_without_answer(answer)
            elif is_transient_status(answer.status):
                asked = server_requested_wait(answer.headers, self._sources.clock())
                failure = FailedAttempt(f"the index responded with {response_status_line(answer)}", asked)
            if failure is None or self._waiting.stopped:
                return answer, at
            left = min(self._waiting.left(), budget.left(self._sources.clock()))
            decision = decide_retry(
                history, failure, random=self._sources.random(), left=left, max_attempts=budget.max_attempts
            )
            if isinstance(decision, GiveUp):
                return answer, at
            self._emit(
                Retrying(
                    what=what, attempt=history.attempts, reason=failure.reason, wait=decision.wait, index=self._index
                )
            )
            history = history.with_wait(failure, decision.wait)
            budget.waited += decision.wait
            self._waiting.wait(decision.wait)

    def _get_following_redirects(
        self, url: str, headers: Mapping[str, str], limit: int
    ) -> tuple[HttpAnswer | NoAnswer, str]:
        redirects = 0
        while True:
            request = HttpRequest(method="GET", url=url, headers=headers, authorization=self._authorization(url))
            answer = self._transport.send(request, limit=limit)
            if isinstance(answer, NoAnswer) or answer.status not in REDIRECTS or redirects == MAX_REDIRECTS:
                return answer, url
            target = index_redirect_target(url, answer)
            if not may_follow_index_redirect(url, target):
                return answer, url
            url, redirects = target, redirects + 1


def complete_body(answer: HttpAnswer | NoAnswer) -> bytes | None:
    """Return the body of a response with status 200 that arrived completely, None for everything else."""
    if isinstance(answer, NoAnswer) or answer.status != HTTPStatus.OK or answer.truncated:
        return None
    return answer.body


def index_redirect_target(url: str, answer: HttpAnswer) -> str:
    """Return the target of a redirect, or the address itself if it has none."""
    try:
        return urljoin(url, answer.headers.get("location", ""))
    except ValueError:
        return url


def may_follow_index_redirect(url: str, target: str) -> bool:
    """Whether a redirect may be followed: to another page of this origin, or elsewhere without leaving https."""
    if have_same_origin(target, url):
        return target != url
    parts = split_url(target)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme, split_url(url).scheme) == ("http", "http")
    )
