"""The central directory of a ZIP archive, read in bounded steps and identically on every Python.

zipfile is not used for it: how it finds the end records, which extra fields it reads and what ``is_zipfile`` checks
changes between patch releases of Python, but our results must not. This module follows zipfile of Python 3.13.18, as
PyPI's server runs 3.13 (warehouse/.python-version). Source of the format: APPNOTE.TXT.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final
from zipfile import ZipInfo

from ci_publish.distributions.archive_reading import TooManyMembers, UnreadableArchive
from ci_publish.distributions.faults import Fault, ServerRefusal, invalid_file_refusal, upload_crash_refusal
from ci_publish.distributions.limits import MAX_CROWD, MAX_DIRECTORY, MAX_MEMBERS, MIB
from ci_publish.distributions.zip_framing import CENTRAL, END, END64, FULL, LOCATOR64, UNICODE_PATH_EXTRA, ZIP64_EXTRA
from ci_publish.model.frozen import frozen

_NOT_A_ZIP: Final = invalid_file_refusal("File is not a zipfile")
_CANNOT_BE_READ: Final = invalid_file_refusal(None)
_MAX_COMMENT: Final = 0xFFFF
_FULL64: Final = 0xFFFF_FFFF_FFFF_FFFF
_UTF_8_NAME: Final = 0x800
_NEWEST_VERSION: Final = 63
_END: Final = struct.Struct("<4s4xHHLLH")
_LOCATOR: Final = struct.Struct("<4sLQL")
_END64: Final = struct.Struct("<4sQ12xQQQQ")
_ENTRY: Final = struct.Struct("<4sxxBxHH4xLLLHHH8xL")
_EXTRA: Final = struct.Struct("<HH")
_UNICODE_PATH: Final = struct.Struct("<BL")


@frozen(kw_only=True)
class _DirectoryPosition:
    """The position of the central directory; ``shift`` is what data before the archive adds to its offsets."""

    count: int
    size: int
    start: int
    shift: int


def is_zip_archive(file: BinaryIO) -> bool:
    """Return whether *file* is a ZIP archive for the server, which only looks for its end records."""
    try:
        return _find_zip_directory_position(file) is not None
    except UnreadableArchive:
        return False


def read_zip_directory(file: BinaryIO) -> list[ZipInfo]:
    """Return the central directory of *file*.

    Raises UnreadableArchive with the server's answer (warehouse/forklift/legacy.py:1283-1303), or the disk's OSError.
    """
    directory = _require_zip_directory_position(file)
    if directory.size > MAX_DIRECTORY:
        raise TooManyMembers(MAX_MEMBERS, MAX_DIRECTORY // MIB)
    file.seek(directory.start)
    data = file.read(directory.size)
    if data.count(CENTRAL) > MAX_MEMBERS:
        raise TooManyMembers(MAX_MEMBERS, MAX_DIRECTORY // MIB)
    return list(_parse_zip_directory_entries(data, directory))


def find_entry_in_large_directory(file: BinaryIO, name: str) -> ZipInfo | None:
    """Return the directory entry of *name* in an archive with too many members for ``read_zip_directory``.

    None if there is none. Raises UnreadableArchive if the directory cannot be found, and TooManyMembers if the entry
    is not among the first ``limits.MAX_CROWD``.
    """
    wanted = name.encode("utf-8")
    directory = _require_zip_directory_position(file)
    file.seek(directory.start)
    for _ in range(min(directory.count, MAX_CROWD)):
        header = file.read(_ENTRY.size)
        if len(header) < _ENTRY.size or not header.startswith(CENTRAL):
            break
        fields = _ENTRY.unpack(header)
        if file.read(fields[7]) == wanted:
            return _zip_info_of_fields(name, fields, directory.shift)
        file.seek(fields[8] + fields[9], 1)
    if directory.count > MAX_CROWD:
        raise TooManyMembers(MAX_CROWD, MAX_DIRECTORY // MIB)
    return None


# --- the records at the end -------------------------------------------------------------------------------------------


def _require_zip_directory_position(file: BinaryIO) -> _DirectoryPosition:
    """Return the position of the central directory. Raises UnreadableArchive."""
    if (directory := _find_zip_directory_position(file)) is None:
        message = "The file is not a ZIP archive, or it is truncated."
        raise UnreadableArchive(Fault(rule="zip-unreadable", message=message, refusal=_NOT_A_ZIP))
    if directory.start < 0:
        raise _malformed_zip_directory_error("it begins before the file")
    return directory


def _find_zip_directory_position(file: BinaryIO) -> _DirectoryPosition | None:
    """Return the position of the directory according to the end record, None without one (APPNOTE 4.3.16)."""
    length = file.seek(0, io.SEEK_END)
    tail_start = max(length - _MAX_COMMENT - _END.size, 0)
    file.seek(tail_start)
    tail = file.read(_MAX_COMMENT + _END.size)
    place = len(tail) - _END.size
    if place < 0:
        return None
    if not tail.startswith(END, place) or not tail.endswith(b"\0\0"):  # a comment follows
        place = tail.rfind(END)
    if not 0 <= place <= len(tail) - _END.size:
        return None
    _, _, count, size, offset, _ = _END.unpack_from(tail, place)
    end = tail_start + place
    plain = _DirectoryPosition(count=count, size=size, start=end - size, shift=end - size - offset)
    return _find_zip64_directory_position(file, end) or plain


def _find_zip64_directory_position(file: BinaryIO, end: int) -> _DirectoryPosition | None:
    """Return the position according to ZIP64 records before the end record at *end*, None without (APPNOTE 4.3.14, 15).

    Raises UnreadableArchive. Like zipfile, it uses the record that the locator points to; if there is none, because
    other data precedes the archive, the record directly before the locator.
    """
    place = end - _LOCATOR.size
    if place < 0:
        return None
    file.seek(place)
    signature, disk, offset64, disks = _LOCATOR.unpack(file.read(_LOCATOR.size))
    if signature != LOCATOR64:
        return None
    if disk or disks > 1:
        raise _malformed_zip_directory_error("archives on several disks are not supported", _NOT_A_ZIP)
    last = place - _END64.size
    if offset64 > last:
        raise _malformed_zip_directory_error("the ZIP64 locator points behind the ZIP64 end record", _NOT_A_ZIP)
    for record_start in (offset64, last):
        file.seek(record_start)
        signature, size, _, count, directory_size, offset = _END64.unpack(file.read(_END64.size))
        if signature == END64:
            break
    else:
        raise _malformed_zip_directory_error("there is no ZIP64 end record", _NOT_A_ZIP)
    if offset + directory_size != offset64 or size + 12 != place - record_start:
        raise _malformed_zip_directory_error("the ZIP64 end record does not fit the archive", _NOT_A_ZIP)
    start = record_start - directory_size
    return _DirectoryPosition(count=count, size=directory_size, start=start, shift=start - offset)


# --- the entries ------------------------------------------------------------------------------------------------------


def _parse_zip_directory_entries(data: bytes, directory: _DirectoryPosition) -> Iterator[ZipInfo]:
    """Yield the entries in *data* (APPNOTE 4.3.12). Raises UnreadableArchive at the first invalid one."""
    position = 0
    while position < len(data):
        if len(data) - position < _ENTRY.size:
            raise _malformed_zip_directory_error("it is truncated")
        fields = _ENTRY.unpack_from(data, position)
        if fields[0] != CENTRAL:
            raise _malformed_zip_directory_error("an entry has no signature")
        position += _ENTRY.size
        raw = data[position : position + fields[7]]
        extra = data[position + fields[7] : position + fields[7] + fields[8]]
        position += sum(fields[7:10])
        if fields[1] > _NEWEST_VERSION:
            reason = f"a member needs version {fields[1] / 10:.1f} of the format"
            raise _malformed_zip_directory_error(reason, upload_crash_refusal())
        try:
            name = raw.decode("utf-8" if fields[2] & _UTF_8_NAME else "cp437")
        except UnicodeDecodeError as error:
            raise _malformed_zip_directory_error(f"a name is not UTF-8 ({error})", upload_crash_refusal()) from error
        info = _zip_info_of_fields(name, fields, 0)
        _apply_zip_extra_fields(info, raw, extra)
        info.header_offset += directory.shift
        yield info


def _zip_info_of_fields(name: str, fields: tuple[int, ...], shift: int) -> ZipInfo:
    """Return the entry with these *fields*.

    The name is set again, because the constructor changes it on some systems; the server runs on POSIX.
    """
    info = ZipInfo(name)
    info.filename = name.partition("\0")[0]
    info.flag_bits, info.compress_type, info.CRC, info.compress_size, info.file_size = fields[2:7]
    info.header_offset = fields[10] + shift
    return info


def _apply_zip_extra_fields(info: ZipInfo, raw: bytes, extra: bytes) -> None:
    """Apply the extra fields of an entry (APPNOTE 4.5.3, 4.6.9). Raises UnreadableArchive."""
    while len(extra) >= _EXTRA.size:
        kind, length = _EXTRA.unpack_from(extra)
        content, extra = extra[_EXTRA.size : _EXTRA.size + length], extra[_EXTRA.size + length :]
        if len(content) < length:
            raise _malformed_zip_directory_error(f"an extra field of {info.filename!r} is truncated")
        if kind == UNICODE_PATH_EXTRA:
            _apply_unicode_path_field(info, raw, content)
        if kind != ZIP64_EXTRA:
            continue
        wanted = (  # what does not fit into 32 bits
            ("file_size", info.file_size in {FULL, _FULL64}),
            ("compress_size", info.compress_size == FULL),
            ("header_offset", info.header_offset == FULL),
        )
        for name in (name for name, absent in wanted if absent):
            if len(content) < 8:  # noqa: PLR2004 - 64 bits
                raise _malformed_zip_directory_error(f"a ZIP64 size of {info.filename!r} is missing")
            setattr(info, name, int.from_bytes(content[:8], "little"))
            content = content[8:]


def _apply_unicode_path_field(info: ZipInfo, raw: bytes, content: bytes) -> None:
    """Apply an Info-ZIP Unicode Path, unless its checksum is that of another name."""
    if len(content) < _UNICODE_PATH.size:
        raise _malformed_zip_directory_error(f"the Unicode path of {info.filename!r} is truncated")
    version, checksum = _UNICODE_PATH.unpack_from(content)
    if (version, checksum) != (1, zlib.crc32(raw)):
        return
    try:
        name = content[_UNICODE_PATH.size :].decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed_zip_directory_error(f"the Unicode path of {info.filename!r} is not UTF-8") from error
    if name:
        info.filename = name.partition("\0")[0]


def _malformed_zip_directory_error(reason: str, refusal: ServerRefusal = _CANNOT_BE_READ) -> UnreadableArchive:
    """Return the exception for a directory that cannot be read, with the server's answer."""
    message = f"The ZIP directory is invalid: {reason}."
    return UnreadableArchive(Fault(rule="zip-malformed", message=message, refusal=refusal))
