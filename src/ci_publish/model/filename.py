"""The filename of a wheel or an sdist: the only parser of such names in this project (pure).

Sources: the binary distribution format (wheels, PEP 427), the source distribution format (PEP 625), PEP 425 (tags);
PyPI parses with ``packaging.utils`` as well (warehouse/forklift/legacy.py:1318-1438).
"""

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from ci_publish.model.distribution import Kind
from ci_publish.model.frozen import frozen

if TYPE_CHECKING:
    from packaging.version import Version

MAX_FILENAME: Final = 2_000
"""Characters. File systems allow 255 bytes."""

_WHEEL: Final = ".whl"
_SDIST: Final = (".tar.gz", ".zip")

Identity: TypeAlias = "tuple[Kind, str, Version, tuple[()] | tuple[int, str], tuple[frozenset[str], ...]]"


class FilenameFault(StrEnum):
    """The part of a filename that is wrong; if there are several, the first of these."""

    EXTENSION = "extension"
    LENGTH = "length"
    PARTS = "parts"
    PROJECT = "project"
    VERSION = "version"
    BUILD = "build"
    TAGS = "tags"


class InvalidFilename(ValueError):
    """A filename is not that of a wheel or an sdist. The message is that of ``packaging``, which PyPI repeats.

    ``except_tags`` is the parsed name if only its tags are wrong (``fault`` is TAGS), otherwise None: ``packaging`` did
    not check tags before 26.3, so PyPI accepted such names.
    """

    def __init__(self, message: str, fault: FilenameFault, except_tags: "DistributionFilename | None" = None) -> None:
        super().__init__(message)
        self.fault = fault
        self.except_tags = except_tags


@frozen(kw_only=True)
class DistributionFilename:
    """A parsed filename. Two spellings of one name differ in ``text`` only: compare ``identity``.

    ``project`` is normalised (PEP 503). ``version`` may be spelled in any way that PEP 440 allows (``v1.0``,
    ``1.0.RC1``): PyPI accepts that in the names of wheels. ``build`` is the build tag, a number and what follows it.
    ``tags`` are a wheel's interpreters, ABIs and platforms, in lower case, and empty for an sdist.
    """

    text: str
    kind: Kind
    project: str
    version: "Version"
    build: tuple[()] | tuple[int, str] = ()
    tags: tuple[frozenset[str], ...] = ()

    @staticmethod
    def parse(filename: str) -> "DistributionFilename":
        """Read *filename* as ``packaging.utils`` does; every name without ``.whl`` is read as an sdist's.

        Raises InvalidFilename. The time grows with the length of the name, not with the number of tags: a compressed
        tag set represents the product of its parts (120 interpreters, ABIs and platforms for 1,728,000 tags), and is
        checked without being expanded.
        """
        return _parse_distribution_filename(filename)

    @staticmethod
    def parse_or_none(filename: str) -> "DistributionFilename | None":
        """Read *filename* like ``parse``; return None for a name that is not a distribution's."""
        try:
            return _parse_distribution_filename(filename)
        except InvalidFilename:
            return None

    @property
    def identity(self) -> Identity:
        """What distinguishes distributions, however their names are spelled."""
        return self.kind, self.project, self.version, self.build, self.tags

    @property
    def spelled_project(self) -> str:
        """The project as the filename spells it."""
        return self.text.split("-", 1)[0] if self.kind is Kind.WHEEL else self.text.rpartition("-")[0]

    @property
    def python_tag(self) -> str:
        """What the upload API calls ``pyversion``: the Python tag as it is spelled, ``source`` for an sdist."""
        return self.text.removesuffix(_WHEEL).split("-")[-3] if self.kind is Kind.WHEEL else "source"

    @property
    def platforms(self) -> frozenset[str]:
        """The platforms of a wheel; empty for an sdist."""
        return self.tags[2] if self.tags else frozenset()


def version_in_filename(filename: str) -> str | None:
    """Return the normalised version in the name of a wheel or an sdist, None for other names."""
    parsed = DistributionFilename.parse_or_none(filename)
    return None if parsed is None else str(parsed.version)


@lru_cache(maxsize=65_536)  # a listing is searched once for each distribution of a run
def _parse_distribution_filename(filename: str) -> DistributionFilename:
    if len(filename) > MAX_FILENAME:
        message = f"Invalid filename ({len(filename)} characters; {MAX_FILENAME} are the most): {filename[:60]!r}…"
        raise InvalidFilename(message, FilenameFault.LENGTH)
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename  # noqa: PLC0415  (late: while the run connects)

    try:
        if filename.endswith(_WHEEL):
            return _parse_wheel_filename(filename)
        project, version = parse_sdist_filename(filename)
    except InvalidFilename:
        raise
    except ValueError as error:  # also for numbers: Python converts at most 4,300 digits, or fewer if so configured
        known = isinstance(error, InvalidWheelFilename | InvalidSdistFilename)
        message = str(error) if known else f"Invalid filename ({error}): {filename!r}"
        raise InvalidFilename(message, _filename_fault(filename)) from error
    return DistributionFilename(text=filename, kind=Kind.SDIST, project=project, version=version)


def _parse_wheel_filename(filename: str) -> DistributionFilename:
    """Read a wheel's name. Raises InvalidFilename if only the tags are wrong, otherwise ``packaging``'s errors."""
    from packaging.utils import parse_wheel_filename  # noqa: PLC0415  (late, as above)

    parts = filename.removesuffix(_WHEEL).split("-")
    sets = [part.split(".") for part in parts[-3:]]
    try:
        project, version, build, _ = parse_wheel_filename("-".join((*parts[:-3], "py3-none-any")) + _WHEEL)
    except ValueError:  # again with the real name, for its message: this fails before the tags are expanded
        project, version, build, _ = parse_wheel_filename(filename)
    tags = tuple(frozenset(map(str.lower, members)) for members in sets)
    parsed = DistributionFilename(
        text=filename, kind=Kind.WHEEL, project=project, version=version, build=build, tags=tags
    )
    if all(map(all, sets)) and all(map(str.isidentifier, sets[0])):
        return parsed
    message = f"Invalid wheel filename (invalid tag component): {filename.removesuffix(_WHEEL)!r}"
    raise InvalidFilename(message, FilenameFault.TAGS, parsed)


def _filename_fault(filename: str) -> FilenameFault:
    """Return what is wrong apart from the tags; of a wheel's name, by asking the library about each part alone."""
    if not filename.endswith(_WHEEL):
        project, dash, _ = filename.rpartition("-")
        if not filename.endswith(_SDIST):
            return FilenameFault.EXTENSION
        if not dash:
            return FilenameFault.PARTS
        return FilenameFault.VERSION if project else FilenameFault.PROJECT
    from packaging.utils import parse_wheel_filename  # noqa: PLC0415  (late, as above)

    parts = filename.removesuffix(_WHEEL).split("-")
    if len(parts) not in {5, 6}:
        return FilenameFault.PARTS
    for fault, name in (
        (FilenameFault.PROJECT, f"{parts[0]}-1-py3-none-any.whl"),
        (FilenameFault.VERSION, f"x-{parts[1]}-py3-none-any.whl"),
    ):
        try:
            parse_wheel_filename(name)
        except ValueError:
            return fault
    return FilenameFault.BUILD
