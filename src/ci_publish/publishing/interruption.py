"""When a run must end: signals, the deadline of the whole run, and what is allowed to finish first."""

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
# answer is still to come (a token that must be burnt) a little longer.
GRACE = 5.0
# The last question to the index, what became of uploads that were cut, begins when theirs is over.
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
# What requests that are cut short, or not repeated, make of a run; refusals stand, whenever they came.
_MADE_BY_STOPPING = (IdentityUnavailable, IndexUnavailable, SigningFailed)


class Guard(Protocol):
    """Burns upload tokens from outside, where the run can no longer do so itself."""

    def keep(self, request: "HttpRequest", allow_http: "Sequence[str]") -> Callable[[], None]:
        """Remember *request*, which burns a token; return what says that it needs no burning any more."""


class Interruption:
    """Implements ``model.waiting.Waiting``: one object a run, shared by all its threads.

    ``request_stop`` is what signal handlers call: it only sets a flag, so no answer is ever lost half-read. A second
    request cuts what is in flight at once. ``guard``: see ``Guard``; a run that is not watched has none.
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
        """Ask the run to end because of a signal; the second signal cuts what is in flight.

        A signal may be heard twice: by its handler in the main thread, and by the watcher (``cli.watcher``). Raises
        Interrupted in the main thread, where the handler calls, while a step runs that may be left anywhere.
        """
        with self._lock:
            self._heard[heard_by] += 1
            if self._heard[heard_by] > self._signals:
                self._signals += 1
                self._forced = self._signal is not None
                if self._signal is None:
                    self._signal, self._requested = signal_number, self._clock()
        # Not set here: a handler interrupts the main thread anywhere, also where it holds the event's own lock.
        _thread.start_new_thread(self._event.set, ())
        if heard_by == "handler":
            self.raise_in_immediate_step()

    def raise_in_immediate_step(self) -> None:
        """Raise the error of a stopped run in the calling (main) thread while a step runs that may be left anywhere."""
        if self._immediate and self.stopped:
            self._immediate = False
            raise self.error()

    def remember_failure(self, reason: str) -> None:
        """Remember *reason*, after which something is tried again: the cause if the deadline comes first.

        The empty reason forgets it.
        """
        self._last_failure = reason.removesuffix(".")

    def when_abandoned(self, work: Callable[[], object]) -> None:
        """Let *work* be done, in another thread, where the run has not ended long after it was asked to."""
        self._last.append(work)

    def abandon(self) -> None:
        """Do what must be done for a run that does not end: burn its upload tokens."""
        for work in tuple(self._last):
            work()

    def seconds_since_stop(self) -> float | None:
        """Return the seconds since a signal or the deadline asked the run to end, None where neither has."""
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
        """Return the seconds left of the run's deadline; the last question may be asked a little later."""
        return max(0.0, self._ends + (GRACE if self._last_question else 0.0) - self._clock())

    def grace_period(self) -> "GracePeriod":
        """Return a view for what must still be done while a run is being stopped: minting to the end, and burning."""
        return GracePeriod(self)

    def seconds_since_signal(self) -> float | None:
        """Return the seconds since a signal asked the run to end, None where none did."""
        return None if self._signal is None else self._clock() - self._requested

    def error(self) -> CiPublishError:
        """Return the error that a stopped run ends with; at the deadline, it names the failure it waited for last."""
        if self._signal is None:
            summary = f"The run did not finish within its deadline of {self._deadline:g} s."
            detail = (
                f"The last failure before that, which was to be tried again: {self._last_failure}."
                if self._last_failure
                else "The network, the index, Sigstore or a check was slow; the lines above show what it was waiting"
                " for."
            )
            return IndexUnavailable(summary, detail=detail, hints=(*_RUN_AGAIN, _MORE_TIME))
        if self._signal == _SIGTERM:
            why = "Usually the CI cancelled the job, or the job timed out. What is known about each file was reported."
            return Terminated("The run was stopped by SIGTERM.", detail=why, hints=_RUN_AGAIN)
        why = "Usually somebody pressed Ctrl-C. What is known about each file was reported."
        return Interrupted("The run was stopped by SIGINT.", detail=why, hints=_RUN_AGAIN)

    def error_instead_of(self, error: CiPublishError) -> CiPublishError:
        """Return what a run that failed with *error* ends with: that it was stopped, where that may be why."""
        if not self.stopped or not isinstance(error, _MADE_BY_STOPPING):
            return error
        stopped = self.error()
        stopped.__cause__ = error
        return stopped

    @contextmanager
    def shielded_from_cut(self) -> Iterator[None]:
        """Keep a request whose answer must not be lost from being cut, for as long as a runner lets us live."""
        with self._lock:
            self._shields += 1
        try:
            yield
        finally:
            with self._lock:
                self._shields -= 1

    @contextmanager
    def last_question(self) -> Iterator[None]:
        """Give what is asked in the block a little longer than the uploads had, after a signal and after the deadline.

        A second signal cuts it.
        """
        self._last_question = True
        try:
            yield
        finally:
            self._last_question = False

    @contextmanager
    def interruptible_at_once(self) -> Iterator[None]:
        """Let a signal end the block at once: for local steps in the main thread, where nothing can be lost."""
        self._immediate = True
        try:
            yield
        finally:
            self._immediate = False


class GracePeriod:
    """``Waiting`` for requests that a stop does not stop, until a runner would kill us anyway."""

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
        """Sleep at most *seconds*; return at once when a signal comes, because nothing is retried after that."""
        if self._interruption.seconds_since_signal() is not None:
            return True
        self._interruption.wait(seconds)
        return self._interruption.seconds_since_signal() is not None

    def left(self) -> float:
        """Return the seconds left: burning is allowed after the run's deadline, too."""
        since = self._interruption.seconds_since_signal()
        return max(self._interruption.left(), BURNING_GRACE) if since is None else max(0.0, BURNING_GRACE - since)
