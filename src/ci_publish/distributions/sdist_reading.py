"""Reading an sdist: its names, its PKG-INFO, and what is wrong with it as an archive."""

import io
import posixpath
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from typing import BinaryIO, Final

from ci_publish.distributions.archive_reading import (
    TooManyMembers,
    encrypted_code_faults,
    is_scanned_for_encrypted_code,
    is_unsafe_member_path,
    member_too_large_fault,
    quote_first_member_names,
    unsafe_member_path_faults,
)
from ci_publish.distributions.faults import (
    Fault,
    ServerRefusal,
    invalid_file_fault,
    invalid_file_refusal,
    upload_crash_refusal,
)
from ci_publish.distributions.gzip_stream import GzipCutOff, GzipDamaged, GzipStream, NotGzip, OverBudget
from ci_publish.distributions.limits import (
    BOMB_RATIO,
    BOMB_SIZE,
    MAX_METADATA,
    MAX_NAMES,
    MAX_TAR_MEMBERS,
    MIB,
    inflate_budget,
)
from ci_publish.distributions.tar_stream import (
    BLOCK,
    NotATar,
    TarDamaged,
    TarHeaderTooLarge,
    TarMember,
    TarUnreadable,
    is_tar_header,
    read_tar_members,
)
from ci_publish.distributions.zip_directory import is_zip_archive
from ci_publish.model.byte_counts import format_size
from ci_publish.model.frozen import frozen

PKG_INFO: Final = "PKG-INFO"
_PYPROJECT: Final = "pyproject.toml"
_MAX_CANDIDATES: Final = 4
_CANDIDATE_DEPTH: Final = 3
_SYMBOLIC_LINK: Final = ord("2")
ZIP_AND_TAR: Final = "File is both a zip and a tar file"
_NOT_A_TAR: Final = invalid_file_refusal("File is not a tarfile")
_NO_TOP_LEVEL: Final = "Incorrect number of top-level directories in sdist"
_SPARSE: Final = (
    "tar archive not accepted: Sparse members are not allowed. See https://docs.pypi.org/archives for more information"
)


@frozen(kw_only=True)
class SdistContents:
    """What an sdist contains.

    ``top`` is the folder that all members are in, "" if there is none. ``metadata`` is its PKG-INFO, None if that is
    missing or cannot be read; ``pyproject`` is its pyproject.toml, if that has at most 1 MiB. ``faults`` are about the
    archive itself. ``complete`` says whether all of it was read.
    """

    top: str
    names: frozenset[str] = frozenset()
    metadata: bytes | None = None
    pyproject: bytes | None = None
    faults: tuple[Fault, ...] = ()
    complete: bool = True


@dataclass(slots=True, kw_only=True)
class _SdistReading:
    """One pass over the members of an sdist, and what has been found so far."""

    names: dict[str, None] = field(default_factory=dict)
    name_length: int = 0
    candidates: dict[str, bytes | None] = field(default_factory=dict)
    pyproject: bytes | None = None
    faults: list[Fault] = field(default_factory=list)
    sparse: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    escaping: list[str] = field(default_factory=list)
    complete: bool = True

    def read_members(self, stream: GzipStream) -> None:
        """Read every member's header, and the data of those that are checked."""
        for member in read_tar_members(stream):
            if self.complete:
                self.note_member(member)
            parts = member.name.split("/")
            if self.is_pkg_info_candidate(member, parts):
                kept = sum(len(data or b"") for data in self.candidates.values())
                if member.size + kept <= MAX_METADATA:
                    self.candidates[member.name] = stream.read(member.size)
                else:
                    self.candidates[member.name] = None
                    self.faults.append(member_too_large_fault("metadata-too-large", member.name, MAX_METADATA))
            elif member.is_file and parts[1:] == [_PYPROJECT] and member.size <= MIB:
                self.pyproject = stream.read(member.size)
            elif member.is_file and is_scanned_for_encrypted_code(member.name, member.size):
                self.faults += encrypted_code_faults(member.name, stream.read(member.size))
        while stream.skip(MIB):  # the trailer at the end of the file is checked, too
            pass
        for remark in stream.remarks:
            self.faults.append(Fault(rule="sdist-gzip-trailer", message=f"The gzip file is malformed: {remark}."))

    def note_member(self, member: TarMember) -> None:
        """Note a member's name, and whether an sdist should not have it; stop when there are too many."""
        self.names[member.name] = None
        self.name_length += len(member.name)
        if member.sparse:
            self.sparse.append(member.name)
        if member.is_special:
            self.special.append(member.name)
        if member.is_link:
            target = member.link  # a hard link names a member, a symbolic one a path
            if member.type == _SYMBOLIC_LINK and not target.startswith("/"):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), target))
            if is_unsafe_member_path(target):
                self.escaping.append(member.name)
        if len(self.names) > MAX_TAR_MEMBERS or self.name_length > MAX_NAMES:
            self.complete = False
            self.faults.append(TooManyMembers(MAX_TAR_MEMBERS, MAX_NAMES // MIB).fault)

    def is_pkg_info_candidate(self, member: TarMember, parts: list[str]) -> bool:
        """Return whether this could be the PKG-INFO of the sdist; which one is, is only known after all names."""
        return (
            member.is_file
            and parts[-1] == PKG_INFO
            and len(parts) <= _CANDIDATE_DEPTH
            and not any(part.endswith(".egg-info") for part in parts)
            and (len(self.candidates) < _MAX_CANDIDATES or member.name in self.candidates)
        )

    def contents(self) -> SdistContents:
        """Return the contents, checked in the server's order (legacy.py:416-458)."""
        faults = list(self.faults)
        top, top_fault = _find_top_level_folder(self.names)
        target = f"{top}/{PKG_INFO}"
        if self.sparse:
            message = f"The archive has sparse members: {quote_first_member_names(self.sparse)}."
            faults.append(invalid_file_fault("sdist-sparse-member", message, _SPARSE))
        if top_fault is not None and (self.names or all(fault.refusal is None for fault in faults)):
            faults.append(top_fault)
        if self.names and top_fault is None and self.complete and target not in self.names:
            message, reason = f"{target} is missing from the archive.", f"PKG-INFO not found at {target}"
            faults.append(invalid_file_fault("sdist-pkg-info-missing", message, reason))
        if self.special:
            message = f"The archive contains devices or FIFOs: {quote_first_member_names(self.special)}."
            faults.append(Fault(rule="sdist-special-member", message=message))
        if self.escaping:
            message = f"Links point outside the archive: {quote_first_member_names(self.escaping)}."
            faults.append(Fault(rule="sdist-escaping-link", message=message))
        return SdistContents(
            top=top,
            names=frozenset(self.names),
            metadata=self.candidates.get(target),
            pyproject=self.pyproject,
            faults=(*faults, *unsafe_member_path_faults(self.names, "archive-unsafe-path")),
            complete=self.complete,
        )


def inspect_sdist(file: BinaryIO) -> SdistContents:
    """Read a ``.tar.gz`` completely, within the limits. Never raises for what is in the file."""
    size = file.seek(0, io.SEEK_END)
    reading = _SdistReading()
    if is_zip_archive(file):
        message = "The file is both a tar and a ZIP archive."
        reading.faults.append(invalid_file_fault("zip-and-tar", message, ZIP_AND_TAR))
    try:
        reading.read_members(GzipStream(file, inflate_budget(size)))
    except OverBudget as error:
        reading.complete = False
        if error.position > BOMB_SIZE and error.position > BOMB_RATIO * size:
            times = error.position // size
            message = f"The archive unpacks to more than {format_size(error.position)}, {times} times its own size."
            reading.faults.append(Fault(rule="sdist-bomb", message=message))
    except (NotGzip, GzipCutOff, GzipDamaged, NotATar, TarDamaged, TarUnreadable, TarHeaderTooLarge) as error:
        reading.faults.append(_unreadable_sdist_fault(error, has_members=bool(reading.names)))
    return reading.contents()


def _unreadable_sdist_fault(error: Exception, *, has_members: bool) -> Fault:
    """Return the fault for an error that ended a pass over an sdist; *has_members*: some were read before."""
    refusal: ServerRefusal | None = invalid_file_refusal(None)
    match error:
        case NotGzip() | NotATar():
            rule, message = "sdist-unreadable", f"The file is not a gzip-compressed tar archive: {error}."
            refusal = _NOT_A_TAR
        case GzipCutOff():
            rule, message = "sdist-cut-off", "The compressed data ends too early: the file is truncated."
            refusal = refusal if has_members else upload_crash_refusal()  # without a header, the server fails
        case GzipDamaged():
            rule, message = "sdist-damaged", f"The compressed data is damaged ({error})."
            refusal = refusal if error.position else _NOT_A_TAR
        case TarHeaderTooLarge():
            rule, message = "archive-text-too-large", "The extended tar header of a member is larger than 1 MiB."
            refusal = None
        case _:
            rule, message = "sdist-damaged", f"The tar archive is damaged: {error}."
            refusal = None if isinstance(error, TarDamaged) else refusal  # for the server, the archive ends here
    return Fault(rule=rule, message=message, refusal=refusal)


def begins_as_tar_archive(file: BinaryIO) -> bool:
    """Return whether a file begins like a tar archive, plain or compressed with gzip."""
    file.seek(0)
    head = file.read(BLOCK)
    with suppress(NotGzip, GzipCutOff, GzipDamaged):
        head = GzipStream(file, BOMB_SIZE).read(BLOCK)
    return is_tar_header(head)


def _find_top_level_folder(names: Collection[str]) -> tuple[str, Fault | None]:
    """Return the common folder of all members, as the server finds it, or a fault if there is none."""
    try:
        top = reduce(lambda common, name: posixpath.commonpath((common, name)), names) if names else ""
        top = posixpath.commonpath((top,)) if top else ""
    except ValueError:
        message = "The archive mixes absolute and relative member names."
        return "", Fault(rule="sdist-top-level", message=message, refusal=upload_crash_refusal())
    if top in {".", "/", ""}:
        message = "The members are not all in one top-level folder."
        return "", invalid_file_fault("sdist-top-level", message, _NO_TOP_LEVEL)
    return top, None


def is_pkg_info_of_zip_sdist(name: str) -> bool:
    """Return whether a member of a ``.zip`` file is the PKG-INFO of an sdist, which is in a top-level folder."""
    return name.count("/") == 1 and name.endswith("/PKG-INFO")
