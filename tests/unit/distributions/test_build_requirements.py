"""What building an sdist requires."""

import pytest

from ci_publish.distributions.build_requirements import parse_build_requirements


@pytest.mark.parametrize(
    ("pyproject", "expected"),
    [
        (b'[build-system]\nrequires = ["My.Backend>=2 ; python_version > \'3\'", "wheel"]\n', ("my-backend", "wheel")),
        (b"[project]\nname = 'x'\n", ()),
        (b"build-system = 3\n", ()),
        (b"[build-system]\nrequires = 3\n", ()),
        (b"[build-system]\nrequires = [3]\n", ()),
        (b"[build-system]\nrequires = ['not a requirement']\n", ()),
        (b"\xff", ()),
        (b"[", ()),
        (b"x = " + b"[" * 5000, ()),
        (None, ()),
    ],
)
def test_the_names_are_normalised_and_what_is_illegible_says_nothing(
    pyproject: bytes | None, expected: tuple[str, ...]
) -> None:
    assert parse_build_requirements(pyproject) == expected
