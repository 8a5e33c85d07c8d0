"""The failures of single files that a report shows one by one (pure)."""

from collections.abc import Sequence

from ci_publish.errors import CiPublishError
from ci_publish.model.events import Event, FileFinished, FileStatus, ProjectLeft, RunFinished
from ci_publish.model.receipt_facts import events_of_kind, last_event_of_kind


def file_failures_not_in_run_error(events: Sequence[Event]) -> tuple[tuple[FileFinished, CiPublishError], ...]:
    """Return the failures of single files that nothing else reports.

    The run's own failure may report a file already. So does a project that was left out, once for all its files; a
    file that is deferred to a later run has not failed.
    """
    finished = last_event_of_kind(events, RunFinished)
    run_error = finished.error if finished else None
    said = f"{run_error.summary}\n{run_error.detail}" if run_error else ""
    last = {(event.index, event.distribution.filename): event for event in events_of_kind(events, FileFinished)}
    left = {(event.index, event.project) for event in events_of_kind(events, ProjectLeft)}
    return tuple(
        (event, event.error)
        for (index, filename), event in last.items()
        if event.error
        and event.error is not run_error
        and not (run_error and run_error.slug == event.error.slug and filename in said)
        and event.status is not FileStatus.DEFERRED
        and not (event.status is FileStatus.NOT_ATTEMPTED and (index, event.distribution.project) in left)
    )
