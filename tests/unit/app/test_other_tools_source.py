"""Which of other tools' variables are used."""

from pathlib import Path

from ci_publish.app.other_tools import unused_secret_variables
from ci_publish.model.identity import Secret
from tests.unit.app.tools_settings import ACTION, CORP, IDENTITY, loaded, objection, token


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
