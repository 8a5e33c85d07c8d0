"""Opening a file that was found before: neither a link that took its place nor a FIFO is followed or waited for.

And files of settings, which are read up to a size.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

MAX_SETTINGS: Final = 1024 * 1024
"""Bytes of a file of settings. The parsers of such files take a second for that much."""


def read_settings_file(path: Path) -> str:
    """Return the text of a file of settings. Raises OSError, EFBIG where it is too large, and UnicodeDecodeError."""
    with path.open("rb") as file:
        content = file.read(MAX_SETTINGS + 1)
    if len(content) > MAX_SETTINGS:
        raise OSError(errno.EFBIG, f"it has more than {MAX_SETTINGS >> 20} MiB", str(path))
    return content.decode("utf-8").replace("\r\n", "\n")


def open_without_following_links(
    path: Path, *, flags: int = FLAGS, opening: Callable[[Path, int], int] = os.open
) -> int:
    """Return a descriptor of the file at *path*, for reading. Raises OSError: ELOOP if *path* is a symbolic link.

    Where the system cannot refuse links itself (Windows has no O_NOFOLLOW), the path is checked before the file is
    opened and again afterwards.
    """
    if flags & getattr(os, "O_NOFOLLOW", 0):
        return opening(path, flags)
    _require_no_symbolic_link(path)
    descriptor = opening(path, flags)
    try:
        _require_no_symbolic_link(path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _require_no_symbolic_link(path: Path) -> None:
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
