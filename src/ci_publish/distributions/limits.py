"""How much of a file is read, whatever it claims: every read in this package has one of these caps.

They keep each file under 64 MiB of memory and about 2 s for each 100 MiB of archive (inflating costs 5 ms, hashing
3 ms for a MB on a slow runner).
"""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

CHUNK: Final = 256 * KIB
HASH_CHUNK: Final = MIB
BUFFER: Final = 64 * KIB

WORTH_THREADS: Final = 16 * MIB
"""Files with less than this in total are read one after the other: threads only pay off for more."""

MAX_METADATA: Final = 10 * MIB
"""Larger core metadata is refused: a file of 306 kB can contain 300 MB of it."""

MAX_METADATA_HEADERS: Final = 2 * MIB
"""The headers of core metadata, without the description in its body."""

MAX_METADATA_LINES: Final = 50_000
MAX_METADATA_FIELDS: Final = 10_000
"""Lines of these headers (a licence text has many), and fields: reading a dependency costs 100 microseconds."""

MAX_RECORD: Final = 10 * MIB
"""RECORD, which is read line by line."""

MAX_SMALL_TEXT: Final = 512 * KIB
"""Other text members that are read completely: WHEEL, entry_points.txt."""

MAX_MEMBERS: Final = 30_000
"""Members of a wheel that are read one by one: 1 kB of memory and 40 microseconds for each."""

MAX_CROWD: Final = 500_000
"""Members of a larger wheel, whose directory is only searched for METADATA."""

MAX_TAR_MEMBERS: Final = 50_000
"""Members of an sdist that are read one by one; of further ones, only PKG-INFO is read."""

MAX_RECORD_LINES: Final = 2 * MAX_MEMBERS
"""Lines of RECORD: an archive that is read has at most half as many members."""

MAX_DIRECTORY: Final = 6 * MIB
"""The central directory of a ZIP archive that is read entry by entry."""

MAX_TAR_HEADER: Final = MIB
"""A pax header or a GNU long name."""

MAX_NAMES: Final = 8 * MIB
"""All member names of a tar archive together, in characters."""

MAX_ATTESTATION: Final = MIB

BOMB_SIZE: Final = 64 * MIB
BOMB_RATIO: Final = 50
"""warehouse/forklift/legacy.py:88-95, ``COMPRESSION_RATIO_MIN_SIZE`` and ``COMPRESSION_RATIO_THRESHOLD``."""

SCAN_SIZE: Final = 5 * MIB
"""warehouse/utils/scanner.py:24, ``_SCAN_MAX_FILE_SIZE``: larger members are not scanned for encrypted code."""

DEFAULT_FILE_LIMIT: Final = 100 * MIB
"""warehouse/constants.py:5, ``MAX_FILESIZE``."""

DEFAULT_PROJECT_LIMIT: Final = 10 * 1024 * MIB
"""warehouse/constants.py, ``MAX_PROJECT_SIZE``."""


def inflate_budget(archive_size: int) -> int:
    """Return how many bytes of an archive of *archive_size* bytes are inflated at most."""
    return BOMB_SIZE + 2 * archive_size


def digest_budget(archive_size: int) -> int:
    """Return for how many of these bytes digests are computed."""
    return BOMB_SIZE + archive_size // 2
