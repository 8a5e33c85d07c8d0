"""``[tool.ci-publish]``: its keys, its table about installations, and what is never read from a file."""

from pathlib import Path
from typing import Any

import pytest

from ci_publish.app.file_source import FileSource
from ci_publish.app.settings_sources import load
from ci_publish.errors import ConfigurationError


def read(**table: Any) -> dict[str, Any]:  # noqa: ANN401  (TOML)
    return FileSource(table)()


def test_the_table_of_an_installation_asks_for_one() -> None:
    table = {
        "python": ["3.11", "3.12"],
        "run": "demo --version",
        "no-import": True,
        "timeout": 60,
        "upstream": "wheels",
    }

    assert read(install=table) == {
        "install": True,
        "python": ("3.11", "3.12"),
        "run": "demo --version",
        "no_import": True,
        "install_timeout": 60,
        "upstream": "wheels",
    }
    assert read(install=True) == {"install": True}


def test_where_a_value_comes_from_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.ci-publish.install]\nrun = ["a b", "c"]\n')
    loaded = load({}, {}, path)

    assert (loaded.settings.install, loaded.settings.run) == (True, ("a b", "c"))
    assert loaded.origin("run").spelled == "[tool.ci-publish.install] run"
    assert not load({"install": False}, {}, path).settings.install


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"install": {"pythons": "3.12"}}, r"Unknown key in \[tool.ci-publish.install\]: pythons"),
        (
            {"install": {"with-credentials": True}},
            r"\[tool.ci-publish.install\] with-credentials: never read from a file",
        ),
        ({"install-with-credentials": True}, "install-with-credentials: never read from a file"),
        ({"install": {"upstream": "https://me:secret@a.example/"}}, "upstream: a secret does not belong"),
        ({"upstream": "https://token@a.example/"}, "upstream: a secret does not belong"),
    ],
)
def test_what_a_file_may_not_say_is_an_error(table: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as error:
        read(**table)
    assert "secret@" not in str(error.value)


def test_commands_are_checked_when_they_are_read() -> None:
    for run in ("echo 'open", "''"):
        with pytest.raises(ConfigurationError, match="run"):
            load({"run": (run,)}, {}, Path("absent.toml"))
