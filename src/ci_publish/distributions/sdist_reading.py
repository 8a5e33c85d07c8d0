"""Reading an sdist: its names, its PKG-INFO, and what is wrong with it as an archive."""

import posixpath
from dataclasses import dataclass, field
from functools import reduce
from typing import BinaryIO, Final

from ci_publish.distributions.archive_reading import (
    TooManyMembers,
    UnreadableArchive,
    encrypted_code_fault,
    is_scanned_for_encrypted_code,
    is_unsafe_member_path,
    member_too_large_fault,
    quote_first_member_names,
    unsafe_member_path_faults,
)
from ci_publish.distributions.faults import Fault, invalid_file_refusal, upload_crash_refusal
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
from ci_publish.distributions.zip_directory import is_zip_archive, read_zip_directory
from ci_publish.model.byte_counts import format_size
from ci_publish.model.frozen import frozen

PKG_INFO: Final = "PKG-INFO"
_PYPROJECT: Final = "pyproject.toml"
_MAX_CANDIDATES: Final = 4
_CANDIDATE_DEPTH: Final = 3
ZIP_AND_TAR: Final = "File is both a zip and a tar file"
_NOT_A_TAR: Final = invalid_file_refusal("File is not a tarfile")
_NO_TOP_LEVEL: Final = invalid_file_refusal("Incorrect number of top-level directories in sdist")
_SPARSE: Final = invalid_file_refusal(
    "tar archive not accepted: Sparse members are not allowed. See https://docs.pypi.org/archives for more information"
)


@frozen(kw_only=True)
class SdistContents:
    """What an sdist holds.

    ``top`` is the folder that all members are in, "" where there is none. ``metadata`` is its PKG-INFO, None where it
    has none that can be read; ``pyproject`` is its pyproject.toml, where that has at most 1 MiB. ``faults`` is what is
    wrong with the archive itself, by rule. ``complete`` says whether all of it was read.
    """

    top: str
    names: frozenset[str] = frozenset()
    metadata: bytes | None = None
    pyproject: bytes | None = None
    faults: tuple[Fault, ...] = ()
    complete: bool = True


@dataclass(slots=True, kw_only=True)
class _SdistPass:
    """What one pass over the members has collected."""

    names: dict[str, None] = field(default_factory=dict)
    name_length: int = 0
    candidates: dict[str, bytes | None] = field(default_factory=dict)
    pyproject: bytes | None = None
    faults: list[Fault] = field(default_factory=list)
    sparse: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    escaping: list[str] = field(default_factory=list)
    complete: bool = True


def inspect_sdist(file: BinaryIO) -> SdistContents:
    """Read a ``.tar.gz`` completely, within the limits. Never raises for what is in the file."""
    size = file.seek(0, 2)
    seen = _SdistPass()
    if is_zip_archive(file):
        seen.faults.append(
            Fault(
                rule="zip-and-tar",
                message="The file is both a tar and a ZIP archive.",
                refusal=invalid_file_refusal(ZIP_AND_TAR),
            )
        )
    try:
        _read_sdist_members(GzipStream(file, inflate_budget(size)), seen)
    except (NotGzip, NotATar) as error:
        seen.faults.append(
            Fault(
                rule="sdist-unreadable",
                message=f"The file is not a gzip-compressed tar archive: {error}.",
                refusal=_NOT_A_TAR,
            )
        )
    except GzipCutOff:
        # The server fails if not even the first header is there.
        refusal = invalid_file_refusal(None) if seen.names else upload_crash_refusal()
        seen.faults.append(
            Fault(
                rule="sdist-cut-off",
                message="The compressed data ends too early: the file is truncated.",
                refusal=refusal,
            )
        )
    except GzipDamaged as error:
        refusal = invalid_file_refusal(None) if error.position else _NOT_A_TAR
        seen.faults.append(
            Fault(rule="sdist-damaged", message=f"The compressed data is damaged ({error}).", refusal=refusal)
        )
    except TarUnreadable as error:
        seen.faults.append(
            Fault(
                rule="sdist-damaged",
                message=f"The tar archive is damaged: {error}.",
                refusal=invalid_file_refusal(None),
            )
        )
    except TarDamaged as error:
        seen.faults.append(Fault(rule="sdist-damaged", message=f"The tar archive is damaged: {error}."))
    except TarHeaderTooLarge:
        seen.faults.append(
            Fault(rule="archive-text-too-large", message="The extended tar header of a member is larger than 1 MiB.")
        )
    except OverBudget as error:
        seen.complete = False
        if error.position > BOMB_SIZE and error.position > BOMB_RATIO * size:
            times = error.position // size
            message = f"The archive unpacks to more than {format_size(error.position)}, {times} times its own size."
            seen.faults.append(Fault(rule="sdist-bomb", message=message))
    return _sdist_contents_of_pass(seen)


def begins_as_tar_archive(file: BinaryIO) -> bool:
    """Return whether a file begins like a tar archive, plain or compressed with gzip."""
    head = file.read(BLOCK)
    file.seek(0)
    try:
        stream = GzipStream(file, BOMB_SIZE)
        head = stream.read(BLOCK)
    except (NotGzip, GzipCutOff, GzipDamaged):
        pass
    return is_tar_header(head)


def _read_sdist_members(stream: GzipStream, seen: _SdistPass) -> None:
    """Read each member's header, and the data of those that matter."""
    for member in read_tar_members(stream):
        _note_sdist_member(member, seen)
        if _is_pkg_info_candidate(member, seen):
            seen.candidates[member.name] = _read_pkg_info_candidate(stream, member, seen)
        elif member.is_file and member.name.split("/")[1:] == [_PYPROJECT] and member.size <= MIB:
            seen.pyproject = stream.read(member.size)
        elif member.is_file and is_scanned_for_encrypted_code(member.name, member.size):
            fault = encrypted_code_fault(member.name, stream.read(member.size))
            seen.faults += [fault] if fault else []
    _read_to_gzip_trailer(stream, seen)


def _note_sdist_member(member: TarMember, seen: _SdistPass) -> None:
    """Keep a member's name, and what an sdist should not have, until there are too many."""
    if not seen.complete:
        return
    seen.names[member.name] = None
    seen.name_length += len(member.name)
    _classify_sdist_member(member, seen)
    if len(seen.names) > MAX_TAR_MEMBERS or seen.name_length > MAX_NAMES:
        seen.complete = False
        seen.faults.append(TooManyMembers(MAX_TAR_MEMBERS, MAX_NAMES // MIB).fault)


def _read_to_gzip_trailer(stream: GzipStream, seen: _SdistPass) -> None:
    """Read to the end of the file, so that its trailer is checked."""
    while stream.skip(MIB):
        pass
    seen.faults += [
        Fault(rule="sdist-gzip-trailer", message=f"The gzip file is malformed: {it}.") for it in stream.remarks
    ]


def _classify_sdist_member(member: TarMember, seen: _SdistPass) -> None:
    """Note members that an sdist should not have."""
    if member.sparse:
        seen.sparse.append(member.name)
    if member.is_special:
        seen.special.append(member.name)
    if member.is_link and is_unsafe_member_path(_link_target_in_sdist(member)):
        seen.escaping.append(member.name)


def _link_target_in_sdist(member: TarMember) -> str:
    """Return where a link points to, from the top of the archive (hard links name members, symbolic ones paths)."""
    if member.type == ord("1") or member.link.startswith("/"):
        return member.link
    return posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.link))


def _is_pkg_info_candidate(member: TarMember, seen: _SdistPass) -> bool:
    """Return whether this could be the PKG-INFO: which one it is, is known when all names are."""
    parts = member.name.split("/")
    return (
        member.is_file
        and parts[-1] == PKG_INFO
        and len(parts) <= _CANDIDATE_DEPTH
        and not any(part.endswith(".egg-info") for part in parts)
        and (len(seen.candidates) < _MAX_CANDIDATES or member.name in seen.candidates)
    )


def _read_pkg_info_candidate(stream: GzipStream, member: TarMember, seen: _SdistPass) -> bytes | None:
    """Return a member's data, None if it is too large or too much together with the others."""
    kept = sum(len(data or b"") for data in seen.candidates.values())
    if member.size + kept > MAX_METADATA:
        seen.faults.append(member_too_large_fault("metadata-too-large", member.name, MAX_METADATA))
        return None
    return stream.read(member.size)


def _sdist_contents_of_pass(seen: _SdistPass) -> SdistContents:
    """Check what was collected, in the server's order (legacy.py:416-458)."""
    faults = list(seen.faults)
    top, top_fault = _find_top_level_folder(list(seen.names))
    if seen.sparse:
        faults.append(
            Fault(
                rule="sdist-sparse-member",
                message=f"The archive has sparse members: {quote_first_member_names(seen.sparse)}.",
                refusal=_SPARSE,
            )
        )
    if top_fault is not None and (seen.names or all(fault.refusal is None for fault in faults)):
        faults.append(top_fault)
    target = f"{top}/{PKG_INFO}"
    if seen.names and top_fault is None and seen.complete and target not in seen.names:
        refusal = invalid_file_refusal(f"PKG-INFO not found at {target}")
        faults.append(
            Fault(rule="sdist-pkg-info-missing", message=f"{target} is missing from the archive.", refusal=refusal)
        )
    if seen.special:
        faults.append(
            Fault(
                rule="sdist-special-member",
                message=f"The archive contains devices or FIFOs: {quote_first_member_names(seen.special)}.",
            )
        )
    if seen.escaping:
        faults.append(
            Fault(
                rule="sdist-escaping-link",
                message=f"Links point outside the archive: {quote_first_member_names(seen.escaping)}.",
            )
        )
    faults += unsafe_member_path_faults(seen.names, "archive-unsafe-path")
    return SdistContents(
        top=top,
        names=frozenset(seen.names),
        metadata=seen.candidates.get(target),
        pyproject=seen.pyproject,
        faults=tuple(faults),
        complete=seen.complete,
    )


def _find_top_level_folder(names: list[str]) -> tuple[str, Fault | None]:
    """Return the common folder of all members as the server finds it, and the fault if there is none."""
    try:
        top = reduce(lambda common, name: posixpath.commonpath((common, name)), names) if names else ""
        top = posixpath.commonpath((top,)) if top else ""
    except ValueError:
        message = "The archive mixes absolute and relative member names."
        return "", Fault(rule="sdist-top-level", message=message, refusal=upload_crash_refusal())
    if top in {".", "/", ""}:
        return "", Fault(
            rule="sdist-top-level", message="The members are not all in one top-level folder.", refusal=_NO_TOP_LEVEL
        )
    return top, None


def looks_like_zip_sdist(file: BinaryIO) -> bool:
    """Return whether a ``.zip`` file is an old kind of sdist: one with a PKG-INFO in a top folder."""
    try:
        return any(
            info.filename.count("/") == 1 and info.filename.endswith("/PKG-INFO") for info in read_zip_directory(file)
        )
    except UnreadableArchive:
        return False
