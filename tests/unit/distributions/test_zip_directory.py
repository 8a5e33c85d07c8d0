"""The directory of a ZIP archive: the same on every Python, and the same as zipfile's where zipfile did not change."""

import ast
import io
import random
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

import ci_publish
from ci_publish.distributions import limits
from ci_publish.distributions.archive_reading import TooManyMembers, UnreadableArchive
from ci_publish.distributions.faults import ServerRefusal
from ci_publish.distributions.limits import MAX_DIRECTORY
from ci_publish.distributions.zip_directory import find_entry_in_large_directory, is_zip_archive, read_zip_directory
from tests.corpus.build import Wheel

NAME = b"a.txt"
BROKEN = ServerRefusal(400, "Invalid distribution file. None")
NO_ZIP = ServerRefusal(400, "Invalid distribution file. File is not a zipfile")
FIELDS = (
    "filename",
    "orig_filename",
    "flag_bits",
    "compress_type",
    "CRC",
    "compress_size",
    "file_size",
    "header_offset",
)


def entry(  # noqa: PLR0913 - an entry's fields
    name: bytes = NAME, *, size: int = 0, packed: int = 0, offset: int = 0, extra: bytes = b"", flags: int = 0
) -> bytes:
    fields = (20, 20, flags, 0, 0, 33, 0, packed, size, len(name), len(extra), 0, 0, 0, 0, offset)
    return struct.pack("<4sHHHHHHLLLHHHHHLL", b"PK\x01\x02", *fields) + name + extra


def end(records: int, size: int, offset: int, comment: bytes = b"") -> bytes:
    return struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, records, records, size, offset, len(comment)) + comment


def end64(records: int, size: int, offset: int, *, record_size: int = 44, signature: bytes = b"PK\x06\x06") -> bytes:
    return struct.pack("<4sQHHLLQQQQ", signature, record_size, 45, 45, 0, 0, records, records, size, offset)


def locator(offset: int, *, disk: int = 0, disks: int = 1) -> bytes:
    return struct.pack("<4sLQL", b"PK\x06\x07", disk, offset, disks)


def directory(data: bytes) -> list[zipfile.ZipInfo]:
    return read_zip_directory(io.BytesIO(data))


def fault(data: bytes) -> tuple[str, ServerRefusal | None]:
    with pytest.raises(UnreadableArchive) as caught:
        directory(data)
    assert caught.value.fault.message
    return caught.value.fault.rule, caught.value.fault.refusal


def with_extra(kind: int, content: bytes, *, length: int | None = None, size: int = 0) -> bytes:
    one = entry(extra=struct.pack("<HH", kind, len(content) if length is None else length) + content, size=size)
    return one + end(1, len(one), 0)


def zip64(records: bytes, *, before: bytes = b"") -> bytes:
    return before + entry() + records + end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)


LENGTH = len(entry())


@pytest.mark.parametrize("data", [b"", b"nothing", b"<html>" * 20, Wheel().build()[:-23], end(0, 0, 0)[:-1]])
def test_a_file_without_an_end_record_is_no_archive(data: bytes) -> None:
    assert not is_zip_archive(io.BytesIO(data))
    assert fault(data) == ("zip-unreadable", NO_ZIP)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(end(1, 46, 0), id="the directory begins before the file"),
        pytest.param(entry()[:20] + end(1, 20, 0), id="an entry is cut off"),
        pytest.param(b"PK\x01\x09" + entry()[4:] + end(1, LENGTH, 0), id="an entry without signature"),
        pytest.param(with_extra(0xCAFE, b"ab", length=3), id="an extra field is cut off"),
        pytest.param(with_extra(1, b"", size=0xFFFFFFFF), id="a ZIP64 size is missing"),
        pytest.param(with_extra(0x7075, b"\1ab"), id="a Unicode path is cut off"),
        pytest.param(with_extra(0x7075, struct.pack("<BL", 1, zlib.crc32(NAME)) + b"\xff"), id="it is not UTF-8"),
    ],
)
def test_a_directory_that_is_broken_is_refused_with_the_servers_words(data: bytes) -> None:
    assert is_zip_archive(io.BytesIO(data))
    assert fault(data) == ("zip-malformed", BROKEN)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(zip64(end64(1, LENGTH, 0) + locator(LENGTH, disks=2)), id="two disks"),
        pytest.param(zip64(end64(1, LENGTH, 0) + locator(LENGTH, disk=1)), id="the second disk"),
        pytest.param(zip64(end64(1, LENGTH, 0) + locator(LENGTH + 1)), id="the locator points too far"),
        pytest.param(locator(0) + end(1, 0, 0), id="a locator at the begin"),
        pytest.param(zip64(end64(1, LENGTH, 0, signature=b"PK\6\1") + locator(LENGTH)), id="no end record"),
        pytest.param(zip64(end64(1, LENGTH + 1, 0) + locator(LENGTH)), id="another size of the directory"),
        pytest.param(zip64(end64(1, LENGTH, 0, record_size=45) + locator(LENGTH)), id="another size of the record"),
    ],
)
def test_zip64_records_that_are_broken_are_no_archive_for_the_server(data: bytes) -> None:
    assert not is_zip_archive(io.BytesIO(data))
    assert fault(data) == ("zip-malformed", NO_ZIP)


def test_a_name_that_is_not_utf_8_makes_the_server_fail() -> None:
    data = entry(b"\xff", flags=0x800) + end(1, 47, 0)
    assert fault(data) == ("zip-malformed", ServerRefusal(500, "Internal Server Error"))


@pytest.mark.parametrize(
    ("data", "shift"),
    [
        (entry() + end(1, LENGTH, 0), 0),
        (entry() + end(1, LENGTH, 0, b"a comment"), 0),
        (b"#!" + entry() + end(1, LENGTH, 0), 2),
        (zip64(end64(1, LENGTH, 0) + locator(LENGTH)), 0),
        (zip64(end64(1, LENGTH, 0, record_size=52) + b"extended" + locator(LENGTH)), 0),
        (zip64(end64(1, LENGTH, 0) + locator(LENGTH), before=b"#!/bin/sh\n"), 10),
    ],
    ids=["plain", "with a comment", "after other data", "ZIP64", "ZIP64, extended", "ZIP64 after other data"],
)
def test_the_entry_is_found(data: bytes, shift: int) -> None:
    assert is_zip_archive(io.BytesIO(data))
    (found,) = directory(data)
    assert (found.filename, found.header_offset) == ("a.txt", shift)


def test_an_empty_archive_has_no_members() -> None:
    assert directory(end(0, 0, 0)) == []


def test_extra_fields_of_other_kinds_are_passed_over() -> None:
    assert [info.filename for info in directory(with_extra(0xCAFE, b"ab"))] == ["a.txt"]


def test_a_directory_that_is_too_large_is_not_read() -> None:
    with pytest.raises(TooManyMembers):
        directory(bytes(MAX_DIRECTORY + 1) + end(1, MAX_DIRECTORY + 1, 0))


def test_sizes_of_64_bits_are_read() -> None:
    content = struct.pack("<HHQQQ", 1, 24, 1 << 40, 1 << 41, 1 << 42)
    one = entry(size=0xFFFFFFFF, packed=0xFFFFFFFF, offset=0xFFFFFFFF, extra=content)
    (found,) = directory(one + end(1, len(one), 0))
    assert (found.file_size, found.compress_size, found.header_offset) == (1 << 40, 1 << 41, 1 << 42)


@pytest.mark.parametrize(
    ("version", "checksum", "path", "name"),
    [
        (1, zlib.crc32(NAME), "bücher.txt", "bücher.txt"),
        (1, zlib.crc32(NAME), "b\0c", "b"),
        (1, zlib.crc32(NAME), "", "a.txt"),
        (1, 7, "bücher.txt", "a.txt"),
        (2, zlib.crc32(NAME), "bücher.txt", "a.txt"),
    ],
)
def test_a_unicode_path_replaces_the_name_that_it_belongs_to(version: int, checksum: int, path: str, name: str) -> None:
    (found,) = directory(with_extra(0x7075, struct.pack("<BL", version, checksum) + path.encode()))
    assert (found.filename, found.orig_filename) == (name, "a.txt")


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [(b"a\0b", 0, "a"), (b"a\\b", 0, "a\\b"), ("ü".encode("cp437"), 0, "ü"), ("ü".encode(), 0x800, "ü")],
)
def test_names_are_read_as_on_the_server(raw: bytes, flags: int, name: str) -> None:
    one = entry(raw, flags=flags)
    assert [info.filename for info in directory(one + end(1, len(one), 0))] == [name]


def test_damaged_archives_are_read_as_by_zipfile() -> None:
    """Without ZIP64 and Unicode paths, where Pythons differ, what zipfile reads is read, and nothing else."""
    good = Wheel().build()
    tail = good.rfind(b"PK\x05\x06")
    start = good.find(b"PK\x01\x02")
    chance = random.Random(11)  # noqa: S311 - damage, no secret
    outcomes = {True: 0, False: 0}
    for _ in range(4_000):
        data = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(start, tail + 22)] = chance.choice((0, 1, 20, 0x7F, 0xFF, chance.randrange(256)))
        del data[len(data) - chance.choice((0, 0, 0, 1, 22)) :]
        outcomes[compared(bytes(data))] += 1
    assert min(outcomes.values()) > 100, outcomes


def test_no_verdict_depends_on_the_interpreter_s_zipfile_or_tarfile() -> None:
    """Of zipfile, only the names of methods and the record of an entry are used; of tarfile and gzip, nothing."""
    used = set()
    for path in (Path(ci_publish.__file__).parent).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                used |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                used |= {alias.name for alias in node.names}
    archives = {name for name in used if name.split(".")[0] in {"zipfile", "tarfile", "gzip"}}
    assert archives == {"zipfile.ZIP_DEFLATED", "zipfile.ZIP_STORED", "zipfile.ZipInfo"}


def compared(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            expected = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError):
        with pytest.raises(UnreadableArchive):
            directory(data)
        return False
    found = directory(data)
    assert [[getattr(info, name) for name in FIELDS] for info in found] == [
        [getattr(info, name) for name in FIELDS] for info in expected
    ]
    return True


def small() -> bytes:
    return Wheel().build()


def test_an_entry_is_found_by_its_name_and_can_be_read() -> None:
    data = small()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for expected in archive.infolist():
            found = find_entry_in_large_directory(io.BytesIO(data), expected.filename)
            assert found is not None
            names = ("flag_bits", "compress_type", "CRC", "compress_size", "file_size", "header_offset")
            assert [getattr(found, name) for name in names] == [getattr(expected, name) for name in names]
    assert find_entry_in_large_directory(io.BytesIO(data), "nothing") is None


def test_more_members_than_16_bits_can_count_are_found_through_zip64() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(66_000):
            archive.writestr(zipfile.ZipInfo(str(number)), b"")
    found = find_entry_in_large_directory(buffer, "65999")
    assert found is not None
    assert found.file_size == 0


def test_nothing_is_found_in_a_file_without_an_end_record() -> None:
    for data in (b"", b"nothing", small()[:-10]):
        with pytest.raises(UnreadableArchive) as caught:
            find_entry_in_large_directory(io.BytesIO(data), "x")
        assert caught.value.fault.rule == "zip-unreadable"


def test_a_directory_that_counts_more_than_it_has_ends_where_it_ends() -> None:
    data = bytearray(small())
    end = data.rfind(b"PK\x05\x06")
    struct.pack_into("<H", data, end + 10, 99)
    assert find_entry_in_large_directory(io.BytesIO(data), "nothing") is None
    struct.pack_into("<L", data, end + 16, len(data) - 10)
    assert find_entry_in_large_directory(io.BytesIO(data), "nothing") is None


def test_of_half_a_million_members_no_more_are_searched() -> None:
    record = struct.pack("<4sQ12xQQQQ", b"PK\x06\x06", 44, *[limits.MAX_CROWD + 1] * 2, 0, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    end = struct.pack("<4s4xHHLLH", b"PK\x05\x06", 0xFFFF, 0xFFFF, 0, 0, 0)
    with pytest.raises(TooManyMembers, match="500,000 members"):
        find_entry_in_large_directory(io.BytesIO(record + locator + end), "x")
