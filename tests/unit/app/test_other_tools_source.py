"""Which of other tools' variables are used."""

from pathlib import Path

import pytest

from ci_publish.app.other_tools import unused_secret_variables
from ci_publish.model.identity import Secret
from tests.unit.app.tools_settings import ACTION, CORP, IDENTITY, TESTPYPI, loaded, objection, token


def test_a_lone_secret_is_used_only_where_it_belongs(home: Path) -> None:
    ours = token("pypi.org")
    assert loaded(home, {"TWINE_PASSWORD": ours}).settings.password == Secret(ours)
    assert "TWINE_PASSWORD" in objection(loaded(home, {"TWINE_PASSWORD": ours}, repository_url=("testpypi",)))
    assert "TWINE_PASSWORD" in objection(loaded(home, {"TWINE_PASSWORD": ours}, repository_url=(CORP,)))
    assert "hunter2" not in objection(loaded(home, {"TWINE_PASSWORD": "hunter2"}))
    assert "TWINE_PASSWORD" in objection(loaded(home, {"TWINE_PASSWORD": "hunter2"}, repository_url=("testpypi",)))
    found = loaded(home, {"TWINE_PASSWORD": "hunter2", "TWINE_USERNAME": "me"}, repository_url=(CORP,))
    assert (found.settings.user, found.settings.password) == ("me", Secret("hunter2"))
    assert "another user" in objection(
        loaded(home, {"TWINE_PASSWORD": "hunter2", "TWINE_USERNAME": "me"}, repository_url=(CORP,), user="you")
    )


def test_trusted_publishing_goes_before_a_lone_secret_in_the_action(home: Path) -> None:
    environ = {**ACTION, "TWINE_PASSWORD": token("pypi.org")}
    found = loaded(home, {**environ, **IDENTITY})
    assert found.settings.password is None
    assert [(note.slug, "TWINE_PASSWORD" in note.message) for note in found.notes] == [
        ("foreign-credential-unused", True)
    ]
    assert loaded(home, environ).settings.password is not None, "no identity can be requested"
    elsewhere = {**ACTION, **IDENTITY, "TWINE_PASSWORD": "x"}
    assert loaded(home, elsewhere, repository_url=(CORP,)).settings.password == Secret("x")


def test_secrets_of_tools_that_are_never_used_are_named() -> None:
    environ = {"PYPI_TOKEN": "x", "POETRY_PYPI_TOKEN_PYPI": "y", "HATCH_INDEX_AUTH": "", "OTHER_TOKEN": "z"}
    assert unused_secret_variables(environ) == ["POETRY_PYPI_TOKEN_PYPI", "PYPI_TOKEN"]


FILES = {"pyproject.toml": "[tool.uv]\n", "uv.toml": ""}


@pytest.mark.parametrize("file", FILES)
def test_the_destination_in_uv_s_file_is_never_dropped(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text(f'{FILES[file]}publish-url = "{CORP}"\n')
    for environ in ({}, ACTION, {"TWINE_REPOSITORY": "testpypi"}, {"CI_PUBLISH_PASSWORD": "x"}):
        found = loaded(tmp_path, environ)
        assert found.objection is not None
        assert f"publish-url in {file} names {CORP}, but no setting" in found.objection.summary
        assert [str(hint) for hint in found.objection.hints] == [
            f"To publish there: repository-url: {CORP}",
            "To publish to PyPI, say so: repository-url: pypi",
        ]
    assert loaded(tmp_path, {}, repository_url=("pypi",)).objection is None
    assert loaded(tmp_path, {"UV_PUBLISH_URL": TESTPYPI}).settings.repository_url == (TESTPYPI,)


@pytest.mark.parametrize("value", ['"https://upload.pypi.org/legacy"', '" "', "7"])
def test_what_says_pypi_or_nothing_in_uv_s_file_is_no_reason_to_stop(tmp_path: Path, value: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.uv]\npublish-url = {value}\n")
    assert loaded(tmp_path, {}).objection is None
    (tmp_path / "pyproject.toml").write_text("[tool]\nuv = 7\n")
    assert loaded(tmp_path, {}).objection is None


def test_an_index_url_does_not_select_the_destination(tmp_path: Path) -> None:
    simple = "https://corp.example/simple/"
    for environ in ({}, ACTION):
        told = objection(loaded(tmp_path, environ, index_url=simple))
        assert f"--index-url names {simple}, but no setting of ci-publish names the destination" in told
        assert "does not select the destination" in told
        assert "CI_PUBLISH_INDEX_URL" in objection(loaded(tmp_path, {**environ, "CI_PUBLISH_INDEX_URL": simple}))
    for url in ("pypi", TESTPYPI, CORP):
        assert loaded(tmp_path, {}, index_url=simple, repository_url=(url,)).objection is None
    assert loaded(tmp_path, {"UV_PUBLISH_URL": CORP}, index_url=simple).objection is None
    assert loaded(tmp_path, {}, index_url="https://pypi.org/simple/").objection is None
