"""Reports what a run waits for: after ten seconds without output, and then every thirty (pure)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from ci_publish.model.byte_counts import format_size
from ci_publish.model.events import (
    Event,
    FileFinished,
    Planned,
    Retrying,
    RunFinished,
    Signed,
    Step,
    StepFinished,
    StepStarted,
    UploadProgressed,
    UploadStarted,
    WaitStarted,
)
from ci_publish.model.frozen import frozen
from ci_publish.reports import wording
from ci_publish.reports.neutral import neutral_line

FIRST: Final = 10.0
NEXT: Final = 30.0

_ACTIVITIES: Final = {
    Step.COLLECT: "reading the files",
    Step.CHECK: "checking the files",
    Step.PLAN: "waiting for {index} to return its file list",
    Step.AUTHENTICATE: "waiting for {index} to accept the credential",
    Step.SIGN: "waiting for Sigstore",
    Step.UPLOAD: "waiting for {index} to accept the files",
    Step.CONFIRM: "waiting for {index} to list the files",
    Step.INSTALL: "installing the files and their dependencies",
}


@frozen
class _Wait:
    activity: str
    since: float
    until: float | None


class WaitingMessages:
    """Follows a run, and knows what it waits for. Not thread-safe: the caller holds a lock.

    *clock* gives seconds that never run backwards, *now* seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float], now: Callable[[], float]) -> None:
        self._clock = clock
        self._now = now
        self._wait: _Wait | None = None
        self._retry: _Wait | None = None
        self._quiet_since = clock()
        self._said = 0
        self._sending: dict[tuple[str, str], UploadProgressed] = {}
        self._uploads = 0
        self._sent = 0
        self._signed = 0

    def track_event(self, event: Event, *, spoke: bool) -> None:
        """Take an event; *spoke*: a line was written about it."""
        self._track_uploads(event)
        match event:
            case StepStarted(step=step, index=index, left=left):
                self._wait = self._wait_of(_ACTIVITIES[step].format(index=neutral_line(index or "the index")), left)
            case WaitStarted(what=what, seconds=seconds):
                self._wait = self._wait_of(f"waiting for {neutral_line(what)}", seconds)
            case Retrying(what=what, wait=wait):
                self._retry = self._wait_of(f"waiting to retry {neutral_line(what)}", wait)
            case StepFinished() | RunFinished():
                self._wait = self._retry = None
                self._sending.clear()
            case _:
                pass
        if spoke:
            self._said, self._quiet_since = 0, self._clock()

    def _track_uploads(self, event: Event) -> None:
        match event:
            case Planned(plan=plan):
                self._uploads += len(plan.uploads)
            case UploadStarted(index=index, filename=filename, size=size):
                self._sending[index, filename] = UploadProgressed(index=index, filename=filename, sent=0, total=size)
            case UploadProgressed(index=index, filename=filename):
                self._sending[index, filename] = event
            case FileFinished(index=index, distribution=distribution):
                self._sent += self._sending.pop((index, distribution.filename), None) is not None
            case Signed():
                self._signed += 1
            case _:
                pass

    def due_waiting_message(self) -> str | None:
        """Return the message that is due now, None if there is none."""
        if not (self._current_wait() or self._sending):
            return None
        if self._clock() - self._quiet_since < FIRST + self._said * NEXT:
            return None
        self._said += 1
        return self.waiting_message()

    def long_waiting_message(self) -> str:
        """Return what the run waits for, once that takes long; empty before that."""
        return self.waiting_message() if self._clock() - self._quiet_since >= FIRST else ""

    def waiting_message(self) -> str:
        """Return what the run waits for, since when and until when; empty if it waits for nothing."""
        if self._sending:
            first = next(iter(self._sending.values()))
            name = neutral_line(first.filename)
            part = f"sending {name}: {first.sent * 100 // max(first.total, 1)} % of {format_size(first.total)}"
            if first.sent >= first.total > 0:
                part = f"waiting for {neutral_line(first.index)} to accept {name}"
            more = f" and {len(self._sending) - 1} more" if len(self._sending) > 1 else ""
            done = f"; {self._sent} of {self._uploads} files sent" if self._uploads > 1 else ""
            return f"{part}{more}{done}"
        wait = self._current_wait()
        if wait is None:
            return ""
        signed = f", {wording.pluralise(self._signed, 'attestation')} so far" if "Sigstore" in wait.activity else ""
        until = ""
        if wait.until is not None:
            until = f", until {datetime.fromtimestamp(wait.until, UTC):%H:%M:%S UTC} at the latest"
        return f"{wait.activity}{signed} ({wording.format_duration(self._clock() - wait.since)}{until})"

    def _current_wait(self) -> _Wait | None:
        """Return the pause before a retry, or else, once that is over, what the run waits for."""
        if self._retry is not None and self._retry.until is not None and self._now() > self._retry.until:
            self._retry = None
        return self._retry or self._wait

    def _wait_of(self, activity: str, seconds: float | None) -> _Wait:
        return _Wait(activity, self._clock(), None if seconds is None else self._now() + seconds)
