"""Plans one index's part of a run: the listings, the files to send, and the refusals that are known in advance."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import assert_never

from ci_publish.errors import CiPublishError, ContentConflict
from ci_publish.hints import Hint, option
from ci_publish.model.coverage_errors import pending_publishers_note
from ci_publish.model.distribution import Distribution, distributions_by_release
from ci_publish.model.events import (
    CredentialChanged,
    FileFinished,
    FileListed,
    FileStatus,
    IndexChosen,
    Planned,
    Step,
)
from ci_publish.model.foreseen_refusals import (
    foreseen_upload_refusal,
    is_reserved_project_name,
    reserved_name_refusal,
    yanked_versions_of_uploads,
)
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import CredentialKind, Purpose
from ci_publish.model.index import (
    AlreadyPublished,
    Conflict,
    Deferred,
    Endpoints,
    IndexProfile,
    IndexState,
    KeptPublished,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    Plan,
    ProjectListing,
    Upload,
)
from ci_publish.model.problem import Problem, undecided_problems_by_file
from ci_publish.model.train import Train, train_of_distributions
from ci_publish.publishing import messages, train_messages
from ci_publish.publishing.context import Destination, Run
from ci_publish.publishing.new_projects import limit_new_projects, new_projects_in_upload_order
from ci_publish.publishing.planning import (
    ConflictRules,
    Undecided,
    files_risking_incomplete_release,
    in_wave_order,
    make_plan,
    schedule_uploads,
)


@frozen(kw_only=True)
class IndexPlan:
    """The result of planning: the decision for each file, and the listing of each project.

    ``undecided`` are the files that the index may reject for reasons that the checks cannot decide. ``train`` is the
    order of the projects.
    """

    plan: Plan
    states: Mapping[str, IndexState]
    undecided: Undecided
    train: Train

    @property
    def uploads(self) -> tuple[Distribution, ...]:
        """The files to send."""
        return self.plan.uploads

    @property
    def new_projects(self) -> tuple[str, ...]:
        """The projects that the uploads create, in upload order."""
        return new_projects_in_upload_order(self.plan, self.states, self.train)


def plan_index(
    *,
    run: Run,
    destination: Destination,
    distributions: Sequence[Distribution],
    problems: Sequence[Problem],
    purpose: Purpose | None,
) -> IndexPlan:
    """Compare the files with the index. Raises IndexUnavailable if its listing cannot be read.

    A run that sends files, for some *purpose*, raises the error of a missing credential instead.
    """
    index, endpoints, train = destination.index, destination.index.endpoints, train_of_distributions(distributions)
    with run.step(Step.PLAN, endpoints.name):
        run.emit(IndexChosen(endpoints))
        run.emit(CredentialChanged(endpoints.name, destination.credential.state))
        states = _fetch_listings_or_raise_missing_credential(run, destination, distributions, purpose)
        plan = make_plan(
            endpoints.name,
            in_wave_order(train, distributions),
            states,
            conflict_rules(run, endpoints),
            index.md5,
        )
        if (most := run.options.new_projects) is not None:
            plan = limit_new_projects(endpoints=endpoints, plan=plan, states=states, train=train, most=most)
        planned = IndexPlan(
            plan=plan,
            states=states,
            # Other indexes have rules of their own.
            undecided=undecided_problems_by_file(problems) if endpoints.profile is IndexProfile.PYPI else {},
            train=train,
        )
        run.emit(Planned(planned.plan, train, planned.new_projects))
        for note in train_messages.sibling_requirement_notes(train):
            run.emit(note)
        # Several new projects need pending publishers if Trusted Publishing is to create them.
        trusted = destination.credential.state.kind is CredentialKind.TRUSTED_PUBLISHING
        new = planned.new_projects if trusted and endpoints.profile is IndexProfile.PYPI else ()
        if new and len(train.requires) > 1:
            run.emit(pending_publishers_note(endpoints, new, lambda project: run.registration(endpoints, project)))
        _emit_settled_files(run, endpoints, planned.plan)
        _warn_of_planned_uploads(run, endpoints, planned)
    return planned


def conflict_rules(run: Run, endpoints: Endpoints) -> ConflictRules:
    """Return the user's rules for files whose name is taken, for one index."""
    return ConflictRules.for_index(endpoints, run.options.on_conflict, skip_existing=run.options.skip_existing)


def conflict_error(run: Run, endpoints: Endpoints, conflicts: Sequence[Conflict]) -> ContentConflict:
    """Return the error about names that are taken by different content."""
    return messages.content_conflict_error(endpoints, conflicts, skip_existing=run.options.skip_existing)


def foreseen_upload_refusals(run: Run, endpoints: Endpoints, planned: IndexPlan) -> dict[str, CiPublishError]:
    """Return why the index will reject files, by project: different content, its status, or its name."""
    refusals: dict[str, CiPublishError] = {}
    for project, state in planned.states.items():
        files = [file for file in planned.uploads if file.project == project]
        if conflicts := [each for each in planned.plan.conflicts if each.distribution.project == project]:
            refusals[project] = conflict_error(run, endpoints, conflicts)
        elif isinstance(state, ProjectListing) and (
            refusal := foreseen_upload_refusal(state, files, endpoints, run.now())
        ):
            refusals[project] = refusal
        elif files and _has_reserved_name(project, state) and endpoints.profile is IndexProfile.PYPI:
            refusals[project] = reserved_name_refusal(project, endpoints)
    return refusals


def _fetch_listings_or_raise_missing_credential(
    run: Run, destination: Destination, distributions: Sequence[Distribution], purpose: Purpose | None
) -> dict[str, IndexState]:
    index, endpoints = destination.index, destination.index.endpoints
    states: dict[str, IndexState] = {}
    for (project, version), files in distributions_by_release(distributions).items():
        state = index.fetch_listing(project, version)
        if isinstance(state, ListingUnavailable):
            run.raise_if_stopped()
            unavailable = messages.listing_unavailable_error(endpoints, state, sending=purpose is not None)
            if purpose is not None and (missing := destination.credential.missing_credential_error(purpose)):
                raise missing from unavailable
            raise unavailable
        if isinstance(state, NotVisible) and project not in states:
            run.warn(
                "index-not-visible",
                f"The files of {project} on {endpoints.name} cannot be listed: {state.reason}",
                "The uploads continue; only the responses show what the index already has.",
                Hint(
                    "To compare digests first, specify its Simple API: ", option("index_url", state.index_url or "URL")
                ),
            )
        state, before = run.with_missing_digests(index, files, state), states.get(project)
        if isinstance(before, ProjectListing) and isinstance(state, ProjectListing):
            # Two releases of one project, each listed by a separate request.
            state = replace(state, files={**before.files, **state.files})
        states[project] = state
    return states


def _emit_settled_files(run: Run, endpoints: Endpoints, plan: Plan) -> None:
    """Report the files that are already on the index, are left there, are in conflict, or are deferred."""
    finished = partial(FileFinished, index=endpoints.name)
    for file in plan.files:
        match file:
            case AlreadyPublished():
                _emit_published_file(run, endpoints, file)
            case KeptPublished(distribution, published, reason):
                run.emit(messages.kept_published_warning(distribution, published, reason))
                run.emit(finished(distribution=distribution, status=FileStatus.KEPT_PUBLISHED, url=published.url))
            case Conflict(distribution, published):
                error = conflict_error(run, endpoints, [file])
                url = published.url
                run.emit(finished(distribution=distribution, status=FileStatus.CONFLICT, url=url, error=error))
            case Deferred(distribution, reason):
                run.emit(finished(distribution=distribution, status=FileStatus.DEFERRED, error=reason))
            case Upload():
                pass
            case _:
                assert_never(file)


def _emit_published_file(run: Run, endpoints: Endpoints, file: AlreadyPublished) -> None:
    name, published, by_md5 = file.distribution.filename, file.published, file.md5_only
    status = FileStatus.SAME_MD5 if by_md5 else FileStatus.ALREADY_PUBLISHED
    run.emit(FileFinished(index=endpoints.name, distribution=file.distribution, status=status, url=published.url))
    listed = None if by_md5 else True
    run.emit(FileListed(index=endpoints.name, filename=name, listed=listed, published=published, same_md5=by_md5))
    if by_md5:
        run.emit(messages.compared_by_md5_warning(endpoints, name))
    elif published.yanked is not False:
        message = f"{published.filename} is published, but yanked."
        run.warn("yanked", message, filename=published.filename)


def _has_reserved_name(project: str, state: IndexState) -> bool:
    return isinstance(state, NoSuchProject) and is_reserved_project_name(project)


def _warn_of_planned_uploads(run: Run, endpoints: Endpoints, planned: IndexPlan) -> None:
    """Warn about yanked releases, files that may be refused and cannot be sent first, and reserved names."""
    uploads = planned.uploads
    for project, state in planned.states.items():
        files = [file for file in uploads if file.project == project]
        for version in yanked_versions_of_uploads(state, files) if isinstance(state, ProjectListing) else ():
            run.warn(
                "yanked-release",
                f"Every file of {version} on {endpoints.name} is yanked, and this run would add more files.",
                "Installers skip a yanked release; un-yank it on the index, or publish a new version.",
            )
    for wave in planned.train.waves_of({file.project for file in uploads}):
        files = [file for file in uploads if file.project in wave]
        order = schedule_uploads(files, planned.states, planned.undecided)
        for file in files_risking_incomplete_release(order, planned.undecided):
            run.warn(
                "undecided-file",
                f"{endpoints.name} may reject {file.filename}, and that would leave {file.project} {file.version}"
                " incomplete: it cannot be sent as the first file of the release.",
                "See the warnings of the checks about this file: correct it, or publish without it.",
                filename=file.filename,
            )
    for project, state in planned.states.items():
        # On PyPI, this is an error: see ``foreseen_upload_refusals``.
        if endpoints.profile is not IndexProfile.PYPI and _has_reserved_name(project, state):
            run.warn(
                "reserved-name",
                f"{project} is the name of a module of the standard library, and PyPI reserves such names.",
                "Choose another name if the project may ever be published on PyPI.",
            )
