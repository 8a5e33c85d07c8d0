"""The tables of a pyproject.toml that are read: ``[tool.ci-publish]``, and the indexes that uv knows by name."""

import os
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


_TABLE: Final = "cipublish"
"""Our table's name, folded, without hyphens and the like."""

_NEAR: Final = 0.88
"""The similarity from which a table's name is a misspelling of ours: one letter is missing, added or another one."""


@frozen
class UvPublishUrl:
    """The destination in uv's configuration, and the place that names it."""

    url: str
    where: str


@frozen
class ProjectTables:
    """The tables that are read. ``uv_indexes`` is ``[[tool.uv.index]]``, or ``[[index]]`` of uv.toml, of any type."""

    ours: Mapping[str, Any] = field(default_factory=dict)
    uv_indexes: object = ()
    uv_publish_url: UvPublishUrl | None = None


def read_project_tables(pyproject: Path) -> ProjectTables:
    """Read *pyproject*, and the indexes of a ``uv.toml`` next to it, which uv prefers; missing files are empty.

    Raises ConfigurationError for a file that cannot be read.
    """
    tables = _read_toml_tables(pyproject)
    tools = tables.get("tool", {})
    if not isinstance(tools, dict):
        raise _unreadable_toml_error(pyproject, ValueError("tool is not a table"))
    _refuse_misspelled_tables(tables, tools)
    ours, uv = tools.get("ci-publish", {}), tools.get("uv", {})
    if not isinstance(ours, dict):
        message = "[tool.ci-publish] is not a table."
        raise ConfigurationError(message, hints=("Write the keys below a line that says [tool.ci-publish].",))
    uv_file = _read_toml_tables(pyproject.with_name("uv.toml"))
    uv = uv_file or uv
    if not isinstance(uv, dict):
        return ProjectTables(ours)
    address = uv.get("publish-url")
    where = "publish-url in uv.toml" if uv_file else "[tool.uv] publish-url in pyproject.toml"
    publish_url = UvPublishUrl(address.strip(), where) if isinstance(address, str) and address.strip() else None
    return ProjectTables(ours, uv.get("index", ()), publish_url)


def parent_project_with_destination(pyproject: Path) -> Path | None:
    """Return the nearest pyproject.toml above *pyproject*, in its repository, that has a ``repository-url`` of ours."""
    folders = pyproject.absolute().parents
    root = next((index for index, folder in enumerate(folders) if os.path.lexists(folder / ".git")), 0)
    for folder in folders[1 : root + 1]:
        try:
            tools = _read_toml_tables(folder / "pyproject.toml").get("tool")
        except ConfigurationError:
            continue  # it is not the file of this run
        ours = tools.get("ci-publish") if isinstance(tools, dict) else None
        if isinstance(ours, dict) and (ours.get("repository-url") or ours.get("repository_url")):
            return folder / "pyproject.toml"
    return None


def _refuse_misspelled_tables(tables: Mapping[str, Any], tools: Mapping[str, Any]) -> None:
    """Raise ConfigurationError for a table whose name is nearly ours, or which is in the wrong place."""
    found = [f"tool.{name}" for name in tools if name != "ci-publish" and _is_nearly_our_table(name)]
    for parent, table in tables.items():
        if isinstance(table, dict) and _is_nearly_our_table(parent):
            found.append(parent)
        elif isinstance(table, dict) and parent != "tool":
            found += [
                f"{parent}.{name}"
                for name, nested in table.items()
                if isinstance(nested, dict) and _is_nearly_our_table(name)
            ]
    for name in found:
        hyphen = name == "tool.ci_publish"
        raise ConfigurationError(
            f"Unknown table in pyproject.toml: [{name}]",
            detail="It would be ignored, so its settings would have no effect.",
            hints=(f"Write it {'with a hyphen' if hyphen else 'like this'}: [tool.ci-publish]",),
        )


def _is_nearly_our_table(name: str) -> bool:
    plain = re.sub(r"[-_. ]", "", name).casefold()
    if plain == _TABLE or abs(len(plain) - len(_TABLE)) > 2:  # noqa: PLR2004  (further away, it is below _NEAR)
        return plain == _TABLE
    import difflib  # noqa: PLC0415  (late: hardly ever needed)

    return difflib.SequenceMatcher(None, plain, _TABLE).ratio() >= _NEAR


def _read_toml_tables(path: Path) -> dict[str, Any]:
    """Return the tables of a file, none if it does not exist. Raises ConfigurationError."""
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
