"""Releases made from the names of their files, and what comparing them finds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ci_publish.distributions.checks.comparison.stated import NOTHING_STATED, Stated
from ci_publish.distributions.checks.table import release_faults
from ci_publish.model.distribution import CoreMetadata
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.release import Comparison, Release, ReleaseFile

MIB = 1024 * 1024


def release(
    version: str,
    *tags: str,
    sizes: Mapping[str, int] | int | None = MIB,
    requires: str | None = "",
    sdist: bool = True,
    metadata: CoreMetadata | None = None,
) -> Release:
    """Return a release with a wheel for each of *tags*; *sizes* may be given by the part of the name."""
    names = [f"demo-{version}-{tag}.whl" for tag in tags] + ([f"demo-{version}.tar.gz"] if sdist else [])
    return Release(
        project="demo",
        version=version,
        files=tuple(ReleaseFile(name=DistributionFilename.parse(name), size=_size(name, sizes)) for name in names),
        requires_python=requires,
        metadata=metadata,
    )


def _size(name: str, sizes: Mapping[str, int] | int | None) -> int | None:
    if not isinstance(sizes, Mapping):
        return sizes
    return next((size for part, size in sizes.items() if part in name), MIB)


def compared(ours: Release, before: Release | None, **more: object) -> Comparison:
    """Return *ours* beside *before*, as a new release that follows it."""
    comparison = Comparison(
        ours=ours,
        before=before,
        newest=None if before is None else before.version,
        new_files=ours.files,
        project_size=0,
    )
    return replace(comparison, **more)  # type: ignore[arg-type]


def found(
    comparison: Comparison, stated: Stated = NOTHING_STATED, *, differences: bool = True
) -> list[tuple[str, str]]:
    """Return the rule and the message of everything that comparing finds."""
    return [(fault.rule, fault.message) for fault in release_faults(comparison, stated, differences=differences)]


def rules(comparison: Comparison, stated: Stated = NOTHING_STATED) -> Sequence[str]:
    """Return the rules that found something, in their order."""
    return [rule for rule, _ in found(comparison, stated)]
