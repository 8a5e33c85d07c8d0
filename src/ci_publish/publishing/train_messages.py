"""What the pipeline says about the order of a run's projects (pure)."""

from collections.abc import Iterator, Sequence

from ci_publish.errors import CiPublishError
from ci_publish.model.events import Noted
from ci_publish.model.index import Endpoints
from ci_publish.model.train import Train


def about_order(train: Train) -> Iterator[Noted]:
    """Yield what people should know about the requirements between the projects of a run."""
    for cycle in train.cycles:
        yield Noted(
            slug="requirement-cycle",
            message=f"{', '.join(cycle)} require each other: they are uploaded together, and none of them can be"
            " installed before all are listed.",
        )
    for each in train.unsatisfied:
        yield Noted(
            slug="unsatisfied-requirement",
            message=f"{each.project} requires {each.requirement}, and this run has {each.sibling}"
            f" {', '.join(each.versions)}.",
            hints=("Unless the index has a version that satisfies it, correct the requirement and build again.",),
        )
    for unknown in train.unknown:
        reason = (
            f"building it requires {', '.join(unknown.siblings)}"
            if unknown.siblings
            else "its metadata says that a build decides about them (Dynamic: Requires-Dist)"
        )
        yield Noted(
            slug="requirements-unknown",
            message=f"The requirements of {unknown.filename} do not decide about the order of the uploads: {reason}.",
            warning=False,
            filename=unknown.filename,
        )


def not_confirmed(endpoints: Endpoints, going: Sequence[str], unseen: Sequence[str]) -> Noted:
    """Projects are uploaded although the listing does not show what they require."""
    return Noted(
        slug="requirement-not-confirmed",
        message=f"{', '.join(going)} will be uploaded, but the listing of {endpoints.name} does not confirm"
        f" {', '.join(unseen)}, required by it: the uploads were accepted, and that counts.",
    )


def project_stopped(project: str, because: Sequence[str], error: CiPublishError) -> CiPublishError:
    """A file is not uploaded, because another file of its project failed, or a project that it requires."""
    if tuple(because) == (project,):
        return type(error)(f"No more files of {project} were uploaded: {error.summary}", hints=error.hints)
    return type(error)(
        f"{project} was not uploaded: it requires {', '.join(because)}, which could not be published.",
        detail=error.summary,
        hints=("Run it again when that can be published: what is published already is recognised.",),
    )
