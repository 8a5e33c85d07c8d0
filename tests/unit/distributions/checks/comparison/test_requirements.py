import pytest
from packaging.specifiers import SpecifierSet

from ci_publish.distributions.checks.comparison.requirements import (
    MAX_REQUIREMENTS,
    format_requirement,
    is_narrower_specifier,
    parse_requirements,
)


@pytest.mark.parametrize(
    ("ours", "before", "answer"),
    [
        (">=3", ">=2", True),
        (">=2,<3", ">=2", True),
        ("==2.1", ">=2", True),
        ("~=2.1", ">=2", True),
        (">=2.0.1", ">=2", True),
        (">=2,!=2.5", ">=2", True),
        ("", ">=2", False),
        (">=2", ">=2", False),
        (">=2.0", ">=2", False),
        (">=3,<4", ">=2,<3", False),
        ("==2.*", ">=2,<3", False),
        ("===anything", "", False),
        ("<2", "", True),
        (">=1!2", ">=1!1", True),
        (">2rc1", ">2b1", True),
    ],
)
def test_which_of_two_specifiers_is_narrower(ours: str, before: str, answer: bool) -> None:
    assert is_narrower_specifier(SpecifierSet(ours), SpecifierSet(before)) is answer


def test_too_many_bounds_are_not_compared() -> None:
    many = ",".join(f"!={number}" for number in range(50))
    assert not is_narrower_specifier(SpecifierSet(many), SpecifierSet(""))


def test_requirements_are_known_by_name_and_marker() -> None:
    found = parse_requirements(['Re_Quests>=2 ; python_version<"3.9"', "re-quests>=3", "re.quests[socks]<4"])
    assert found is not None
    assert {key: (str(each.specifier), each.extras) for key, each in found.items()} == {
        ("re-quests", 'python_version < "3.9"'): (">=2", set()),
        ("re-quests", ""): ("<4,>=3", {"socks"}),
    }


@pytest.mark.parametrize(
    "lines",
    [
        ["not a requirement !"],
        ["x" * 3000],
        ["x; " + "(" * 100 + 'python_version>"3"' + ")" * 100],
        ["x"] * (MAX_REQUIREMENTS + 1),
    ],
)
def test_what_cannot_be_read_in_bounded_time_is_not_compared(lines: list[str]) -> None:
    assert parse_requirements(lines) is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("idna>=3", "idna>=3"),
        ("httpx[socks,http2]>=1", "httpx[http2,socks]>=1"),
        ("x @ https://h.example/x.whl", "x @ https://h.example/x.whl"),
        ('idna>=3; extra == "http2"', "idna>=3 (extra http2)"),
        ('idna; sys_platform == "win32"', 'idna (where sys_platform == "win32")'),
        ('idna; python_version > "3" and extra == "all"', "idna (extra all)"),
    ],
)
def test_how_a_requirement_is_shown(line: str, told: str) -> None:
    found = parse_requirements([line])
    assert found is not None
    assert [format_requirement(key, each) for key, each in found.items()] == [told]
