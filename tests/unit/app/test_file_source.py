"""``[tool.ci-publish]``: its keys, its table about installations, and what is never read from a file."""

from pathlib import Path
from typing import Any

import pytest

from ci_publish.about import OPTIONS_URL
from ci_publish.app.file_source import FileSource
from ci_publish.app.options import Origin, Source
from ci_publish.app.settings_sources import load_settings
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
    loaded = load_settings({}, {}, path)

    assert (loaded.settings.install, loaded.settings.run) == (True, ("a b", "c"))
    assert loaded.origin("install") == Origin(Source.FILE, "[tool.ci-publish.install]")
    assert loaded.origin("run") == Origin(Source.FILE, "[tool.ci-publish.install] run")
    assert not load_settings({"install": False}, {}, path).settings.install


def test_a_table_is_named_as_one(pyproject: Path) -> None:
    pyproject.write_text('[tool.ci-publish]\nkeep-going = true\n[tool.ci-publish.rules]\nsize-limit = "error"\n')
    loaded = load_settings({}, {}, pyproject)
    assert loaded.origin("rules") == Origin(Source.FILE, "[tool.ci-publish.rules]")
    assert loaded.origin("keep_going") == Origin(Source.FILE, "[tool.ci-publish] keep-going")
    (key,) = (spelled for name, _, spelled in FileSource({"jobs": {}}).read() if name == "jobs")
    assert key == Origin(Source.FILE, "[tool.ci-publish] jobs")
    (key,) = (spelled for name, _, spelled in FileSource({"rules": 7}).read() if name == "rules")
    assert key == Origin(Source.FILE, "[tool.ci-publish] rules")


def test_a_key_that_is_nearly_one_of_ours_is_refused_as_a_key() -> None:
    with pytest.raises(ConfigurationError) as error:
        read(**{"on-conflct": "fail"})
    assert error.value.summary == "Unknown key of [tool.ci-publish]: on-conflct"


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("repository", "repository-url"),
        ("index", "repository-url"),
        ("URL", "repository-url"),
        ("publish_url", "repository-url"),
        ("destination", "repository-url"),
        ("target", "repository-url"),
        ("note", None),
        ("upload", None),
    ],
)
@pytest.mark.parametrize("value", ["testpypi", {"repository-url": "testpypi"}])
def test_every_other_unknown_key_is_refused(key: str, hint: str | None, value: object) -> None:
    with pytest.raises(ConfigurationError) as error:
        read(**{key: value})
    assert error.value.summary == f"Unknown key of [tool.ci-publish]: {key}"
    assert error.value.detail == "It would be ignored, so the setting would have no effect."
    expected = f"Did you mean {hint}?" if hint else f"Remove it, or use one of the keys that exist: {OPTIONS_URL}"
    assert error.value.hints == (expected,)


UNKNOWN = "Known keys: python, run, upstream, no-import, require-tried, timeout"
CHECKOUT = "Anyone who can change the checkout could change where secrets are sent."
FLAG = "--install-with-credentials, CI_PUBLISH_INSTALL_WITH_CREDENTIALS or the input"
SECRET = "Anyone who can read the repository, or an sdist of it, could publish."
REVOKE = "Use Trusted Publishing, or set password from your CI's secret store. Revoke this secret."


@pytest.mark.parametrize(
    ("table", "said", "detail", "hints"),
    [
        ({"install": {"pythons": "3.12"}}, "Unknown key in [tool.ci-publish.install]: pythons", "", UNKNOWN),
        (
            {"install": {"with-credentials": True}},
            "[tool.ci-publish.install] with-credentials: never read from a file.",
            CHECKOUT,
            f"Remove the key, and use {FLAG}.",
        ),
        (
            {"install": {"install-with-credentials": True}},
            "[tool.ci-publish.install] install-with-credentials: never read from a file.",
            CHECKOUT,
            f"Remove the key, and use {FLAG}.",
        ),
        (
            {"install-with-credentials": True},
            "[tool.ci-publish] install-with-credentials: never read from a file.",
            CHECKOUT,
            f"Remove the key, and use {FLAG}.",
        ),
        (
            {"install": {"upstream": "https://me:secret@a.example/"}},
            "[tool.ci-publish.install] upstream: a secret does not belong in a file.",
            SECRET,
            REVOKE,
        ),
        (
            {"upstream": "https://token@a.example/"},
            "[tool.ci-publish] upstream: a secret does not belong in a file.",
            SECRET,
            REVOKE,
        ),
        (
            {"user-password": "secret@"},
            "[tool.ci-publish] user-password: a secret does not belong in a file.",
            SECRET,
            REVOKE,
        ),
        ({"password": "secret@"}, "[tool.ci-publish] password: a secret does not belong in a file.", SECRET, REVOKE),
        ({"token": "secret@"}, "[tool.ci-publish] token: a secret does not belong in a file.", SECRET, REVOKE),
    ],
)
def test_what_a_file_may_not_say_is_an_error(table: dict[str, Any], said: str, detail: str, hints: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read(**table)
    assert (error.value.summary, error.value.detail) == (said, detail)
    assert " ".join(map(str, error.value.hints)) == hints
    assert "secret@" not in str(error.value)


def test_commands_are_checked_when_they_are_read() -> None:
    for run in ("echo 'open", "''"):
        with pytest.raises(ConfigurationError, match="run"):
            load_settings({"run": (run,)}, {}, Path("absent.toml"))
