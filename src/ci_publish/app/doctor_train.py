"""The findings of ``doctor`` about a run over several projects: their order, and which would be deferred."""

from collections.abc import Callable, Iterator, Sequence

from ci_publish.errors import CiPublishError
from ci_publish.model.coverage_errors import pending_publishers_note
from ci_publish.model.distribution import Collection
from ci_publish.model.finding import Finding, FindingStatus
from ci_publish.model.index import Endpoints, IndexProfile
from ci_publish.model.train import train_of_distributions
from ci_publish.publishing import train_messages
from ci_publish.publishing.new_projects import deferred_projects


def doctor_train_findings(
    collection: Collection, new: Sequence[str], endpoints: Endpoints, link: Callable[[str], str | None]
) -> Iterator[Finding]:
    """Yield the order of the projects, with the forms for those that the index does not have; nothing for one project.

    *new* are those projects.
    """
    train = train_of_distributions(collection)
    lines = train.wave_lines(train.requires.keys(), new)
    if not lines:
        return
    order = "\n".join(f"  {number}. {line}" for number, line in enumerate(lines, 1))
    yield Finding(name="order", status=FindingStatus.OK, message=f"The projects are published in this order:\n{order}")
    missing = [project for project in train.order if project in new]
    if missing and endpoints.profile is IndexProfile.PYPI:
        note = pending_publishers_note(endpoints, missing, link)
        yield Finding(name="new projects", status=FindingStatus.WARN, message=note.message, hints=note.hints)


def deferral_by_new_project_limit(
    collection: Collection, new: Sequence[str], most: int | None
) -> CiPublishError | None:
    """Return the error of a run that creates at most *most* projects and defers the others."""
    if most is None:
        return None
    train = train_of_distributions(collection)
    waiting = deferred_projects([project for project in train.order if project in new], train, most)
    projects = [project for project in train.order if project in waiting]
    return (
        train_messages.deferred_projects_error(projects, [train_messages.too_many_new_projects_error(most)])
        if projects
        else None
    )
