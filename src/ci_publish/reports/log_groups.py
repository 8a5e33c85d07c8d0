"""The parts of a CI's log that can be folded: one for each step that says anything."""

from collections.abc import Callable

from ci_publish.model.events import (
    Event,
    FileFinished,
    RequestTraced,
    RunFinished,
    StepFinished,
    StepStarted,
    UploadProgressed,
    WaitStarted,
)

_SILENT = (RequestTraced, UploadProgressed, WaitStarted)


class StepLogGroups:
    """Opens a group before the first line of a step, and closes it before the first line after the step.

    A step about which nothing is said has no group. What is said at the end of a step is in its group.
    """

    def __init__(self, begin: Callable[[StepStarted], None], end: Callable[[], None]) -> None:
        self._begin = begin
        self._end = end
        self._step: StepStarted | None = None
        self._open = False
        self._over = False

    def open_or_close_group_for(self, event: Event) -> None:
        """Take an event, before its lines are written."""
        match event:
            case StepStarted():
                self.close_group()
                self._step = event
            case StepFinished():
                self._over = True
            case RunFinished():
                self.close_group()
            case _ if self._over:
                self.close_group()
            case _ if self._writes_lines(event):
                if self._step is not None and not self._open:
                    self._open = True
                    self._begin(self._step)
            case _:
                pass

    def close_group(self) -> None:
        """Close the group that is open."""
        if self._open:
            self._end()
        self._step, self._open, self._over = None, False, False

    def _writes_lines(self, event: Event) -> bool:
        untried = isinstance(event, FileFinished) and event.attempts == 0 and event.error is None
        return not (untried or isinstance(event, _SILENT))
