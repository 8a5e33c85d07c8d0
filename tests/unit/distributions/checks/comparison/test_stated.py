import time

import pytest

from ci_publish.distributions.checks.comparison.stated import (
    MAX_PATTERN,
    MAX_PATTERNS,
    matches_wheel_pattern,
    parse_expected_wheels,
)
from ci_publish.errors import ConfigurationError
from ci_publish.model.filename import DistributionFilename


def patterns(*lines: str) -> list[str]:
    return [each.pattern for each in parse_expected_wheels(lines)]


@pytest.mark.parametrize(
    ("line", "expanded"),
    [
        ("cp312-*", ["cp312-*"]),
        ("cp3{12,13}-*-win_amd64", ["cp312-*-win_amd64", "cp313-*-win_amd64"]),
        (
            "cp3{12,13}-*-{win*,mac*}",
            ["cp312-*-win*", "cp312-*-mac*", "cp313-*-win*", "cp313-*-mac*"],
        ),
        ("cp3{1{0,1},9}-*", ["cp310-*", "cp311-*", "cp39-*"]),
        ("cp312-{,cp312}-any", ["cp312--any", "cp312-cp312-any"]),
        ("CP312-CP312-Win_AMD64", ["cp312-cp312-win_amd64"]),
    ],
)
def test_braces_stand_for_several_wheels_as_in_a_shell(line: str, expanded: list[str]) -> None:
    assert patterns(line) == expanded


def test_a_pattern_may_be_for_one_project_and_twice_is_once() -> None:
    first, second = parse_expected_wheels(("demo:py3-*-any", "py3-*-any", "py3-*-any"))
    assert (first.project, second.project) == ("demo", "")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("cp3{12,13-*", "not closed"),
        ("cp312}-*", "not closed"),
        ("win_amd64", "python-abi-platform"),
        ("x" * (MAX_PATTERN + 1), "more than 100 characters"),
        ("{0,1}" * 10 + "-*", "more than 300 wheels"),
        ("a*" * 11, "more than 10 asterisks"),
    ],
)
def test_what_cannot_be_read_is_a_wrong_setting(line: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match="expect-wheels") as caught:
        parse_expected_wheels((line,))
    assert why in caught.value.summary


def test_all_patterns_together_are_bounded() -> None:
    with pytest.raises(ConfigurationError, match=r"more than .* wheels in total"):
        parse_expected_wheels([f"cp{number}-*" for number in range(MAX_PATTERNS + 1)])


@pytest.mark.parametrize(
    ("pattern", "tags", "matched"),
    [
        ("cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_17_x86_64", True),
        ("cp312-*-manylinux*_x86_64", "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("cp312-*x86_64", "cp312-cp312-manylinux_2_17_x86_64", True),
        ("*-win_amd64", "cp312-cp312-win_amd64", True),
        ("*", "cp312-cp312-win_amd64", True),
        ("cp31?-abi3-*", "cp310.cp311-abi3-macosx_11_0_arm64", True),
        ("cp31[0-2]-*-any", "cp312-none-any", True),
        ("cp31[!0-2]-*-any", "cp312-none-any", False),
        ("cp31[^02]-*-any", "cp311-none-any", True),
        ("cp31[]-*-any", "cp312-none-any", False),
        ("py2-none-any", "py2.py3-none-any", True),
        ("py3-none-any", "py2.py3-none-any", True),
        ("cp313-cp313-*", "cp313-cp313t-win_amd64", False),
        ("cp313-cp313-win*", "cp312.cp313-cp312-win_amd64", False),
        ("cp312-cp312-win_amd6", "cp312-cp312-win_amd64", False),
        ("cp312-cp312-win_amd64?", "cp312-cp312-win_amd64", False),
        ("cp312-cp312-**64", "cp312-cp312-win_amd64", True),
    ],
)
def test_a_pattern_is_matched_by_one_of_the_tags_of_a_name(pattern: str, tags: str, matched: bool) -> None:
    assert matches_wheel_pattern(pattern, DistributionFilename.parse(f"demo-1.0-{tags}.whl")) is matched


def test_an_sdist_is_no_expected_wheel() -> None:
    assert not matches_wheel_pattern("*", DistributionFilename.parse("demo-1.0.tar.gz"))


def test_a_compressed_tag_set_is_not_combined() -> None:
    tags = "-".join(".".join(f"{kind}{number}" for number in range(110)) for kind in ("cp", "ab", "pl"))
    name = DistributionFilename.parse(f"d-1-{tags}.whl")
    began = time.process_time()
    assert not matches_wheel_pattern("*a*b*c*d*e*f*g*h*i*" + "-x" * 20, name)
    assert time.process_time() - began < 2
