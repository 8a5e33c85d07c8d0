"""Which versions of Python a ``Requires-Python`` admits (pure).

Source: core metadata specification, PEP 440. Specifiers are compared by trying them on versions, not by their text.
"""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final, TypeAlias

from packaging.specifiers import SpecifierSet

MAX_SPECIFIER: Final = 500
"""Characters: several times as many as any real one has."""

Minor: TypeAlias = tuple[int, int]

_NEWEST: Final = 39
# Higher than every version: ends the last range.
_BEYOND: Final = 10**6
_VERSIONS: Final = ((2, 7), *((3, minor) for minor in range(_NEWEST + 1)), (4, 0))
_MICRO: Final = re.compile(r"(\d)\.(\d{1,2})\.(\d{1,2})(?!\d)")
# Higher than that of any release of Python: represents the newest one.
_LAST_MICRO: Final = 99


@lru_cache(maxsize=256)
def admitted_python_versions(requires_python: str, beside: str = "") -> frozenset[tuple[int, int, int]] | None:
    """Return the versions of Python that a specifier admits; None for an invalid one.

    Tried are the first and the last release of each minor version, and the releases that the specifier or *beside*,
    the specifier it will be compared with, names.
    """
    if max(len(requires_python), len(beside)) > MAX_SPECIFIER:
        return None
    try:
        specifiers = SpecifierSet(requires_python)
        named = {(int(a), int(b), int(c)) for a, b, c in _MICRO.findall(f"{requires_python} {beside}")}
        tried = {(*minor, micro) for minor in _VERSIONS for micro in (0, _LAST_MICRO)} | named
        return frozenset(each for each in tried if specifiers.contains(".".join(map(str, each)), prereleases=True))
    except ValueError:  # also for a number of more than 4,300 digits
        return None


def minor_python_versions(versions: Iterable[tuple[int, int, int]]) -> frozenset[Minor]:
    """Return the minor versions of which at least one release is in *versions*."""
    return frozenset((major, minor) for major, minor, _ in versions)


def requires_python_admits(requires_python: str | None, major: int, minor: int) -> bool:
    """Whether a version of Python is admitted, or may be because the specifier is unknown or invalid."""
    versions = None if requires_python is None else admitted_python_versions(requires_python)
    return versions is None or (major, minor) in minor_python_versions(versions)


def format_minor_python_versions(found: AbstractSet[Minor]) -> str:
    """Return ``3.8``, ``3.8, 3.9``, ``2.7 to 3.9`` or ``3.15 and newer``."""
    first = _NEWEST + 1
    while (3, first - 1) in found:
        first -= 1
    names: list[str] = []
    run: list[str] = []
    for each in sorted({*_VERSIONS, *found, (_BEYOND, 0)}):
        if each in found and (each < (3, first) or first > _NEWEST):
            run.append(f"{each[0]}.{each[1]}")
        else:
            names += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run  # noqa: PLR2004  (two are not a range)
            run = []
    return ", ".join([*names, f"3.{first} and newer"] if first <= _NEWEST else names)
