"""The storage of the rehearsal's index: its files, and a journal from which a later run restores the state."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
import weakref
from collections.abc import Sequence
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import IO, Any, Final

from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.index_records import (
    FileAdded,
    FileDeleted,
    IndexEvent,
    ProjectCreated,
    RehearsalState,
    ReleaseCreated,
    ReleaseDated,
    ReleaseYanked,
    StatusSet,
    StoredFile,
    state_after_event,
)

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_EVENTS: Final[dict[str, Any]] = {
    kind.__name__: kind
    for kind in (ProjectCreated, ReleaseCreated, FileAdded, FileDeleted, StatusSet, ReleaseYanked, ReleaseDated)
}


@frozen(kw_only=True)
class ReceivedFile:
    """A file that was received and is not checked yet: its path, its size and its digests."""

    path: Path
    size: int
    md5: str
    sha256: str
    blake2_256: str


class IncomingFile:
    """A file being received: hashed while it is written, so that it is read once and never held in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] = path.open("w+b")
        self._hashes = (hashlib.md5(usedforsecurity=False), hashlib.sha256(), hashlib.blake2b(digest_size=32))

    def write(self, data: bytes, /) -> int:
        """Append *data*."""
        for digest in self._hashes:
            digest.update(data)
        return self._file.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move, as a form parser does once a part is complete."""
        return self._file.seek(offset, whence)

    def read(self, size: int = -1, /) -> bytes:
        """Read back what was written."""
        return self._file.read(size)

    def close(self) -> None:
        """Close the file; it stays where it is until it is discarded or moved."""
        self._file.close()

    def finish_and_describe(self) -> ReceivedFile:
        """Close the file and return what arrived."""
        self._file.close()
        md5, sha256, blake2 = (digest.hexdigest() for digest in self._hashes)
        return ReceivedFile(path=self._path, size=self._path.stat().st_size, md5=md5, sha256=sha256, blake2_256=blake2)

    def discard_incoming(self) -> None:
        """Close and delete the file, unless it was moved."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class RehearsalStorage:
    """The files and the state of one index in one folder. Thread-safe; another process is refused until `close`.

    Hold `lock` while you read the state and change it accordingly.
    """

    def __init__(self, folder: Path) -> None:
        """Open *folder*, made if it does not exist; raises ConfigurationError for one that cannot be used.

        A folder with other files cannot: nothing in it is deleted.
        """
        self.folder = folder
        self.lock = threading.RLock()
        self._files = folder / "files"
        self._incoming = folder / "incoming"
        self._journal = folder / "journal.jsonl"
        try:
            if folder.is_dir() and any(folder.iterdir()) and not self._journal.exists():
                raise ConfigurationError(
                    f"{folder} contains files that are not part of a rehearsal's index.",
                    hints=("Specify an empty folder, or one that does not exist: the rehearsal creates it.",),
                )
            self._files.mkdir(parents=True, exist_ok=True)
            self._journal.touch()
            self._unlock = weakref.finalize(self, os.close, _lock_storage_folder(folder))
            shutil.rmtree(self._incoming, ignore_errors=True)
            self._incoming.mkdir()
            self._state = reduce(state_after_event, _read_journal(self._journal), RehearsalState())
        except OSError as error:
            raise ConfigurationError(
                f"The rehearsal cannot keep its index in {folder}: {error.strerror or error}.",
                hints=(Hint("Specify a writable folder, or omit ", option("world"), " to use a temporary one."),),
            ) from error

    def close(self) -> None:
        """Unlock the folder for other processes; the storage must not be used afterwards."""
        self._unlock()

    @property
    def state(self) -> RehearsalState:
        """What the index has now."""
        return self._state

    def record_events(self, *events: IndexEvent) -> None:
        """Apply events and append them to the journal."""
        with self.lock:
            contents = ({"event": type(event).__name__, **asdict(event)} for event in events)
            lines = "".join(f"{json.dumps(content, separators=(',', ':'))}\n" for content in contents)
            with self._journal.open("a", encoding="utf-8") as journal:
                journal.write(lines)
            for event in events:
                self._state = state_after_event(self._state, event)

    def open_incoming_file(self) -> IncomingFile:
        """Return a new file to receive an upload into."""
        handle, name = tempfile.mkstemp(dir=self._incoming)
        os.close(handle)
        return IncomingFile(Path(name))

    def add_received_file(
        self, name: str, file: StoredFile, received: ReceivedFile, core_metadata: bytes | None
    ) -> None:
        """Move a received file to its place and record it."""
        place = self.path_of_stored_file(file)
        place.parent.mkdir(parents=True, exist_ok=True)
        if core_metadata is not None:
            place.with_name(f"{file.filename}.metadata").write_bytes(core_metadata)
        received.path.replace(place)
        self.record_events(FileAdded(name, file))

    def delete_stored_file(self, file: StoredFile) -> None:
        """Delete a file permanently."""
        self.record_events(FileDeleted(file.project, file.filename))
        shutil.rmtree(self.path_of_stored_file(file).parent, ignore_errors=True)

    def path_of_stored_file(self, file: StoredFile) -> Path:
        """Return the path of a file."""
        return self._files / file.path

    def find_served_file(self, path: str) -> Path | None:
        """Return the file at this path below the files' root (as in its URL), or None."""
        root = self._files.resolve()
        found = (root / path).resolve()
        return found if found.is_relative_to(root) and found.is_file() else None


def _lock_storage_folder(folder: Path) -> int:
    """Return a descriptor that keeps other processes out of *folder* while it is open. Raises ConfigurationError."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise ConfigurationError(
            f"Another rehearsal uses {folder}.",
            hints=(Hint("Wait until it has ended, or give each rehearsal its own folder: ", option("world", "DIR")),),
        ) from error
    return descriptor


def _read_journal(journal: Path) -> Sequence[IndexEvent]:
    """Return the events of a journal; a last line that a crash cut short is removed from the file."""
    content = journal.read_bytes()
    complete = content[: content.rfind(b"\n") + 1]
    if complete != content:
        journal.write_bytes(complete)
    events: list[IndexEvent] = []
    try:
        for line in complete.splitlines():
            values = json.loads(line)
            kind = _EVENTS[values.pop("event")]
            if "fields" in values:
                values["fields"] = tuple((name, value) for name, value in values["fields"])
            if "file" in values:
                values["file"] = StoredFile(**values["file"])
            events.append(kind(**values))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{journal} is not the journal of a rehearsal's index, or is from another version of ci-publish.",
            hints=("Specify another folder, or delete this one: the rehearsal creates it again.",),
        ) from error
    return events
