"""The framing of a ZIP archive, checked as PyPI does: reading it as a stream and by its directory must be the same.

A port of warehouse/utils/zipfiles.py (``validate_zipfile``), with the same messages. Source of the format: APPNOTE.TXT.
"""

import io
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final
from zipfile import ZipInfo

from ci_publish.distributions.faults import Fault, invalid_file_fault

CENTRAL: Final = b"PK\x01\x02"
LOCAL: Final = b"PK\x03\x04"
END: Final = b"PK\x05\x06"
END64: Final = b"PK\x06\x06"
LOCATOR64: Final = b"PK\x06\x07"

ZIP64_EXTRA: Final = 0x0001
UNICODE_PATH_EXTRA: Final = 0x7075
UNPRINTABLE: Final = re.compile(rb"[\x00-\x1f\x7f]")
FULL: Final = 0xFFFFFFFF
DATA_DESCRIPTOR: Final = 0x08
ZIP64_LENGTHS: Final = (0, 8, 16, 24, 28)

_LOCAL_FIELDS: Final = struct.Struct("<xxHHxxxxxxxxLLHH")
_CENTRAL_FIELDS: Final = struct.Struct("<xxxxxxxxxxxxxxxxLxxxxHHHxxxxxxxxL")
_END_FIELDS: Final = struct.Struct("<xxxxHHLLH")
_END64_FIELDS: Final = struct.Struct("<QxxxxxxxxxxxxQQQQ")
_LOCATOR_FIELDS: Final = struct.Struct("<xxxxQxxxx")
_EXTRA_FIELDS: Final = struct.Struct("<HH")

# The rules that explain the server's messages.
_RULES: Final = {
    "ZIP contains a data descriptor": "zip-data-descriptor",
    "Comment in central directory": "zip-member-comment",
    "Duplicate filename in local headers": "zip-duplicate-name",
    "Duplicate filename in central directory": "zip-duplicate-name",
    "Invalid character in filename": "zip-member-name",
    "Filename not unicode": "zip-member-name",
    "Filename not valid UTF-8": "zip-member-name",
    "Mis-matched data size": "zip-mismatched-headers",
    "Mis-matched file size": "zip-mismatched-headers",
    "Filename not in central directory": "zip-mismatched-headers",
    "Missing filename in local headers": "zip-mismatched-headers",
    "Mis-matched local headers and central directory": "zip-mismatched-headers",
    "Mismatched central directory records": "zip-end-record",
    "Mismatched central directory offset": "zip-end-record",
    "Mismatched central directory size": "zip-end-record",
    "ZIP64 extensible data not allowed": "zip64",
    "Invalid duplicate extra in local file": "zip64",
    "Trailing data": "zip-surrounding-data",
    "Unknown record signature": "zip-surrounding-data",
    "Malformed zip file": "zip-records",
}

# What the frequent ones mean, for people who do not know the format.
_MEANINGS: Final = {
    "ZIP contains a data descriptor": "The sizes of a member follow its data instead of preceding it.",
    "Comment in central directory": "A member has a comment.",
    "Duplicate filename in local headers": "Two members have the same name.",
    "Duplicate filename in central directory": "The directory lists two members of the same name.",
    "Invalid character in filename": "The name of a member contains an unprintable character.",
    "Mis-matched data size": "A member's packed size differs between the archive and its directory.",
    "Mis-matched file size": "A member's size differs between the archive and its directory.",
    "Filename not in central directory": "A member is not listed in the archive's directory.",
    "Missing filename in local headers": "The archive's directory lists a member that is missing.",
    "Mis-matched local headers and central directory": "A member is not listed in the archive's directory.",
    "Mismatched central directory records": "The end record and the directory contain different numbers of members.",
    "Trailing data": "There is data after the end of the archive.",
    "Unknown record signature": "There is other data before or between the members of the archive.",
}


class _BrokenFraming(Exception):
    """The server does not accept the framing; ``words`` is its message, ``meaning`` explains a vague one."""

    def __init__(self, words: str, meaning: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.meaning = meaning

    def fault(self, directory: Sequence[ZipInfo]) -> Fault:
        """Return the fault of an archive with the central directory *directory*."""
        rule, message = _RULES[self.words], _MEANINGS.get(self.words, f"{self.words}.")
        if self.meaning:
            rule, message = "zip64", self.meaning
        if rule != "zip-data-descriptor":
            # The server compares sizes first; the cause is that two members have one name.
            seen: set[str] = set()
            for info in directory:
                if info.orig_filename in seen:
                    rule, message = "zip-duplicate-name", f"Two members have the name {info.orig_filename!r}."
                    break
                seen.add(info.orig_filename)
        reason = f"ZIP archive not accepted: {self.words}. See https://docs.pypi.org/archives for more information"
        return invalid_file_fault(rule, message, reason)


@dataclass(slots=True, kw_only=True)
class _ZipRecordWalk:
    """A walk over the records; ``unlisted`` are local headers without a directory entry so far."""

    file: BinaryIO
    length: int
    members: dict[str, ZipInfo]
    position: int = 0
    unlisted: dict[bytes, int] = field(default_factory=dict)
    listed: dict[bytes, int] = field(default_factory=dict)
    central_offset: int | None = None
    central_size: int = 0
    central_records: int = 0
    end64_offset: int | None = None
    locator_offset: int | None = None
    end64: tuple[int, int, int] | None = None

    def read_records(self) -> None:
        """Read all records from the first byte to the last. Raises _BrokenFraming."""
        while (signature := self.read_bytes(4)) != END:
            if signature == LOCAL:
                self.read_local_header()
            elif signature == CENTRAL:
                self.read_directory_entry()
            elif signature == END64:
                self.read_zip64_end_record()
            elif signature == LOCATOR64:
                (self.locator_offset,) = _LOCATOR_FIELDS.unpack(self.read_bytes(16))
            else:
                raise _BrokenFraming("Unknown record signature")
        self.read_end_record()
        if self.unlisted:
            raise _BrokenFraming("Mis-matched local headers and central directory")
        if self.position != self.length:
            raise _BrokenFraming("Trailing data")

    def read_bytes(self, count: int) -> bytes:
        """Return the next *count* bytes."""
        data = self.file.read(count)
        if len(data) != count:
            raise _BrokenFraming("Malformed zip file")
        self.position += count
        return data

    def skip_bytes(self, count: int) -> None:
        """Skip the next *count* bytes."""
        self.position += count
        if self.position > self.length:
            raise _BrokenFraming("Malformed zip file")
        if count:
            self.file.seek(count, io.SEEK_CUR)

    def read_local_header(self) -> None:
        """Read a local file header and skip the member's data (APPNOTE 4.3.7)."""
        offset = self.position - 4
        flags, method, compressed, size, name_size, extra_size = _LOCAL_FIELDS.unpack(self.read_bytes(26))
        name = self.read_bytes(name_size)
        extra = self.read_bytes(extra_size) if extra_size else b""
        _require_printable_member_name(name)
        compressed, size = _member_sizes_with_extra_fields(extra, method, compressed, size)
        if flags & DATA_DESCRIPTOR:
            raise _BrokenFraming("ZIP contains a data descriptor")
        try:
            listed = self.members[name.decode("utf-8")]
        except UnicodeError as error:
            raise _BrokenFraming("Filename not unicode") from error
        except KeyError as error:
            raise _BrokenFraming("Filename not in central directory") from error
        if listed.compress_size != compressed:
            raise _BrokenFraming("Mis-matched data size")
        if listed.file_size != size:
            raise _BrokenFraming("Mis-matched file size")
        self.skip_bytes(compressed)
        if name in self.unlisted or name in self.listed:
            raise _BrokenFraming("Duplicate filename in local headers")
        self.unlisted[name] = offset

    def read_directory_entry(self) -> None:
        """Read an entry of the central directory (APPNOTE 4.3.12)."""
        if self.central_offset is None:
            self.central_offset = self.position - 4
        self.central_records += 1
        _, name_size, extra_size, comment_size, _ = _CENTRAL_FIELDS.unpack(self.read_bytes(42))
        if comment_size:
            raise _BrokenFraming("Comment in central directory")
        name = self.read_bytes(name_size + extra_size)[:name_size]
        _require_printable_member_name(name)
        self.central_size += 46 + name_size + extra_size
        if name in self.listed:
            raise _BrokenFraming("Duplicate filename in central directory")
        if name not in self.unlisted:
            raise _BrokenFraming("Missing filename in local headers")
        self.listed[name] = self.unlisted.pop(name)

    def read_zip64_end_record(self) -> None:
        """Read the ZIP64 end record (APPNOTE 4.3.14)."""
        self.end64_offset = self.position - 4
        size, here, records, central_size, central_offset = _END64_FIELDS.unpack(self.read_bytes(52))
        if here != records:
            raise _BrokenFraming("Malformed zip file", "The ZIP64 end record counts members on other disks.")
        if size != 44:  # noqa: PLR2004 - the record without extensible data
            raise _BrokenFraming("ZIP64 extensible data not allowed")
        self.end64 = records, central_size, central_offset

    def read_end_record(self) -> None:
        """Read the end record and compare the directory with it (APPNOTE 4.3.16)."""
        if self.end64_offset is not None and self.locator_offset is None:
            raise _BrokenFraming("Malformed zip file", "The ZIP64 end record has no locator.")
        if self.central_offset is None:
            self.central_offset = self.position - 4
        here, records, central_size, central_offset, comment_size = _END_FIELDS.unpack(self.read_bytes(18))
        if here != records:
            raise _BrokenFraming("Malformed zip file")
        self.skip_bytes(comment_size)
        if self.locator_offset is not None and self.end64 is not None:
            records, central_size, central_offset = self.end64
        if records != self.central_records:
            raise _BrokenFraming("Mismatched central directory records")
        if central_offset != self.central_offset:
            raise _BrokenFraming("Mismatched central directory offset")
        if central_size != self.central_size:
            raise _BrokenFraming("Mismatched central directory size")


def zip_framing_fault(file: BinaryIO, directory: Sequence[ZipInfo]) -> Fault | None:
    """Return what is wrong with the framing of *file*, whose central directory reads as *directory*.

    Source: warehouse/utils/zipfiles.py:231-395 (``_validate_zipfile``); the first fault counts, as there. A member
    whose directory entry does not point to its local header is refused, too: installers would read different
    bytes than a reader of the stream.
    """
    members = {info.orig_filename: info for info in directory}
    walk = _ZipRecordWalk(file=file, length=file.seek(0, io.SEEK_END), members=members)
    file.seek(0)
    try:
        walk.read_records()
    except _BrokenFraming as broken:
        return broken.fault(directory)
    # zipfile can find a different directory than the walk did: one that is hidden in the comment.
    places = {name.decode("utf-8"): offset for name, offset in walk.listed.items()}
    for name, info in members.items():
        if places.get(name) != info.header_offset:
            message = f"The directory entry of {name!r} does not point to that member."
            return Fault(rule="zip-mismatched-headers", message=message)
    return None


def _member_sizes_with_extra_fields(extra: bytes, method: int, compressed: int, size: int) -> tuple[int, int]:
    """Return the sizes of a member according to its header and its extra fields."""
    seen: set[int] = set()
    while extra:
        if len(extra) < _EXTRA_FIELDS.size:
            raise _BrokenFraming("Malformed zip file")
        kind, length = _EXTRA_FIELDS.unpack_from(extra)
        content, extra = extra[4 : 4 + length], extra[4 + length :]
        if len(content) < length:
            raise _BrokenFraming("Malformed zip file")
        if kind in seen and kind in {ZIP64_EXTRA, UNICODE_PATH_EXTRA}:
            raise _BrokenFraming("Invalid duplicate extra in local file")
        seen.add(kind)
        if kind == ZIP64_EXTRA:
            compressed, size = _parse_zip64_sizes(content, method, compressed, size)
        elif kind == UNICODE_PATH_EXTRA:
            _require_printable_member_name(content[5:])
            try:
                content[5:].decode("utf-8")
            except UnicodeError as error:
                raise _BrokenFraming("Filename not valid UTF-8") from error
    return compressed, size


def _parse_zip64_sizes(content: bytes, method: int, compressed: int, size: int) -> tuple[int, int]:
    """Return the sizes after a ZIP64 extra field (APPNOTE 4.5.3)."""
    if len(content) not in ZIP64_LENGTHS:
        raise _BrokenFraming("Malformed zip file", f"A member's ZIP64 field has {len(content)} bytes.")
    if not content:
        if FULL in {compressed, size}:
            raise _BrokenFraming("Malformed zip file", "The ZIP64 field of a member has no sizes.")
        return compressed, size
    first = int.from_bytes(content[:8], "little")
    if len(content) == 8:  # noqa: PLR2004 - only the unpacked size: both are the same, so the member is stored
        if method:
            raise _BrokenFraming("Malformed zip file", "The ZIP64 field of a compressed member has no packed size.")
        return first, first if size == FULL else size
    return int.from_bytes(content[8:16], "little"), first if size == FULL else size


def _require_printable_member_name(name: bytes) -> None:
    if UNPRINTABLE.search(name) is not None:
        raise _BrokenFraming("Invalid character in filename")
