"""Whether the index takes a form and a file: by the rules of the client's own checks.

What PyPI's server refuses is refused here, also where the checks only warn because a newer server may accept it: a new
classifier, a new platform. A rehearsal that accepted such a file would promise more than is known.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from ci_publish.distributions.checks import server_verdict
from ci_publish.distributions.checks.judgement import judge as judge_metadata
from ci_publish.distributions.checks.rules import refusal_of
from ci_publish.rehearsal.records import Fields


class Refusal(Protocol):
    """What is said about something that the index must not take: an HTTP status and PyPI's words."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def message(self) -> str:
        """PyPI's words."""


Judge: TypeAlias = Callable[[Path, str, Fields], Refusal | None]


def form_verdict(form: Fields) -> Refusal | None:
    """Return what is wrong with the core metadata in a form; None for what PyPI takes."""
    return refusal_of(judge_metadata(_by_name(form)))


def file_verdict(path: Path, filename: str, form: Fields) -> Refusal | None:
    """Return what is wrong with the file at *path*, uploaded as *filename*; None for a file that PyPI takes."""
    return server_verdict(path, filename, _by_name(form))


def _by_name(form: Fields) -> Mapping[str, Sequence[str]]:
    values: dict[str, list[str]] = {}
    for name, value in form:
        values.setdefault(name, []).append(value)
    return values
