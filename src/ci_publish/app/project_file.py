"""What a pyproject.toml says to us: ``[tool.ci-publish]``, and the indexes that uv knows by name."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from ci_publish.errors import ConfigurationError
from ci_publish.model.frozen import frozen


@frozen
class ProjectTables:
    """The tables that are read. ``uv_indexes`` is what stands under ``[[tool.uv.index]]``, whatever it is."""

    ours: Mapping[str, Any] = field(default_factory=dict)
    uv_indexes: object = ()


def project_tables(pyproject: Path) -> ProjectTables:
    """Read *pyproject*; without the file, nothing is said. Raises ConfigurationError for a broken one."""
    try:
        content = pyproject.read_bytes()
    except FileNotFoundError:
        return ProjectTables()
    except OSError as error:
        raise _unreadable(pyproject, error) from error
    import tomllib  # noqa: PLC0415  (late: few jobs that publish have the file)

    try:
        tools = tomllib.loads(content.decode()).get("tool", {})
        ours, misspelled, uv = tools.get("ci-publish", {}), tools.get("ci_publish"), tools.get("uv", {})
    # tomllib's own, and UnicodeDecodeError, are ValueErrors; arrays may be nested deeper than Python goes
    except (ValueError, AttributeError, RecursionError) as error:
        raise _unreadable(pyproject, error) from error
    if misspelled is not None:
        message = "Unknown table in pyproject.toml: [tool.ci_publish]"
        raise ConfigurationError(message, hints=("Write it with a hyphen: [tool.ci-publish]",))
    if not isinstance(ours, dict):
        message = "[tool.ci-publish] is not a table."
        raise ConfigurationError(message, hints=("Write the keys below a line that says [tool.ci-publish].",))
    return ProjectTables(ours, uv.get("index", ()) if isinstance(uv, dict) else ())


def _unreadable(pyproject: Path, error: Exception) -> ConfigurationError:
    message = f"{pyproject.name} cannot be read: {error}"
    return ConfigurationError(message, hints=("Correct the file, or run in another folder.",))
