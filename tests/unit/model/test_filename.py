"""The name of a distribution is read as `packaging` reads it, and a compressed tag set is never expanded."""

import itertools
import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from ci_publish.model.distribution import Kind
from ci_publish.model.filename import MAX_FILENAME, parse_filename, version_of

MANY = ".".join(f"a{number}" for number in range(120))


def test_a_wheel() -> None:
    parsed = parse_filename("Demo_Project-1.0.0-1b-cp311.CP312-abi3-manylinux_2_17_x86_64.any.whl")
    assert (parsed.kind, parsed.project, str(parsed.version), parsed.build) == (
        Kind.WHEEL,
        "demo-project",
        "1.0.0",
        (1, "b"),
    )
    assert list(parsed.tags) == [{"cp311", "cp312"}, {"abi3"}, {"manylinux_2_17_x86_64", "any"}]
    assert parsed.platforms == {"manylinux_2_17_x86_64", "any"}


def test_an_sdist() -> None:
    parsed = parse_filename("demo-1.0.tar.gz")
    assert (parsed.kind, parsed.project, str(parsed.version)) == (Kind.SDIST, "demo", "1.0")
    assert parsed.platforms == frozenset()


def test_tag_sets_whose_product_is_huge() -> None:
    """1,728,000 tags: they are counted, not made."""
    parsed = parse_filename(f"demo-1.0-{MANY}-{MANY}-{MANY}.whl")
    assert [len(part) for part in parsed.tags] == [120, 120, 120]
    assert version_of(f"demo-1.0-{MANY}-{MANY}-{MANY}.whl") == "1.0"


def calls_to_read(name: str) -> int:
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        version_of(name)
    finally:
        sys.setprofile(None)
    return calls


def test_reading_a_tag_set_costs_no_more_than_its_length() -> None:
    """Counted in calls: twice the members are twice the work, not eight times."""
    fewer, more = (
        calls_to_read(f"demo-2.0-{part}-{part}-{part}.whl")
        for part in (".".join(f"b{number}" for number in range(count)) for count in (60, 120))
    )
    assert more <= 2.1 * fewer


@pytest.mark.parametrize("name", [f"demo-1.0-{MANY}-{MANY}.-none.whl", f"demo-1.0-{MANY}.1-{MANY}-any.whl"])
def test_members_of_a_huge_tag_set_are_checked(name: str) -> None:
    with pytest.raises(InvalidWheelFilename, match="invalid tag component"):
        parse_filename(name)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("demo.whl", InvalidWheelFilename),
        ("demo-1.0-py3-none.whl", InvalidWheelFilename),
        ("demo.txt", InvalidSdistFilename),
        ("demo-x.tar.gz", InvalidSdistFilename),
        (f"demo-{'1' * MAX_FILENAME}.tar.gz", InvalidSdistFilename),
        (f"demo-{'1' * MAX_FILENAME}-py3-none-any.whl", InvalidWheelFilename),
    ],
)
def test_other_names(name: str, error: type[ValueError]) -> None:
    with pytest.raises(error):
        parse_filename(name)
    assert version_of(name) is None


def test_numbers_that_python_does_not_convert() -> None:
    """The limit of digits may be set lower than a filename is long (PYTHONINTMAXSTRDIGITS)."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        with pytest.raises(InvalidWheelFilename, match="Invalid filename"):
            parse_filename(f"demo-1.0-{'1' * 700}-py3-none-any.whl")
    finally:
        sys.set_int_max_str_digits(limit)


PARTS = st.lists(st.sampled_from(["py2", "py3", "none", "any", "CP3", "1", "", "é"]), min_size=1, max_size=6)


@given(st.tuples(PARTS, PARTS, PARTS), st.sampled_from(["1.0", "x", "1!2.post3+l"]), st.sampled_from(["", "1-", "b-"]))
def test_wheels_as_packaging_reads_them(sets: tuple[list[str], list[str], list[str]], version: str, build: str) -> None:
    name = f"Demo-{version}-{build}{'-'.join('.'.join(part) for part in sets)}.whl"
    try:
        project, expected, number, tags = parse_wheel_filename(name)
    except InvalidWheelFilename:
        with pytest.raises(InvalidWheelFilename):
            parse_filename(name)
        return
    parsed = parse_filename(name)
    assert (parsed.project, parsed.version, parsed.build) == (project, expected, number)
    assert set(itertools.product(*parsed.tags)) == {(tag.interpreter, tag.abi, tag.platform) for tag in tags}


@given(st.text(alphabet="demo-1.0!ta.gz", max_size=20))
def test_sdists_as_packaging_reads_them(stem: str) -> None:
    try:
        expected = parse_sdist_filename(f"{stem}.tar.gz")
    except InvalidSdistFilename:
        assert version_of(f"{stem}.tar.gz") is None
        return
    parsed = parse_filename(f"{stem}.tar.gz")
    assert (parsed.project, parsed.version) == expected
