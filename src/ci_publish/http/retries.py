"""Whether to retry, and after how long (pure): one back-off with a policy for each kind of request.

The rules of requests to an index: at most five attempts and 300 seconds of waiting for one file; a wait that the index
asks for is honoured in full or not started; some of PyPI's refusals are worth one more attempt (a digest or an
archive damaged on the way, a verification that ended with an unknown error). Source: RFC 9110 §10.2.3 (Retry-After).
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum

from ci_publish.http.messages import NoAnswer, NoAnswerReason
from ci_publish.http.rate_limits import rate_limit_reset_wait
from ci_publish.model.frozen import frozen

MAX_ATTEMPTS = 5
MAX_TOTAL_WAIT = 300.0

TRANSIENT_STATUSES = frozenset({408, 425, 429})
THROTTLING_STATUSES = frozenset({429, 503})

_FINAL = frozenset(
    {
        NoAnswerReason.UNTRUSTED_CERTIFICATE,
        NoAnswerReason.INVALID_CERTIFICATE,
        NoAnswerReason.FILE_CHANGED,
        NoAnswerReason.CANCELLED,
        NoAnswerReason.REFUSED_LOCALLY,
    }
)


@frozen
class Backoff:
    """Waits that double with every attempt, from ``first`` to ``longest`` seconds.

    ``longest_asked`` is the longest wait, in seconds, that a server may ask for (Retry-After); longer ones are cut.
    """

    first: float
    longest: float
    longest_asked: float = MAX_TOTAL_WAIT

    def seconds_to_wait(self, attempts: int, random: float = 1.0) -> float:
        """Return the wait after so many attempts; *random*, in [0, 1), reduces it by at most half.

        Jobs that failed together do not come back together.
        """
        exponent = min(max(attempts - 1, 0), 30)
        return min(self.first * 2.0**exponent, self.longest) * (0.5 + random / 2)

    def seconds_to_wait_as_asked(self, attempts: int, random: float, asked: float | None) -> float:
        """Return the wait after so many attempts, or the longer one that the server *asked* for, within the limit."""
        own = self.seconds_to_wait(attempts, random)
        return own if asked is None else max(own, min(asked, self.longest_asked))


INDEX = Backoff(first=1.0, longest=60.0)
OIDC = Backoff(first=1.0, longest=30.0, longest_asked=60.0)
CONFIRMATION = Backoff(first=1.0, longest=20.0)


class SingleRetry(StrEnum):
    """Refusals that may be due to a damaged transfer or a passing fault: each is retried once for a file."""

    DIGEST_MISMATCH = "digest-mismatch"
    DAMAGED_TRANSFER = "damaged-transfer"
    ATTESTATION_ERROR = "attestation-error"
    MALFORMED_ANSWER = "malformed-answer"


@frozen
class FailedAttempt:
    """One failed attempt that may be retried. ``asked`` is the wait in seconds that the index asked for."""

    reason: str
    asked: float | None = None
    once: SingleRetry | None = None


@frozen
class RetryState:
    """What has been tried so far: attempts made, seconds waited between them, single retries used up."""

    attempts: int = 0
    waited: float = 0.0
    used: frozenset[SingleRetry] = field(default_factory=frozenset)

    def with_attempt(self) -> "RetryState":
        """Return the history after one more attempt."""
        return replace(self, attempts=self.attempts + 1)

    def without_last_attempt(self) -> "RetryState":
        """Return the history without the last attempt, which does not count."""
        return replace(self, attempts=self.attempts - 1)

    def with_wait(self, failure: FailedAttempt, wait: float) -> "RetryState":
        """Return the history after waiting because of *failure*."""
        used = self.used if failure.once is None else self.used | {failure.once}
        return replace(self, waited=self.waited + wait, used=used)


@frozen
class TryAgain:
    """Try again after ``wait`` seconds."""

    wait: float


@frozen
class GiveUp:
    """Do not try again; ``reason`` is the last failure and why it was the last."""

    reason: str


def decide_retry(
    history: RetryState,
    failure: FailedAttempt,
    *,
    random: float,
    left: float = MAX_TOTAL_WAIT,
    max_attempts: int = MAX_ATTEMPTS,
) -> TryAgain | GiveUp:
    """Return what to do after *failure*; *random* lies in [0, 1), *left* are the seconds left of the whole run."""
    if failure.once is not None and failure.once in history.used:
        return GiveUp(failure.reason)
    if history.attempts >= max_attempts:
        attempts = "1 attempt" if history.attempts == 1 else f"{history.attempts} attempts"
        return GiveUp(f"{failure.reason} (after {attempts})")
    allowed = max(0.0, min(MAX_TOTAL_WAIT - history.waited, left))
    if failure.asked is not None and failure.asked > allowed:
        return GiveUp(
            f"{failure.reason}; the index asks to wait {failure.asked:.0f} s, and only {allowed:.0f} s are left"
        )
    if allowed <= 0:
        return GiveUp(f"{failure.reason} (no time is left to try again)")
    wait = INDEX.seconds_to_wait(history.attempts, random) if failure.asked is None else failure.asked
    return TryAgain(min(wait, allowed))


def is_transient_status(status: int) -> bool:
    """Whether a request with this answer may be tried again later."""
    return status in TRANSIENT_STATUSES or 500 <= status <= 599  # noqa: PLR2004  (the class of server errors)


def is_transient_failure(no_answer: NoAnswer) -> bool:
    """Whether the same request may succeed later."""
    return no_answer.reason not in _FINAL


def failed_attempt_without_answer(no_answer: NoAnswer) -> FailedAttempt | None:
    """Return the failed attempt that got *no_answer*; None if the same request would fail again."""
    if not is_transient_failure(no_answer):
        return None
    once = SingleRetry.MALFORMED_ANSWER if no_answer.reason is NoAnswerReason.PROTOCOL else None
    return FailedAttempt(no_answer.text, once=once)


def server_requested_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Return how many seconds the index asks to wait, by Retry-After (both forms) or by an exhausted RateLimit.

    *headers* have lower-case names; *now* is in seconds since the epoch. None if it does not say, or not legibly.
    """
    waits = (parse_retry_after(headers.get("retry-after"), now), rate_limit_reset_wait(headers))
    return max((wait for wait in waits if wait is not None), default=None)


def parse_retry_after(value: str | None, now: float | None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date compared with *now*.

    None if there is no readable value, or a date and no *now*. Source: RFC 9110 §10.2.3.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment = parse_http_date(text)
    return None if moment is None or now is None else max(0.0, moment - now)


def parse_http_date(value: str) -> float | None:
    """Return the seconds since the epoch that an HTTP date (Date, Retry-After) means; None if it is not one."""
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):  # email.utils raises each of these for garbage
        return None
