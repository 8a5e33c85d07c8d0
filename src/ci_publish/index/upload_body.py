"""The body of an upload: a multipart form whose file is read while it is sent (I/O: the file)."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from ci_publish.http.messages import BodyChanged, BodyWithdrawn
from ci_publish.index.upload_api import Framing
from ci_publish.model.completion import UNSCHEDULED, CompletionTurn, Permission
from ci_publish.model.distribution import Distribution, Stamp
from ci_publish.regular_files import open_without_following_links

BLOCK = 256 * 1024
# While an upload waits for its turn, one of its last bytes is sent every PULSE seconds: servers and proxies give up on
# a body that stalls (after 5 to 60 s). That lasts a minute at most: PyPI's workers are ended after 240 s.
HELD_BACK = 31
PULSE = 2.0
LONGEST_PAUSE = (HELD_BACK - 1) * PULSE


class FormBody:
    """A ``StreamedBody``: the form's fields, the file's bytes, the closing boundary.

    The bytes sent are the bytes that were hashed, checked and signed, or the index never gets a complete request: the
    file must have the stamp it had then, it is hashed again while it is sent, and its last block and the boundary that
    ends the form are held back until the digest is the same. Memory does not grow with the file. *progress* gets the
    number of bytes that were handed to the network. The last bytes wait for the *turn* of this upload, LONGEST_PAUSE at
    most.
    """

    def __init__(
        self,
        *,
        distribution: Distribution,
        framing: Framing,
        progress: Callable[[int], None],
        turn: CompletionTurn = UNSCHEDULED,
    ) -> None:
        self._distribution = distribution
        self._framing = framing
        self._progress = progress
        self._turn = turn

    @property
    def length(self) -> int:
        """The exact number of bytes of the whole body."""
        return len(self._framing.head) + self._distribution.size + len(self._framing.tail)

    @property
    def content_type(self) -> str:
        """The form's media type with its boundary."""
        return self._framing.content_type

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body in blocks; a small form whose turn it is is one block.

        Raises BodyChanged when the file has changed, BodyWithdrawn when the run is stopped before the turn came.
        """
        sent, held = 0, self._framing.head
        digest, left = hashlib.sha256(), self._distribution.size
        with open_file_for_upload(self._distribution) as file:
            while block := file.read(min(BLOCK, left)) if left else b"":
                digest.update(block)
                left -= len(block)
                if len(held) >= BLOCK:
                    yield held
                    sent += len(held)
                    self._progress(sent)
                    held = b""
                held += block
        if left or digest.hexdigest() != self._distribution.sha256:
            raise _body_changed_error(self._distribution, "its content is not what was hashed")
        yield from self._yield_end_in_turn(held + self._framing.tail)
        self._progress(self.length)

    def _yield_end_in_turn(self, end: bytes) -> Iterator[bytes]:
        """Yield the form's *end*: its last byte when the turn has come, or after the longest wait for it."""
        permission = self._turn.wait(0)
        sent = 0
        if permission is Permission.NOT_YET:
            sent = max(0, len(end) - HELD_BACK)
            yield end[:sent]
        while permission is Permission.NOT_YET and sent < len(end) - 1:
            permission = self._turn.wait(PULSE)
            if permission is Permission.NOT_YET:
                yield end[sent : sent + 1]
                sent += 1
        if permission is Permission.STOPPED:
            raise BodyWithdrawn("the run was stopped before this upload was complete")
        if permission is Permission.NOT_YET:
            self._turn.begin_without_permission()
        yield end[sent:]


@contextmanager
def open_file_for_upload(distribution: Distribution) -> Iterator[FileIO]:
    """Open the file that was hashed, and no other. Raises BodyChanged, also when reading fails."""
    try:
        with FileIO(open_without_following_links(distribution.path)) as file:
            _require_file_unchanged_since_hashing(distribution, os.fstat(file.fileno()))
            yield file
    except OSError as error:
        raise _body_changed_error(
            distribution, f"it cannot be read: {error.strerror or type(error).__name__}"
        ) from error


def _require_file_unchanged_since_hashing(distribution: Distribution, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _body_changed_error(distribution, "it is no longer a regular file")
    if (
        Stamp(device=status.st_dev, inode=status.st_ino, size=status.st_size, mtime_ns=status.st_mtime_ns)
        != distribution.stamp
    ):
        raise _body_changed_error(distribution, "it was replaced or modified")


def _body_changed_error(distribution: Distribution, how: str) -> BodyChanged:
    return BodyChanged(f"{Path(distribution.path).name} changed after it was hashed: {how}")


def hashed_file_md5(distribution: Distribution) -> str:
    """Return the file's MD5, for the indexes that still want one. Raises BodyChanged."""
    if distribution.digests.md5:
        return distribution.digests.md5
    with open_file_for_upload(distribution) as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
