"""The filename of a wheel or an sdist, read once for everybody (pure).

Sources: the binary distribution format (wheels, PEP 427), the source distribution format (PEP 625), PEP 425 (tags).
A compressed tag set stands for the product of its parts: 120 interpreters, ABIs and platforms for 1,728,000 tags. A
large one is never expanded, so reading a name costs no more than its length.
"""

from functools import lru_cache
from math import prod
from typing import Final

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from ci_publish.model.distribution import Kind
from ci_publish.model.frozen import frozen

MAX_FILENAME: Final = 2_000
"""Characters. File systems stop at 255 bytes."""

MAX_EXPANDED: Final = 100
"""Tags that a compressed tag set may stand for where the library expands it; beyond, its members are checked here."""

_WHEEL: Final = ".whl"


@frozen
class DistributionFilename:
    """What a filename says. ``project`` is normalised; ``tags`` are the three parts of a wheel's tag, lower-case."""

    kind: Kind
    project: str
    version: Version
    build: tuple[()] | tuple[int, str] = ()
    tags: tuple[frozenset[str], ...] = ()

    @property
    def platforms(self) -> frozenset[str]:
        """The platforms of a wheel; empty for an sdist."""
        return self.tags[2] if self.tags else frozenset()


@lru_cache(maxsize=65_536)  # a listing is searched once for each distribution of a run
def parse_filename(filename: str) -> DistributionFilename:
    """Read *filename* as ``packaging`` does. Raises its InvalidWheelFilename or InvalidSdistFilename (ValueErrors)."""
    wheel = filename.endswith(_WHEEL)
    invalid = InvalidWheelFilename if wheel else InvalidSdistFilename
    if len(filename) > MAX_FILENAME:
        message = f"Invalid filename ({len(filename)} characters; {MAX_FILENAME} are the most): {filename[:60]!r}…"
        raise invalid(message)
    try:
        return _wheel(filename) if wheel else _sdist(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        raise
    except ValueError as error:  # Python converts no more than 4,300 digits to a number, or fewer where it is told so
        message = f"Invalid filename ({error}): {filename!r}"
        raise invalid(message) from error


def version_of(filename: str) -> str | None:
    """Return the normalised version in the name of a wheel or an sdist, None for other names."""
    try:
        return str(parse_filename(filename).version)
    except ValueError:
        return None


def _sdist(filename: str) -> DistributionFilename:
    project, version = parse_sdist_filename(filename)
    return DistributionFilename(Kind.SDIST, project, version)


def _wheel(filename: str) -> DistributionFilename:
    parts = filename.removesuffix(_WHEEL).split("-")
    sets = [part.split(".") for part in parts[-3:]]
    name = filename
    if prod(map(len, sets)) > MAX_EXPANDED:
        name = "-".join((*parts[:-3], *(members[0] for members in sets))) + _WHEEL
        if not all(map(all, sets)) or not all(map(str.isidentifier, sets[0])):
            message = f"Invalid wheel filename (invalid tag component): {filename!r}"
            raise InvalidWheelFilename(message)
    project, version, build, _ = parse_wheel_filename(name)
    tags = tuple(frozenset(map(str.lower, members)) for members in sets)
    return DistributionFilename(Kind.WHEEL, project, version, build, tags)
