"""tar streams against Python's own reader, and at the edges of the format."""

import gzip
import io
import tarfile

import pytest

from ci_publish.distributions.tar_stream import (
    NotATar,
    TarDamaged,
    TarHeaderTooLarge,
    TarMember,
    TarUnreadable,
    read_tar_members,
)
from tests.unit.distributions.compressed_streams import stream


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


def write_checksum(header: bytearray) -> None:
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)


def read(data: bytes) -> list[TarMember]:
    return list(read_tar_members(stream(gzip.compress(data, 1))))


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
    write_checksum(number)
    assert [each.size for each in read(data + bytes(number) + bytes(512))] == [3, 3]


def test_a_pax_size_counts_more_than_the_headers() -> None:
    data = tar(member("a", size=600))
    pax = tarfile.TarInfo._create_pax_generic_header({"size": "600"}, b"x", "utf-8")  # type: ignore[attr-defined]  # noqa: SLF001
    header = bytearray(data[:512])
    header[124:136] = b"00000000000\0"
    write_checksum(header)
    assert [each.size for each in read(pax + bytes(header) + data[512:])] == [600]


def test_an_old_gnu_sparse_member_is_sparse() -> None:
    header = bytearray(member("s", tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    header[482] = 1
    write_checksum(header)
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
    write_checksum(header)
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
