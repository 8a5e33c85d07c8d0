"""Reading a wheel: its members, its metadata files, and what is wrong with it as an archive."""

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from packaging.utils import canonicalize_name, canonicalize_version

from ci_publish.distributions.archive_reading import (
    DAMAGED,
    InflateBudget,
    TooManyMembers,
    UnreadableArchive,
    encrypted_code_faults,
    is_scanned_for_encrypted_code,
    member_too_large_fault,
    unsafe_member_path_faults,
)
from ci_publish.distributions.faults import Fault, invalid_file_fault, refused_upload_fault, upload_crash_refusal
from ci_publish.distributions.limits import (
    BOMB_RATIO,
    BOMB_SIZE,
    MAX_METADATA,
    MAX_RECORD,
    MAX_SMALL_TEXT,
    digest_budget,
    inflate_budget,
)
from ci_publish.distributions.sdist_reading import ZIP_AND_TAR, begins_as_tar_archive
from ci_publish.distributions.wheel_record import WheelRecord, parse_wheel_record
from ci_publish.distributions.zip_directory import find_entry_in_large_directory, read_zip_directory
from ci_publish.distributions.zip_framing import zip_framing_fault
from ci_publish.distributions.zip_members import read_zip_member
from ci_publish.model.byte_counts import format_size
from ci_publish.model.frozen import frozen

_INFO: Final = ".dist-info"
TEXTS: Final = {
    "METADATA": MAX_METADATA,
    "WHEEL": MAX_SMALL_TEXT,
    "RECORD": MAX_RECORD,
    "entry_points.txt": MAX_SMALL_TEXT,
}


@frozen(kw_only=True)
class ZipContents:
    """What a wheel (or a ``.zip`` sdist) contains.

    ``texts`` are the members of ``info_folder`` (``name-version.dist-info``, perhaps spelled differently than in the
    filename) that rules read, as far as they exist and can be read. ``record`` is RECORD, None if it is missing or
    damaged. ``changed`` are the members whose SHA-256 differs from the one in RECORD; ``undigested`` is how many were
    not compared because the archive unpacks to so much. ``faults`` are about the archive itself.
    """

    info_folder: str
    names: frozenset[str] = frozenset()
    texts: tuple[tuple[str, bytes], ...] = ()
    record: WheelRecord | None = None
    changed: tuple[str, ...] = ()
    undigested: int = 0
    faults: tuple[Fault, ...] = ()
    complete: bool = True

    def metadata_file(self, name: str) -> bytes | None:
        """Return the content of the metadata file *name*."""
        return dict(self.texts).get(name)


def expected_dist_info_folder(filename: str) -> str:
    """Return the metadata folder that the server expects in a wheel of this name (legacy.py:378)."""
    parts = filename.split("-", 2)
    return f"{parts[0]}-{parts[1]}.dist-info" if len(parts) > 2 else ""  # noqa: PLR2004 - name, version, tags


def find_dist_info_folder(directory: Iterable[ZipInfo], filename: str) -> str:
    """Return the metadata folder of a wheel: the expected one, or else the only one that is equal if normalised."""
    expected = expected_dist_info_folder(filename)
    folders = {info.filename.partition("/")[0] for info in directory}
    if not expected or expected in folders:
        return expected
    same = [
        folder
        for folder in folders
        if folder.endswith(_INFO) and _release_of_dist_info_folder(folder) == _release_of_dist_info_folder(expected)
    ]
    return same[0] if len(same) == 1 else expected


def _release_of_dist_info_folder(folder: str) -> tuple[str, str]:
    """Return project and version of a metadata folder, normalised."""
    name, _, version = folder.removesuffix(_INFO).rpartition("-")
    return canonicalize_name(name), canonicalize_version(version)


def read_wheel_metadata(file: BinaryIO, filename: str) -> bytes:
    """Return METADATA, even if its folder is not spelled as in the filename. Raises UnreadableArchive.

    In an archive with too many members to read each, only the folder that is expected is searched for it.
    """
    wanted = f"{expected_dist_info_folder(filename)}/METADATA"
    try:
        directory = read_zip_directory(file)
        wanted = f"{find_dist_info_folder(directory, filename)}/METADATA"
        found = next((info for info in directory if info.filename == wanted), None)
    except TooManyMembers:
        found = find_entry_in_large_directory(file, wanted)
    if found is not None:
        return read_small_zip_member(file, found, MAX_METADATA, "metadata-too-large")
    words = f"Wheel {filename!r} does not contain the required METADATA file: {wanted}"
    fault = refused_upload_fault("wheel-metadata-missing", f"{wanted} is missing from the archive.", words)
    raise UnreadableArchive(fault)


def read_small_zip_member(file: BinaryIO, info: ZipInfo, limit: int, rule: str = "archive-text-too-large") -> bytes:
    """Return the content of a member. Raises UnreadableArchive if it is damaged or larger than *limit* bytes."""
    if info.file_size > limit:
        raise UnreadableArchive(member_too_large_fault(rule, info.filename, limit))
    return b"".join(read_zip_member(file, info))


def inspect_zip_archive(file: BinaryIO, filename: str) -> ZipContents:
    """Read a wheel completely, within the limits. Raises nothing but OSError."""
    size = file.seek(0, io.SEEK_END)
    expected = expected_dist_info_folder(filename)
    try:
        directory = read_zip_directory(file)
    except UnreadableArchive as error:
        return ZipContents(info_folder=expected, faults=(error.fault,))
    folder = find_dist_info_folder(directory, filename)
    faults: list[Fault] = []
    if begins_as_tar_archive(file):  # legacy.py:318-319
        faults.append(invalid_file_fault("zip-and-tar", "The file is both a ZIP and a tar archive.", ZIP_AND_TAR))
    faults += _zip_directory_faults(directory, size)
    if folder != expected:  # legacy.py:377-387
        message = f"Its metadata folder is {folder!r}, but its filename says {expected!r}."
        faults.append(invalid_file_fault("wheel-info-folder", message, f"WHEEL not found at {expected}/WHEEL"))
    reading = _WheelReading(file, folder, InflateBudget(inflate_budget(size), digest_budget(size)))
    reading.read_metadata_files(directory)  # first, before large members use up the budget
    for info in directory:
        reading.read_archive_member(info)
    if (fault := zip_framing_fault(file, directory)) is not None:
        faults.append(fault)
    names = dict.fromkeys(info.filename for info in directory)
    return ZipContents(
        info_folder=folder,
        names=frozenset(names),
        texts=tuple(reading.texts.items()),
        record=reading.record,
        changed=tuple(reading.changed),
        undigested=reading.undigested,
        faults=(*faults, *reading.faults, *unsafe_member_path_faults(names, "archive-unsafe-path")),
        complete=reading.complete,
    )


def _zip_directory_faults(directory: Sequence[ZipInfo], size: int) -> Iterator[Fault]:
    """Yield what is wrong with the sizes and methods in the directory (legacy.py:334-361)."""
    unpacked = sum(info.file_size for info in directory)
    if unpacked > BOMB_SIZE and unpacked > BOMB_RATIO * size:
        message = f"The archive unpacks to {format_size(unpacked)}, {unpacked // size} times its own size."
        yield invalid_file_fault("zip-bomb", message, f"File exceeds compression ratio of {BOMB_RATIO}")
    for info in directory:
        if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            message = f"The member {info.filename!r} is neither stored nor deflated (method {info.compress_type})."
            yield invalid_file_fault("zip-compression", message, "File does not use a supported compression type")
            return


class _WheelReading:
    """One pass over the members of an archive."""

    def __init__(self, file: BinaryIO, folder: str, budget: InflateBudget) -> None:
        self.file = file
        self.metadata_files = {f"{folder}/{name}": name for name in TEXTS}
        self.budget = budget
        self.texts: dict[str, bytes] = {}
        self.record: WheelRecord | None = None
        self.changed: list[str] = []
        self.undigested = 0
        self.faults: list[Fault] = []
        self.complete = True

    def read_metadata_files(self, directory: Sequence[ZipInfo]) -> None:
        """Read the metadata files; METADATA is only checked, because it was read when the file was collected."""
        for info in directory:
            if (name := self.metadata_files.get(info.filename)) is None:
                continue
            rule = "metadata-too-large" if name == "METADATA" else "archive-text-too-large"
            try:
                self.texts[name] = read_small_zip_member(self.file, info, TEXTS[name], rule)
            except UnreadableArchive as error:
                # The server does not handle damage to these: it fails (observed for METADATA and RECORD).
                unguarded = error.fault.rule == DAMAGED and name != "WHEEL"
                fault = replace(error.fault, rule="wheel-metadata-damaged", refusal=upload_crash_refusal())
                self.faults.append(fault if unguarded else error.fault)
        self.texts.pop("METADATA", None)
        if (record := self.texts.pop("RECORD", None)) is not None:
            self.record = parse_wheel_record(record, (info.filename for info in directory))

    def read_archive_member(self, info: ZipInfo) -> None:
        """Read one member: CRC, digest, encrypted code."""
        # Not info.is_dir(), which fails for an empty name before Python 3.12.
        if (folder := info.filename.endswith("/")) or info.file_size > self.budget.left:
            self.complete &= folder
            return
        digest = self._start_record_digest(info)
        kept: list[bytes] | None = [] if is_scanned_for_encrypted_code(info.filename, info.file_size) else None
        try:
            for chunk in read_zip_member(self.file, info):
                self.budget.consume_bytes(len(chunk))
                if digest is not None:
                    digest.update(chunk)
                if kept is not None:
                    kept.append(chunk)
        except UnreadableArchive as error:
            if info.filename not in self.metadata_files:  # damage to those was reported before
                self.faults.append(replace(error.fault, refusal=None) if kept is None else error.fault)
            return
        if (
            digest is not None
            and self.record is not None
            and self.record.differs_from_listed_digest(info.filename, digest.digest())
        ):
            self.changed.append(info.filename)
        if kept is not None:
            self.faults += encrypted_code_faults(info.filename, b"".join(kept))

    def _start_record_digest(self, info: ZipInfo) -> "hashlib._Hash | None":
        """Return a hash object if RECORD has a digest of the member, None if it has none or the budget is used up."""
        if self.record is None or not self.record.has_sha256(info.filename):
            return None
        if info.file_size > self.budget.digests:
            self.undigested += 1
            return None
        return hashlib.sha256()
