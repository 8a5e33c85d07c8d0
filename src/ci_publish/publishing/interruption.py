"""When a run must end: signals, its deadline, and what may finish before."""

import _thread
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ci_publish.errors import (
    CiPublishError,
    IdentityUnavailable,
    IndexUnavailable,
    Interrupted,
    SigningFailed,
    Terminated,
)
from ci_publish.hints import Hint, option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ci_publish.http.messages import HttpRequest

# GitHub sends SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL: uploads in flight get 5 s, and a mint request whose
# answer is still to come (a token that must be burned) a little longer.
GRACE = 5.0
# The last request for the listing, after uploads were cut, starts when their grace period is over.
LAST_QUESTION_GRACE = 6.5
SHIELDED_GRACE = 8.0
BURNING_GRACE = 9.0

_MORE_TIME = Hint("Give it more time: ", option("deadline", "SECONDS"))
_SENDING = ("publish", "rehearse")
_SENDING_NOTHING = ("check", "attest", "plan", "diff", "verify", "doctor")
_RUN_AGAIN = (
    Hint(
        "Run it again: files that are already published are recognised, and the rest is completed.",
        not_for=_SENDING_NOTHING,
    ),
    Hint("Run it again.", not_for=_SENDING),
)
_SIGTERM = 15
# The errors of requests that were cut or not retried. A refusal stays the error, even if the run was stopped.
_MADE_BY_STOPPING = (IdentityUnavailable, IndexUnavailable, SigningFailed)


class Guard(Protocol):
    """Burns upload tokens from another process, if the run itself can no longer do so."""

    def keep(self, request: "HttpRequest", allow_http: "Sequence[str]") -> Callable[[], None]:
        """Store *request*, which burns a token; return a function to call when it is no longer needed."""


class Interruption:
    """Implements ``model.waiting.Waiting``: one object per run, shared by all its threads.

    Signal handlers call ``request_stop``, which only sets a flag, so that no response is lost half-read. A second
    signal immediately cuts the requests in flight. ``guard``: see ``Guard``; a run without a watcher has none.
    """

    def __init__(self, deadline: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deadline = deadline
        self._ends = clock() + deadline
        self._event = threading.Event()
        self._lock = threading.RLock()
        self._signal: int | None = None
        self._requested = 0.0
        self._forced = False
        self._shields = 0
        self._last_question = False
        self._immediate = False
        self._heard: Counter[str] = Counter()
        self._signals = 0
        self._last_failure = ""
        self._last: list[Callable[[], object]] = []
        self.guard: Guard | None = None

    def request_stop(self, signal_number: int, *, heard_by: str = "handler") -> None:
        """Ask the run to end because of a signal; the second signal cuts the requests in flight.

        A signal may be received twice: by its handler in the main thread, and by the watcher (``cli.watcher``). Raises
        Interrupted in the main thread, from which the handler calls, during a step that may be interrupted anywhere.
        """
        with self._lock:
            self._heard[heard_by] += 1
            if self._heard[heard_by] > self._signals:
                self._signals += 1
                self._forced = self._signal is not None
                if self._signal is None:
                    self._signal, self._requested = signal_number, self._clock()
        # Not set here: a handler can interrupt the main thread while it holds the event's own lock.
        _thread.start_new_thread(self._event.set, ())
        if heard_by == "handler":
            self.raise_in_immediate_step()

    def raise_in_immediate_step(self) -> None:
        """Raise the error of a stopped run in the main thread, during a step that may be interrupted anywhere."""
        if self._immediate and self.stopped:
            self._immediate = False
            raise self.error()

    def remember_failure(self, reason: str) -> None:
        """Store *reason*, a failure that is retried: it is reported as the cause if the deadline passes first.

        An empty reason clears it.
        """
        self._last_failure = reason.removesuffix(".")

    def when_abandoned(self, work: Callable[[], object]) -> None:
        """Register *work* for a run that does not end long after it was asked to; another thread does it."""
        self._last.append(work)

    def abandon(self) -> None:
        """Do the registered work for a run that does not end: burn its upload tokens."""
        for work in tuple(self._last):
            work()

    def seconds_since_stop(self) -> float | None:
        """Return the seconds since a signal or the deadline asked the run to end; None if neither has."""
        moments = [self._clock() - self._ends, self.seconds_since_signal() or 0.0]
        return max(moments) if self.stopped else None

    @property
    def stopped(self) -> bool:
        """Whether no new work may begin."""
        return self._signal is not None or self._clock() >= self._ends

    @property
    def cut(self) -> bool:
        """Whether work in flight must end now."""
        if self._signal is None:
            return self.left() == 0.0
        elapsed = self._clock() - self._requested
        if self._shields:
            return elapsed >= SHIELDED_GRACE
        return self._forced or elapsed >= (LAST_QUESTION_GRACE if self._last_question else GRACE)

    def wait(self, seconds: float) -> bool:
        """Sleep at most *seconds* and never past the deadline; return whether the run is stopped."""
        self._event.wait(max(0.0, min(seconds, self.left())))
        return self.stopped

    def left(self) -> float:
        """Return the seconds left until the deadline; the last question is allowed a little later."""
        return max(0.0, self._ends + (GRACE if self._last_question else 0.0) - self._clock())

    def grace_period(self) -> "GracePeriod":
        """Return a view for requests that must still be sent while a run is being stopped: minting and burning."""
        return GracePeriod(self)

    def seconds_since_signal(self) -> float | None:
        """Return the seconds since a signal asked the run to end; None without a signal."""
        return None if self._signal is None else self._clock() - self._requested

    def error(self) -> CiPublishError:
        """Return the error that a stopped run ends with; at the deadline, it names the last failure."""
        if self._signal is None:
            summary = f"The run did not finish within its deadline of {self._deadline:g} s."
            detail = (
                f"The last failure before that, which would have been retried: {self._last_failure}."
                if self._last_failure
                else "The network, the index, Sigstore or a check was slow; the lines above show what it was waiting"
                " for."
            )
            return IndexUnavailable(summary, detail=detail, hints=(*_RUN_AGAIN, _MORE_TIME))
        if self._signal == _SIGTERM:
            why = (
                "Usually the CI cancelled the job, or the job timed out. The lines above show the status of each file."
            )
            return Terminated("The run was stopped by SIGTERM.", detail=why, hints=_RUN_AGAIN)
        why = "Usually somebody pressed Ctrl-C. The lines above show the status of each file."
        return Interrupted("The run was stopped by SIGINT.", detail=why, hints=_RUN_AGAIN)

    def error_instead_of(self, error: CiPublishError) -> CiPublishError:
        """Return the error to end with instead of *error*: that the run was stopped, if that may be the cause."""
        if not self.stopped or not isinstance(error, _MADE_BY_STOPPING):
            return error
        stopped = self.error()
        stopped.__cause__ = error
        return stopped

    @contextmanager
    def shielded_from_cut(self) -> Iterator[None]:
        """Protect a request whose response must not be lost from being cut, as long as the CI's runner allows."""
        with self._lock:
            self._shields += 1
        try:
            yield
        finally:
            with self._lock:
                self._shields -= 1

    @contextmanager
    def last_question(self) -> Iterator[None]:
        """Give the requests in the block a little more time than the uploads had, after a signal or the deadline.

        A second signal cuts them.
        """
        self._last_question = True
        try:
            yield
        finally:
            self._last_question = False

    @contextmanager
    def interruptible_at_once(self) -> Iterator[None]:
        """Let a signal end the block immediately: for local steps in the main thread, in which nothing can be lost."""
        self._immediate = True
        try:
            yield
        finally:
            self._immediate = False


class GracePeriod:
    """``Waiting`` for requests that may continue after a stop, until the CI's runner would kill the process."""

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption

    @property
    def stopped(self) -> bool:
        """Whether no new request may begin."""
        return self.cut

    @property
    def cut(self) -> bool:
        """Whether requests in flight must end now."""
        since = self._interruption.seconds_since_signal()
        return since is not None and since >= BURNING_GRACE

    def wait(self, seconds: float) -> bool:
        """Sleep at most *seconds*; return immediately after a signal, because nothing is retried then."""
        if self._interruption.seconds_since_signal() is not None:
            return True
        self._interruption.wait(seconds)
        return self._interruption.seconds_since_signal() is not None

    def left(self) -> float:
        """Return the seconds left; burning is also allowed after the run's deadline."""
        since = self._interruption.seconds_since_signal()
        return max(self._interruption.left(), BURNING_GRACE) if since is None else max(0.0, BURNING_GRACE - since)
