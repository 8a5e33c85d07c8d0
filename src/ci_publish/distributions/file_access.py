"""Finding, opening and hashing files: the only module of this package that opens files by name."""

import errno
import glob
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, FileIO
from pathlib import Path
from typing import BinaryIO, Final

from ci_publish.distributions.limits import BUFFER, HASH_CHUNK
from ci_publish.model.distribution import Digests, Stamp
from ci_publish.model.frozen import frozen
from ci_publish.regular_files import open_without_following_links

ATTESTATION: Final = ".attestation"
_KINDS: Final = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class FileRefused(Exception):
    """A file that cannot be opened or read, or must not be; ``rule`` and the message say why."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@frozen
class FoundFile:
    """A directory entry that a PATH leads to. ``named``: the PATH names or matches the entry itself, not its folder."""

    path: Path
    named: bool = False


@frozen(kw_only=True)
class PathSearch:
    """What the PATH arguments lead to: ``missing`` files that are named, ``empty`` patterns and folders."""

    files: tuple[FoundFile, ...]
    missing: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()


def search_paths(paths: Sequence[str]) -> PathSearch:
    """Return the entries that *paths* lead to, each once: files, matches of patterns, and what is in folders.

    The attestations next to a file that is named or matched are included.
    """
    files: dict[Path, FoundFile] = {}
    missing: list[str] = []
    empty: list[str] = []
    unreadable: list[tuple[str, str]] = []
    for argument in paths:
        try:
            found = list(_expand_path_argument(argument))
        except OSError as error:
            unreadable.append((argument, error.strerror or str(error)))
            continue
        if not found:
            (empty if glob.has_magic(argument) or os.path.isdir(argument) else missing).append(argument)  # noqa: PTH112
        for file in found:
            files.setdefault(canonical_entry_path(file.path), file)
    for file in entries_beside_files(list(files.values()), ATTESTATION):
        files.setdefault(canonical_entry_path(file.path), file)
    return PathSearch(
        files=tuple(files.values()), missing=tuple(missing), empty=tuple(empty), unreadable=tuple(unreadable)
    )


def entries_beside_files(files: Iterable[FoundFile], suffix: str) -> list[FoundFile]:
    """Return the entries that belong to the named ones of *files*: ``<filename>.<anything><suffix>`` next to each.

    A folder that cannot be listed has none.
    """
    named: dict[Path, set[str]] = {}
    for file in files:
        if file.named:
            named.setdefault(file.path.parent, set()).add(file.path.name)
    return [
        FoundFile(folder / entry)
        for folder, names in named.items()
        for entry in list_entry_names(folder)
        if entry.endswith(suffix) and entry.removesuffix(suffix).rpartition(".")[0] in names
    ]


def list_entry_names(folder: Path) -> list[str]:
    """Return the sorted names of the entries of *folder*; none if it cannot be listed."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are enough
    except OSError:
        return []


def _expand_path_argument(argument: str) -> Iterator[FoundFile]:
    """Yield what one PATH argument leads to."""
    path = Path(argument)
    if path.is_dir():
        yield from (FoundFile(child) for child in sorted(path.iterdir()))
    elif os.path.lexists(path):
        yield FoundFile(path, named=True)
    elif glob.has_magic(argument):
        yield from (FoundFile(Path(match), named=True) for match in sorted(set(_match_pattern(argument))))


def _match_pattern(pattern: str) -> Iterator[str]:
    """Yield what *pattern* matches, as ``glob`` does, but enter every folder below ``**`` only once.

    ``glob`` follows links to folders. A few links that lead up multiply to more paths than the memory can hold.
    """
    parts = Path(pattern).parts
    if "**" not in parts:
        yield from glob.glob(pattern)  # noqa: PTH207 - Path.glob takes no absolute patterns
        return
    start, rest = parts[: parts.index("**")], parts[parts.index("**") + 1 :]
    entered: set[tuple[int, int]] = set()
    for base in sorted(glob.glob(str(Path(*start)))):  # noqa: PTH207
        for folder, folders, files in os.walk(base, followlinks=True):
            status = os.stat(folder)  # noqa: PTH116 - a name from os.walk
            if (status.st_dev, status.st_ino) in entered:
                folders.clear()
                continue
            entered.add((status.st_dev, status.st_ino))
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            if rest:
                yield from _match_pattern(str(Path(glob.escape(folder), *rest)))
            else:
                visible = (name for name in files if not name.startswith("."))
                yield from (os.path.join(folder, name) for name in (*folders, *visible))  # noqa: PTH118


def canonical_entry_path(path: Path) -> Path:
    """Return an entry's path with its folder resolved, but without following the entry itself."""
    return Path(os.path.realpath(path.parent)) / path.name


def file_size_or_zero(path: Path) -> int:
    """Return the size of a file, 0 if it is unknown."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def require_link_within_folder(path: Path) -> Path:
    """Return the path to open for an entry: the entry itself, or the file in the same folder that it links to.

    Raises FileRefused if the link leads out of the folder or nowhere.
    """
    if not path.is_symlink():
        return path
    folder = Path(os.path.realpath(path.parent))
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(folder):
        raise FileRefused(
            "file-outside-link", f"The file is a symbolic link to a path outside its folder: {str(target)!r}."
        )
    if not os.path.exists(target):  # noqa: PTH110 - Path.exists raises where a folder may not be entered
        reason = f"The file is a symbolic link to {target.name!r}, which does not exist or cannot be reached."
        raise FileRefused("file-unreadable", reason)
    return target


@contextmanager
def open_regular_file(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading, without following a link and without waiting for a FIFO.

    Raises FileRefused, also for errors of the disk while the file is read.
    """
    try:
        descriptor = open_without_following_links(path)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EMLINK}:
            message = "The file was replaced by a symbolic link after it was found."
            raise FileRefused("file-outside-link", message) from error
        if error.errno in {errno.EISDIR, errno.ENXIO}:
            raise FileRefused("file-not-regular", "This is not a regular file.") from error
        raise FileRefused("file-unreadable", f"The file cannot be opened: {_os_error_reason(error)}.") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise FileRefused("file-not-regular", f"This is {kind}, not a regular file.")
    opened: BufferedReader = BufferedReader(FileIO(descriptor), BUFFER)
    with opened as file:
        if status.st_size == 0:
            raise FileRefused("file-empty", "The file is empty.")
        try:
            yield file
        except OSError as error:
            raise FileRefused("file-unreadable", f"The file cannot be read: {_os_error_reason(error)}.") from error


def _os_error_reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def read_file_stamp(file: BinaryIO) -> Stamp:
    """Return what identifies the current state of an open file."""
    status = os.fstat(file.fileno())
    return Stamp(device=status.st_dev, inode=status.st_ino, size=status.st_size, mtime_ns=status.st_mtime_ns)


def hash_open_file(file: BufferedReader, *, with_md5: bool) -> Digests:
    """Hash an open file from its beginning, in one pass, with one buffer."""
    sha256 = hashlib.sha256()
    md5 = hashlib.md5(usedforsecurity=False) if with_md5 else None
    buffer = memoryview(bytearray(min(HASH_CHUNK, file.seek(0, os.SEEK_END))))
    file.seek(0)
    while count := file.readinto(buffer):
        sha256.update(buffer[:count])
        if md5 is not None:
            md5.update(buffer[:count])
    return Digests(sha256.hexdigest(), None if md5 is None else md5.hexdigest())
