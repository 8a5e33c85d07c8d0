"""The comparison of a release with the previous one: its input and its result."""

from collections.abc import Iterable

from ci_publish.model.distribution import CoreMetadata, Distribution
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen
from ci_publish.model.problem import Problem

_NO_CHANGES = frozenset({"not-compared", "project-size-near", "size-limit-raised"})


@frozen(kw_only=True)
class ReleaseFile:
    """One file of a release, here or on the index; ``size`` in bytes is None if the index shows none."""

    name: DistributionFilename
    size: int | None


@frozen(kw_only=True)
class Release:
    """The files of one version of a project, and what is known of its metadata.

    ``requires_python`` is the specifier as written, empty where every Python is admitted; None if nothing is known.
    ``metadata`` is the core metadata of one file, None if it was not read.
    """

    project: str
    version: str
    files: tuple[ReleaseFile, ...]
    requires_python: str | None = None
    metadata: CoreMetadata | None = None

    @property
    def size(self) -> int | None:
        """The sum of the sizes in bytes, None if one is not known."""
        return sum_of_sizes([file.size for file in self.files])


@frozen(kw_only=True)
class Comparison:
    """A release and the one before it.

    ``ours`` are the files of this run and those that the index has of the same version. ``before`` is None if there
    is nothing to compare with. ``newest`` is the highest other version that the index lists, ``line`` whether it
    lists a lower one of the same line (major and minor). ``new_files`` is what the run adds, ``project_size`` what the
    index has of the project now, in bytes; ``largest`` is the largest file that it accepted. ``before_metadata`` is the
    core metadata of a file before, as served: requested if ``metadata_asked``, None if the index serves none.
    """

    ours: Release
    before: Release | None = None
    newest: str | None = None
    line: bool = False
    new_files: tuple[ReleaseFile, ...] = ()
    project_size: int | None = None
    largest: int = 0
    before_metadata: bytes | None = None
    metadata_asked: bool = False

    @property
    def new_size(self) -> int:
        """What the run adds to the project, in bytes."""
        return sum(file.size or 0 for file in self.new_files)


@frozen(kw_only=True)
class ReleaseDiff:
    """What a comparison at one index found, the most important first.

    ``against`` is the version before; without one, ``why_not`` says why nothing was compared.
    """

    index: str
    ours: Release
    against: Release | None
    why_not: str
    findings: tuple[Problem, ...]
    project_size: int | None = None

    @property
    def has_changes(self) -> bool:
        """Whether anything is different; the index's limits and what it does not show are no differences."""
        return any(finding.rule not in _NO_CHANGES for finding in self.findings)


def local_release_files(distributions: Iterable[Distribution]) -> tuple[ReleaseFile, ...]:
    """Return distributions as files of a release; those whose names cannot be parsed are omitted."""
    named = ((DistributionFilename.parse_or_none(file.filename), file.size) for file in distributions)
    return tuple(ReleaseFile(name=name, size=size) for name, size in named if name is not None)


def sum_of_sizes(sizes: list[int | None]) -> int | None:
    """Return the sum of *sizes*, None if one is not known."""
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None
