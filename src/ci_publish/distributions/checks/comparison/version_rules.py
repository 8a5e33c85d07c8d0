"""Rules that compare the version of a release, and the versions of Python that it admits, with others (pure)."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from packaging.version import Version

from ci_publish.distributions.checks.comparison.python_versions import (
    Minor,
    admitted_python_versions,
    format_minor_python_versions,
    minor_python_versions,
)
from ci_publish.distributions.checks.comparison.stated import Stated
from ci_publish.distributions.checks.rules import Rule
from ci_publish.distributions.faults import Fault
from ci_publish.model.problem import Severity
from ci_publish.model.release import Comparison

# A major version from here on is a year: 2026 after 2024 skips nothing.
_FIRST_YEAR: Final = 1900


def _version_below_newest(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if _is_below_newest_version(comparison) and not comparison.line:
        ours, line = comparison.ours.version, ".".join(comparison.ours.version.split(".")[:2])
        message = f"{ours} is lower than {comparison.newest}, and no earlier release begins with {line}."
        yield Fault(rule="version-below-newest", message=message)


def _version_back_port(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if _is_below_newest_version(comparison) and comparison.line:
        message = f"{comparison.ours.version} is lower than {comparison.newest}: a back-port."
        yield Fault(rule="version-back-port", message=message)


def _is_below_newest_version(comparison: Comparison) -> bool:
    return comparison.newest is not None and Version(comparison.ours.version) < Version(comparison.newest)


def _version_skipped(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if comparison.newest is None:
        return
    ours, newest = Version(comparison.ours.version), Version(comparison.newest)
    skipped = ours.major - newest.major - 1
    if ours.epoch == newest.epoch and skipped > 1 and newest.major < _FIRST_YEAR:
        message = f"{ours} follows {newest}: {skipped} major versions are skipped."
        yield Fault(rule="version-skipped", message=message)


def _requires_python_narrowed(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if found := _python_versions_of_both(comparison):
        ours, before = found
        if gone := minor_python_versions(before) - minor_python_versions(ours):
            change = f"{_python_versions_subject(gone)} no longer supported"
        elif before - ours:
            change = "Fewer releases of Python are supported"
        else:
            return
        message = f"{change}.{_requires_python_sentence(comparison)}"
        yield Fault(rule="requires-python-narrowed", message=message)


def _requires_python_widened(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if found := _python_versions_of_both(comparison):
        ours, before = found
        if new := minor_python_versions(ours) - minor_python_versions(before):
            change = f"{_python_versions_subject(new)} now supported"
        elif ours > before:
            change = "More releases of Python are supported"
        else:
            return
        message = f"{change}.{_requires_python_sentence(comparison)}"
        yield Fault(rule="requires-python-widened", message=message)


def _python_versions_of_both(comparison: Comparison) -> tuple[frozenset[tuple[int, int, int]], ...]:
    """Return which versions of Python this release and the previous one admit; nothing if one is unknown."""
    before = comparison.before
    if before is None or before.requires_python is None or comparison.ours.requires_python is None:
        return ()
    texts = comparison.ours.requires_python, before.requires_python
    ours, theirs = admitted_python_versions(*texts), admitted_python_versions(*reversed(texts))
    return () if ours is None or theirs is None else (ours, theirs)


def _python_versions_subject(found: AbstractSet[Minor]) -> str:
    names = format_minor_python_versions(found)
    return f"Python {names} {'are' if ' ' in names else 'is'}"


def _requires_python_sentence(comparison: Comparison) -> str:
    before = "" if comparison.before is None else comparison.before.requires_python
    return f" Requires-Python is {comparison.ours.requires_python or 'absent'}; it was {before or 'absent'}."


RULES: Final = (
    Rule(
        id="version-below-newest",
        pypi=Severity.WARNING,
        adjustable=True,
        compare=_version_below_newest,
        cause=(
            "The version is lower than the newest one, and does not continue a release line (major and minor version) "
            "with existing releases."
        ),
        source="ci-publish's own rule. Installers choose the highest version, so users would not get this release.",
        example="1.0, when the newest release is 2.3",
        fix="Correct the version, unless you want to start an older release line.",
    ),
    Rule(
        id="version-skipped",
        pypi=Severity.WARNING,
        adjustable=True,
        compare=_version_skipped,
        cause="The version skips more than one major version.",
        source="ci-publish's own rule. A published version cannot be withdrawn.",
        example="21.0, when the newest release is 2.0",
        fix="Correct the version, unless this is intended.",
    ),
    Rule(
        id="version-back-port",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=_version_back_port,
        cause="The version is lower than the newest one, but continues an existing release line.",
        source="ci-publish's own rule.",
        example="1.4.3 after 1.4.2, when the newest release is 2.0",
        fix="No action needed.",
    ),
    Rule(
        id="requires-python-narrowed",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=_requires_python_narrowed,
        cause="The release no longer supports some Python versions that the previous release supports.",
        source=(
            "Core metadata specification, Requires-Python. On other Python versions, installers use the older release."
        ),
        example=">=3.9 before, >=3.10 now",
        fix="No action needed if this is intended.",
    ),
    Rule(
        id="requires-python-widened",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=_requires_python_widened,
        cause="The release supports Python versions that the previous release does not support.",
        source="Core metadata specification, Requires-Python.",
        example=">=3.10 before, >=3.9 now",
        fix="No action needed if the release is tested with them.",
    ),
)
