"""Whether the index takes a file: by the same rules as the client's own checks."""

from pathlib import Path

from ci_publish.rehearsal.records import Fields


def verdict(_path: Path, _filename: str, _form: Fields) -> None:
    """Return what is wrong with the file; None for a file that PyPI takes."""
