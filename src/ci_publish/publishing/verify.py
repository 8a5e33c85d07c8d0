"""The command ``verify``: whether each index lists these files, with provenance that verifies."""

from collections.abc import Callable, Sequence

from ci_publish.hints import Hint, option
from ci_publish.model.attestation import AttestationPolicy, ProvenanceMissing
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import (
    FileFinished,
    FileListed,
    FileStatus,
    IndexChosen,
    Noted,
    Outcome,
    ProvenanceChecked,
    Step,
)
from ci_publish.model.index import (
    Conflict,
    IndexState,
    ListingUnavailable,
    NotVisible,
    ProjectListing,
    ProjectStatus,
    PublishedFile,
)
from ci_publish.publishing import confirmation_messages, messages, required_build_provenance
from ci_publish.publishing.collect import collect_readable_distributions
from ci_publish.publishing.confirmation import Confirmation
from ci_publish.publishing.context import Destination, Run
from ci_publish.publishing.planning import Match, compare_with_published, find_published_file
from ci_publish.publishing.ports import Index

__all__ = ["verify", "verify_release"]


def verify(run: Run) -> Outcome:
    """Verify that each index lists exactly these files, with provenance that verifies.

    It does not matter here whether they pass the checks. Raises Unverified or ContentConflict.
    """
    _require_provenance_checks(run)
    collection = collect_readable_distributions(run)
    for destination in run.destinations:
        _verify_files(run, destination, collection.distributions)
    return Outcome.VERIFIED


def verify_release(
    run: Run, project: str, version: str, as_distribution: Callable[[PublishedFile], Distribution | None]
) -> Outcome:
    """Verify that each index serves provenance that verifies for every file of a release.

    There are no local files, so the digests are those in the listing. *as_distribution* returns the distribution of a
    listed file, or None for a file of another release.
    """
    _require_provenance_checks(run)
    for destination in run.destinations:
        endpoints = destination.index.endpoints
        with run.step(Step.CONFIRM, endpoints.name):
            run.emit(IndexChosen(endpoints))
            state = _fetch_readable_listing(destination.index, project, version, fresh=True)
            listed = state.files.values() if isinstance(state, ProjectListing) else ()
            files = [(file, published) for published in listed if (file := as_distribution(published)) is not None]
            if not files and _is_quarantined_project(state):
                raise confirmation_messages.quarantined_projects_error(endpoints, [project], [f"{project} {version}"])
            if not files:
                raise confirmation_messages.files_not_published_error(endpoints, [f"{project} {version}"])
            for file, published in files:
                name = file.filename
                run.emit(
                    FileListed(index=endpoints.name, filename=name, listed=True, published=published, compared=False)
                )
            _verify_served_provenance(run, destination, [file for file, _ in files])
    return Outcome.VERIFIED


def _require_provenance_checks(run: Run) -> None:
    """Raise ConfigurationError if a publisher or build provenance is required although attestations are off."""
    if run.options.attestations is not AttestationPolicy.OFF:
        return
    if run.options.publisher:
        raise confirmation_messages.publisher_without_attestations_error()
    if required_build_provenance.is_build_provenance_demanded(run.options):
        raise confirmation_messages.build_provenance_without_attestations_error()


def _verify_files(run: Run, destination: Destination, files: Sequence[Distribution]) -> None:
    index, endpoints = destination.index, destination.index.endpoints
    with run.step(Step.CONFIRM, endpoints.name):
        run.emit(IndexChosen(endpoints))
        missing: list[str] = []
        quarantined: dict[str, None] = {}
        conflicts: list[Conflict] = []
        for file in files:
            state = run.with_missing_digests(index, [file], _fetch_readable_listing(index, file.project, file.version))
            published = find_published_file(file.filename, state)
            if published is None:
                missing.append(file.filename)
                quarantined |= {file.project: None} if _is_quarantined_project(state) else {}
                run.emit(FileFinished(index=endpoints.name, distribution=file, status=FileStatus.NOT_ATTEMPTED))
                run.emit(FileListed(index=endpoints.name, filename=file.filename, listed=False))
            elif _compare_and_report(run, index, file, published) in {Match.OTHER, Match.UNKNOWN}:
                conflicts.append(Conflict(file, published))
        if conflicts:
            raise messages.content_conflict_error(endpoints, conflicts, skip_existing=False)
        if quarantined:
            raise confirmation_messages.quarantined_projects_error(endpoints, tuple(quarantined), missing)
        if missing:
            raise confirmation_messages.files_not_published_error(endpoints, missing)
        _verify_served_provenance(run, destination, files)


def _fetch_readable_listing(index: Index, project: str, version: str, *, fresh: bool = False) -> IndexState:
    """Return the listing of a release. Raises IndexUnavailable if it cannot be read."""
    state = index.fetch_listing(project, version, fresh=fresh)
    if isinstance(state, ListingUnavailable | NotVisible):
        raise messages.listing_unavailable_error(index.endpoints, state, sending=False)
    return state


def _is_quarantined_project(state: IndexState) -> bool:
    return isinstance(state, ProjectListing) and state.status == ProjectStatus.QUARANTINED


def _compare_and_report(run: Run, index: Index, file: Distribution, published: PublishedFile) -> Match:
    """Compare a file with the listed one, and report the result."""
    endpoints = index.endpoints
    match = compare_with_published(file, published, index.md5)
    status = {Match.SAME: FileStatus.ALREADY_PUBLISHED, Match.SAME_MD5: FileStatus.SAME_MD5}.get(
        match, FileStatus.CONFLICT
    )
    run.emit(FileFinished(index=endpoints.name, distribution=file, status=status, url=published.url))
    by_md5, name = match is Match.SAME_MD5, file.filename
    if match is Match.SAME or by_md5:
        listed = None if by_md5 else True
        run.emit(FileListed(index=endpoints.name, filename=name, listed=listed, published=published, same_md5=by_md5))
    if by_md5:
        run.emit(confirmation_messages.confirmed_by_md5_warning(endpoints, name))
    return match


def _verify_served_provenance(run: Run, destination: Destination, files: Sequence[Distribution]) -> None:
    """Verify the provenance that the index serves; require it if the user does."""
    endpoints = destination.index.endpoints
    policy, named = run.options.attestations, bool(run.options.publisher)
    demanded = required_build_provenance.is_build_provenance_demanded(run.options)
    required = named or demanded or policy is AttestationPolicy.REQUIRED
    if policy is AttestationPolicy.OFF or (endpoints.integrity is None and not required):
        return
    if run.expected_publishers and not named:
        expected = " or ".join(map(str, run.expected_publishers))
        message = f"Provenance must be from {expected}, the job's own repository."
        hint = Hint("If someone else publishes it, specify the publisher: ", option("publisher", "IDENTITY"))
        run.emit(Noted(slug="publisher-expected", message=message, warning=False, hints=(hint,)))
    confirmation = Confirmation(run, destination.index)
    outcomes = confirmation.verify_provenance_once(files)
    for name, outcome in outcomes.items():
        run.emit(ProvenanceChecked(endpoints.name, name, outcome))
    confirmation.require_valid_provenance(outcomes)
    missing = {name: outcome.reason for name, outcome in outcomes.items() if isinstance(outcome, ProvenanceMissing)}
    if missing and required:
        raise confirmation_messages.missing_provenance_error(endpoints, missing)
    if demanded:
        required_build_provenance.require_demanded_build_provenance(endpoints, outcomes, run.options)
    for name, reason in missing.items():
        run.warn("no-provenance", f"{endpoints.name} serves no provenance for {name}: {reason}", filename=name)
