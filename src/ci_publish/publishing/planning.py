"""Plans what to do with each file, by the index's listing, and in which order (pure)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import assert_never

from ci_publish.model.distribution import Distribution, Kind
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen
from ci_publish.model.index import (
    AlreadyPublished,
    Conflict,
    Endpoints,
    IndexProfile,
    IndexState,
    KeptPublished,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    Plan,
    PlannedFile,
    ProjectListing,
    PublishedFile,
    Upload,
)
from ci_publish.model.train import Train


class OnConflict(StrEnum):
    """What to do if the index has different content under a filename."""

    FAIL = "fail"
    KEEP_PUBLISHED = "keep-published"


@frozen
class ConflictRules:
    """The user's rules for files whose name is taken.

    ``keep_other``: leave different content on the index. ``keep_undigested``: leave a file whose digest the index does
    not show, by its name alone.
    """

    keep_other: bool = False
    keep_undigested: bool = False

    @classmethod
    def for_index(cls, endpoints: Endpoints, on_conflict: str, *, skip_existing: bool) -> "ConflictRules":
        """Translate the options for one index: on PyPI and in its rehearsals ``skip-existing`` hides no conflict."""
        keep = on_conflict == OnConflict.KEEP_PUBLISHED
        pypi_or_rehearsal = endpoints.profile is IndexProfile.PYPI and endpoints.name != "testpypi"
        return cls(keep or (skip_existing and not pypi_or_rehearsal), keep or skip_existing)

    def keeps_published_file(self, match: "Match") -> bool:
        """Return whether a file with different or unknown content is left on the index."""
        return self.keep_undigested if match is Match.UNKNOWN else self.keep_other


Md5 = Callable[[Distribution], str]
"""Returns the MD5 of a file's bytes, in lower-case hexadecimal."""


class Match(StrEnum):
    """The result of comparing a file with the digests that an index shows under its name."""

    SAME = "same"
    SAME_MD5 = "same-md5"
    OTHER = "other"
    UNKNOWN = "unknown"


def compare_with_published(file: Distribution, published: PublishedFile, md5: Md5 | None) -> Match:
    """Compare by SHA-256, or by MD5 (if *md5* is given) if the index shows no SHA-256."""
    if published.sha256 is not None:
        return Match.SAME if published.sha256 == file.sha256 else Match.OTHER
    if published.md5 is None or md5 is None:
        return Match.UNKNOWN
    return Match.SAME_MD5 if published.md5 == md5(file) else Match.OTHER


def why_published_file_is_kept(match: Match) -> str:
    """Return why a published file with different or unknown content is left on the index."""
    if match is Match.UNKNOWN:
        return "the index shows no digest, so only the names were compared"
    return "the index has different content under this name"


def make_plan(
    index: str,
    distributions: Iterable[Distribution],
    states: Mapping[str, IndexState],
    rules: ConflictRules,
    md5: Md5 | None = None,
) -> Plan:
    """Decide about each distribution by its SHA-256; *states* has the listing of each normalised project.

    If an index shows only an MD5, that is compared (with *md5*; otherwise, nothing is).

    Raises ValueError for ``ListingUnavailable``: files that cannot be listed are never considered absent.
    """
    return Plan(index, tuple(_plan_file(file, states[file.project], rules, md5) for file in distributions))


def in_wave_order(train: Train, distributions: Iterable[Distribution]) -> tuple[Distribution, ...]:
    """Return the files in upload order: by the waves of *train*, and ``in_upload_order`` within each."""
    place = {project: number for number, wave in enumerate(train.waves) for project in wave}
    return tuple(sorted(in_upload_order(distributions), key=lambda file: place[file.project]))


def in_upload_order(distributions: Iterable[Distribution]) -> tuple[Distribution, ...]:
    """Return wheels before sdists, the smallest wheel first.

    The first file of a release fixes its metadata, and an sdist without its wheels makes installers build.
    """
    return tuple(sorted(distributions, key=lambda file: (file.kind is Kind.SDIST, file.size, file.filename)))


@frozen
class Schedule:
    """The order of the uploads: the index completes ``leads`` one after the other, then ``rest`` in parallel.

    ``existing`` are the projects that the index has: two of their leads may be completed at the same time.
    """

    leads: tuple[Distribution, ...]
    rest: tuple[Distribution, ...]
    existing: frozenset[str] = frozenset()

    def may_complete_together(self, first: Distribution, second: Distribution) -> bool:
        """Whether the index may complete two leads at once: of different projects that both exist."""
        return first.project != second.project and {first.project, second.project} <= self.existing


Undecided = Mapping[str, frozenset[str]]


def schedule_uploads(
    uploads: Sequence[Distribution], states: Mapping[str, IndexState], undecided: Undecided | None = None
) -> Schedule:
    """Send the first file of each new release alone, and, with several projects, the first file of each project.

    Parallel first files of a release get the status 500 on PyPI (measured on a running Warehouse), and so do parallel
    first files of several new projects, but not of existing ones. A file that PyPI may reject, according to *undecided*
    by filename, leads its release, and such leads come first: if the first file of a release is refused, nothing of
    that version is published. With several projects, a credential that does not cover one of them fails before the
    others are half published.
    """
    doubts = undecided or {}
    leads: dict[tuple[str, str], Distribution] = {}
    for file in sorted(in_upload_order(uploads), key=lambda file: -len(doubts.get(file.filename, ()))):
        state = states.get(file.project)
        if (
            not isinstance(state, ProjectListing)
            or file.version not in _listed_name_version_keys(_Listed(state)).versions
        ):
            leads.setdefault(file.release, file)
    if len({file.project for file in uploads}) > 1:
        led = {project for project, _ in leads}
        for file in in_upload_order(uploads):
            if file.project not in led:
                led.add(file.project)
                leads[file.release] = file
    first = tuple(sorted(in_upload_order(leads.values()), key=lambda file: file.filename not in doubts))
    existing = frozenset(project for project, state in states.items() if isinstance(state, ProjectListing))
    return Schedule(first, tuple(file for file in in_upload_order(uploads) if file not in first), existing)


def files_risking_incomplete_release(order: Schedule, undecided: Undecided) -> tuple[Distribution, ...]:
    """Return the files whose refusal would leave their release incomplete.

    They may be refused, and either for a different reason than the file that leads their release, or in a release that
    exists.
    """
    decided = {file.release: undecided.get(file.filename, frozenset()) for file in order.leads}
    return tuple(
        file
        for file in order.rest
        if undecided.get(file.filename, frozenset()) - decided.get(file.release, frozenset())
    )


def find_published_file(filename: str, state: IndexState) -> PublishedFile | None:
    """Find *filename* in a listing, also under another spelling of the name; forwarded files do not count."""
    if not isinstance(state, ProjectListing):
        return None
    found = state.files.get(filename)
    if found is None and (key := _name_version_key(filename)) is not None:
        found = _listed_name_version_keys(_Listed(state)).files.get(key)
    return None if found is None or found.inherited else found


def _plan_file(file: Distribution, state: IndexState, rules: ConflictRules, md5: Md5 | None) -> PlannedFile:
    match state:
        case ProjectListing():
            published = find_published_file(file.filename, state)
            if published is None:
                return Upload(file)
            match = compare_with_published(file, published, md5)
            if match in {Match.SAME, Match.SAME_MD5}:
                return AlreadyPublished(file, published, md5_only=match is Match.SAME_MD5)
            if rules.keeps_published_file(match):
                return KeptPublished(file, published, why_published_file_is_kept(match))
            return Conflict(file, published)
        case NoSuchProject():
            return Upload(file)
        case NotVisible():
            return Upload(file, known=False)
        case ListingUnavailable():
            message = f"no plan can be created without the file list of {state.project}"
            raise ValueError(message)
        case _:
            assert_never(state)


_NameVersionKey = tuple[object, str]
"""A name's identity, and its normalised version (1.0 is not 1.0.0)."""


@frozen
class _ListedNameVersionKeys:
    """The parsed names of a listing: the first file of each identity, and all versions."""

    files: Mapping[_NameVersionKey, PublishedFile]
    versions: AbstractSet[str]


@dataclass(frozen=True, slots=True, eq=False)
class _Listed:
    """One listing, compared by object identity: its names are parsed once, not once for each file of a run."""

    listing: ProjectListing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Listed) and self.listing is other.listing

    def __hash__(self) -> int:
        return id(self.listing)


@lru_cache(maxsize=32)
def _listed_name_version_keys(listed: _Listed) -> _ListedNameVersionKeys:
    files: dict[_NameVersionKey, PublishedFile] = {}
    for name, file in listed.listing.files.items():
        if (identity := _name_version_key(name)) is not None:
            files.setdefault(identity, file)
    return _ListedNameVersionKeys(files, {version for _, version in files})


def _name_version_key(filename: str) -> _NameVersionKey | None:
    """Return the identity and version in the name of a wheel or sdist; None for other names."""
    parsed = DistributionFilename.parse_or_none(filename)
    return None if parsed is None else (parsed.identity, str(parsed.version))
