"""Files that the index already has without an attestation: none can be added later (PyPI, PEP 740)."""

from collections.abc import Mapping, Sequence

from ci_publish.errors import IndexUnavailable
from ci_publish.model.attestation import AttestationPolicy, BuildProvenancePolicy
from ci_publish.model.events import Noted
from ci_publish.model.filename import version_in_filename
from ci_publish.model.index import AlreadyPublished, IndexState, Plan, ProjectListing
from ci_publish.publishing import messages, required_build_provenance
from ci_publish.publishing.confirmation import Confirmation
from ci_publish.publishing.context import Run
from ci_publish.publishing.ports import Index
from ci_publish.publishing.upload_concurrency import map_in_parallel


def require_published_files_attested(run: Run, index: Index, plan: Plan, states: Mapping[str, IndexState]) -> None:
    """Check the attestations of the files of *plan* that are already published, before anything is signed.

    Raises PublishedUnattested if the user requires attestations and a file has no provenance; warns if they are made by
    default. Raises BuildProvenanceMissing if build provenance is required and a file has none. Requests nothing from an
    index without an Integrity API.
    """
    if index.endpoints.integrity is None:
        return
    required = run.options.attestations is AttestationPolicy.REQUIRED
    files = [file for file in plan.files if isinstance(file, AlreadyPublished)]
    missing = _files_without_provenance(run, index, files, required=required)
    if missing and required:
        raise messages.published_unattested_error(index.endpoints, missing)
    for name in missing:
        message = f"{name} is on {index.endpoints.name} without an attestation, and it is too late to add one."
        run.warn("already-published-unattested", message, filename=name)
    if run.options.build_provenance is BuildProvenancePolicy.REQUIRED:
        published = [file.distribution for file in files]
        required_build_provenance.require_published_build_provenance(
            index.endpoints, Confirmation(run, index).verify_provenance_once(published)
        )
    if required:
        _note_other_unattested_files(run, index, plan, states)


def index_serves_provenance(index: Index, file: AlreadyPublished) -> bool:
    """Return whether the index serves provenance for a file that it lists. Raises IndexUnavailable."""
    project, version = file.distribution.release
    return bool(file.published.provenance) or index.provenance(project, version, file.published.filename) is not None


def _files_without_provenance(
    run: Run, index: Index, files: Sequence[AlreadyPublished], *, required: bool
) -> tuple[str, ...]:
    def ask(file: AlreadyPublished) -> bool | IndexUnavailable:
        try:
            return index_serves_provenance(index, file)
        except IndexUnavailable as error:
            return error

    by_name = {file.distribution.filename: file for file in files}
    served = map_in_parallel(
        by_name, lambda name: ask(by_name[name]), run.options.jobs, lambda: not run.waiting.stopped
    )
    run.raise_if_stopped()
    for answer in served.values():
        if required and isinstance(answer, IndexUnavailable):
            raise answer
    return tuple(name for name in by_name if served[name] is False)


def _note_other_unattested_files(run: Run, index: Index, plan: Plan, states: Mapping[str, IndexState]) -> None:
    """Name the files of these releases that only the index has and that have no provenance."""
    ours = {file.distribution.filename for file in plan.files}
    for project, version in dict.fromkeys(file.distribution.release for file in plan.files):
        state = states.get(project)
        listed = state.files.values() if isinstance(state, ProjectListing) else ()
        names = [
            file.filename
            for file in listed
            if file.filename not in ours
            and not file.provenance
            and not file.inherited
            and version_in_filename(file.filename) == version
        ]
        if names:
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004
            message = f"{project} {version} has files on {index.endpoints.name} without an attestation: {shown}."
            run.emit(Noted(slug="release-partly-unattested", message=message, warning=False))
