"""The projects that a run leaves unpublished at one index, each with the reason."""

from collections.abc import Iterator, Sequence

from ci_publish.errors import CiPublishError, Interrupted, PublishingDeferred
from ci_publish.model.events import ProjectLeft
from ci_publish.model.index import Deferred, PlannedFile, Upload
from ci_publish.model.train import Train
from ci_publish.publishing.file_outcomes import FileOutcomes


def projects_left_unpublished(
    index: str, planned: Sequence[PlannedFile], outcomes: FileOutcomes, train: Train
) -> Iterator[ProjectLeft]:
    """Yield the projects that were not published completely to *index*, in upload order; nothing for a single project.

    Projects that a signal stopped are omitted: the end of the run reports the signal once.
    """
    if len(train.requires) < 2:  # noqa: PLR2004  (one project)
        return
    later = {file.distribution.project: file.reason for file in planned if isinstance(file, Deferred)}
    missing = {file.project for file, _ in outcomes.failures}
    for file in planned:
        if isinstance(file, Upload) and not outcomes.is_on_index(file.distribution):
            missing.add(file.distribution.project)
    for project in train.order:
        if project in later:
            # It waits for itself if it requires none of the others, or only those of its own cycle.
            others = train.requires[project].difference(train.cycle_of(project))
            because = tuple(name for name in train.order if name in later and name in others) or (project,)
            yield _project_left_event(index, project, because, later[project])
        elif project in missing and (left := _incomplete_project_event(index, project, outcomes)) is not None:
            yield left


def _incomplete_project_event(index: str, project: str, outcomes: FileOutcomes) -> ProjectLeft | None:
    stopped, failures = outcomes.why_project_stopped(project), outcomes.failures
    own = [error for file, error in failures if file.project == project]
    because = tuple(file.project for file, _ in failures[:1])
    error = None
    if stopped is not None:
        because, error = stopped.because, stopped.error
    elif own:
        because, error = (project,), own[0]
    first = error or next((failure for _, failure in failures), None)
    return None if isinstance(first, Interrupted) else _project_left_event(index, project, because, error)


def _project_left_event(
    index: str, project: str, because: tuple[str, ...], error: CiPublishError | None
) -> ProjectLeft:
    return ProjectLeft(
        index=index,
        project=project,
        because=because,
        reason="no other work was started after that" if error is None else error.summary,
        deferred=isinstance(error, PublishingDeferred),
    )
