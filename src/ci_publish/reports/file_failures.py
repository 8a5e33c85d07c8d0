"""The failures of single files that a report shows one by one (pure)."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from ci_publish.errors import CiPublishError
from ci_publish.model.events import Event, FileFinished, FileStatus, ProjectLeft, RunFinished


def file_failures_not_in_run_error(events: Sequence[Event]) -> tuple[tuple[FileFinished, CiPublishError], ...]:
    """Return the failures of single files that the run's own failure does not report already."""
    run_error = next((event.error for event in reversed(events) if isinstance(event, RunFinished)), None)
    last = {(event.index, event.distribution.filename): event for event in events if isinstance(event, FileFinished)}
    left = {(event.index, event.project) for event in events if isinstance(event, ProjectLeft)}
    return tuple(
        (event, event.error)
        for event in last.values()
        if event.error
        and not (_is_failure_in_run_error(run_error, event, event.error) or _is_failure_of_left_project(event, left))
    )


def _is_failure_of_left_project(event: FileFinished, left: AbstractSet[tuple[str, str]]) -> bool:
    """Return whether a file waits for a later run, or was not tried because of its project, which is reported once."""
    if event.status is FileStatus.DEFERRED:
        return True
    return event.status is FileStatus.NOT_ATTEMPTED and (event.index, event.distribution.project) in left


def _is_failure_in_run_error(run_error: CiPublishError | None, event: FileFinished, error: CiPublishError) -> bool:
    if run_error is None or run_error is error:
        return run_error is error
    return run_error.slug == error.slug and event.distribution.filename in f"{run_error.summary}\n{run_error.detail}"
