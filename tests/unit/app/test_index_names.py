"""Names of indexes, as uv and twine explain them."""

from pathlib import Path

import pytest

from ci_publish.app.index_names import MAX_LINES, IndexNames
from ci_publish.app.options import Origin
from ci_publish.errors import ConfigurationError
from ci_publish.model.identity import Secret
from ci_publish.regular_files import MAX_SETTINGS
from tests.unit.app.tools_settings import CORP, IDENTITY, PYPI, PYPIRC, loaded, objection


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
    assert "TWINE_REPOSITORY names an unknown index" in objection(loaded(home, {"TWINE_REPOSITORY": "what"}))


def test_of_several_destinations_a_name_gives_no_simple_api(home: Path) -> None:
    found = loaded(home, {}, repository_url=("corp", "testpypi"))
    assert (found.settings.repository_url, found.settings.index_url) == ((CORP, "testpypi"), None)
    given = loaded(home, {}, repository_url=("corp",), index_url="https://mirror.example/simple/")
    assert given.settings.index_url == "https://mirror.example/simple/"


@pytest.mark.parametrize("plain", ["url", "publish-url"])
def test_an_index_of_uv_with_plain_http_must_be_allowed(home: Path, plain: str) -> None:
    addresses = {"url": "https://plain.example/simple/", "publish-url": "https://plain.example/upload/"}
    addresses[plain] = addresses[plain].replace("https:", "http:")
    lines = "".join(f'{key} = "{value}"\n' for key, value in addresses.items())
    (home / "pyproject.toml").write_text(f'[[tool.uv.index]]\nname = "plain"\n{lines}')
    with pytest.raises(ConfigurationError, match="is plain http"):
        loaded(home, {}, repository_url=("plain",))
    allowed = loaded(home, {}, repository_url=("plain",), allow_http=("plain.example",)).settings
    assert (allowed.repository_url, allowed.index_url) == ((addresses["publish-url"],), addresses["url"])


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
    with pytest.raises(ConfigurationError, match="more than 1 MiB"):
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
    assert "is a different index" in objection(loaded(home, {}, config_file=str(other)))
    other.write_text("[bare]\nusername = me\n")
    with pytest.raises(ConfigurationError, match="no `repository`"):
        loaded(home, {}, config_file=str(other), repository_url=("bare",))


def test_a_config_file_that_is_no_path_is_a_mistake(home: Path) -> None:
    (home / "pyproject.toml").write_text('[tool.ci-publish]\nconfig-file = ["one", "two"]\n')
    with pytest.raises(ConfigurationError, match="config-file must be a path"):
        loaded(home, {})


def test_without_a_home_there_is_no_pypirc() -> None:
    with pytest.raises(ConfigurationError, match="somewhere") as caught:
        IndexNames((), None).find("somewhere", "--repository-url")
    assert "sections" not in caught.value.detail
    assert IndexNames("nonsense", None).find("PyPI", "--repository-url").upload == PYPI


@pytest.mark.parametrize("name", ["testpypi", "TestPyPI", "pypi"])
def test_pypi_s_own_names_mean_the_same_in_uv(home: Path, name: str) -> None:
    entry = f'[[tool.uv.index]]\nname = "{name}"\nurl = "https://corp.example/simple/"\n'
    (home / "pyproject.toml").write_text(f'{entry}publish-url = "{CORP}"\n')
    with pytest.raises(ConfigurationError, match=f"{name.lower()} is a different index in ..tool.uv.index") as caught:
        loaded(home, {}, repository_url=(name.lower(),))
    assert f"repository-url: {CORP}" in str(caught.value.hints[0])
    assert "is a different index" in objection(loaded(home, {"UV_PUBLISH_INDEX": name}))
    assert loaded(home, {}).objection is None
    (home / "pyproject.toml").write_text(entry)
    assert loaded(home, {}, repository_url=(name.lower(),)).settings.repository_url == (name.lower(),)
    known = {"pypi": PYPI, "testpypi": "https://test.pypi.org/legacy"}[name.lower()]
    (home / "pyproject.toml").write_text(f'{entry}publish-url = "{known}"\n')
    assert loaded(home, {}, repository_url=(name.lower(),)).settings.repository_url == (name.lower(),)
