"""What a pyproject.toml says to us: ``[tool.ci-publish]``, and the indexes that uv knows by name."""

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from ci_publish.errors import ConfigurationError
from ci_publish.model.byte_counts import format_limit
from ci_publish.model.frozen import frozen

MAX_PROJECT_FILE: Final = 1024 * 1024
"""Bytes of a pyproject.toml. Its parser takes a second for that much."""

MAX_KEY_PARTS: Final = 100
"""Parts of a dotted key: the parser's work grows with their square."""

_PART: Final = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
# Every character belongs to one match, so the search only moves forward.
_RUNS: Final = re.compile(rf"(?P<dotted>(?:{_PART}[ \t]*+\.[ \t]*+)++)|{_PART}|[^A-Za-z0-9_\"'-]++|.", re.DOTALL)


@frozen
class ProjectTables:
    """The tables that are read; ``uv_indexes``: ``[[tool.uv.index]]``, or ``[[index]]`` of uv.toml, whatever it is."""

    ours: Mapping[str, Any] = field(default_factory=dict)
    uv_indexes: object = ()


def read_project_tables(pyproject: Path) -> ProjectTables:
    """Read *pyproject*, and the indexes of a ``uv.toml`` beside it, which uv prefers; without files, nothing is said.

    Raises ConfigurationError for a broken one.
    """
    tools = _read_toml_tables(pyproject).get("tool", {})
    if not isinstance(tools, dict):
        raise _unreadable_toml_error(pyproject, ValueError("tool is not a table"))
    ours, misspelled, uv = tools.get("ci-publish", {}), tools.get("ci_publish"), tools.get("uv", {})
    if misspelled is not None:
        message = "Unknown table in pyproject.toml: [tool.ci_publish]"
        raise ConfigurationError(message, hints=("Write it with a hyphen: [tool.ci-publish]",))
    if not isinstance(ours, dict):
        message = "[tool.ci-publish] is not a table."
        raise ConfigurationError(message, hints=("Write the keys below a line that says [tool.ci-publish].",))
    uv = _read_toml_tables(pyproject.with_name("uv.toml")) or uv
    return ProjectTables(ours, uv.get("index", ()) if isinstance(uv, dict) else ())


def _read_toml_tables(path: Path) -> dict[str, Any]:
    """Return the tables of a file, none where it does not exist. Raises ConfigurationError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_PROJECT_FILE + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable_toml_error(path, error) from error
    import tomllib  # noqa: PLC0415  (late: few jobs that publish have the file)

    try:
        text = content.decode()
        _require_bounded_toml(text)
        return tomllib.loads(text)
    # tomllib's own, and UnicodeDecodeError, are ValueErrors; arrays may be nested deeper than Python goes
    except (ValueError, RecursionError) as error:
        raise _unreadable_toml_error(path, error) from error


def _require_bounded_toml(text: str) -> None:
    """Raise ValueError for a text that keeps the parser for longer than a second."""
    if len(text.encode()) > MAX_PROJECT_FILE:
        message = f"it has more than {format_limit(MAX_PROJECT_FILE)}"
        raise ValueError(message)
    if any(run["dotted"] is not None and run["dotted"].count(".") > MAX_KEY_PARTS for run in _RUNS.finditer(text)):
        message = f"a key has more than {MAX_KEY_PARTS} parts"
        raise ValueError(message)


def _unreadable_toml_error(pyproject: Path, error: Exception) -> ConfigurationError:
    message = f"{pyproject.name} cannot be read: {error}"
    return ConfigurationError(message, hints=("Correct the file, or run in another folder.",))
