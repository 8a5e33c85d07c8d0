"""The pipeline's messages about the order of a run's projects (pure)."""

from collections.abc import Iterator, Sequence

from ci_publish.errors import CiPublishError, ConfigurationError, PublishingDeferred
from ci_publish.hints import Hint, option
from ci_publish.model.events import Noted
from ci_publish.model.index import Endpoints, NewProjectLimit
from ci_publish.model.receipt_facts import format_rfc3339
from ci_publish.model.train import Train

_SHOWN = 20


def sibling_requirement_notes(train: Train) -> Iterator[Noted]:
    """Yield notes about the requirements between the projects of a run."""
    for cycle in train.cycles:
        yield Noted(
            slug="requirement-cycle",
            message=f"{', '.join(cycle)} require each other: they are uploaded together, and none of them can be"
            " installed until all of them are listed.",
        )
    for each in train.unsatisfied:
        yield Noted(
            slug="unsatisfied-requirement",
            message=f"{each.project} requires {each.requirement}, but this run has {each.sibling}"
            f" {', '.join(each.versions)}.",
            hints=("Unless the index has a version that satisfies it, correct the requirement and build again.",),
        )
    for unknown in train.unknown:
        reason = (
            f"building it requires {', '.join(unknown.siblings)}"
            if unknown.siblings
            else "its metadata says that they are determined by a build (Dynamic: Requires-Dist)"
        )
        yield Noted(
            slug="requirements-unknown",
            message=f"The requirements of {unknown.filename} do not affect the order of the uploads: {reason}.",
            warning=False,
            filename=unknown.filename,
        )


def unconfirmed_requirements_warning(endpoints: Endpoints, going: Sequence[str], unseen: Sequence[str]) -> Noted:
    """Projects are uploaded although the listing does not confirm the projects that they require."""
    return Noted(
        slug="requirement-not-confirmed",
        message=f"{', '.join(going)} will be uploaded, although the file list of {endpoints.name} does not show the"
        f" required {', '.join(unseen)}: {endpoints.name} accepted these uploads.",
    )


def new_project_limit_error(endpoints: Endpoints, limit: NewProjectLimit, now: float) -> PublishingDeferred:
    """The index accepts no more new projects for now; *now* in seconds since the epoch."""
    resume = None if limit.wait is None else now + limit.wait
    until = None if resume is None else format_rfc3339(resume)
    return PublishingDeferred(
        f"{endpoints.name} accepts no more new projects for now: {limit.message}",
        hints=(
            f"Run it again after {until}: published files are recognised, and the rest is published."
            if until
            else f"{endpoints.name} does not say when it will accept more; run it again later, or every day: published"
            " files are recognised, and the rest is published.",
            "Projects that a pending Trusted Publisher creates are not limited.",
        ),
        resume_after=resume,
    )


def too_many_new_projects_error(most: int) -> PublishingDeferred:
    """The user limits the new projects of a run to *most*, possibly 0."""
    if most == 0:
        return PublishingDeferred(
            "new-projects: 0 never creates a project, in this run or a later one.",
            hints=(Hint("To create projects, raise the limit and run it again: ", option("new_projects", "NUMBER")),),
        )
    return PublishingDeferred(
        f"This run creates {'1 project' if most == 1 else f'{most} projects'} at most (new-projects: {most}).",
        hints=("Run it again at any time to create the next ones: no waiting period is known.",),
    )


def deferred_projects_error(projects: Sequence[str], errors: Sequence[PublishingDeferred]) -> PublishingDeferred:
    """Return the error that a run ends with if nothing failed but *projects* are left for later."""
    count = "1 project is" if len(projects) == 1 else f"{len(projects)} projects are"
    resets = [error.resume_after for error in errors if error.resume_after is not None]
    return PublishingDeferred(
        f"{count} deferred to a later run: {_joined_project_names(projects)}.",
        detail="\n".join(dict.fromkeys(error.summary for error in errors)),
        hints=tuple(dict.fromkeys(hint for error in errors for hint in error.hints)),
        resume_after=max(resets, default=None),
    )


def cycle_too_large_error(cycle: Sequence[str], most: int) -> ConfigurationError:
    """No run that creates so few projects can publish a cycle."""
    return ConfigurationError(
        f"new-projects: {most} can never publish {_joined_project_names(cycle)}.",
        detail="These projects are new and require each other, so one run has to create them all.",
        hints=(
            Hint("Allow as many new projects as the cycle has: ", option("new_projects", str(len(cycle)))),
            "Or remove the cycle.",
        ),
    )


def unknown_new_projects_error(endpoints: Endpoints, projects: Sequence[str]) -> ConfigurationError:
    """The user limits the new projects, but it is not known which are new."""
    return ConfigurationError(
        "new-projects cannot be applied: it is not known which projects are new.",
        detail=f"The file list of {_joined_project_names(projects)} on {endpoints.name} cannot be read.",
        hints=(
            Hint("Specify the root of the index's Simple API: ", option("index_url", "URL")),
            Hint("Or omit ", option("new_projects"), "."),
        ),
    )


def _joined_project_names(projects: Sequence[str]) -> str:
    more = len(projects) - _SHOWN
    return ", ".join(projects[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def project_stopped_error(project: str, because: Sequence[str], error: CiPublishError) -> CiPublishError:
    """A file is not uploaded because another file of its project, or a required project, failed."""
    if tuple(because) == (project,):
        return type(error)(f"No more files of {project} were uploaded: {error.summary}", hints=error.hints)
    return type(error)(
        f"{project} was not uploaded: it requires {', '.join(because)}, which could not be published.",
        detail=error.summary,
        hints=("Run it again when that can be published: files that are already published are recognised.",),
    )
