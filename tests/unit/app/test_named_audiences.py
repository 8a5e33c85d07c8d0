"""`--audience`: which index the name is for, and which names no index gets."""

import pytest

from ci_publish.app.composition import Composition
from ci_publish.app.named_audiences import named_audiences
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError
from ci_publish.index.endpoints import resolve_endpoints

ONE = "https://one.example/legacy/"
TWO = "https://two.example:8443/api/pypi/team"


def named(*entries: str, indexes: tuple[str, ...] = (ONE,)) -> dict[str, str]:
    return named_audiences(entries, {address: resolve_endpoints(address) for address in indexes})


def test_a_name_is_for_the_only_index() -> None:
    assert named("acme") == {ONE: "acme"}
    assert named() == {}
    assert named("acme", "acme") == {ONE: "acme"}


@pytest.mark.parametrize("index", ["one.example", "ONE.example", ONE])
def test_a_name_is_bound_to_one_index_of_several(index: str) -> None:
    assert named(f"{index}=acme", indexes=(ONE, TWO)) == {ONE: "acme"}
    assert named(f"{index}=acme", f"{TWO}=https://login.example", indexes=(ONE, TWO)) == {
        ONE: "acme",
        TWO: "https://login.example",
    }


def test_a_name_that_is_bound_to_none_of_several_indexes_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="does not specify which of the 2 indexes") as caught:
        named("acme", indexes=(ONE, TWO))
    assert "Assign it to one of them: audience: one.example=acme" in caught.value.hints
    with pytest.raises(ConfigurationError, match=r"three\.example, which is not an index of this run"):
        named("three.example=acme", indexes=(ONE, TWO))


def test_an_index_has_one_name() -> None:
    with pytest.raises(ConfigurationError, match="Two audiences are set"):
        named("acme", "other")


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (ONE, "pypi"),
        (ONE, "testpypi"),
        (ONE, "Sigstore"),
        (ONE, "two words"),
        (ONE, ""),
        ("pypi", "acme"),
        ("pypi", "testpypi"),
    ],
)
def test_what_belongs_to_others_cannot_be_named(index: str, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used for"):
        named(f"{resolve_endpoints(index).name}={name}", indexes=(index,))


def test_an_upload_proxy_reaches_the_index_that_it_is_for() -> None:
    settings = Settings(repository_url=("pypi", ONE), token_for=("ONE.example",))
    composition = Composition(settings, RuntimeContext(environ={}))
    try:
        assert composition.endpoints(ONE).takes_any_token
        assert not composition.endpoints("pypi").takes_any_token
    finally:
        composition.close()


def test_the_setting_reaches_the_index_that_it_is_for() -> None:
    settings = Settings(repository_url=("pypi", ONE), audience=("one.example=acme",))
    composition = Composition(settings, RuntimeContext(environ={}))
    try:
        assert composition.endpoints(ONE).named_audience == "acme"
        assert composition.endpoints("pypi").named_audience is None
    finally:
        composition.close()
