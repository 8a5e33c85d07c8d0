"""The members of a ZIP archive, read in bounded steps."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from ci_publish.distributions.archive_reading import DAMAGED, UnreadableArchive, unreadable_archive_error
from ci_publish.distributions.faults import invalid_file_refusal
from ci_publish.distributions.limits import CHUNK
from ci_publish.distributions.zip_framing import LOCAL

ENCRYPTED: Final = 0x01
_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")


def read_zip_member(file: BinaryIO, info: ZipInfo) -> Iterator[bytes]:
    """Yield the content of a member in chunks of at most ``limits.CHUNK`` bytes.

    Never yields more than the size that the directory declares. Raises Unreadable if the content is encrypted, cut
    off, longer or shorter than declared, or its CRC does not match: after the last chunk at the latest.
    """
    _seek_zip_member_data(file, info)
    chunks = _unpack_zip_member(file, info)
    crc, left = 0, info.file_size
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise _damaged_zip_member_error(info, "is longer than its header says")
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if left > 0:
        raise _damaged_zip_member_error(info, "is shorter than its header says")
    if crc != info.CRC:
        raise _damaged_zip_member_error(info, "does not match its CRC")


def _unpack_zip_member(file: BinaryIO, info: ZipInfo) -> Iterable[bytes]:
    """Return the data of a member in chunks: one byte more than declared at most."""
    if info.compress_type == ZIP_STORED:
        return _read_stored_zip_member(file, info)
    if max(info.compress_size, info.file_size) < CHUNK:
        return (_inflate_small_zip_member(file, info),)
    return _inflate_large_zip_member(file, info)


def _seek_zip_member_data(file: BinaryIO, info: ZipInfo) -> None:
    """Move *file* to the first byte of a member's data, by its local header."""
    if info.flag_bits & ENCRYPTED:
        raise _damaged_zip_member_error(info, "is encrypted", crash=True)
    if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise _damaged_zip_member_error(
            info, f"is compressed by method {info.compress_type}, which is neither stored nor deflated"
        )
    try:
        file.seek(info.header_offset)
        signature, name_size, extra_size = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        name = file.read(name_size)
        if extra_size:
            file.seek(extra_size, 1)
    except (OSError, OverflowError, ValueError, struct.error) as error:
        raise _damaged_zip_member_error(info, "is outside the archive", crash=info.header_offset < 0) from error
    if signature != LOCAL:
        raise _damaged_zip_member_error(info, "has no local header at the position in the directory")
    expected = info.orig_filename
    if name != expected.encode("utf-8", "surrogateescape") and name != _encode_code_page_437(expected):
        raise _damaged_zip_member_error(info, "has another name in its local header")


def _encode_code_page_437(name: str) -> bytes | None:
    """Return a name as it is encoded in an archive without the UTF-8 flag."""
    try:
        return name.encode("cp437")
    except UnicodeEncodeError:
        return None


def _read_stored_zip_member(file: BinaryIO, info: ZipInfo) -> Iterator[bytes]:
    """Yield the data of a stored member."""
    left = info.compress_size
    while left > 0 and (chunk := file.read(min(left, CHUNK))):
        left -= len(chunk)
        yield chunk


def _inflate_small_zip_member(file: BinaryIO, info: ZipInfo) -> bytes:
    """Return the data of a small deflated member: archives have many of them."""
    try:
        # One byte more than declared is enough to see that the declaration is false.
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(info.compress_size), info.file_size + 1)
    except zlib.error as error:
        raise _damaged_zip_member_error(info, f"cannot be inflated ({error})", crash=True) from error


def _inflate_large_zip_member(file: BinaryIO, info: ZipInfo) -> Iterator[bytes]:
    """Yield the data of a deflated member."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = info.file_size
    for packed in _read_stored_zip_member(file, info):
        pending = packed
        while pending and not inflater.eof:
            try:
                chunk = inflater.decompress(pending, min(CHUNK, left + 1))
            except zlib.error as error:
                raise _damaged_zip_member_error(info, f"cannot be inflated ({error})", crash=True) from error
            left -= len(chunk)
            pending = inflater.unconsumed_tail
            yield chunk
    while not inflater.eof and (chunk := inflater.decompress(b"", min(CHUNK, left + 1))):
        left -= len(chunk)
        yield chunk


def _damaged_zip_member_error(info: ZipInfo, what: str, *, crash: bool = False) -> UnreadableArchive:
    """Return the fault of a damaged member, with the answer of a server that reads it to scan it."""
    message = f"The member {info.filename!r} {what}."
    return unreadable_archive_error(DAMAGED, message, crash=crash, refusal=invalid_file_refusal(None))
