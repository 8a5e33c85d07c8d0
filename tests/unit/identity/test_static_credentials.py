"""API tokens, passwords, and none."""

from dataclasses import replace

import pytest

from ci_publish import errors
from ci_publish.http.messages import BasicAuthorization
from ci_publish.identity.credential_choice import (
    CredentialOptions,
    choose_credential,
)
from ci_publish.identity.static_credentials import TOKEN_USER, StaticCredential
from ci_publish.index.endpoints import TESTPYPI
from ci_publish.model.events import Noted
from ci_publish.model.identity import CredentialKind, Secret
from ci_publish.model.index import Endpoints, IndexProfile
from tests.unit.identity.chosen_credentials import API_TOKEN, NOWHERE, choose
from tests.unit.identity.credential_harness import NOW, OTHER, PYPI, Harness, macaroon

ON_LOOPBACK = replace(PYPI, name="127.0.0.1:1", upload="http://127.0.0.1:1/legacy/")


def test_an_api_token_is_masked_before_all_and_used_as_it_is() -> None:
    world = Harness()
    credential = choose(CredentialOptions(secret=API_TOKEN), world)
    assert world.masked == [API_TOKEN.reveal()]
    credential.authenticate()
    assert credential.authorization() == BasicAuthorization("__token__", API_TOKEN)
    assert credential.state.kind is CredentialKind.API_TOKEN
    assert credential.renew(credential.authorization()) is None
    credential.burn()
    assert world.index.requests == []
    assert world.ci.asked == []
    assert [(note.slug, note.warning) for note in world.of(Noted)] == [("trusted-publishing-available", False)]


def test_a_user_name_is_refused_early_by_pypi_only() -> None:
    given = CredentialOptions(user="alice", secret=Secret("hunter2"))
    with pytest.raises(errors.PasswordRefused, match="'alice'") as caught:
        choose(given).authenticate()
    assert caught.value.exit_code == 6
    world = Harness()
    elsewhere = choose(given, world, OTHER)
    elsewhere.authenticate()
    assert elsewhere.authorization() == BasicAuthorization("alice", Secret("hunter2"))
    assert elsewhere.state.kind is CredentialKind.PASSWORD
    assert world.events == []


@pytest.mark.parametrize("endpoints", [PYPI, TESTPYPI])
@pytest.mark.parametrize(("secret", "cause"), [("AgEIcHlwaS5vcmc", "only part of a token"), ('"pypi-x"', "a quote")])
def test_a_secret_without_the_prefix_is_not_sent_to_pypi(endpoints: Endpoints, secret: str, cause: str) -> None:
    world = Harness()
    credential = choose(CredentialOptions(secret=Secret(secret), name="The input password"), world, endpoints)
    with pytest.raises(errors.NotAnApiToken, match="The input password does not begin with `pypi-`") as caught:
        credential.authorization()
    assert caught.value.exit_code == 6
    assert cause in caught.value.detail
    assert secret not in str(caught.value) + caught.value.detail + repr(world.events)


def test_a_token_without_its_prefix_is_warned_of_once_elsewhere() -> None:
    world = Harness()
    like_pypi = replace(OTHER, profile=IndexProfile.PYPI)
    credential = choose(CredentialOptions(secret=Secret("AgEIcHlwaS5vcmc"), name="password"), world, like_pypi)
    credential.authenticate()
    credential.authorization()
    assert [note.slug for note in world.of(Noted)] == ["api-token-prefix", "trusted-publishing-available"]
    assert "password does not begin with `pypi-`" in world.of(Noted)[0].message
    assert "AgEI" not in repr(world.events)


def test_a_blank_secret_is_called_empty() -> None:
    credential = StaticCredential(
        endpoints=OTHER, user="alice", secret=Secret(" "), name="password", emit=Harness().events.append
    )
    with pytest.raises(errors.EmptySecret, match="password was given"):
        credential.authorization()


def test_what_was_given_is_not_missing_and_what_was_not_is() -> None:
    world = Harness(ci=NOWHERE)
    assert choose(CredentialOptions(secret=API_TOKEN), world).missing_credential_error() is None
    assert choose(CredentialOptions(anonymous=True), world).missing_credential_error() is None
    assert isinstance(choose(CredentialOptions(), world).missing_credential_error(), errors.IdentityUnavailable)


@pytest.mark.parametrize(
    ("token", "index", "words"),
    [
        (macaroon([3, "user"])[:40], PYPI, "not a complete API token"),
        (macaroon([0, int(NOW) - 10, 0]), PYPI, "expired less than a minute ago"),
        (macaroon([0, int(NOW) - 3700, 0]), PYPI, "expired 1 hour ago"),
        (macaroon([0, int(NOW) - 3 * 86_400, 0]), PYPI, "expired 3 days ago"),
        (macaroon([0, 1, 0], location="index.example"), OTHER, "expired .* days ago"),
        (macaroon([0, 1, 0]), replace(OTHER, takes_any_token=True), "expired .* days ago"),
        (macaroon(location="test.pypi.org"), PYPI, "an API token of test.pypi.org, not of pypi.org"),
        (macaroon(), TESTPYPI, "an API token of pypi.org, not of test.pypi.org"),
        (macaroon(location="127.0.0.1"), PYPI, "an API token of 127.0.0.1, not of pypi.org"),
        (macaroon(), OTHER, "an API token of pypi.org, not of index.example"),
        (macaroon(location="upload.index.example"), OTHER, "of upload.index.example, not of index.example"),
        (macaroon(location="test.pypi.org"), ON_LOOPBACK, "an API token of test.pypi.org, not of 127.0.0.1"),
    ],
)
@pytest.mark.parametrize("user", [None, "alice"])
def test_a_token_that_cannot_work_is_not_sent(token: str, index: Endpoints, words: str, user: str | None) -> None:
    if user is not None and index.profile is IndexProfile.PYPI:
        user = TOKEN_USER
    world = Harness()
    credential = choose_credential(index, CredentialOptions(user=user, secret=Secret(token)), world.tools())
    for ask in (credential.authenticate, credential.authorization):
        with pytest.raises(errors.ApiTokenUnusable, match=words) as caught:
            ask()
        assert token not in str(caught.value) + caught.value.detail
    assert world.index.requests == []


@pytest.mark.parametrize(
    ("token", "endpoints"),
    [
        (macaroon([0, int(NOW) + 1, 0]), PYPI),
        (macaroon(location="test.pypi.org"), TESTPYPI),
        (macaroon(location="localhost"), ON_LOOPBACK),
        (macaroon(location="index.example:8443"), OTHER),
        (macaroon(location=""), OTHER),
        (macaroon([0, 1, 0])[:40], OTHER),
        (macaroon([0, int(NOW) + 1, 0]), replace(OTHER, takes_any_token=True)),
        ("pypi-x", OTHER),
        ("hunter2", OTHER),
    ],
)
def test_what_says_nothing_against_itself_is_sent(token: str, endpoints: Endpoints) -> None:
    choose_credential(endpoints, CredentialOptions(secret=Secret(token)), Harness().tools()).authenticate()


def test_what_a_token_states_counts_behind_an_upload_proxy_too() -> None:
    proxy, given = replace(OTHER, takes_any_token=True), CredentialOptions(secret=Secret(macaroon([1, ["demo"]])))
    scope = choose_credential(proxy, given, Harness().tools()).state.scope
    assert scope is not None
    assert scope.names_project("demo")
    assert not scope.names_project("other")


def test_an_upload_proxy_is_allowed_by_name() -> None:
    with pytest.raises(errors.ApiTokenUnusable) as caught:
        choose_credential(OTHER, CredentialOptions(secret=API_TOKEN), Harness().tools()).authenticate()
    assert "token-for: index.example" in caught.value.hints[-1], "the line to write"


def test_what_a_token_states_is_part_of_its_state() -> None:
    token = Secret(macaroon([1, ["demo"]]))
    state = choose_credential(PYPI, CredentialOptions(secret=token), Harness().tools()).state
    assert state.scope is not None
    assert state.scope.names_project("demo")
    assert choose_credential(OTHER, CredentialOptions(secret=token), Harness().tools()).state.scope is None
    assert choose_credential(PYPI, CredentialOptions(user="alice", secret=token), Harness().tools()).state.scope is None
    assert choose_credential(PYPI, CredentialOptions(secret=Secret("pypi-x")), Harness().tools()).state.scope is None
