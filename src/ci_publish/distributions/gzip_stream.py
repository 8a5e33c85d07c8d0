"""A gzip file as a stream of bytes that never grows beyond its caps (RFC 1952)."""

import struct
import zlib
from typing import BinaryIO, Final

from ci_publish.distributions.limits import CHUNK, KIB

# What Python 3.14 inflates at once: the server notices damage in this first step before it reads a tar header.
STEP: Final = 128 * KIB
MAGIC: Final = b"\x1f\x8b"
_HEADER: Final = struct.Struct("<2sBB6x")
_TRAILER: Final = struct.Struct("<LL")
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 0x02, 0x04, 0x08, 0x10
_MAX_HEADER_TEXT: Final = 64 * KIB


class NotGzip(Exception):
    """The file does not begin with a gzip header."""


class GzipCutOff(Exception):
    """The file ends before the compressed data does."""


class GzipDamaged(Exception):
    """The compressed data cannot be inflated; ``position`` is the number of bytes inflated before."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.position = position


class OverBudget(Exception):
    """More bytes were inflated than the budget allows; ``position`` is their number."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class GzipStream:
    """Inflates all members of a gzip file, in order.

    ``remarks`` are defects that do not prevent the data from being read: a wrong or missing trailer, or bytes after the
    end. They are complete once ``read`` has returned less than was requested.
    """

    def __init__(self, file: BinaryIO, budget: int) -> None:
        """Read the header at the beginning of *file*. Raises NotGzip or GzipCutOff."""
        self._file = file
        self._budget = budget
        self._pending = b""
        self._out = bytearray()
        self._ended = False
        self._crc = self._size = 0
        self.position = 0
        self.remarks: list[str] = []
        file.seek(0)
        self._read_gzip_header()

    def read(self, count: int) -> bytes:
        """Return *count* bytes, or fewer at the end. Raises GzipCutOff, GzipDamaged or OverBudget."""
        while len(self._out) < count and not self._ended:
            if self._inflater.eof:
                self._finish_member()
                continue
            packed = self._pending or self._file.read(CHUNK)
            try:
                data = self._inflater.decompress(packed, STEP)
            except zlib.error as error:
                raise GzipDamaged(str(error), self.position + len(self._out)) from error
            self._pending = self._inflater.unused_data or self._inflater.unconsumed_tail
            if not packed and not data and not self._inflater.eof:
                raise GzipCutOff
            self._crc = zlib.crc32(data, self._crc)
            self._size += len(data)
            self._budget -= len(data)
            if self._budget < 0:
                raise OverBudget(self.position + len(self._out) + len(data))
            self._out += data
        data = bytes(self._out[:count])
        del self._out[:count]
        self.position += len(data)
        return data

    def skip(self, count: int) -> int:
        """Skip *count* bytes; return how many there were."""
        left = count
        while left > 0 and (data := self.read(min(left, CHUNK))):
            left -= len(data)
        return count - left

    def _read_gzip_header(self) -> None:
        """Read a member's header. Raises NotGzip or GzipCutOff."""
        magic, method, flags = _HEADER.unpack(self._take_packed_bytes(_HEADER.size))
        if magic != MAGIC or method != zlib.DEFLATED:
            raise NotGzip("it does not begin with a gzip header")
        if flags & _FEXTRA:
            self._take_packed_bytes(int.from_bytes(self._take_packed_bytes(2), "little"))
        for text in (_FNAME, _FCOMMENT):
            # ends with NUL
            if flags & text and all(self._take_packed_bytes(1) != b"\0" for _ in range(_MAX_HEADER_TEXT)):
                raise NotGzip("a text in its gzip header is too long")
        if flags & _FHCRC:
            self._take_packed_bytes(2)
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._crc = self._size = 0

    def _take_packed_bytes(self, count: int) -> bytes:
        """Return *count* packed bytes. Raises GzipCutOff."""
        while len(self._pending) < count:
            packed = self._file.read(CHUNK)
            if not packed:
                raise GzipCutOff
            self._pending += packed
        data, self._pending = self._pending[:count], self._pending[count:]
        return data

    def _finish_member(self) -> None:
        """Check the trailer, and begin the next member if one follows after the padding."""
        try:
            crc, size = _TRAILER.unpack(self._take_packed_bytes(_TRAILER.size))
        except GzipCutOff:
            self.remarks.append("its trailer is missing")
            self._ended = True
            return
        if crc != self._crc or size != self._size & 0xFFFFFFFF:
            self.remarks.append("its trailer does not match the data")
        self._pending = self._pending.lstrip(b"\0")
        while not self._pending and (packed := self._file.read(CHUNK)):
            self._pending = packed.lstrip(b"\0")
        if not self._pending:
            self._ended = True
            return
        try:
            self._read_gzip_header()
        except (NotGzip, GzipCutOff):
            self.remarks.append("other data follows the gzip data")
            self._ended = True
