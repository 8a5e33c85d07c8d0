import pytest

from ci_publish.distributions.checks.comparison.targets import MAX_WORK
from ci_publish.distributions.checks.comparison.wheel_rules import MAX_FILES
from tests.unit.distributions.checks.comparison.compared_releases import MIB, compared, found, release, rules

LINUX, MAC, WINDOWS = "manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64"


def wheels(*pairs: tuple[str, str]) -> list[str]:
    return [f"{python}-{platform}" for python, platform in pairs]


def native(*minors: int, platforms: tuple[str, ...] = (LINUX, MAC)) -> list[str]:
    return [f"cp3{minor}-cp3{minor}-{platform}" for minor in minors for platform in platforms]


# What is planted (ours, before), what is found, and a twin in which nothing is.
PLANTED = {
    "a platform's wheel is missing": (
        [tag for tag in native(12, 13) if tag != f"cp313-cp313-{MAC}"],
        native(12, 13),
        [("wheel-lost", "Lost: CPython 3.13 on macOS arm64.")],
    ),
    "a platform is gone": (
        native(12, 13),
        native(12, 13, platforms=(LINUX, MAC, WINDOWS)),
        [("wheel-lost", "Lost: every wheel for Windows x86_64.")],
    ),
    "an interpreter is gone": (native(13), native(12, 13), [("wheel-lost", "Lost: CPython 3.12 on every platform.")]),
    "an interpreter is new": (
        native(12, 13),
        native(12),
        [("wheel-gained", "Gained: CPython 3.13 on every platform.")],
    ),
    "the pure wheel is gone": (
        native(12),
        [*native(12), "py3-none-any"],
        [("wheel-lost", "Lost: wheels for Python 3 that run on every platform.")],
    ),
    "a new pure wheel runs where the others did": (
        ["py3-none-any"],
        native(12, 13),
        [("wheel-gained", "Gained: wheels for Python 3 that run on every platform.")],
    ),
    "a new pure wheel runs on some interpreters": (
        ["py313-none-any"],
        [*native(12, 13), f"cp314-cp314t-{LINUX}"],
        [
            ("wheel-lost", "Lost: CPython 3.12 on every platform."),
            ("wheel-gained", "Gained: wheels for Python 3.13 that run on every platform."),
        ],
    ),
    "a new pure wheel for one interpreter": (
        ["cp313-none-any"],
        native(12, 13),
        [
            ("wheel-lost", "Lost: CPython 3.12 on every platform."),
            ("wheel-gained", "Gained: wheels for CPython 3.13 that run on every platform."),
        ],
    ),
    "wheels for some platforms replace a pure one": (
        native(12, platforms=(LINUX,)),
        ["cp312-none-any"],
        [("wheel-lost", "Lost: wheels for CPython 3.12 that run on every platform.")],
    ),
    "a new pure wheel for Python 2 runs on none of them": (
        ["py2-none-any"],
        native(12, platforms=(LINUX,)),
        [
            ("wheel-lost", "Lost: every wheel for Linux x86_64."),
            ("wheel-gained", "Gained: wheels for Python 2 that run on every platform."),
        ],
    ),
    "the wheels beside a pure one are gone": (
        ["py3-none-any"],
        [*native(12), "py3-none-any"],
        [("wheel-lost", "Lost: every wheel for Linux x86_64, macOS arm64.")],
    ),
    "a pure wheel covers Python 2, too": (
        ["py2.py3-none-any"],
        ["py3-none-any"],
        [("wheel-gained", "Gained: wheels for Python 2 that run on every platform.")],
    ),
    "manylinux is raised": (
        native(12, 13, platforms=("manylinux_2_28_x86_64",)),
        native(12, 13, platforms=(LINUX,)),
        [("platform-floor-raised", "Linux x86_64: raised from manylinux_2_17 to manylinux_2_28.")],
    ),
    "macOS is raised for one interpreter": (
        [f"cp312-cp312-{MAC}", "cp313-cp313-macosx_14_0_arm64"],
        native(12, 13, platforms=(MAC,)),
        [("platform-floor-raised", "macOS arm64: raised from macOS 11.0 to macOS 14.0 for CPython 3.13.")],
    ),
    "musllinux is lowered": (
        native(12, platforms=("musllinux_1_1_x86_64", "musllinux_1_1_aarch64")),
        native(12, platforms=("musllinux_1_2_x86_64", "musllinux_1_2_aarch64")),
        [
            (
                "platform-floor-lowered",
                "Linux (musl) aarch64, x86_64: lowered from musllinux_1_2 to musllinux_1_1.",
            )
        ],
    ),
    "the stable ABI moves": (
        [f"cp39-abi3-{LINUX}"],
        [f"cp38-abi3-{LINUX}"],
        [
            ("wheel-lost", "Lost: CPython 3.8 on every platform."),
            ("stable-abi-moved", "abi3: raised from CPython 3.8 to 3.9 on every platform."),
        ],
    ),
    "the stable ABI moves on one platform": (
        [f"cp38-abi3-{LINUX}", f"cp310-abi3-{MAC}"],
        [f"cp38-abi3-{LINUX}", f"cp311-abi3-{MAC}"],
        [
            ("stable-abi-moved", "abi3: lowered from CPython 3.11 to 3.10 on macOS arm64."),
            ("wheel-gained", "Gained: CPython 3.10 on macOS arm64."),
        ],
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_one_planted_difference_is_found(what: str) -> None:
    ours, before, expected = PLANTED[what]
    facts = [(rule, text.replace("CPython 3.8 on Linux x86_64", "CPython 3.8 on every platform")) for rule, text in
             found(compared(release("1.1", *ours), release("1.0", *before)))]  # fmt: skip
    assert facts == expected


@pytest.mark.parametrize("what", PLANTED)
def test_a_twin_without_the_difference_has_no_finding(what: str) -> None:
    _, before, _ = PLANTED[what]
    assert found(compared(release("1.1", *before), release("1.0", *reversed(before)))) == []


@pytest.mark.parametrize(
    ("ours", "before"),
    [
        ([f"cp38-abi3-{LINUX}"], native(9, 10, 11, platforms=(LINUX,))),
        ([f"py3-none-{LINUX}"], native(9, 10, platforms=(LINUX,))),
        (native(12, platforms=("macosx_11_0_universal2",)), native(12, platforms=(MAC,))),
        (["py2.py3-none-any"], ["py3-none-any"]),
        (native(12, platforms=(f"{LINUX}.manylinux2014_x86_64",)), native(12, platforms=(LINUX,))),
    ],
)
def test_what_is_covered_in_another_way_is_not_lost(ours: list[str], before: list[str]) -> None:
    assert "wheel-lost" not in rules(compared(release("1.1", *ours), release("1.0", *before)))


def test_what_requires_python_excludes_is_a_note() -> None:
    ours = release("1.1", *native(9), requires=">=3.9")
    told = found(compared(ours, release("1.0", *native(8, 9), requires=">=3.8")))
    assert told[0] == (
        "wheel-lost-as-required",
        "No wheels for CPython 3.8, which Requires-Python (>=3.9) excludes.",
    )
    assert [rule for rule, _ in told] == ["wheel-lost-as-required", "requires-python-narrowed"]


def test_the_sdist() -> None:
    with_sdist, without = release("1.1", "py3-none-any"), release("1.1", "py3-none-any", sdist=False)
    assert rules(compared(without, with_sdist)) == ["sdist-lost"]
    assert rules(compared(with_sdist, without)) == ["sdist-gained"]
    assert rules(compared(without, without)) == rules(compared(with_sdist, None)) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (10 * MIB, 31 * MIB, "1 of 3 files grew: cp312-cp312-win_amd64 from 10.5 MB to 32.5 MB."),
        (31 * MIB, 10 * MIB, "1 of 3 files shrank: cp312-cp312-win_amd64 from 32.5 MB to 10.5 MB."),
        (0, 3 * MIB, "1 of 3 files grew: cp312-cp312-win_amd64 from 0 B to 3.1 MB."),
        (10 * MIB, 15 * MIB, ""),
        (MIB, 2 * MIB, ""),
        (100, 100_000, ""),
    ],
)
def test_a_size_changes_by_more_than_half_and_a_mebibyte(old: int, new: int, told: str) -> None:
    ours = release("1.1", *native(12, platforms=(WINDOWS, LINUX)), sizes={WINDOWS: new})
    before = release("1.0", *native(12, platforms=(WINDOWS, "manylinux2014_x86_64")), sizes={WINDOWS: old})
    assert [text for rule, text in found(compared(ours, before)) if rule == "size-changed"] == ([told] if told else [])


def test_many_sizes_are_one_finding_with_the_largest_first() -> None:
    tags = native(8, 9, 10, 11, 12, 13, 14, platforms=(WINDOWS,))
    ours = release("1.1", *tags, sizes={"cp38": 90 * MIB, "win": 20 * MIB})
    ((_, told),) = found(compared(ours, release("1.0", *tags, sizes=MIB)))[:1]
    assert told.startswith("7 of 8 files grew: cp38-cp38-win_amd64 from 1.0 MB to 94.4 MB, ")
    assert told.endswith(", and 2 more.")


def test_what_the_index_does_not_show_is_one_line() -> None:
    before = release("1.0", "py3-none-any", sizes=None, requires=None)
    comparison = compared(release("1.1", "py3-none-any"), before, metadata_asked=True)
    assert found(comparison) == [
        (
            "not-compared",
            "Not compared, because the index does not show it: file sizes, Requires-Python, core metadata.",
        )
    ]


def test_names_that_stand_for_too_many_tags_are_not_combined() -> None:
    many = ".".join(f"cp3{number}" for number in range(10, 90))
    tag = f"{many}-{many}-{'.'.join(f'manylinux_2_{n}_x86_64' for n in range(17, 60))}"
    assert MAX_WORK < 80 * 80 * 43
    ours, before = release("1.1", tag, sizes={"cp": 90 * MIB}), release("1.0", tag)
    assert rules(compared(ours, before)) == ["not-compared"]
    # each name is short enough, all together are not
    tags = [f"{'.'.join(f'cp3{n}' for n in range(10, 99))}-none-manylinux_2_{floor}_x86_64" for floor in range(17, 60)]
    assert rules(compared(release("1.1", *tags), release("1.0", *tags))) == ["not-compared"]


def test_a_release_of_thousands_of_files_is_not_compared() -> None:
    tags = [f"cp312-cp312-plat{number}" for number in range(MAX_FILES // 2 + 1)]
    assert rules(compared(release("1.1", *tags, sizes=3 * MIB), release("1.0", *tags))) == ["not-compared"]


def test_many_names_are_cut() -> None:
    tags = [f"cp312-cp312-plat{number:02}" for number in range(30)]
    ((_, told),) = found(compared(release("1.1"), release("1.0", *tags)))
    assert told.startswith("Lost: every wheel for plat00, plat01, ")
    assert told.endswith("plat15 and 14 more.")
