"""Selects the release that a release is compared with, from a listing alone (pure)."""

from collections.abc import Iterable, Mapping, Sequence

from packaging.version import Version

from ci_publish.model.distribution import Distribution
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen
from ci_publish.model.index import ProjectListing, PublishedFile
from ci_publish.model.release import Comparison, Release, ReleaseFile, local_release_files, sum_of_sizes


@frozen(kw_only=True)
class ListedFile:
    """A listed file whose name can be parsed."""

    name: DistributionFilename
    published: PublishedFile

    @property
    def is_yanked(self) -> bool:
        """Whether it is yanked, with or without a reason."""
        return self.published.yanked is not False


Releases = Mapping[Version, Sequence[ListedFile]]
"""The files of a project by version, in the order of their names."""


def listed_releases(listing: ProjectListing) -> Releases:
    """Return the releases of a listing; files that the index forwards from another one do not count."""
    found: dict[Version, list[ListedFile]] = {}
    for filename in sorted(listing.files):
        name, published = DistributionFilename.parse_or_none(filename), listing.files[filename]
        if name is not None and name.project == listing.project and not published.inherited:
            found.setdefault(name.version, []).append(ListedFile(name=name, published=published))
    return found


def baseline_version(ours: Version, listed: Releases) -> Version | None:
    """Return the highest release below *ours* that is not yanked; for a final release, only finals count.

    For a back-port, this is also the previous release of its line: no other one is between them.
    """
    return max((version for version in _comparable_versions(ours, listed) if version < ours), default=None)


def newest_other_version(ours: Version, listed: Releases) -> Version | None:
    """Return the highest other release that is not yanked; for a final release, only finals count."""
    return max((version for version in _comparable_versions(ours, listed) if version != ours), default=None)


def _comparable_versions(ours: Version, listed: Releases) -> Iterable[Version]:
    for version, files in listed.items():
        if (ours.is_prerelease or not version.is_prerelease) and not all(file.is_yanked for file in files):
            yield version


def why_no_baseline(ours: Version, listed: Releases) -> str:
    """Return why there is nothing to compare with, to complete "nothing to compare with: "."""
    earlier = [version for version in listed if version < ours]
    if not earlier:
        others = any(version != ours for version in listed)
        return "every other release is higher" if others else "this is the first release"
    return "the earlier ones are yanked or pre-releases"


def listed_release(project: str, version: Version, files: Sequence[ListedFile]) -> Release:
    """Return a listed release; yanked files count only if there are no others."""
    kept = [file for file in files if not file.is_yanked] or list(files)
    admitted = [text for file in kept if (text := file.published.requires_python) is not None]
    return Release(
        project=project,
        version=str(version),
        files=tuple(ReleaseFile(name=file.name, size=file.published.size) for file in kept),
        requires_python=admitted[0] if admitted else None,
    )


def local_release(distributions: Sequence[Distribution], listed: Releases) -> Release:
    """Return the release of these files, with those of its files that only the index has."""
    first = min(distributions, key=lambda file: file.filename)
    here = local_release_files(distributions)
    known = {file.name.identity for file in here}
    there = [file for file in listed.get(Version(first.version), ()) if file.name.identity not in known]
    return Release(
        project=first.project,
        version=first.version,
        files=(*here, *(ReleaseFile(name=file.name, size=file.published.size) for file in there)),
        requires_python=first.metadata.first("requires-python") or "",
        metadata=first.metadata,
    )


def comparison_with_listing(
    ours: Release, new: Sequence[Distribution], listing: ProjectListing, listed: Releases
) -> Comparison:
    """Return *ours*, of which *new* will be uploaded, next to the listing; the baseline is not chosen yet."""
    version = Version(ours.version)
    highest = newest_other_version(version, listed)
    sizes = [file.size for file in listing.files.values() if not file.inherited]
    return Comparison(
        ours=ours,
        newest=None if highest is None else str(highest),
        line=any(_release_line(other) == _release_line(version) for other in listed if other < version),
        new_files=local_release_files(new),
        project_size=sum_of_sizes(sizes),
        largest=max((size for size in sizes if size is not None), default=0),
    )


def _release_line(version: Version) -> tuple[int, int, int]:
    return version.epoch, version.major, version.minor


def comparable_file_pair(
    distributions: Sequence[Distribution], files: Sequence[ListedFile]
) -> tuple[Distribution, ListedFile] | None:
    """Return a local file and one of another release whose metadata can be compared, with the same tags if possible.

    None if the index serves the core metadata of no file of that release.
    """
    served = [file for file in files if file.published.core_metadata is not False]
    here = sorted(distributions, key=lambda file: (file.filename.endswith(".whl") is False, file.filename))
    names = ((DistributionFilename.parse_or_none(ours.filename), ours) for ours in reversed(here))
    tags = {name.tags: ours for name, ours in names if name is not None}
    for file in served:
        if file.name.tags in tags:
            return tags[file.name.tags], file
    return (here[0], served[0]) if here and served else None
