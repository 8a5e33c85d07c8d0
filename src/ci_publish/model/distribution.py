"""What is published: one sdist or wheel, identified by its content."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from ci_publish.model.frozen import frozen
from ci_publish.model.problem import Problem

if TYPE_CHECKING:
    from packaging.version import Version


class Kind(StrEnum):
    """The two kinds of distribution that indexes accept."""

    SDIST = "sdist"
    WHEEL = "wheel"


@frozen
class Digests:
    """Lower-case hexadecimal digests of a file's bytes."""

    sha256: str
    md5: str | None = None


@frozen(kw_only=True)
class Stamp:
    """What the file system said about a file when it was hashed; a different stamp later means a changed file."""

    device: int
    inode: int
    size: int
    mtime_ns: int


@frozen(kw_only=True)
class CoreMetadata:
    """The core metadata of a distribution, as raw fields in the order of the file.

    Names are spelled as in the specification, lower-cased with dashes (``requires-dist``); a field that may be used
    several times has several entries. The description is the body or the ``Description`` header.
    """

    metadata_version: str
    name: str
    version: str
    fields: tuple[tuple[str, str], ...] = ()
    description: str | None = None

    @property
    def format_version(self) -> "Version | None":
        """The metadata version in a form that can be compared; None if it is no version."""
        from packaging.version import Version  # noqa: PLC0415  (late: while the run connects)

        try:
            return Version(self.metadata_version)
        except ValueError:  # InvalidVersion is one, and so is a number of more than 4,300 digits
            return None

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of the field *name*, in the file's order."""
        return tuple(value for key, value in self.fields if key == name)

    def first(self, name: str) -> str | None:
        """Return the first value of the field *name*, or None."""
        return next(iter(self.all(name)), None)


@frozen(kw_only=True)
class Distribution:
    """One sdist or wheel, read and hashed once.

    ``project`` is the normalised name (PEP 503), ``version`` the normalised version (PEP 440), ``python_tag`` what
    the upload API calls ``pyversion`` (``source`` for an sdist). ``size`` is in bytes. ``build_requires`` are the
    projects, by normalised name, that an sdist needs to be built.
    """

    path: Path
    filename: str
    kind: Kind
    project: str
    version: str
    python_tag: str
    size: int
    digests: Digests
    metadata: CoreMetadata
    stamp: Stamp
    build_requires: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file's bytes, lower-case hexadecimal."""
        return self.digests.sha256

    @property
    def release(self) -> tuple[str, str]:
        """The release that this file belongs to: project and version."""
        return self.project, self.version


def distributions_by_release(distributions: Iterable[Distribution]) -> dict[tuple[str, str], list[Distribution]]:
    """Return the files of each release, in the order in which they are given."""
    releases: dict[tuple[str, str], list[Distribution]] = {}
    for file in distributions:
        releases.setdefault(file.release, []).append(file)
    return releases


@frozen(kw_only=True)
class FoundAttestation:
    """An attestation file next to a distribution: ``<distribution>.<type>.attestation``."""

    path: Path
    distribution: str
    type: str
    content: bytes


@frozen
class UnreadableFile:
    """A file that is named like a distribution but cannot be read as one."""

    path: Path
    filename: str


@frozen(kw_only=True)
class Collection:
    """What was found in the paths that a user named.

    ``problems`` were found while searching for and reading the files; each ``unreadable`` file has at least one error.
    """

    distributions: tuple[Distribution, ...]
    attestations: tuple[FoundAttestation, ...] = ()
    problems: tuple[Problem, ...] = ()
    unreadable: tuple[UnreadableFile, ...] = ()

    def __iter__(self) -> Iterator[Distribution]:
        return iter(self.distributions)

    @property
    def projects(self) -> tuple[str, ...]:
        """The projects of the distributions, once each."""
        return tuple(dict.fromkeys(file.project for file in self.distributions))

    @property
    def unattested(self) -> bool:
        """Whether a file has no publish attestation next to it, so that one must be made."""
        attested = {found.distribution for found in self.attestations if found.type == "publish"}
        return any(file.filename not in attested for file in self.distributions)
