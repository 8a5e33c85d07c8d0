"""Files that reports write: whole or not at all, and never a reason for a run to fail."""

import contextlib
import os
import tempfile
from pathlib import Path

_MODE = 0o644


def write_report_atomically(path: Path, text: str) -> None:
    """Write *text* to *path* as UTF-8 with mode 0644, making its folders. Raises OSError.

    Readers see the old file or the new one, never a part.
    """
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


def report_write_error_reason(error: OSError) -> str:
    """Return what the system said about a file, without the number."""
    return error.strerror or type(error).__name__
