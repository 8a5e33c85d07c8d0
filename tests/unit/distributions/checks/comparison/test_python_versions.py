import pytest

from ci_publish.distributions.checks.comparison.python_versions import (
    MAX_SPECIFIER,
    admitted_python_versions,
    format_minor_python_versions,
    minor_python_versions,
    requires_python_admits,
)


@pytest.mark.parametrize(
    ("specifier", "shown"),
    [
        ("", "2.7, 3.0 and newer"),
        (">=3.9", "3.9 and newer"),
        (">=3.9,<4", "3.9 and newer"),
        (">=3.9,<3.12", "3.9 to 3.11"),
        ("!=3.9.0,!=3.9.1,>=3.9,<3.11", "3.9, 3.10"),
        ("==2.7.*", "2.7"),
        (">=4", "4.0"),
        ("<3.10", "2.7 to 3.9"),
        ("<3.6,!=3.2.*", "2.7 to 3.1, 3.3 to 3.5"),
        (">=3.1,!=3.2.*,!=3.4.*", "3.1, 3.3, 3.5 and newer"),
    ],
)
def test_which_versions_of_python_a_specifier_admits(specifier: str, shown: str) -> None:
    versions = admitted_python_versions(specifier)
    assert versions is not None
    assert format_minor_python_versions(minor_python_versions(versions)) == shown


def test_single_releases_are_told_apart() -> None:
    some, every = "!=3.9.1,>=3.9", ">=3.9"
    assert (admitted_python_versions(every, some) or set()) - (admitted_python_versions(some, every) or set()) == {
        (3, 9, 1)
    }


@pytest.mark.parametrize("specifier", ["not one", "x" * (MAX_SPECIFIER + 1), f">={'9' * 450}"])
def test_what_cannot_be_read_is_unknown_or_read_in_time(specifier: str) -> None:
    assert admitted_python_versions(specifier) in (None, frozenset())


def test_what_is_not_known_is_admitted() -> None:
    assert requires_python_admits(None, 3, 8)
    assert requires_python_admits("nonsense", 3, 8)
    assert not requires_python_admits(">=3.9", 3, 8)
