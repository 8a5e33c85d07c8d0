"""Uploads that an index will certainly reject, detected before anything is signed for them.

Sources: PEP 792 (project status), PEP 700 (upload-time), warehouse/forklift/legacy.py (14 days, one sdist a release).
"""

from collections.abc import Mapping, Sequence

from ci_publish.errors import UploadRejected
from ci_publish.model.distribution import Distribution, Kind
from ci_publish.model.filename import version_in_filename
from ci_publish.model.index import Endpoints, IndexProfile, ProjectListing, ProjectStatus, PublishedFile

# PyPI takes no new files for a release after that, since 2026-07-08.
RELEASE_OPEN_DAYS = 14
DAY = 86_400.0


def foreseen_upload_refusal(
    listing: ProjectListing, uploads: Sequence[Distribution], endpoints: Endpoints, now: float
) -> UploadRejected | None:
    """Return why the index will reject some of *uploads* (all of this project), None if no refusal is certain.

    *now* is in seconds since the epoch. Under other rules than PyPI's only the project's status counts.
    """
    if not uploads:
        return None
    closed: Mapping[str, str] = {
        ProjectStatus.ARCHIVED: "Its owners archived it; they can unarchive it in the project's settings.",
        ProjectStatus.QUARANTINED: f"The administrators of {endpoints.name} quarantined it; contact them.",
    }
    if (hint := closed.get(listing.status)) is not None:
        return UploadRejected(
            f"{listing.project} is {listing.status} on {endpoints.name} and accepts no files.",
            detail="The index reports this as the project's status (PEP 792).",
            hints=(hint,),
        )
    return (
        _refusal_by_rules_of_pypi(listing, uploads, endpoints, now) if endpoints.profile is IndexProfile.PYPI else None
    )


def is_reserved_project_name(project: str) -> bool:
    """Return whether PyPI reserves this project name (normalised) for a module of the standard library.

    Source: warehouse/packaging/services.py:60-73; only projects that exist already may have such a name.
    """
    from ci_publish.model.stdlib_names import STDLIB_NAMES  # noqa: PLC0415 - only for projects that do not exist yet

    return project in STDLIB_NAMES


def reserved_name_refusal(project: str, endpoints: Endpoints) -> UploadRejected:
    """Return the error for a new project whose name PyPI keeps for the standard library."""
    return UploadRejected(
        f"{endpoints.name} accepts no new project named {project}, because it is the name of a standard library"
        " module.",
        detail="No project of that name exists on the index, so an upload would have to create it.",
        hints=("Choose another project name: https://pypi.org/help/#project-name",),
    )


def yanked_versions_of_uploads(listing: ProjectListing, uploads: Sequence[Distribution]) -> tuple[str, ...]:
    """Return the versions of *uploads* of which the index lists files, all of them yanked."""
    return tuple(
        version
        for version in dict.fromkeys(file.version for file in uploads)
        if (files := _listed_files_of_version(version, listing)) and all(file.yanked is not False for file in files)
    )


def _refusal_by_rules_of_pypi(
    listing: ProjectListing, uploads: Sequence[Distribution], endpoints: Endpoints, now: float
) -> UploadRejected | None:
    """Return the refusal of files for a release that PyPI has closed, or of a second sdist."""
    for version in dict.fromkeys(file.version for file in uploads):
        uploaded = [file.uploaded for file in _listed_files_of_version(version, listing)]
        age = (now - min((time for time in uploaded if time is not None), default=now)) / DAY
        if age > RELEASE_OPEN_DAYS:
            return UploadRejected(
                f"{listing.project} {version} is {age:.0f} days old, and {endpoints.name} accepts no new files for it.",
                detail=f"PyPI closes a release {RELEASE_OPEN_DAYS} days after its first file.",
                hints=("Publish the files under a new version, such as a post release.",),
            )
    for file in (file for file in uploads if file.kind is Kind.SDIST):
        listed = _listed_files_of_version(file.version, listing)
        if other := next((each for each in listed if not each.filename.endswith(".whl")), None):
            return UploadRejected(
                f"{endpoints.name} already has an sdist for {listing.project} {file.version}, named {other.filename};"
                f" {file.filename} would be a second one.",
                detail="PyPI accepts one sdist per release.",
                hints=(
                    "Publish the wheels without the sdist, or publish both under a new version.",
                    "Build backends that follow PEP 625 all use the same name for an sdist: update yours.",
                ),
            )
    return None


def _listed_files_of_version(version: str, listing: ProjectListing) -> list[PublishedFile]:
    files = [file for file in listing.files.values() if not file.inherited]
    return [file for file in files if version_in_filename(file.filename) == version]
