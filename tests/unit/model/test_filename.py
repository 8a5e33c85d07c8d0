"""The name of a distribution is read as `packaging` reads it, and a compressed tag set is never expanded."""

import itertools
import re
import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from ci_publish.model.distribution import Kind
from ci_publish.model.filename import (
    MAX_FILENAME,
    DistributionFilename,
    FilenameFault,
    InvalidFilename,
    version_in_filename,
)

MANY = ".".join(f"a{number}" for number in range(120))


def test_a_wheel() -> None:
    parsed = DistributionFilename.parse("Demo_Project-1.0.0-1b-cp311.CP312-abi3-manylinux_2_17_x86_64.any.whl")
    assert (parsed.kind, parsed.project, str(parsed.version), parsed.build) == (
        Kind.WHEEL,
        "demo-project",
        "1.0.0",
        (1, "b"),
    )
    assert list(parsed.tags) == [{"cp311", "cp312"}, {"abi3"}, {"manylinux_2_17_x86_64", "any"}]
    assert parsed.platforms == {"manylinux_2_17_x86_64", "any"}


def test_an_sdist() -> None:
    parsed = DistributionFilename.parse("demo-1.0.tar.gz")
    assert (parsed.kind, parsed.project, str(parsed.version)) == (Kind.SDIST, "demo", "1.0")
    assert parsed.platforms == frozenset()


def test_tag_sets_whose_product_is_huge() -> None:
    """1,728,000 tags: they are counted, not made."""
    parsed = DistributionFilename.parse(f"demo-1.0-{MANY}-{MANY}-{MANY}.whl")
    assert [len(part) for part in parsed.tags] == [120, 120, 120]
    assert version_in_filename(f"demo-1.0-{MANY}-{MANY}-{MANY}.whl") == "1.0"


def calls_to_read(name: str) -> int:
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        version_in_filename(name)
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


@pytest.mark.parametrize(
    ("tags", "platforms"),
    [
        (f"{MANY}-{MANY}.-none", {"none"}),
        (f"{MANY}.1-{MANY}-any", {"any"}),
        ("py3-none-Any.", {"any", ""}),
        ("2.7-none-any", {"any"}),
    ],
)
def test_invalid_tags_leave_the_rest_of_the_name_readable(tags: str, platforms: set[str]) -> None:
    with pytest.raises(InvalidFilename, match="invalid tag component") as caught:
        DistributionFilename.parse(f"demo-1.0-{tags}.whl")
    assert caught.value.fault is FilenameFault.TAGS
    assert caught.value.except_tags is not None
    assert (caught.value.except_tags.project, str(caught.value.except_tags.version)) == ("demo", "1.0")
    assert caught.value.except_tags.platforms == platforms


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("demo.whl", FilenameFault.PARTS),
        ("demo-1.0-py3-none.whl", FilenameFault.PARTS),
        ("demo-1.0-1-2-py3-none-any.whl", FilenameFault.PARTS),
        ("de__mo-x-y-py3-none-any.whl", FilenameFault.PROJECT),
        ("demo-x-py3-none-any.whl", FilenameFault.VERSION),
        ("demo-1.0-b1-py3-none-any.whl", FilenameFault.BUILD),
        # The name of the file is in the library's message, which therefore cannot say what is wrong.
        ("invalid tag component-1.0-py3-none-any.whl", FilenameFault.PROJECT),
        ("demo.txt", FilenameFault.EXTENSION),
        ("demo.tar.gz", FilenameFault.PARTS),
        ("-1.0.tar.gz", FilenameFault.PROJECT),
        ("demo-x.tar.gz", FilenameFault.VERSION),
        ("demo-x.zip", FilenameFault.VERSION),
        (f"demo-{'1' * MAX_FILENAME}.tar.gz", FilenameFault.LENGTH),
        (f"demo-{'1' * MAX_FILENAME}-py3-none-any.whl", FilenameFault.LENGTH),
    ],
)
def test_what_is_wrong_with_a_name(name: str, fault: FilenameFault) -> None:
    with pytest.raises(InvalidFilename) as caught:
        DistributionFilename.parse(name)
    assert (caught.value.fault, caught.value.except_tags) == (fault, None)
    assert DistributionFilename.parse_or_none(name) is None
    assert version_in_filename(name) is None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (f"demo-1.0-{'1' * 700}-py3-none-any.whl", FilenameFault.BUILD),
        (f"demo-{'1' * 700}-py3-none-any.whl", FilenameFault.VERSION),
        (f"demo-{'1' * 700}.tar.gz", FilenameFault.VERSION),
    ],
)
def test_numbers_that_python_does_not_convert(name: str, fault: FilenameFault) -> None:
    """The limit of digits may be set lower than a filename is long (PYTHONINTMAXSTRDIGITS)."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        with pytest.raises(InvalidFilename, match="Invalid filename") as caught:
            DistributionFilename.parse(name)
    finally:
        sys.set_int_max_str_digits(limit)
    assert caught.value.fault is fault


def test_spellings_of_one_name() -> None:
    """PyPI accepts each of these versions in the name of a wheel."""
    names = [
        f"{name}-{version}-PY3.py2-none-any.whl" for name in ("demo_pkg", "Demo.Pkg") for version in ("1.0", "v1.0.0")
    ]
    parsed = [DistributionFilename.parse(name) for name in names]
    assert len({each.identity for each in parsed}) == 1
    assert [each.spelled_project for each in parsed] == ["demo_pkg", "demo_pkg", "Demo.Pkg", "Demo.Pkg"]
    assert {each.python_tag for each in parsed} == {"PY3.py2"}
    sdist = DistributionFilename.parse("Demo-Pkg-1.0.tar.gz")
    assert (sdist.spelled_project, sdist.python_tag) == ("Demo-Pkg", "source")


PARTS = st.lists(st.sampled_from(["py2", "py3", "none", "any", "CP3", "1", "", "é"]), min_size=1, max_size=6)


@given(st.tuples(PARTS, PARTS, PARTS), st.sampled_from(["1.0", "x", "1!2.post3+l"]), st.sampled_from(["", "1-", "b-"]))
def test_wheels_as_packaging_reads_them(sets: tuple[list[str], list[str], list[str]], version: str, build: str) -> None:
    name = f"Demo-{version}-{build}{'-'.join('.'.join(part) for part in sets)}.whl"
    try:
        project, expected, number, tags = parse_wheel_filename(name)
    except InvalidWheelFilename as error:
        with pytest.raises(InvalidFilename, match=f"^{re.escape(str(error))}$"):
            DistributionFilename.parse(name)
        return
    parsed = DistributionFilename.parse(name)
    assert (parsed.project, parsed.version, parsed.build) == (project, expected, number)
    assert set(itertools.product(*parsed.tags)) == {(tag.interpreter, tag.abi, tag.platform) for tag in tags}


@given(st.text(alphabet="demo-1.0!ta.gz", max_size=20))
def test_sdists_as_packaging_reads_them(stem: str) -> None:
    try:
        expected = parse_sdist_filename(f"{stem}.tar.gz")
    except InvalidSdistFilename:
        assert version_in_filename(f"{stem}.tar.gz") is None
        return
    parsed = DistributionFilename.parse(f"{stem}.tar.gz")
    assert (parsed.project, parsed.version) == expected
