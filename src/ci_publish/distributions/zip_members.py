"""The directory and the members of a ZIP archive, read in bounded steps."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo, is_zipfile

from ci_publish.distributions.archives import DAMAGED, TooManyMembers, Unreadable, damaged
from ci_publish.distributions.findings import Fault, crashed, invalid_file
from ci_publish.distributions.limits import CHUNK, KIB, MAX_CROWD, MAX_DIRECTORY, MAX_MEMBERS, MIB
from ci_publish.distributions.zip_framing import CENTRAL, END, END64, LOCAL

ENCRYPTED: Final = 0x01
FULL_COUNT: Final = 0xFFFF
_TAIL: Final = 66 * KIB
_ENTRY: Final = struct.Struct("<4s4xHH4xLLLHHH8xL")
_END: Final = struct.Struct("<10xH4xL2x")
_END64: Final = struct.Struct("<32xQ8xQ")
_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")


class _TooMuch(Exception):
    """The central directory is larger than what is looked at."""


class _CappedFile(io.RawIOBase):
    """A file that refuses to hand out more than a central directory of acceptable size at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, count: int = -1, /) -> bytes:
        data = self._file.read(MAX_DIRECTORY + 1 if count < 0 else min(count, MAX_DIRECTORY + 1))
        if len(data) > MAX_DIRECTORY or data.count(CENTRAL) > MAX_MEMBERS:
            raise _TooMuch
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def read_directory(file: BinaryIO) -> list[ZipInfo]:
    """Return the central directory of *file*, read as the server and pip read it: by zipfile.

    Raises Unreadable, with the server's answer (warehouse/forklift/legacy.py:1283-1303).
    """
    try:
        with ZipFile(_CappedFile(file)) as archive:
            return archive.infolist()
    except _TooMuch as error:
        raise TooManyMembers(MAX_MEMBERS, MAX_DIRECTORY // MIB) from error
    except BadZipFile as error:
        raise _no_zip(file, str(error)) from error
    except (OSError, OverflowError, NotImplementedError, UnicodeError, ValueError, struct.error) as error:
        raise damaged("zip-malformed", f"The ZIP directory cannot be read: {error}.", crash=True) from error


def find_in_crowd(file: BinaryIO, name: str) -> ZipInfo | None:
    """Return the directory entry of *name* in an archive with too many members for ``read_directory``.

    None where there is none. Raises Unreadable where the directory has no end, and TooManyMembers where the entry is
    not among the first ``limits.MAX_CROWD``.
    """
    wanted = name.encode("utf-8")
    count, start = _directory_place(file)
    file.seek(start)
    for _ in range(min(count, MAX_CROWD)):
        try:
            signature, flags, method, crc, packed, size, name_size, *others, offset = _ENTRY.unpack(file.read(46))
        except struct.error:
            break
        if signature != CENTRAL:
            break
        if file.read(name_size) == wanted:
            return _info(name, (flags, method, crc, packed, size, offset))
        file.seek(sum(others), 1)
    if count > MAX_CROWD:
        raise TooManyMembers(MAX_CROWD, MAX_DIRECTORY // MIB)
    return None


def _info(name: str, fields: tuple[int, ...]) -> ZipInfo:
    """Return a directory entry, of which only what reading the member takes is set."""
    info = ZipInfo(name)
    info.flag_bits, info.compress_type, info.CRC, info.compress_size, info.file_size, info.header_offset = fields
    return info


def _directory_place(file: BinaryIO) -> tuple[int, int]:
    """Return how many entries the directory has, and where it begins, by the end records (APPNOTE 4.3.14 to 16)."""
    size = file.seek(0, 2)
    tail_size = min(size, _TAIL)
    file.seek(size - tail_size)
    tail = file.read(tail_size)
    end = tail.rfind(END)
    if 0 <= end <= len(tail) - _END.size:
        count, start = _END.unpack_from(tail, end)
        end64 = tail.rfind(END64, 0, end)
        if count == FULL_COUNT and end64 >= 0:
            count, start = _END64.unpack_from(tail, end64)
        return count, start
    raise damaged("zip-malformed", "The ZIP directory has no end.")


def is_zip(file: BinaryIO) -> bool:
    """Say whether zipfile takes *file* for a ZIP archive, whatever stands before it."""
    try:
        return is_zipfile(_CappedFile(file))
    except (_TooMuch, OverflowError, ValueError, struct.error):
        return False


def _no_zip(file: BinaryIO, reason: str) -> Unreadable:
    """Return why *file* is no ZIP archive: not one at all, or a broken one."""
    try:
        looks_like_one = is_zipfile(_CappedFile(file))
    except (_TooMuch, OverflowError, ValueError, struct.error):
        return Unreadable(Fault("zip-malformed", f"The ZIP directory is broken: {reason}.", crashed()))
    if looks_like_one:
        return Unreadable(Fault("zip-malformed", f"The ZIP directory is broken: {reason}.", invalid_file(None)))
    return Unreadable(
        Fault("zip-unreadable", "It is no ZIP archive, or it is cut off.", invalid_file("File is not a zipfile"))
    )


def read_member(file: BinaryIO, info: ZipInfo) -> Iterator[bytes]:
    """Yield the content of a member in chunks of at most ``limits.CHUNK`` bytes.

    Never yields more than the size that the directory declares. Raises Unreadable if the content is encrypted, cut
    off, longer or shorter than declared, or its CRC does not match: after the last chunk at the latest.
    """
    _find_data(file, info)
    chunks = _unpacked(file, info)
    crc, left = 0, info.file_size
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise _broken(info, "is longer than its header says")
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if left > 0:
        raise _broken(info, "is shorter than its header says")
    if crc != info.CRC:
        raise _broken(info, "does not match its CRC")


def _unpacked(file: BinaryIO, info: ZipInfo) -> Iterable[bytes]:
    """Return the data of a member in chunks: one byte more than declared at most."""
    if info.compress_type == ZIP_STORED:
        return _copy(file, info)
    if max(info.compress_size, info.file_size) < CHUNK:
        return (_inflate_at_once(file, info),)
    return _inflate(file, info)


def _find_data(file: BinaryIO, info: ZipInfo) -> None:
    """Move *file* to the first byte of a member's data, by its local header."""
    if info.flag_bits & ENCRYPTED:
        raise _broken(info, "is encrypted", crash=True)
    if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise _broken(info, f"is compressed by method {info.compress_type}, which is neither stored nor deflated")
    try:
        file.seek(info.header_offset)
        signature, name_size, extra_size = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        name = file.read(name_size)
        if extra_size:
            file.seek(extra_size, 1)
    except (OSError, OverflowError, ValueError, struct.error) as error:
        raise _broken(info, "lies outside of the archive", crash=info.header_offset < 0) from error
    if signature != LOCAL:
        raise _broken(info, "has no local header where the directory says")
    expected = info.orig_filename
    if name != expected.encode("utf-8", "surrogateescape") and name != _code_page_437(expected):
        raise _broken(info, "has another name in its local header")


def _code_page_437(name: str) -> bytes | None:
    """Return a name as it stands in an archive without the UTF-8 flag."""
    try:
        return name.encode("cp437")
    except UnicodeEncodeError:
        return None


def _copy(file: BinaryIO, info: ZipInfo) -> Iterator[bytes]:
    """Yield the data of a stored member."""
    left = info.compress_size
    while left > 0 and (chunk := file.read(min(left, CHUNK))):
        left -= len(chunk)
        yield chunk


def _inflate_at_once(file: BinaryIO, info: ZipInfo) -> bytes:
    """Return the data of a small deflated member: archives have many of them."""
    try:
        # One byte more than declared is enough to see that the declaration is false.
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(info.compress_size), info.file_size + 1)
    except zlib.error as error:
        raise _broken(info, f"cannot be inflated ({error})", crash=True) from error


def _inflate(file: BinaryIO, info: ZipInfo) -> Iterator[bytes]:
    """Yield the data of a deflated member."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = info.file_size
    for packed in _copy(file, info):
        pending = packed
        while pending and not inflater.eof:
            try:
                chunk = inflater.decompress(pending, min(CHUNK, left + 1))
            except zlib.error as error:
                raise _broken(info, f"cannot be inflated ({error})", crash=True) from error
            left -= len(chunk)
            pending = inflater.unconsumed_tail
            yield chunk
    while not inflater.eof and (chunk := inflater.decompress(b"", min(CHUNK, left + 1))):
        left -= len(chunk)
        yield chunk


def _broken(info: ZipInfo, what: str, *, crash: bool = False) -> Unreadable:
    """Return the fault of a damaged member, with the answer of a server that reads it to scan it."""
    message = f"The member {info.filename!r} {what}."
    return damaged(DAMAGED, message, crash=crash, refusal=invalid_file(None))
