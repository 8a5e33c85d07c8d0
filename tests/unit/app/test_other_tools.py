"""What other tools' variables and files mean: the rows of the table, each with its message."""

from pathlib import Path

import pytest

from ci_publish.app.settings_sources import Loaded
from ci_publish.model.identity import Secret
from tests.unit.app.tools_settings import ACTION, CORP, PYPI, TESTPYPI, loaded, objection, token


def test_a_contradiction_names_both(home: Path) -> None:
    told = objection(loaded(home, {"TWINE_REPOSITORY": "testpypi"}, repository_url=("pypi",)))
    assert "--repository-url and TWINE_REPOSITORY" in told
    assert PYPI in told
    assert TESTPYPI in told
    same = loaded(home, {"TWINE_REPOSITORY": "testpypi"}, repository_url=("pypi", TESTPYPI))
    assert same.objection is None


def test_the_destination_of_a_tool_comes_with_its_credential_only(home: Path) -> None:
    found = loaded(home, {"UV_PUBLISH_INDEX": "corp", "UV_PUBLISH_TOKEN": "t", "TWINE_PASSWORD": "other"})
    assert found.settings.repository_url == (CORP,)
    assert found.settings.password == Secret("t")
    assert found.settings.user == "__token__"
    assert [note.slug for note in found.notes] == ["foreign-variables", "foreign-credential-unused"]


def test_a_credential_of_ours_beside_a_tools_destination_needs_a_line(home: Path) -> None:
    told = objection_of_ours(loaded(home, {"UV_PUBLISH_URL": CORP, "CI_PUBLISH_PASSWORD": "x"}))
    assert f"repository-url: {CORP}" in told
    assert "CI_PUBLISH_PASSWORD" in told


def objection_of_ours(found: Loaded) -> str:
    assert found.objection is not None
    return "\n".join((found.objection.summary, *found.objection.hints))


def test_the_action_says_which_line_to_write(home: Path) -> None:
    told = objection(loaded(home, {**ACTION, "TWINE_REPOSITORY_URL": CORP}))
    assert f"repository-url: {CORP}" in told
    assert loaded(home, {**ACTION, "TWINE_REPOSITORY_URL": PYPI}).objection is None


def test_two_tools_or_two_variables_that_differ_stop(home: Path) -> None:
    for two in (
        {"TWINE_REPOSITORY": "testpypi", "UV_PUBLISH_URL": CORP},
        {"TWINE_REPOSITORY": "testpypi", "TWINE_REPOSITORY_URL": PYPI},
    ):
        assert "different indexes" in objection(loaded(home, two))
    assert loaded(home, {"TWINE_REPOSITORY": "company", "UV_PUBLISH_INDEX": "corp"}).objection is None
    secrets = {"TWINE_PASSWORD": token("pypi.org"), "UV_PUBLISH_TOKEN": token("test.pypi.org")}
    assert "different secrets" in objection(loaded(home, secrets))


def test_the_lines_of_the_migration_table_find_their_secret(home: Path) -> None:
    """`twine upload -u __token__`, `-r testpypi`, and `uv publish --publish-url`, translated."""
    ours, theirs = token("pypi.org"), token("test.pypi.org")
    assert loaded(home, {"TWINE_PASSWORD": ours}, user="__token__").settings.password == Secret(ours)
    translated = loaded(home, {"TWINE_PASSWORD": theirs}, repository_url=("testpypi",))
    assert translated.settings.password == Secret(theirs)
    assert loaded(home, {"UV_PUBLISH_TOKEN": "x"}, repository_url=(CORP,)).settings.password == Secret("x")


@pytest.mark.parametrize(
    ("variable", "value", "upload"),
    [
        ("HATCH_INDEX_REPO", "test", TESTPYPI),
        ("HATCH_INDEX_REPO", CORP, CORP),
        ("FLIT_INDEX_URL", TESTPYPI, TESTPYPI),
        ("PDM_PUBLISH_REPO", "testpypi", TESTPYPI),
        ("MATURIN_REPOSITORY", "testpypi", TESTPYPI),
        ("MATURIN_REPOSITORY_URL", CORP, CORP),
    ],
)
def test_the_destination_of_every_tool_counts(home: Path, variable: str, value: str, upload: str) -> None:
    found = loaded(home, {variable: value, "TWINE_PASSWORD": "of-twine"})
    assert found.settings.repository_url == (upload,)
    assert found.settings.password != Secret("of-twine")
    assert variable in objection(loaded(home, {variable: value}, repository_url=("pypi",)))
    assert f"{variable} names" in objection(loaded(home, {**ACTION, variable: value}))
    assert loaded(home, {variable: " "}).settings.repository_url == ("pypi",)


def test_hatch_calls_pypi_main(home: Path) -> None:
    found = loaded(home, {"HATCH_INDEX_REPO": "main", **ACTION})
    assert (found.objection, found.settings.repository_url) == (None, ("pypi",))
    assert "unknown index" in objection(loaded(home, {"HATCH_INDEX_REPO": "company-of-hatch"}))
