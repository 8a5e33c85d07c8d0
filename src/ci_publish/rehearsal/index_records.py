"""The records of the rehearsal's index: frozen values, and the events that its state is computed from (pure)."""

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Final, TypeAlias, assert_never

from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import Version

from ci_publish.model.frozen import frozen

Fields: TypeAlias = tuple[tuple[str, str], ...]

ACTIVE: Final = "active"
QUARANTINED: Final = "quarantined"
CLOSED_STATUSES: Final = frozenset({"archived", QUARANTINED})


@frozen(kw_only=True)
class StoredFile:
    """One file of the index. `uploaded` is Unix time, `provenance` PEP 740's object."""

    filename: str
    project: str
    version: str
    packagetype: str
    python_version: str
    size: int
    md5: str
    sha256: str
    blake2_256: str
    uploaded: float
    uploaded_via: str = ""
    comment: str = ""
    core_metadata_sha256: str | None = None
    provenance: Mapping[str, Any] | None = None

    @property
    def path(self) -> str:
        """The path of the file below the files' root, as on PyPI: by its BLAKE2 digest."""
        digest = self.blake2_256
        return f"{digest[:2]}/{digest[2:4]}/{digest[4:]}/{self.filename}"


@frozen(kw_only=True)
class StoredRelease:
    """One version of a project, described by the form of its first file. `created` is Unix time."""

    version: str
    created: float
    fields: Fields = ()
    yanked: bool = False
    yanked_reason: str = ""

    def first_form_value(self, name: str) -> str | None:
        """Return the first value of a form field that is not empty, or None."""
        return next(iter(self.all_form_values(name)), None)

    def all_form_values(self, name: str) -> tuple[str, ...]:
        """Return every value of a form field that is not empty."""
        return tuple(value for key, value in self.fields if key == name and value.strip())


@frozen(kw_only=True)
class StoredProject:
    """One project: its releases by canonical version, its files by name. `serial` grows with each change."""

    name: str
    created: float
    serial: int
    status: str = ACTIVE
    releases: Mapping[str, StoredRelease] = field(default_factory=dict)
    files: Mapping[str, StoredFile] = field(default_factory=dict)

    @property
    def normalized(self) -> str:
        """The name as PEP 503 has it in addresses."""
        return canonicalize_name(self.name)

    @property
    def visible_files(self) -> tuple[StoredFile, ...]:
        """The files that the index shows, by version and name: none while the project is quarantined."""
        if self.status == QUARANTINED:
            return ()
        return tuple(sorted(self.files.values(), key=lambda file: (Version(file.version), file.filename)))

    @property
    def ordered_releases(self) -> tuple[StoredRelease, ...]:
        """The releases, newest version first."""
        return tuple(sorted(self.releases.values(), key=lambda release: Version(release.version), reverse=True))

    @property
    def latest_release(self) -> StoredRelease | None:
        """The release that PyPI shows first: not yanked before yanked, final before pre-release, newest first."""
        ranked = sorted(self.ordered_releases, key=lambda item: (item.yanked, Version(item.version).is_prerelease))
        return ranked[0] if ranked else None

    def find_release(self, version: str) -> StoredRelease | None:
        """Return the release of an equal version, or None."""
        return self.releases.get(canonicalize_version(version))

    def files_of_release(self, version: str) -> tuple[StoredFile, ...]:
        """Return the visible files of one release."""
        return tuple(
            file for file in self.visible_files if canonicalize_version(file.version) == canonicalize_version(version)
        )

    @property
    def total_file_size(self) -> int:
        """The bytes of all its files together."""
        return sum(file.size for file in self.files.values())


@frozen
class ProjectCreated:
    """A project was registered."""

    name: str
    time: float


@frozen(kw_only=True)
class ReleaseCreated:
    """The first file of a release set its description."""

    project: str
    version: str
    time: float
    fields: Fields


@frozen
class FileAdded:
    """A file was stored; `name` is the project's name as this upload spells it."""

    name: str
    file: StoredFile


@frozen
class FileDeleted:
    """A file was deleted by an owner; its name can never be used again."""

    project: str
    filename: str


@frozen
class StatusSet:
    """A project's status marker (PEP 792) changed."""

    project: str
    status: str


@frozen(kw_only=True)
class ReleaseYanked:
    """A release was yanked (PEP 592), or unyanked."""

    project: str
    version: str
    yanked: bool
    reason: str


@frozen
class ReleaseDated:
    """A release was given another date of creation."""

    project: str
    version: str
    created: float


IndexEvent: TypeAlias = (
    ProjectCreated | ReleaseCreated | FileAdded | FileDeleted | StatusSet | ReleaseYanked | ReleaseDated
)


@frozen
class RehearsalState:
    """Everything the index has, after `serial` events. `deleted` holds filenames that can never be used again."""

    serial: int = 0
    projects: Mapping[str, StoredProject] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()

    def project(self, name: str) -> StoredProject | None:
        """Return the project of that name in any spelling, or None."""
        return self.projects.get(canonicalize_name(name))

    @property
    def files(self) -> Mapping[str, StoredFile]:
        """All files by name."""
        return {name: file for project in self.projects.values() for name, file in project.files.items()}


def state_after_event(state: RehearsalState, event: IndexEvent) -> RehearsalState:
    """Return the state after *event*."""
    serial = state.serial + 1
    if isinstance(event, ProjectCreated):
        project = StoredProject(name=event.name, created=event.time, serial=serial)
    else:
        name = event.file.project if isinstance(event, FileAdded) else event.project
        project = _project_after_event(replace(state.projects[name], serial=serial), event)
    deleted = state.deleted | {event.filename} if isinstance(event, FileDeleted) else state.deleted
    return RehearsalState(serial, {**state.projects, project.normalized: project}, deleted)


def _project_after_event(
    project: StoredProject, event: ReleaseCreated | FileAdded | FileDeleted | StatusSet | ReleaseYanked | ReleaseDated
) -> StoredProject:
    match event:
        case FileAdded():
            return replace(project, name=event.name, files={**project.files, event.file.filename: event.file})
        case StatusSet():
            return replace(project, status=event.status)
        case FileDeleted():
            return replace(project, files={k: v for k, v in project.files.items() if k != event.filename})
        case ReleaseCreated():
            release = StoredRelease(version=event.version, created=event.time, fields=event.fields)
            return _project_with_release(project, release)
        case ReleaseYanked():
            release = project.releases[canonicalize_version(event.version)]
            return _project_with_release(project, replace(release, yanked=event.yanked, yanked_reason=event.reason))
        case ReleaseDated():
            release = project.releases[canonicalize_version(event.version)]
            return _project_with_release(project, replace(release, created=event.created))
        case _:
            assert_never(event)


def _project_with_release(project: StoredProject, release: StoredRelease) -> StoredProject:
    return replace(project, releases={**project.releases, canonicalize_version(release.version): release})
