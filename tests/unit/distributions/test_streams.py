"""gzip and tar streams against Python's own readers, and at the edges of their formats."""

import gzip
import io
import random
import tarfile
import zlib

import pytest

from ci_publish.distributions import tar_stream
from ci_publish.distributions.gzip_stream import GzipCutOff, GzipDamaged, GzipStream, NotGzip, OverBudget
from ci_publish.distributions.tar_stream import (
    NotATar,
    TarDamaged,
    TarHeaderTooLarge,
    TarMember,
    TarUnreadable,
    tar_members,
)

NOISE = random.Random(7).randbytes(700_000)  # noqa: S311 - noise, no secret
TEXT = b"hello world " * 60_000


def stream(data: bytes, budget: int = 1 << 30) -> GzipStream:
    return GzipStream(io.BytesIO(data), budget)


def read_everything(data: bytes) -> tuple[bytes, list[str]]:
    source = stream(data)
    parts = []
    while part := source.read(100_001):
        parts.append(part)
    return b"".join(parts), source.remarks


@pytest.mark.parametrize("content", [b"", b"x", NOISE, TEXT, bytes(3 << 20)])
def test_what_gzip_writes_is_read(content: bytes) -> None:
    assert read_everything(gzip.compress(content, 6, mtime=0)) == (content, [])


def test_skipping_counts_what_was_there() -> None:
    source = stream(gzip.compress(TEXT))
    assert source.skip(1000) == 1000
    assert source.position == 1000
    assert source.skip(1 << 30) == len(TEXT) - 1000


def test_members_follow_one_another_and_padding_is_read_over() -> None:
    assert read_everything(gzip.compress(b"a") + gzip.compress(b"b") + bytes(600_000)) == (b"ab", [])


def test_header_fields_are_read_over() -> None:
    body = gzip.compress(b"x", mtime=0)[10:]
    header = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x03\x00abc" + b"name\x00" + b"comment\x00" + b"\x00\x00"
    assert read_everything(header + body) == (b"x", [])


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04" + bytes(20), b"\x1f\x8b\x09" + bytes(20), b"\x1f\x8b\x08\x08" + b"x" * 70_000]
)
def test_what_is_no_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(NotGzip):
        stream(data)


def test_a_header_that_is_cut_off_is_cut_off() -> None:
    with pytest.raises(GzipCutOff):
        stream(b"\x1f\x8b")


def test_data_that_is_cut_off_is_cut_off() -> None:
    with pytest.raises(GzipCutOff):
        read_everything(gzip.compress(NOISE)[:-100])


def test_damaged_data_says_how_much_came_out() -> None:
    data = bytearray(gzip.compress(NOISE, 9))
    # A stored block's length stands at its beginning; random data is stored in several.
    data[400_000:600_000] = bytes(200_000)
    with pytest.raises(GzipDamaged) as caught:
        read_everything(bytes(data))
    assert caught.value.position > 0


def test_more_than_the_budget_is_not_inflated() -> None:
    with pytest.raises(OverBudget) as caught:
        stream(gzip.compress(bytes(1 << 20)), 1 << 19).skip(1 << 20)
    assert caught.value.position > 1 << 19


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (lambda data: data[:-8] + bytes(8), "its trailer does not match the data"),
        (lambda data: data[:-8], "its trailer is missing"),
        (lambda data: data + b"more", "other data follows the gzip data"),
        (lambda data: data + b"much more than a header", "other data follows the gzip data"),
    ],
)
def test_what_stands_around_the_data_is_remarked(change, remark: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert read_everything(change(gzip.compress(TEXT, mtime=0))) == (TEXT, [remark])


def tar(*members: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return buffer.getvalue()


def member(name: str = "a", kind: bytes = tarfile.REGTYPE, size: int = 0, **pax: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    info.pax_headers = {key.replace("_", "."): value for key, value in pax.items()}
    return info


def read(data: bytes) -> list[TarMember]:
    return list(tar_members(stream(gzip.compress(data, 1))))


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_names_and_sizes_are_those_that_tarfile_reads(form: int) -> None:
    long = "d" * 80 + "/" + "e" * 90
    link = member("link", tarfile.SYMTYPE)
    link.linkname = "target" * 10
    data = tar(member("a", size=700), member(long, size=1), member("dir/", tarfile.DIRTYPE), link, form=form)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        expected = [(each.name, each.size, each.linkname) for each in archive.getmembers()]
    assert [(each.name, each.size, each.link) for each in read(data)] == expected


def test_kinds_are_told_apart() -> None:
    kinds = [read(tar(member(kind=kind)))[0] for kind in (tarfile.REGTYPE, tarfile.FIFOTYPE, tarfile.LNKTYPE, b"Z")]
    assert [each.is_file for each in kinds] == [True, False, False, True]
    assert [each.is_special for each in kinds] == [False, True, False, False]
    assert [each.is_link for each in kinds] == [False, False, True, False]


def test_global_pax_headers_and_base_256_numbers_are_read() -> None:
    header = member("g", size=3)
    data = tarfile.TarInfo.create_pax_global_header({"comment": "x"}) + header.tobuf() + b"abc".ljust(512, b"\0")
    number = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    number[124:136] = b"\x80" + (3).to_bytes(11, "big")
    number[148:156] = b"%06o\0 " % tar_stream._checksums(bytes(number))[0]  # noqa: SLF001 - to write a header by hand
    assert [each.size for each in read(data + bytes(number) + bytes(512))] == [3, 3]


def test_a_pax_size_counts_more_than_the_headers() -> None:
    data = tar(member("a", size=600))
    pax = tarfile.TarInfo._create_pax_generic_header({"size": "600"}, b"x", "utf-8")  # type: ignore[attr-defined]  # noqa: SLF001
    header = bytearray(data[:512])
    header[124:136] = b"00000000000\0"
    header[148:156] = b"%06o\0 " % tar_stream._checksums(bytes(header))[0]  # noqa: SLF001
    assert [each.size for each in read(pax + bytes(header) + data[512:])] == [600]


def test_an_old_gnu_sparse_member_is_sparse() -> None:
    header = bytearray(member("s", tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    header[482] = 1
    header[148:156] = b"%06o\0 " % tar_stream._checksums(bytes(header))[0]  # noqa: SLF001
    assert [each.sparse for each in read(bytes(header) + bytes(512) + bytes(1024))] == [True]
    with pytest.raises(TarUnreadable):
        read(bytes(header))


@pytest.mark.parametrize("data", [b"", b"x" * 100, b"x" * 512])
def test_what_does_not_begin_with_a_header_is_no_tar(data: bytes) -> None:
    with pytest.raises(NotATar):
        read(data)


@pytest.mark.parametrize("number", [b"-0000000001\0", b"notoctal\0\0\0\0", b"\xff" * 12])
def test_a_header_with_an_impossible_size_is_none(number: bytes) -> None:
    header = bytearray(member().tobuf())
    header[124:136] = number
    header[148:156] = b"%06o\0 " % tar_stream._checksums(bytes(header))[0]  # noqa: SLF001
    with pytest.raises(NotATar):
        read(bytes(header))


def test_an_archive_that_ends_inside_of_a_member_cannot_be_read() -> None:
    with pytest.raises(TarUnreadable):
        read(tar(member(size=2000))[:1500])


@pytest.mark.parametrize("rest", [b"", bytes(512), b"x" * 512])
def test_an_extended_header_needs_a_header(rest: bytes) -> None:
    pax = tar(member("é" * 60))[:1024]
    with pytest.raises(TarUnreadable):
        read(pax + rest)


def test_a_broken_header_in_the_middle_is_damage() -> None:
    data = tar(member(size=1), member("b"))
    with pytest.raises(TarDamaged):
        read(data[:1024] + b"x" * 512 + data[1536:])


def test_a_huge_extended_header_is_not_read() -> None:
    with pytest.raises(TarHeaderTooLarge):
        read(tar(member(comment="x" * (2 << 20))))


def test_an_extended_header_that_is_cut_off_cannot_be_read() -> None:
    with pytest.raises(TarUnreadable):
        read(tar(member("é" * 600))[:700])


@pytest.mark.parametrize("record", [b"x", b"99 path=a\n", b"7 path\n", b"9 path=ab", b"123456789012 path=a\n"])
def test_broken_pax_records_are_damage(record: bytes) -> None:
    header = member("x", tarfile.XHDTYPE, len(record)).tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(TarDamaged):
        read(header + record.ljust(512, b"\0") + member().tobuf())


def test_a_member_has_few_extended_headers() -> None:
    pax = tar(member("é" * 60))[:1024]
    with pytest.raises(TarDamaged):
        read(pax * 20 + tar(member()))


def test_zlib_damage_at_the_very_start_has_no_position() -> None:
    with pytest.raises(GzipDamaged) as caught:
        stream(gzip.compress(b"")[:10] + b"\xff" * 50).read(1)
    assert caught.value.position == 0
    assert zlib.error.__name__ not in str(caught.value)
