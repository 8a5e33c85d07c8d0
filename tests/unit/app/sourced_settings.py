"""Settings from flags, variables and a file."""

from pathlib import Path

from ci_publish.app.settings_sources import (
    Loaded,
    load_settings,
)


def loaded(pyproject: Path, environ: dict[str, str] | None = None, toml: str = "", **flags: object) -> Loaded:
    if toml:
        pyproject.write_text(f"[tool.ci-publish]\n{toml}")
    return load_settings(flags, environ or {}, pyproject)
