"""Comparing the requirements of two releases (pure).

Source: PEP 508. Specifiers are compared by trying them on versions, not by their text.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

MAX_REQUIREMENTS: Final = 2_000
MAX_REQUIREMENT: Final = 2_000
"""Characters of a requirement that is read; ``packaging`` reads nested groups by recursion."""

MAX_GROUPS: Final = 50
MAX_SPECIFIERS: Final = 40

_EXTRA: Final = re.compile(r"""extra == "([^"]+)\"""")

Key: TypeAlias = tuple[str, str]
"""The name and the marker of a requirement, both as ``packaging`` writes them."""

Requirements: TypeAlias = Mapping[Key, Requirement]


def parse_requirements(lines: Iterable[str]) -> Requirements | None:
    """Return the requirements by name and marker; None if one is invalid, or they are too many or too long."""
    found: dict[Key, Requirement] = {}
    for number, line in enumerate(lines):
        if number >= MAX_REQUIREMENTS or len(line) > MAX_REQUIREMENT or line.count("(") > MAX_GROUPS:
            return None
        try:
            requirement = Requirement(line)
        except ValueError:  # also for a number of more than 4,300 digits
            return None
        key = canonicalize_name(requirement.name), str(requirement.marker or "")
        if (known := found.setdefault(key, requirement)) is not requirement:  # two lines about the same project
            known.specifier &= requirement.specifier
            known.extras |= requirement.extras
    return found


def format_requirement(key: Key, requirement: Requirement) -> str:
    """Return a requirement as text: with the extra that it belongs to, or else with its marker."""
    extra = extra_of_requirement(key)
    condition = f" (extra {extra})" if extra else f" (where {key[1]})" if key[1] else ""
    return f"{format_without_marker(requirement)}{condition}"


def extra_of_requirement(key: Key) -> str:
    """Return the extra that a requirement belongs to, empty if it belongs to none."""
    extra = _EXTRA.search(key[1])
    return extra[1] if extra else ""


def format_without_marker(requirement: Requirement) -> str:
    """Return a requirement without its marker."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    url = f" @ {requirement.url}" if requirement.url else ""
    return f"{requirement.name}{extras}{requirement.specifier}{url}"


def is_narrower_specifier(ours: SpecifierSet, before: SpecifierSet) -> bool:
    """Whether *ours* admits fewer versions than *before*, and no others.

    Tried are the bounds of both, the versions just below and above each, and a very low and a very high version.
    """
    bounds = [specifier.version for specifier in (*ours, *before)]
    if len(bounds) > MAX_SPECIFIERS:
        return False
    tried = {Version("0.dev0"), Version("99999999")}
    for bound in bounds:
        try:
            version = Version(bound.removesuffix(".*"))
        except ValueError:  # `===` takes any text
            return False
        release = ".".join(map(str, version.release))
        following = ".".join(map(str, (*version.release[:-1], version.release[-1] + 1)))
        series = ".".join(map(str, (*version.release[:-2], version.release[-2] + 1))) if version.release[1:] else ""
        texts = (str(version), f"{release}.dev0", f"{release}.1", f"{following}.dev0", following, series)
        tried |= {Version(f"{version.epoch}!{text}" if "!" not in text else text) for text in texts if text}
    now, then = ({version for version in tried if each.contains(version, prereleases=True)} for each in (ours, before))
    return now < then
