"""When to retry after Sigstore failed (pure)."""

from collections.abc import Callable

from ci_publish.http.retries import Backoff

_SINGLE_PROBE_AFTER = 3


class SigstoreBackoff:
    """One back-off for all workers: exponential with jitter, Retry-After, and a single probe during long outages.

    Times are seconds of one monotonic clock, given by the caller. *jitter* returns a number in [0, 1).
    """

    def __init__(self, backoff: Backoff, jitter: Callable[[], float]) -> None:
        self._backoff = backoff
        self._jitter = jitter
        self._streak = 0
        self._since = float("-inf")
        self.resume = float("-inf")

    def pause_after_failure(self, started: float, now: float, retry_after: float) -> float:
        """Record a failed attempt; return the seconds for which nothing should be sent.

        Attempts that were already running when the pause began do not lengthen the back-off.
        """
        if started >= self._since:
            self._streak += 1
            self._since = now
            self.resume = max(self.resume, now + self._backoff.seconds_to_wait(self._streak, self._jitter()))
        self.resume = max(self.resume, now + retry_after)
        return max(0.0, self.resume - now)

    def note_outage_over(self) -> None:
        """Record a success: the outage, if there was one, is over."""
        self._streak = 0

    def allowed_attempts(self, workers: int) -> int:
        """Return how many attempts may run at once: one during an outage, otherwise *workers*."""
        return 1 if self._streak >= _SINGLE_PROBE_AFTER else workers
