"""The groups of a CI's log that can be folded: one for each step that writes anything."""

from abc import abstractmethod
from typing import TextIO

from ci_publish.model.events import (
    Emit,
    Event,
    FileFinished,
    RequestTraced,
    StepFinished,
    StepStarted,
    UploadProgressed,
    WaitStarted,
)
from ci_publish.reports.ci_outputs import CiReportOptions
from ci_publish.reports.event_history import FinalReport
from ci_publish.reports.line_writer import LineWriter
from ci_publish.reports.neutral import neutral_line


class LogGroupReport(FinalReport):
    """Opens a group before the first line of a step, and closes it before the first line after the step.

    A step about which nothing is said has no group. What is said at the end of a step is in its group. The report
    comes before the console: groups must open before their lines.
    """

    def __init__(self, *, stream: TextIO, emit: Emit, options: CiReportOptions) -> None:
        super().__init__()
        self._lines = LineWriter(stream, options.redact)
        self._emit = emit
        self._options = options
        self._step: StepStarted | None = None
        self._open = False
        self._over = False

    def __call__(self, event: Event) -> None:
        """Take an event, before its lines are written."""
        super().__call__(event)  # first: a log that cannot be written to takes no event from the result
        match event:
            case StepStarted():
                self._end_group()
                self._step = event
            case StepFinished():
                self._over = True
            case _ if self._over:
                self._end_group()
            case RequestTraced() | UploadProgressed() | WaitStarted() | FileFinished(attempts=0, error=None):
                pass  # nothing is said about these
            case _ if self._step is not None and not self._open:
                self._open = True
                at = f" at {neutral_line(self._options.redact(self._step.index))}" if self._step.index else ""
                self.open_group(self._step, f"{self._step.step}{at}")
            case _:
                pass

    def close(self) -> None:
        """End the group, and write the result, unless that is done."""
        self._end_group()
        super().close()

    def _end_group(self) -> None:
        was_open = self._open
        self._step, self._open, self._over = None, False, False
        if was_open:
            self.close_group()

    @abstractmethod
    def open_group(self, step: StepStarted, title: str) -> None:
        """Write what opens the group of *step*."""

    @abstractmethod
    def close_group(self) -> None:
        """Write what closes the group that is open."""
