"""Rules that compare the files of a release with those of the previous release: wheels, sdists, sizes (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Final

from ci_publish.distributions.checks.comparison.python_versions import requires_python_admits
from ci_publish.distributions.checks.comparison.stated import Stated
from ci_publish.distributions.checks.comparison.targets import (
    MAX_INTERPRETERS,
    MAX_WORK,
    SHOWN,
    Floor,
    Target,
    TargetInterpreter,
    TargetPlatform,
    WheelCoverage,
    counterpart_key_of_file,
    describe_targets,
    format_interpreters,
    interpreters_of_wheel,
    platform_floor_name,
    platforms_of_wheel,
    wheel_coverage,
    wheel_coverage_work,
)
from ci_publish.distributions.checks.rules import Rule, note_hint
from ci_publish.distributions.faults import Fault, list_first
from ci_publish.distributions.limits import MIB
from ci_publish.hints import Hint
from ci_publish.model.byte_counts import format_size
from ci_publish.model.distribution import Kind
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen
from ci_publish.model.problem import Severity
from ci_publish.model.release import Comparison, Release, ReleaseFile

MAX_FILES: Final = 5_000
"""Files of both releases together: ten times as many as real ones have."""

_MUCH: Final = 0.5
_MANY_BYTES: Final = MIB
_SIZES_SHOWN: Final = 5


@frozen(kw_only=True)
class Covered:
    """What the wheels of both releases run on."""

    ours: WheelCoverage
    before: WheelCoverage


def _wheel_names(release: Release) -> tuple[DistributionFilename, ...]:
    return tuple(sorted((file.name for file in release.files if file.name.kind is Kind.WHEEL), key=lambda n: n.text))


def _coverage_of_both_releases(comparison: Comparison) -> Covered | None:
    if comparison.before is None or _are_too_many_files_to_compare(comparison, comparison.before):
        return None
    return _wheel_coverage(_wheel_names(comparison.ours), _wheel_names(comparison.before))


def _are_too_many_files_to_compare(comparison: Comparison, before: Release) -> bool:
    return len(comparison.ours.files) + len(before.files) > MAX_FILES


@lru_cache(maxsize=8)  # several rules ask for one comparison
def _wheel_coverage(ours: tuple[DistributionFilename, ...], before: tuple[DistributionFilename, ...]) -> Covered | None:
    if wheel_coverage_work((*ours, *before), 1) > MAX_WORK:
        return None
    wheels = {name: (interpreters_of_wheel(name), platforms_of_wheel(name)) for name in (*ours, *before)}
    universe = {support.interpreter for supported, _ in wheels.values() for support in supported}
    if len(universe) > MAX_INTERPRETERS or wheel_coverage_work((*ours, *before), len(universe)) > MAX_WORK:
        return None
    return Covered(
        ours=wheel_coverage((wheels[name] for name in ours), universe),
        before=wheel_coverage((wheels[name] for name in before), universe),
    )


def _lost_targets(comparison: Comparison) -> tuple[Covered, set[Target], set[Target]] | None:
    """Return what is covered, what was lost although Requires-Python admits it, and what it excludes."""
    covered = _coverage_of_both_releases(comparison)
    if covered is None:
        return None
    ours = covered.ours.with_pure_wheels(covered.before)
    lost = covered.before.targets - ours.targets
    requires_python = comparison.ours.requires_python
    excluded = {
        (interpreter, platform)
        for interpreter, platform in lost
        if len(interpreter.version) > 1 and not requires_python_admits(requires_python, *interpreter.version)
    }
    return replace(covered, ours=ours), set(lost - excluded), excluded


def _wheel_lost(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if (found := _lost_targets(comparison)) is not None:
        covered, lost, _excluded = found
        for phrase in describe_targets(lost, covered.before, covered.ours):
            yield Fault(rule="wheel-lost", message=f"Lost: {phrase}.")


def _wheel_lost_as_required(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if (found := _lost_targets(comparison)) is not None and found[2]:
        names = format_interpreters(interpreter for interpreter, _ in found[2])
        message = f"No wheels for {names}, which Requires-Python ({comparison.ours.requires_python}) excludes."
        yield Fault(rule="wheel-lost-as-required", message=message)


def _wheel_gained(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    covered = _coverage_of_both_releases(comparison)
    if covered is None:
        return
    before = covered.before.with_pure_wheels(covered.ours)
    if gained := covered.ours.targets - before.targets:
        phrases = "; ".join(describe_targets(gained, covered.ours, before))
        yield Fault(rule="wheel-gained", message=f"Gained: {phrases}.")


def _platform_floor_moved(comparison: Comparison, _: Stated, *, verb: str) -> Iterable[Fault]:
    """Yield a fault for each lowest version of a system that was *verb*, ``raised`` or ``lowered``."""
    covered = _coverage_of_both_releases(comparison)
    if covered is None:
        return
    moved: dict[tuple[TargetPlatform, Floor, Floor], set[TargetInterpreter]] = {}
    common = covered.ours.targets & covered.before.targets
    for interpreter, platform in common:
        old, new = covered.before.floors[interpreter, platform], covered.ours.floors[interpreter, platform]
        if new > old if verb == "raised" else new < old:
            moved.setdefault((platform, old, new), set()).add(interpreter)
    alike: dict[tuple[str, str], list[str]] = {}
    for (platform, old, new), interpreters in moved.items():
        everyone = {each for each, place in common if place == platform}
        only = "" if everyone == interpreters else f" for {format_interpreters(interpreters)}"
        change = f"from {platform_floor_name(platform, old)} to {platform_floor_name(platform, new)}{only}"
        alike.setdefault((platform.system, change), []).append(platform.architecture)
    for (system, change), architectures in sorted(alike.items()):
        message = f"{system} {list_first(sorted(architectures), SHOWN)}: {verb} {change}."
        yield Fault(rule=f"platform-floor-{verb}", message=message)


def _stable_abi_moved(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    covered = _coverage_of_both_releases(comparison)
    if covered is None:
        return
    moved: dict[tuple[str, Floor, Floor], list[str]] = {}
    common = covered.ours.stable_floors.keys() & covered.before.stable_floors.keys()
    for key in common:
        old, new = covered.before.stable_floors[key], covered.ours.stable_floors[key]
        if old != new:
            moved.setdefault((key[1], old, new), []).append(str(key[0]))
    for (flag, old, new), places in sorted(moved.items()):
        verb = "raised" if new > old else "lowered"
        change = f"{verb} from CPython {'.'.join(map(str, old))} to {'.'.join(map(str, new))}"
        everywhere = len(places) == sum(key[1] == flag for key in common)
        where = "every platform" if everywhere else list_first(sorted(places), SHOWN)
        yield Fault(rule="stable-abi-moved", message=f"abi3{flag}: {change} on {where}.")


def _sdist_lost(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if comparison.before is not None and _has_sdist(comparison.before) and not _has_sdist(comparison.ours):
        yield Fault(rule="sdist-lost", message=f"{comparison.before.version} has an sdist, but this release has none.")


def _sdist_gained(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if comparison.before is not None and _has_sdist(comparison.ours) and not _has_sdist(comparison.before):
        yield Fault(rule="sdist-gained", message=f"{comparison.before.version} has no sdist, but this release has one.")


def _has_sdist(release: Release) -> bool:
    return any(file.name.kind is Kind.SDIST for file in release.files)


def _size_changed(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if comparison.before is None or _are_too_many_files_to_compare(comparison, comparison.before):
        return
    sizes = {key: file.size for key, file in _files_by_counterpart(comparison.before).items()}
    changed: dict[str, list[tuple[float, str]]] = {"grew": [], "shrank": []}
    for key, file in _files_by_counterpart(comparison.ours).items():
        old, new = sizes.get(key), file.size
        if old is not None and new is not None and abs(new - old) > max(_MANY_BYTES, _MUCH * old):
            tags = "-".join(file.name.text.removesuffix(".whl").split("-")[-3:])
            name = tags if file.name.tags else "the sdist"
            factor = new / old if old else float("inf")
            text = f"{name} from {format_size(old)} to {format_size(new)}"
            changed["grew" if new > old else "shrank"].append((-abs(factor - 1), text))  # the largest changes first
    for verb, some in changed.items():
        if some:
            listed = list_first((text for _, text in sorted(some)), _SIZES_SHOWN, ", and")
            files = f"{len(some)} of {len(comparison.ours.files)} files"
            yield Fault(rule="size-changed", message=f"{files} {verb}: {listed}.")


def _files_by_counterpart(release: Release) -> Mapping[object, ReleaseFile]:
    """Return the files by a key that a counterpart with another lowest version of the system has, too."""
    ordered = sorted(release.files, key=lambda file: file.name.text)
    return {key: file for file in ordered if (key := counterpart_key_of_file(file.name)) is not None}


def _not_compared(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    """Report in one line what the index does not show."""
    if (before := comparison.before) is None:
        return
    facts = (
        ("file sizes", any(file.size is None for file in before.files)),
        ("Requires-Python", before.requires_python is None),
        ("core metadata", comparison.metadata_asked and before.metadata is None),
    )
    if missing := ", ".join(what for what, absent in facts if absent):
        yield Fault(rule="not-compared", message=f"Not compared, because the index does not show it: {missing}.")
    if _coverage_of_both_releases(comparison) is None:
        why = "there are too many files, or their names stand for too many tags"
        yield Fault(rule="not-compared", message=f"Not compared: {why}.")


RULES: Final = (
    Rule(
        id="wheel-lost",
        pypi=Severity.WARNING,
        adjustable=True,
        compare=_wheel_lost,
        cause=(
            "A wheel of the previous release has no counterpart for the same platform and Python version. Wheels that "
            "`Requires-Python` now excludes, or that a new pure wheel replaces, do not count."
        ),
        source=(
            "ci-publish's own rule. Installers would use the sdist or the older release. PyPI accepts new files for a "
            "release only for 14 days."
        ),
        example="1.0 had a wheel for CPython 3.13 on macOS arm64, but 1.1 has none",
        fix=Hint("Build the missing wheels before publishing.", note_hint("wheel-lost", "If this is intended")),
    ),
    Rule(
        id="sdist-lost",
        pypi=Severity.WARNING,
        adjustable=True,
        compare=_sdist_lost,
        cause="The previous release has an sdist, but this release does not.",
        source="ci-publish's own rule. Linux distributions, and platforms without wheels, build from the sdist.",
        example="`dist` contains only wheels, but 1.0 has `demo-1.0.tar.gz`",
        fix="Also build an sdist with `python -m build --sdist`.",
    ),
    Rule(
        id="platform-floor-raised",
        pypi=Severity.WARNING,
        adjustable=True,
        compare=partial(_platform_floor_moved, verb="raised"),
        cause="The wheels no longer run on some older systems that the wheels of the previous release support.",
        source="PEP 600 (manylinux), PEP 656 (musllinux); packaging.tags (macOS).",
        example="manylinux_2_17 before, manylinux_2_28 now; systems with glibc 2.17 to 2.27 must build from source",
        fix=Hint(
            "Build with the older image or MACOSX_DEPLOYMENT_TARGET.",
            note_hint("platform-floor-raised", "If this is intended"),
        ),
    ),
    Rule(
        id="size-changed",
        pypi=Severity.WARNING,
        adjustable=True,
        compare=_size_changed,
        cause="The size of a file differs from the previous release by more than 50 % and more than 1 MiB.",
        source="ci-publish's own rule. Stripped symbols and bundled libraries are common causes.",
        example="a wheel of 31 MB, where the previous release has one of 10 MB",
        fix="Compare the contents of both files, for example with `python -m zipfile --list FILE`.",
    ),
    Rule(
        id="stable-abi-moved",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=_stable_abi_moved,
        cause="The oldest version of CPython that the stable ABI wheels support has changed.",
        source="PEP 384; packaging.tags.",
        example="cp38-abi3 before, cp39-abi3 now",
        fix="No action needed if this is intended. Requires-Python should match.",
    ),
    Rule(
        id="wheel-lost-as-required",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=_wheel_lost_as_required,
        cause="Wheels are missing because `Requires-Python` now excludes their Python version.",
        source="ci-publish's own rule.",
        example="no wheels for CPython 3.8, because Requires-Python is now >=3.9",
        fix="No action needed.",
    ),
    Rule(
        id="wheel-gained",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=_wheel_gained,
        cause="The release has wheels for platforms or Python versions for which the previous release has none.",
        source="ci-publish's own rule.",
        example="the first wheels for CPython 3.14",
        fix="No action needed.",
    ),
    Rule(
        id="sdist-gained",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=_sdist_gained,
        cause="The release has an sdist, but the previous release does not.",
        source="ci-publish's own rule.",
        example="the first release with `demo-1.1.tar.gz`",
        fix="No action needed.",
    ),
    Rule(
        id="platform-floor-lowered",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=partial(_platform_floor_moved, verb="lowered"),
        cause="The wheels run on older systems than the wheels of the previous release.",
        source="PEP 600 (manylinux), PEP 656 (musllinux); packaging.tags (macOS).",
        example="manylinux_2_28 before, manylinux_2_17 now",
        fix="No action needed if this is intended.",
    ),
    Rule(
        id="not-compared",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=_not_compared,
        cause="Some data was not compared, because the index does not provide it. This never stops a run.",
        source="PEP 700 (sizes), PEP 658 (core metadata). Not all indexes provide them.",
        example="a private index that lists no file sizes",
        fix="No action needed.",
    ),
)
