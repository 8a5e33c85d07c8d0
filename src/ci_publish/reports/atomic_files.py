"""Writing the files of reports: each is written completely or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path

_MODE = 0o644


def write_report_atomically(path: Path, text: str) -> None:
    """Write *text* to *path* as UTF-8 with mode 0644, making its folders. Raises OSError.

    Readers see the old file or the new one, never a part. A device or a pipe, such as ``/dev/stdout``,
    is written to and not replaced.
    """
    if is_device_or_pipe(path):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)  # a pipe that nobody reads is an error
        os.set_blocking(opened, True)
        with os.fdopen(opened, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
        Path(name).chmod(_MODE)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def is_device_or_pipe(path: Path) -> bool:
    """Return whether *path* names something that must be written to and not replaced."""
    if any(path.absolute().is_relative_to(folder) for folder in ("/dev", "/proc")):
        return path.exists() and not path.is_dir()
    return path.is_fifo() or path.is_char_device()


def report_write_error_reason(error: OSError) -> str:
    """Return what the system said about a file, without the number."""
    return error.strerror or type(error).__name__
