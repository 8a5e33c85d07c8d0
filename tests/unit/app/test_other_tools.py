"""What other tools' variables and files mean: the rows of the table, each with its message."""

import base64
from pathlib import Path

import pytest

from ci_publish.app.index_names import MAX_LINES, IndexNames
from ci_publish.app.options import Origin
from ci_publish.app.other_tools import unused_secrets
from ci_publish.app.settings_sources import Loaded, load
from ci_publish.errors import ConfigurationError
from ci_publish.model.identity import Secret
from ci_publish.regular_files import MAX_SETTINGS

PYPI, TESTPYPI = "https://upload.pypi.org/legacy/", "https://test.pypi.org/legacy/"
CORP = "https://corp.example/upload/"
ACTION = {"CI_PUBLISH_ACTION": "docker"}
IDENTITY = {"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": "u", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}
PYPIRC = f"[company]\nrepository = {CORP}\nusername = me\npassword = s3cret\n[testpypi]\npassword = pypi-x\n"


def token(location: str) -> str:
    data = b"\x02\x01" + bytes([len(location)]) + location.encode() + b"\x02\x01x\x00"
    return "pypi-" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".pypirc").write_text(PYPIRC)
    (tmp_path / ".pypirc").chmod(0o600)
    (tmp_path / "pyproject.toml").write_text(
        '[[tool.uv.index]]\nname = "corp"\nurl = "https://corp.example/simple/"\n'
        f'publish-url = "{CORP}"\n[[tool.uv.index]]\nname = "readonly"\nurl = "https://r.example/"\n'
    )
    return tmp_path


def loaded(home: Path, environ: dict[str, str], **flags: object) -> Loaded:
    return load(flags, {"HOME": str(home), **environ}, home / "pyproject.toml")


def objection(found: Loaded) -> str:
    assert found.objection is not None
    assert found.settings.password is None, "a secret is not taken over by a run that must stop"
    return "\n".join((found.objection.summary, found.objection.detail, *found.objection.hints))


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


def test_the_lines_of_the_migration_table_find_their_secret(home: Path) -> None:
    """`twine upload -u __token__`, `-r testpypi`, and `uv publish --publish-url`, translated."""
    ours, theirs = token("pypi.org"), token("test.pypi.org")
    assert loaded(home, {"TWINE_PASSWORD": ours}, user="__token__").settings.password == Secret(ours)
    translated = loaded(home, {"TWINE_PASSWORD": theirs}, repository_url=("testpypi",))
    assert translated.settings.password == Secret(theirs)
    assert loaded(home, {"UV_PUBLISH_TOKEN": "x"}, repository_url=(CORP,)).settings.password == Secret("x")


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


def test_names_of_indexes(home: Path) -> None:
    found = loaded(home, {}, repository_url=("corp",))
    assert (found.settings.repository_url, found.settings.index_url) == ((CORP,), "https://corp.example/simple/")
    found = loaded(home, {}, repository_url=("company",))
    assert found.settings.repository_url == (CORP,)
    assert (found.settings.user, found.settings.password) == ("me", Secret("s3cret"))
    assert found.origin("password") == Origin("other tool", f"{home / '.pypirc'} [company]")
    with pytest.raises(ConfigurationError, match="unheard-of") as caught:
        loaded(home, {}, repository_url=("unheard-of",))
    assert "publish-url" in caught.value.hints[1]
    with pytest.raises(ConfigurationError, match="no publish-url"):
        loaded(home, {}, repository_url=("readonly",))
    assert "TWINE_REPOSITORY names an index that is not known" in objection(loaded(home, {"TWINE_REPOSITORY": "what"}))


def test_a_pypirc_is_read_only_for_a_name_and_never_instead_of_trusted_publishing(home: Path) -> None:
    (home / ".pypirc").write_text("not an ini file")
    assert loaded(home, {}).settings.password is None
    assert loaded(home, {}, repository_url=(CORP,)).settings.password is None
    with pytest.raises(ConfigurationError, match="cannot be read"):
        loaded(home, {}, repository_url=("company",))
    (home / ".pypirc").write_text(PYPIRC)
    assert loaded(home, {}, repository_url=("testpypi",)).settings.password == Secret("pypi-x")
    assert loaded(home, IDENTITY, repository_url=("testpypi",)).settings.password is None
    assert loaded(home, {}, repository_url=("pypi",)).settings.password is None
    assert loaded(home, {}, repository_url=("company", "testpypi")).settings.password is None
    assert loaded(home, {"CI_PUBLISH_PASSWORD": "x"}, repository_url=("company",)).settings.password == Secret("x")
    assert loaded(home, {"TWINE_REPOSITORY": "company"}).settings.password == Secret("s3cret")


def test_a_pypirc_that_is_too_large_is_a_mistake(home: Path) -> None:
    (home / ".pypirc").write_text(PYPIRC + "#" * MAX_SETTINGS)
    with pytest.raises(ConfigurationError, match="more than 1024 KiB"):
        loaded(home, {}, repository_url=("company",))
    (home / ".pypirc").write_text(PYPIRC + " a\n" * MAX_LINES)
    with pytest.raises(ConfigurationError, match="more than 5,000 lines"):
        loaded(home, {}, repository_url=("company",))


def test_a_pypirc_that_others_can_read_is_warned_of(home: Path) -> None:
    (home / ".pypirc").chmod(0o644)
    assert "pypirc-readable-by-others" in [note.slug for note in loaded(home, {}, repository_url=("company",)).notes]


def test_a_config_file_is_named(home: Path) -> None:
    other = home / "other"
    other.write_text("[pypi]\nusername = __token__\npassword = pypi-y\n")
    other.chmod(0o600)
    assert loaded(home, {}, config_file=str(other)).settings.password == Secret("pypi-y")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        loaded(home, {}, config_file=str(home / "none"), repository_url=("company",))
    other.write_text(f"[pypi]\nrepository = {CORP}\n")
    assert "is another index" in objection(loaded(home, {}, config_file=str(other)))
    other.write_text("[bare]\nusername = me\n")
    with pytest.raises(ConfigurationError, match="no `repository`"):
        loaded(home, {}, config_file=str(other), repository_url=("bare",))


def test_without_a_home_there_is_no_pypirc() -> None:
    with pytest.raises(ConfigurationError, match="somewhere") as caught:
        IndexNames((), None).find("somewhere", "--repository-url")
    assert "sections" not in caught.value.detail
    assert IndexNames("nonsense", None).find("PyPI", "--repository-url").upload == PYPI


def test_secrets_of_tools_that_are_never_used_are_named() -> None:
    environ = {"PYPI_TOKEN": "x", "POETRY_PYPI_TOKEN_PYPI": "y", "HATCH_INDEX_AUTH": "", "OTHER_TOKEN": "z"}
    assert unused_secrets(environ) == ["POETRY_PYPI_TOKEN_PYPI", "PYPI_TOKEN"]
