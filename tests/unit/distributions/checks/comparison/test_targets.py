import pytest

from ci_publish.distributions.checks.comparison.targets import (
    ANY,
    InterpreterSupport,
    TargetInterpreter,
    TargetPlatform,
    describe_targets,
    format_interpreters,
    interpreters_of_wheel,
    platform_floor_name,
    platforms_of_wheel,
    wheel_coverage,
    wheel_coverage_work,
)
from ci_publish.model.filename import DistributionFilename


def name(tags: str) -> DistributionFilename:
    return DistributionFilename.parse(f"demo-1.0-{tags}.whl")


def cpython(minor: int, flag: str = "") -> TargetInterpreter:
    return TargetInterpreter("CPython", (3, minor), flag)


@pytest.mark.parametrize(
    ("tags", "interpreter", "onwards", "stable"),
    [
        ("cp312-cp312", cpython(12), False, False),
        ("cp313-cp313t", cpython(13, "t"), False, False),
        ("cp37-cp37m", cpython(7), False, False),
        ("cp38-abi3", cpython(8), True, True),
        ("cp315-abi3t", cpython(15, "t"), True, True),
        ("cp312-none", cpython(12), False, False),
        ("pp311-pypy311_pp73", TargetInterpreter("PyPy", (3, 11)), False, False),
        ("py3-none", TargetInterpreter("Python", (3,)), True, False),
        ("py310-none", TargetInterpreter("Python", (3, 10)), True, False),
        ("graalpy311-graalpy242_311_native", TargetInterpreter("GraalPy", (3, 11)), False, False),
        ("jy27-none", TargetInterpreter("jy27"), False, False),
    ],
)
def test_what_interpreters_a_tag_stands_for(
    tags: str, interpreter: TargetInterpreter, onwards: bool, stable: bool
) -> None:
    assert interpreters_of_wheel(name(f"{tags}-any")) == {
        InterpreterSupport(interpreter=interpreter, onwards=onwards, stable=stable)
    }


@pytest.mark.parametrize(
    ("tags", "other", "included"),
    [
        ("cp38-abi3", cpython(13), True),
        ("cp38-abi3", cpython(7), False),
        ("cp38-abi3", cpython(13, "t"), False),
        ("cp38-abi3", TargetInterpreter("PyPy", (3, 11)), False),
        ("py3-none", cpython(13), True),
        ("py3-none", TargetInterpreter("PyPy", (3, 11)), True),
        ("py3-none", TargetInterpreter("Python", (2,)), False),
        ("py310-none", cpython(9), False),
        ("py310-none", TargetInterpreter("Python", (3,)), False),
        ("cp312-cp312", cpython(13), False),
    ],
)
def test_what_a_newer_interpreter_runs(tags: str, other: TargetInterpreter, included: bool) -> None:
    (support,) = interpreters_of_wheel(name(f"{tags}-any"))
    assert support.includes_interpreter(other) is included


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("any", {ANY: ()}),
        ("win32", {TargetPlatform("Windows", "x86"): ()}),
        ("win_amd64", {TargetPlatform("Windows", "x86_64"): ()}),
        ("manylinux1_x86_64", {TargetPlatform("Linux", "x86_64"): (2, 5)}),
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", {TargetPlatform("Linux", "x86_64"): (2, 17)}),
        ("manylinux_2_28_aarch64.manylinux2014_aarch64", {TargetPlatform("Linux", "aarch64"): (2, 17)}),
        ("musllinux_1_2_armv7l", {TargetPlatform("Linux (musl)", "armv7l"): (1, 2)}),
        ("macosx_11_0_arm64", {TargetPlatform("macOS", "arm64"): (11, 0)}),
        (
            "macosx_10_9_universal2",
            {TargetPlatform("macOS", "arm64"): (11, 0), TargetPlatform("macOS", "x86_64"): (10, 9)},
        ),
        ("macosx_10_6_intel", {TargetPlatform("macOS", "i386"): (10, 6), TargetPlatform("macOS", "x86_64"): (10, 6)}),
        ("ios_13_0_arm64_iphoneos", {TargetPlatform("iOS", "arm64_iphoneos"): (13, 0)}),
        ("android_21_arm64_v8a", {TargetPlatform("Android", "arm64_v8a"): (21,)}),
        ("linux_armv7l", {TargetPlatform("linux_armv7l"): ()}),
    ],
)
def test_what_platforms_a_tag_stands_for(tag: str, found: dict[TargetPlatform, tuple[int, ...]]) -> None:
    assert platforms_of_wheel(name(f"py3-none-{tag}")) == found


@pytest.mark.parametrize(
    ("system", "floor", "shown"),
    [
        ("Linux", (2, 28), "manylinux_2_28"),
        ("Linux (musl)", (1, 2), "musllinux_1_2"),
        ("macOS", (11, 0), "macOS 11.0"),
        ("Android", (21,), "Android 21"),
    ],
)
def test_how_a_floor_is_called(system: str, floor: tuple[int, ...], shown: str) -> None:
    assert platform_floor_name(TargetPlatform(system, "x86_64"), floor) == shown


def test_names_of_interpreters_are_in_order_and_each_family_is_named_once() -> None:
    named = format_interpreters(
        [cpython(13, "t"), TargetInterpreter("PyPy", (3, 11)), cpython(9), cpython(13), cpython(13)]
    )
    assert named == "CPython 3.9, 3.13, 3.13t, PyPy 3.11"
    assert format_interpreters([TargetInterpreter("jy27")]) == "jy27"


def test_work_is_counted_before_a_tag_set_is_combined() -> None:
    many = ".".join(f"cp3{number}" for number in range(10, 90))
    assert wheel_coverage_work([name(f"{many}-{many}-any")], 80) == 80 * 80 * 80
    assert wheel_coverage_work([name("py3-none-any")], 0) == 1
    assert wheel_coverage_work([DistributionFilename.parse("demo-1.0.tar.gz")][:0], 5) == 0


def cover(*tags: str) -> object:
    names = [name(each) for each in tags]
    universe = {support.interpreter for each in names for support in interpreters_of_wheel(each)}
    return wheel_coverage(((interpreters_of_wheel(each), platforms_of_wheel(each)) for each in names), universe)


def test_a_loss_is_named_once_where_all_of_a_platform_or_an_interpreter_is_gone() -> None:
    tags = [
        f"cp3{minor}-cp3{minor}-{place}"
        for minor in (11, 12)
        for place in ("win_amd64", "macosx_11_0_arm64", "manylinux_2_17_x86_64")
    ]
    before = cover(*tags)
    ours = cover("cp311-cp311-macosx_11_0_arm64", "cp311-cp311-manylinux_2_17_x86_64")
    lost = before.targets - ours.targets  # type: ignore[attr-defined]
    assert describe_targets(lost, before, ours) == [  # type: ignore[arg-type]
        "every wheel for Windows x86_64",
        "CPython 3.12 on every platform",
    ]
    ours = cover(*(tag for tag in tags if tag not in {"cp312-cp312-win_amd64", "cp312-cp312-macosx_11_0_arm64"}))
    lost = before.targets - ours.targets  # type: ignore[attr-defined]
    assert describe_targets(lost, before, ours) == ["CPython 3.12 on Windows x86_64, macOS arm64"]  # type: ignore[arg-type]
