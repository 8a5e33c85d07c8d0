"""Framing rules that the corpus does not reach: ZIP64 records, and archives made field by field."""

import io
import struct
import zipfile

import pytest

from ci_publish.distributions.faults import Fault
from ci_publish.distributions.zip_directory import read_zip_directory
from ci_publish.distributions.zip_framing import zip_framing_fault
from ci_publish.distributions.zip_members import read_zip_member

NAME = b"a.txt"
DATA = b"hello"


def local(  # noqa: PLR0913 - a header's fields
    name: bytes = NAME,
    extra: bytes = b"",
    *,
    size: int = 5,
    packed: int = 5,
    method: int = 0,
    data: bytes = DATA,
    flags: int = 0,
) -> bytes:
    header = struct.pack(
        "<4sHHHHHLLLHH", b"PK\x03\x04", 20, flags, method, 0, 33, 0x3610A686, packed, size, len(name), len(extra)
    )
    return header + name + extra + data


def central(  # noqa: PLR0913 - a header's fields
    name: bytes = NAME, *, size: int = 5, packed: int = 5, offset: int = 0, extra: bytes = b"", flags: int = 0
) -> bytes:
    fields = (20, 20, flags, 0, 0, 33, 0x3610A686, packed, size, len(name), len(extra), 0, 0, 0, 0, offset)
    return struct.pack("<4sHHHHHHLLLHHHHHLL", b"PK\x01\x02", *fields) + name + extra


def end(records: int, size: int, offset: int, *, here: int | None = None, comment: bytes = b"") -> bytes:
    counts = (records if here is None else here, records)
    return struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, *counts, size, offset, len(comment)) + comment


def end64(records: int, size: int, offset: int, *, here: int | None = None, record_size: int = 44) -> bytes:
    counts = (records if here is None else here, records)
    return struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", record_size, 45, 45, 0, 0, *counts, size, offset)


def locator(offset: int) -> bytes:
    return struct.pack("<4sLQL", b"PK\x06\x07", 0, offset, 1)


def archive(*parts: bytes) -> bytes:
    return b"".join(parts)


def simple(first: bytes, entry: bytes, *rest: bytes) -> bytes:
    return archive(first, entry, *(rest or (end(1, len(entry), len(first)),)))


def info(name: str = "a.txt", *, size: int = 5, packed: int = 5, offset: int = 0) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.file_size, made.compress_size, made.header_offset = size, packed, offset
    return made


def fault(data: bytes, *directory: zipfile.ZipInfo) -> Fault | None:
    return zip_framing_fault(io.BytesIO(data), directory or (info(),))


def server_words(found: Fault) -> str:
    assert found.message
    assert found.refusal is not None
    words = found.refusal.message.removeprefix("Invalid distribution file. ZIP archive not accepted: ")
    return words.removesuffix(" See https://docs.pypi.org/archives for more information")


def zip64(*sizes: int) -> bytes:
    return struct.pack(f"<HH{len(sizes)}Q", 1, 8 * len(sizes), *sizes)


def test_a_plain_archive_is_accepted_also_by_pythons_zipfile() -> None:
    data = simple(local(), central())
    assert fault(data) is None
    directory = read_zip_directory(io.BytesIO(data))
    assert b"".join(read_zip_member(io.BytesIO(data), directory[0])) == DATA


def test_an_empty_archive_is_accepted() -> None:
    assert zip_framing_fault(io.BytesIO(end(0, 0, 0)), []) is None


@pytest.mark.parametrize("extra", [zip64(), zip64(5), zip64(5, 5), b"\x99\x99\x02\x00ab"])
def test_extra_fields_that_say_the_same_are_accepted(extra: bytes) -> None:
    assert fault(simple(local(extra=extra), central())) is None


@pytest.mark.parametrize("size", [5, 0xFFFFFFFF])
def test_zip64_sizes_count_where_the_header_has_none(size: int) -> None:
    assert fault(simple(local(extra=zip64(5, 5), size=size, packed=0xFFFFFFFF), central())) is None
    assert fault(simple(local(extra=zip64(5), size=size, packed=0xFFFFFFFF), central())) is None


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (local(extra=b"\x01\x00\x03\x00abc"), "Malformed zip file."),
        (local(extra=zip64(), packed=0xFFFFFFFF), "Malformed zip file."),
        (local(extra=zip64(5), method=8), "Malformed zip file."),
        (local(extra=b"abc"), "Malformed zip file."),
        (local(extra=b"\x01\x00\xff\x00"), "Malformed zip file."),
        (local(extra=zip64(5, 5) * 2), "Invalid duplicate extra in local file."),
        (local(extra=b"\x75\x70\x07\x00\x01abcd\xff\xff"), "Filename not valid UTF-8."),
        (local(extra=b"\x75\x70\x07\x00\x01abcd\n\n"), "Invalid character in filename."),
        (local(name=b"a\xff.tx"), "Filename not unicode."),
        (local(name=b"b.txt"), "Filename not in central directory."),
        (local(name=b"a\x7ftxt"), "Invalid character in filename."),
        (local(packed=4), "Mis-matched data size."),
        (local(size=4), "Mis-matched file size."),
        (local(flags=8), "ZIP contains a data descriptor."),
    ],
)
def test_local_headers_that_are_refused(header: bytes, words: str) -> None:
    found = fault(simple(header, central()))
    assert found is not None
    assert server_words(found) == words
    assert found.refusal is not None
    assert found.refusal.message.startswith(f"Invalid distribution file. ZIP archive not accepted: {words}")


def test_a_unicode_path_that_is_printable_is_accepted() -> None:
    assert fault(simple(local(extra=b"\x75\x70\x0a\x00\x01abcda.txt"), central())) is None


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (central(name=b"b.txt"), "Missing filename in local headers."),
        (central(name=b"a\ntxt"), "Invalid character in filename."),
        (central() + central(), "Duplicate filename in central directory."),
        (central()[:32] + b"\x01\x00" + central()[34:] + b"c", "Comment in central directory."),
    ],
)
def test_directory_entries_that_are_refused(entry: bytes, words: str) -> None:
    found = fault(simple(local(), entry))
    assert found is not None
    assert server_words(found) == words


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (end(2, 51, 40), "Mismatched central directory records."),
        (end(1, 51, 41), "Mismatched central directory offset."),
        (end(1, 50, 40), "Mismatched central directory size."),
        (end(1, 51, 40, here=2), "Malformed zip file."),
        (end(1, 51, 40, comment=b"c")[:-1], "Malformed zip file."),
        (end(1, 51, 40)[:-3], "Malformed zip file."),
        (end(1, 51, 40) + b"x", "Trailing data."),
        (b"PK\x07\x08" + end(1, 51, 40), "Unknown record signature."),
        (end64(1, 51, 40) + end(1, 51, 40), "Malformed zip file."),
        (end64(1, 51, 40, here=2) + locator(91) + end(1, 51, 40), "Malformed zip file."),
        (end64(1, 51, 40, record_size=45) + locator(91) + end(1, 51, 40), "ZIP64 extensible data not allowed."),
        (end64(2, 51, 40) + locator(91) + end(1, 51, 40), "Mismatched central directory records."),
    ],
)
def test_end_records_that_are_refused(tail: bytes, words: str) -> None:
    assert len(local()) == 40
    found = fault(simple(local(), central(), tail))
    assert found is not None
    assert server_words(found) == words


@pytest.mark.parametrize("tail", [end(1, 51, 40, comment=b"fine"), end64(1, 51, 40) + locator(91) + end(0xFFFF, 0, 0)])
def test_end_records_that_are_accepted(tail: bytes) -> None:
    assert fault(simple(local(), central(), tail)) is None


def test_a_name_that_stands_twice_before_the_directory_is_refused() -> None:
    found = fault(archive(local(), local(), central(), end(1, 51, 80)))
    assert found is not None
    assert found.rule == "zip-duplicate-name"


def test_a_member_that_is_not_in_the_directory_of_the_file_is_refused() -> None:
    data = archive(local(), local(name=b"b.txt"), central(), end(1, 51, 80))
    found = fault(data, info(), info("b.txt", offset=40))
    assert found is not None
    assert found.rule == "zip-mismatched-headers"


def test_a_directory_that_points_elsewhere_is_refused_by_a_rule_of_our_own() -> None:
    found = fault(simple(local(), central()), info(offset=3))
    assert found is not None
    assert (found.rule, found.refusal) == ("zip-mismatched-headers", None)


def test_data_beyond_the_end_is_malformed() -> None:
    size = 1 << 40
    header = local(extra=zip64(size, size), size=0xFFFFFFFF, packed=0xFFFFFFFF)
    found = fault(simple(header, central()), info(size=size, packed=size))
    assert found is not None
    assert found.rule == "zip-records"


def test_a_directory_that_hides_in_the_comment_is_refused() -> None:
    """Python finds the last end record, a streaming reader the first one."""
    hidden = central(b"b.txt")
    first, entry = local(), central()
    comment = hidden + end(1, len(hidden), len(first) + len(entry) + 22)
    data = archive(first, entry, end(1, len(entry), len(first), comment=comment))
    found = fault(data, info(), info("b.txt"))
    assert found is not None
    assert (found.rule, found.message) == (
        "zip-mismatched-headers",
        "The directory entry of 'b.txt' does not point to that member.",
    )
