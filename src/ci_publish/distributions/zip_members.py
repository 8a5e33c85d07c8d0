"""The members of a ZIP archive, read in bounded steps."""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from ci_publish.distributions.archive_reading import DAMAGED, UnreadableArchive
from ci_publish.distributions.faults import Fault, invalid_file_refusal, upload_crash_refusal
from ci_publish.distributions.limits import CHUNK
from ci_publish.distributions.zip_framing import LOCAL

ENCRYPTED: Final = 0x01
_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")


def read_zip_member(file: BinaryIO, info: ZipInfo) -> Iterator[bytes]:
    """Yield the content of a member in chunks of at most ``limits.CHUNK`` bytes.

    Never yields more than the size that the directory declares. Raises UnreadableArchive, at the latest after the last
    chunk, if the content is encrypted, truncated, longer or shorter than declared, or does not match its CRC.
    """
    _seek_zip_member_data(file, info)
    unpack = _read_stored_zip_member if info.compress_type == ZIP_STORED else _inflate_zip_member
    crc, left = 0, info.file_size
    for chunk in unpack(file, info):
        left -= len(chunk)
        if left < 0:
            raise _damaged_zip_member_error(info, "is longer than its header says")
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if left > 0:
        raise _damaged_zip_member_error(info, "is shorter than its header says")
    if crc != info.CRC:
        raise _damaged_zip_member_error(info, "does not match its CRC")


def _seek_zip_member_data(file: BinaryIO, info: ZipInfo) -> None:
    """Move *file* to the first byte of a member's data, after its local header."""
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
    if name.decode("utf-8", "surrogateescape") != expected and name.decode("cp437") != expected:
        raise _damaged_zip_member_error(info, "has a different name in its local header")


def _read_stored_zip_member(file: BinaryIO, info: ZipInfo) -> Iterator[bytes]:
    """Yield the data of a stored member."""
    left = info.compress_size
    while left > 0 and (chunk := file.read(min(left, CHUNK))):
        left -= len(chunk)
        yield chunk


def _inflate_zip_member(file: BinaryIO, info: ZipInfo) -> Iterator[bytes]:
    """Yield the data of a deflated member: at most one byte more than declared, enough to detect that it is longer."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = info.file_size
    try:
        if max(info.compress_size, info.file_size) < CHUNK:  # archives have many of these
            yield inflater.decompress(file.read(info.compress_size), left + 1)
            return
        for packed in _read_stored_zip_member(file, info):
            pending = packed
            while pending and not inflater.eof:
                chunk = inflater.decompress(pending, min(CHUNK, left + 1))
                left -= len(chunk)
                pending = inflater.unconsumed_tail
                yield chunk
        while not inflater.eof and (chunk := inflater.decompress(b"", min(CHUNK, left + 1))):
            left -= len(chunk)
            yield chunk
    except zlib.error as error:
        raise _damaged_zip_member_error(info, f"cannot be inflated ({error})", crash=True) from error


def _damaged_zip_member_error(info: ZipInfo, what: str, *, crash: bool = False) -> UnreadableArchive:
    """Return the exception for a damaged member; *crash*: the server fails when it scans the member."""
    refusal = upload_crash_refusal() if crash else invalid_file_refusal(None)
    return UnreadableArchive(Fault(rule=DAMAGED, message=f"The member {info.filename!r} {what}.", refusal=refusal))
