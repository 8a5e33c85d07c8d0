"""Whether the index takes a file: by the same rules as the client's own checks."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

from ci_publish.rehearsal.records import Fields


class Refusal(Protocol):
    """What is said about a file that the index must not take: an HTTP status and PyPI's words."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def message(self) -> str:
        """PyPI's words."""


Judge: TypeAlias = Callable[[Path, str, Fields], Refusal | None]


def verdict(_path: Path, _filename: str, _form: Fields) -> Refusal | None:
    """Return what is wrong with the file; None for a file that PyPI takes."""
    return None
