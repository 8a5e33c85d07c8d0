"""What the wheels of a release run on: interpreters and platforms, from their filenames alone (pure).

Sources: PEP 425 (tags), PEP 600 and PEP 656 (manylinux, musllinux), PEP 703 and PEP 803 (free-threaded builds and their
stable ABI), packaging.tags (which tags an interpreter accepts).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final, TypeAlias

from ci_publish.distributions.faults import list_first
from ci_publish.model.distribution import Kind
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen

MAX_WORK: Final = 200_000
"""Combinations of interpreter and platform that the wheels of two releases may stand for, counted beforehand."""

MAX_INTERPRETERS: Final = 100
"""Interpreters that the wheels of two releases name: twice as many as any real project."""

SHOWN: Final = 16
"""Interpreters or platforms that a phrase names: more than real releases differ in."""

Floor: TypeAlias = tuple[int, ...]

_PYTHON: Final = re.compile(r"(cp|pp|py|graalpy)(\d)(\d{1,3})?")
_FAMILIES: Final = {"cp": "CPython", "pp": "PyPy", "py": "Python", "graalpy": "GraalPy"}
_LEGACY: Final = {"manylinux1": "manylinux_2_5", "manylinux2010": "manylinux_2_12", "manylinux2014": "manylinux_2_17"}
_VERSIONED: Final = re.compile(r"(manylinux|musllinux|macosx|ios)_(\d{1,3})_(\d{1,3})_(\w+)|(android)_(\d{1,3})_(\w+)")
_SYSTEMS: Final = {
    "manylinux": "Linux",
    "musllinux": "Linux (musl)",
    "macosx": "macOS",
    "ios": "iOS",
    "android": "Android",
}
_WINDOWS: Final = {"win32": "x86", "win_amd64": "x86_64", "win_arm64": "arm64"}
_FAT: Final = {
    "universal2": ("arm64", "x86_64"),
    "universal": ("i386", "x86_64", "ppc", "ppc64"),
    "intel": ("i386", "x86_64"),
}
_FIRST_ARM64: Final = (11, 0)


@frozen
class TargetInterpreter:
    """An interpreter that wheels are built for. ``version`` has one number if it is any of a major version.

    It is empty for an unknown interpreter. ``flag`` is ``t`` for a free-threaded build.
    """

    family: str
    version: tuple[int, ...] = ()
    flag: str = ""

    def __str__(self) -> str:
        return ".".join(map(str, self.version)) + self.flag


@frozen
class TargetPlatform:
    """A system and an architecture; ``any`` for wheels without compiled code."""

    system: str
    architecture: str = ""

    def __str__(self) -> str:
        return f"{self.system} {self.architecture}".rstrip()


ANY: Final = TargetPlatform("any platform")


@frozen(kw_only=True)
class InterpreterSupport:
    """An interpreter that a wheel runs on; with ``onwards``, it also runs on newer ones of the family.

    ``stable`` for the stable ABI (``abi3``). Wheels for ``Python`` run on every family.
    """

    interpreter: TargetInterpreter
    onwards: bool = False
    stable: bool = False

    @staticmethod
    def of_tags(python: str, abi: str) -> "InterpreterSupport":
        """Return what a wheel with these tags runs on."""
        found = _PYTHON.fullmatch(python)
        if found is None:
            return InterpreterSupport(interpreter=TargetInterpreter(python))
        family, version = _FAMILIES[found[1]], tuple(int(number) for number in found.groups()[1:] if number)
        if family == "CPython" and abi in {"abi3", "abi3t"}:
            interpreter = TargetInterpreter(family, version, abi.removeprefix("abi3"))
            return InterpreterSupport(interpreter=interpreter, onwards=True, stable=True)
        flag = abi.removeprefix(python) if family == "CPython" and abi.startswith(python) else ""
        interpreter = TargetInterpreter(family, version, flag.removeprefix("m"))
        return InterpreterSupport(interpreter=interpreter, onwards=family == "Python")

    def includes_interpreter(self, other: TargetInterpreter) -> bool:
        """Whether *other* is supported."""
        mine = self.interpreter
        if mine == other:
            return True
        if not self.onwards or mine.version[:1] != other.version[:1]:
            return False
        if mine.family != "Python" and (mine.family, mine.flag) != (other.family, other.flag):
            return False
        return len(mine.version) == 1 or (len(other.version) > 1 and other.version >= mine.version)


Target: TypeAlias = tuple[TargetInterpreter, TargetPlatform]


@frozen(kw_only=True)
class WheelCoverage:
    """What the wheels of a release run on. ``floors`` has the lowest version of the system for each target.

    ``stable_floors`` has the lowest CPython of the stable ABI for each platform and build.
    """

    targets: frozenset[Target]
    floors: Mapping[Target, Floor]
    stable_floors: Mapping[tuple[TargetPlatform, str], Floor]

    def with_pure_wheels(self, other: "WheelCoverage") -> "WheelCoverage":
        """Return this with all targets of *other* whose interpreters new pure wheels run on."""
        pure = {interpreter for interpreter, place in self.targets - other.targets if place == ANY}
        return replace(self, targets=self.targets | {target for target in other.targets if target[0] in pure})

    @property
    def interpreters(self) -> frozenset[TargetInterpreter]:
        """The interpreters that a wheel runs on somewhere."""
        return frozenset(interpreter for interpreter, _ in self.targets)

    @property
    def platforms(self) -> frozenset[TargetPlatform]:
        """The platforms that a wheel runs on with some interpreter."""
        return frozenset(platform for _, platform in self.targets)


def interpreters_of_wheel(name: DistributionFilename) -> frozenset[InterpreterSupport]:
    """Return the interpreters that a wheel's name indicates."""
    pythons, abis, _ = name.tags
    return frozenset(InterpreterSupport.of_tags(python, abi) for python in pythons for abi in abis)


def platforms_of_wheel(name: DistributionFilename) -> dict[TargetPlatform, Floor]:
    """Return the platforms that a wheel's name indicates, each with the lowest version of its system."""
    found: dict[TargetPlatform, Floor] = {}
    for tag in name.platforms:
        for platform, floor in _platforms_of_tag(tag):
            found[platform] = min(floor, found.get(platform, floor))
    return found


def _platforms_of_tag(tag: str) -> Iterator[tuple[TargetPlatform, Floor]]:
    legacy, _, architecture = tag.partition("_")
    versioned = _VERSIONED.fullmatch(f"{_LEGACY[legacy]}_{architecture}" if legacy in _LEGACY else tag)
    if tag in _WINDOWS or tag == "any":
        yield TargetPlatform("Windows", _WINDOWS[tag]) if tag in _WINDOWS else ANY, ()
    elif versioned is None:
        yield TargetPlatform(tag), ()
    elif versioned[5]:
        yield TargetPlatform("Android", versioned[7]), (int(versioned[6]),)
    else:
        system, floor = versioned[1], (int(versioned[2]), int(versioned[3]))
        for each in _FAT.get(versioned[4], (versioned[4],)) if system == "macosx" else (versioned[4],):
            oldest = _FIRST_ARM64 if (system, each) == ("macosx", "arm64") else floor
            yield TargetPlatform(_SYSTEMS[system], each), max(floor, oldest)


def platform_floor_name(platform: TargetPlatform, floor: Floor) -> str:
    """Return the usual name of the lowest version of a system: ``manylinux_2_28``, ``macOS 11.0``."""
    numbers = ".".join(map(str, floor))
    names = {"Linux": "manylinux_", "Linux (musl)": "musllinux_"}
    if platform.system in names:
        return names[platform.system] + numbers.replace(".", "_")
    return f"{platform.system} {numbers}"


Wheel: TypeAlias = tuple[frozenset[InterpreterSupport], Mapping[TargetPlatform, Floor]]


def wheel_coverage_work(names: Iterable[DistributionFilename], interpreters: int) -> int:
    """Return how many combinations ``wheel_coverage`` would go through for wheels of these names."""
    return sum(
        len(python) * len(abi) * max(interpreters, 1) * max(len(platform), 1)
        for python, abi, platform in (name.tags for name in names)
    )


def wheel_coverage(wheels: Iterable[Wheel], universe: AbstractSet[TargetInterpreter]) -> WheelCoverage:
    """Return which interpreters of *universe* these wheels run on, and where."""
    floors: dict[Target, Floor] = {}
    stable: dict[tuple[TargetPlatform, str], Floor] = {}
    for supported, places in wheels:
        covered = {each for each in universe if any(support.includes_interpreter(each) for support in supported)}
        for platform, floor in places.items():
            for target in ((each, platform) for each in covered):
                floors[target] = min(floor, floors.get(target, floor))
            for interpreter in (support.interpreter for support in supported if support.stable):
                key, lowest = (platform, interpreter.flag), interpreter.version
                stable[key] = min(lowest, stable.get(key, lowest))
    return WheelCoverage(targets=frozenset(floors), floors=floors, stable_floors=stable)


def describe_targets(targets: AbstractSet[Target], before: WheelCoverage, ours: WheelCoverage) -> list[str]:
    """Return phrases that name *targets*, which only one of two releases has: the largest losses first.

    A platform or an interpreter that the other release lacks completely is named once, not in each combination. Wheels
    that run on every platform have a phrase of their own.
    """
    pure = {each for each, place in targets if place == ANY}
    targets = {target for target in targets if target[1] != ANY}
    places = before.platforms - ours.platforms
    gone = before.interpreters - ours.interpreters
    whole = sorted({str(place) for _, place in targets if place in places})
    times = Counter(each for each, place in targets if place not in places)
    everywhere = {each for each in gone if times[each] > 1}
    phrases: list[str] = []
    if pure:
        phrases.append(f"wheels for {format_interpreters(_widest_interpreters(pure))} that run on every platform")
    phrases += [f"every wheel for {list_first(whole, SHOWN)}"] if whole else []
    phrases += [f"{format_interpreters(everywhere)} on every platform"] if everywhere else []
    return phrases + _describe_combinations(
        target for target in targets if target[1] not in places and target[0] not in everywhere
    )


def _describe_combinations(targets: Iterable[Target]) -> list[str]:
    """Return phrases that name *targets*; platforms with the same interpreters share one."""
    by_place: dict[TargetPlatform, set[TargetInterpreter]] = defaultdict(set)
    for interpreter, place in targets:
        by_place[place].add(interpreter)
    alike: dict[frozenset[TargetInterpreter], list[str]] = defaultdict(list)
    for place, interpreters in by_place.items():
        alike[frozenset(interpreters)].append(str(place))
    return sorted(f"{format_interpreters(some)} on {list_first(sorted(where), SHOWN)}" for some, where in alike.items())


def _widest_interpreters(interpreters: AbstractSet[TargetInterpreter]) -> set[TargetInterpreter]:
    """Return *interpreters* without those that another one includes: ``Python 3`` includes CPython 3.12."""
    wide = [InterpreterSupport(interpreter=each, onwards=True) for each in interpreters if each.family == "Python"]
    return {
        one
        for one in interpreters
        if not any(each.interpreter != one and each.includes_interpreter(one) for each in wide)
    }


def format_interpreters(interpreters: Iterable[TargetInterpreter]) -> str:
    """Return ``CPython 3.12, 3.13, PyPy 3.11``: each family once, its versions in order."""
    families: dict[str, list[TargetInterpreter]] = defaultdict(list)
    for each in sorted(set(interpreters), key=lambda one: (one.family, one.version, one.flag)):
        families[each.family].append(each)
    return ", ".join(
        f"{family} {list_first(map(str, some), SHOWN)}" if some[0].version else family
        for family, some in list(families.items())[:SHOWN]
    )


def counterpart_key_of_file(name: DistributionFilename) -> object:
    """Return a key that a file and its counterpart in another release share; None for too many tags to compare."""
    if not name.tags:
        return Kind.SDIST
    if wheel_coverage_work([name], 1) > MAX_WORK:
        return None
    return name.tags[0], name.tags[1], frozenset(platforms_of_wheel(name))
