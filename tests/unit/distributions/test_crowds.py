"""Archives and metadata of many small parts: published as they are, looked at within limits."""

import io
import random
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from ci_publish.distributions import limits
from ci_publish.distributions.archives import TooManyMembers, Unreadable
from ci_publish.distributions.local import LocalDistributions
from ci_publish.distributions.metadata import parse_metadata
from ci_publish.distributions.wheels import read_wheel_metadata
from ci_publish.distributions.zip_directory import find_in_crowd
from ci_publish.model.distribution import Collection
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Problem, Severity
from tests.corpus.build import Sdist, Wheel, metadata

CROWD = tuple((f"d/{number}", b"") for number in range(limits.MAX_MEMBERS))


def checked(folder: Path) -> tuple[Collection, dict[str, Problem]]:
    distributions = LocalDistributions()
    collection = distributions.collect([str(folder)])
    problems = distributions.check(collection, [IndexProfile.PYPI])
    return collection, {problem.rule: problem for problem in problems}


def crowd() -> bytes:
    return Wheel(members=CROWD, method="stored").build()


def test_a_wheel_with_too_many_members_is_published_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / Wheel().filename).write_bytes(crowd())
    collection, problems = checked(tmp_path)
    (wheel,) = collection.distributions
    assert (wheel.project, wheel.version) == ("demo-pkg", "1.0")
    assert {rule: problem.severity for rule, problem in problems.items()} == {
        "archive-too-many-members": Severity.WARNING
    }
    assert "30,000 members" in problems["archive-too-many-members"].message


@pytest.mark.parametrize("first", [True, False])
def test_an_sdist_with_too_many_members_is_published_with_a_warning(tmp_path: Path, *, first: bool) -> None:
    many = tuple((tarfile.TarInfo(f"demo_pkg-1.0/{number}"), b"") for number in range(limits.MAX_TAR_MEMBERS + 1))
    info = (tarfile.TarInfo("demo_pkg-1.0/PKG-INFO"), metadata())
    extra = (info, *many) if first else (*many, info)
    (tmp_path / Sdist().filename).write_bytes(Sdist(metadata=None, extra=extra).build())
    collection, problems = checked(tmp_path)
    assert [file.project for file in collection.distributions] == ["demo-pkg"]
    assert problems.keys() == {"archive-too-many-members"}


def test_metadata_that_a_crowd_does_not_have_is_missing() -> None:
    data = Wheel(members=CROWD, method="stored", metadata=None).build()
    with pytest.raises(Unreadable) as caught:
        read_wheel_metadata(io.BytesIO(data), Wheel().filename)
    assert caught.value.fault.rule == "wheel-metadata-missing"


def small() -> bytes:
    return Wheel().build()


def test_an_entry_is_found_by_its_name_and_can_be_read() -> None:
    data = small()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for expected in archive.infolist():
            found = find_in_crowd(io.BytesIO(data), expected.filename)
            assert found is not None
            names = ("flag_bits", "compress_type", "CRC", "compress_size", "file_size", "header_offset")
            assert [getattr(found, name) for name in names] == [getattr(expected, name) for name in names]
    assert find_in_crowd(io.BytesIO(data), "nothing") is None


def test_more_members_than_16_bits_can_count_are_found_through_zip64() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(66_000):
            archive.writestr(zipfile.ZipInfo(str(number)), b"")
    found = find_in_crowd(buffer, "65999")
    assert found is not None
    assert found.file_size == 0


def test_a_file_without_an_end_record_is_no_archive() -> None:
    for data in (b"", b"nothing", small()[:-10]):
        with pytest.raises(Unreadable) as caught:
            find_in_crowd(io.BytesIO(data), "x")
        assert caught.value.fault.rule == "zip-unreadable"


def test_a_directory_that_counts_more_than_it_has_ends_where_it_ends() -> None:
    data = bytearray(small())
    end = data.rfind(b"PK\x05\x06")
    struct.pack_into("<H", data, end + 10, 99)
    assert find_in_crowd(io.BytesIO(data), "nothing") is None
    struct.pack_into("<L", data, end + 16, len(data) - 10)
    assert find_in_crowd(io.BytesIO(data), "nothing") is None


def test_of_half_a_million_members_no_more_are_searched() -> None:
    record = struct.pack("<4sQ12xQQQQ", b"PK\x06\x06", 44, *[limits.MAX_CROWD + 1] * 2, 0, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    end = struct.pack("<4s4xHHLLH", b"PK\x05\x06", 0xFFFF, 0xFFFF, 0, 0, 0)
    with pytest.raises(TooManyMembers, match="500,000 members"):
        find_in_crowd(io.BytesIO(record + locator + end), "x")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"License: " + b"x" * limits.MAX_METADATA_HEADERS, "more than 2 MiB"),
        (b"License: x\n" + b" y\n" * limits.MAX_METADATA_LINES, "more than 50,000 lines"),
        (b"Platform: x\n" * (limits.MAX_METADATA_FIELDS + 1), "more than 10,000 fields"),
    ],
)
def test_headers_without_end_are_not_read(head: bytes, words: str) -> None:
    parsed = parse_metadata(head + b"\n\nbody")
    assert [fault.rule for fault in parsed.faults] == ["metadata-too-large"]
    assert words in parsed.faults[0].message
    assert parsed.metadata.fields == ()


def test_thousands_of_dependencies_take_no_minutes(tmp_path: Path) -> None:
    fields = [("Requires-Dist", f"other{number}") for number in range(5_000)]
    (tmp_path / Wheel().filename).write_bytes(Wheel(metadata=metadata(fields=fields)).build())
    start = time.process_time()
    assert checked(tmp_path)[1] == {}
    assert time.process_time() - start < 10


def test_a_description_of_headings_is_not_rendered(tmp_path: Path) -> None:
    text = metadata(fields=[("Description-Content-Type", "text/markdown")], body="# a\n" * 2_001)
    (tmp_path / Wheel().filename).write_bytes(Wheel(metadata=text).build())
    assert checked(tmp_path)[1].keys() == {"description-too-large"}


def test_a_record_with_more_lines_than_an_archive_has_members(tmp_path: Path) -> None:
    record = b"a,,\n" * (limits.MAX_RECORD_LINES + 1)
    (tmp_path / Wheel().filename).write_bytes(Wheel(record=record).build())
    found = checked(tmp_path)[1]
    assert found["record-mismatch"].message == "RECORD has more than 60,000 lines, the archive 4 members."


def test_digests_beyond_the_budget_are_said_not_to_be_compared(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(8 * limits.MIB)  # noqa: S311 - noise, no secret
    members = (("demo_pkg/noise", noise), ("demo_pkg/zeros", bytes(62 * limits.MIB)))
    (tmp_path / Wheel().filename).write_bytes(Wheel(members=members).build())
    (found,) = checked(tmp_path)[1].values()
    assert (found.rule, found.severity) == ("archive-digests-unchecked", Severity.NOTE)
    assert "digests of 3 members were not compared" in found.message
