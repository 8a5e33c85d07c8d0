from dataclasses import replace

import pytest

from ci_publish import errors
from ci_publish.http.messages import BasicAuthorization
from ci_publish.identity.credential import (
    KEYRING_NAME,
    Credential,
    CredentialOptions,
    TrustedPublishing,
    choose_credential,
    shared,
)
from ci_publish.identity.keyring import Keyring, KeyringEntry
from ci_publish.identity.static import TOKEN_USER, AnonymousCredential, MissingCredential, StaticCredential
from ci_publish.identity.upload_tokens import TrustedPublishingCredential
from ci_publish.index.endpoints import TESTPYPI
from ci_publish.model.events import Noted
from ci_publish.model.identity import CredentialKind, Secret
from ci_publish.model.index import Endpoints, IndexProfile
from tests.unit.identity.credential_harness import NOW, OTHER, PYPI, FakeCI, Harness, macaroon

API_TOKEN = Secret(macaroon([3, "user"]))
NOWHERE = FakeCI(provider=None)


def choose(
    given: CredentialOptions,
    world: Harness | None = None,
    endpoints: Endpoints = PYPI,
    keyring: Keyring | None = None,
) -> Credential:
    world = world or Harness()
    return choose_credential(endpoints, given, world.tools(keyring))


@pytest.mark.parametrize(
    ("given", "ci", "kind"),
    [
        (CredentialOptions(), FakeCI(), TrustedPublishingCredential),
        (CredentialOptions(secret=API_TOKEN), FakeCI(), StaticCredential),
        (CredentialOptions(secret=API_TOKEN), NOWHERE, StaticCredential),
        (CredentialOptions(secret=Secret("")), FakeCI(), TrustedPublishingCredential),
        (CredentialOptions(user="__token__", secret=Secret(" \n")), FakeCI(), TrustedPublishingCredential),
        (CredentialOptions(user="alice", secret=Secret("")), FakeCI(), MissingCredential),
        (CredentialOptions(secret=Secret("")), NOWHERE, MissingCredential),
        (CredentialOptions(), NOWHERE, MissingCredential),
        (CredentialOptions(trusted_publishing=TrustedPublishing.ALWAYS), NOWHERE, TrustedPublishingCredential),
        (CredentialOptions(trusted_publishing=TrustedPublishing.NEVER), FakeCI(), MissingCredential),
        (CredentialOptions(anonymous=True), FakeCI(), AnonymousCredential),
    ],
)
def test_the_credential_follows_what_was_given(given: CredentialOptions, ci: FakeCI, kind: type) -> None:
    assert type(choose(given, Harness(ci=ci))) is kind


@pytest.mark.parametrize(
    ("given", "ci", "at_pypi", "elsewhere"),
    [
        (CredentialOptions(), FakeCI(), TrustedPublishingCredential, TrustedPublishingCredential),
        (CredentialOptions(user="alice", secret=Secret("x")), FakeCI(), TrustedPublishingCredential, StaticCredential),
        (CredentialOptions(user="alice", secret=Secret("x")), NOWHERE, MissingCredential, StaticCredential),
        (CredentialOptions(user="__token__", secret=Secret("x")), FakeCI(), StaticCredential, StaticCredential),
        (
            CredentialOptions(user="__token__", secret=API_TOKEN),
            FakeCI(),
            StaticCredential,
            TrustedPublishingCredential,
        ),
        (CredentialOptions(secret=API_TOKEN), NOWHERE, StaticCredential, MissingCredential),
        (CredentialOptions(anonymous=True), FakeCI(), TrustedPublishingCredential, AnonymousCredential),
        (CredentialOptions(anonymous=True), NOWHERE, MissingCredential, AnonymousCredential),
    ],
)
def test_each_of_several_indexes_gets_what_is_meant_for_it(
    given: CredentialOptions, ci: FakeCI, at_pypi: type, elsewhere: type
) -> None:
    both = replace(given, several=True)
    assert type(choose(both, Harness(ci=ci), PYPI)) is at_pypi
    assert type(choose(both, Harness(ci=ci), OTHER)) is elsewhere


@pytest.mark.parametrize(
    ("given", "endpoints", "words"),
    [
        (CredentialOptions(user="alice", secret=Secret("x")), PYPI, "The password is for other indexes of this run"),
        (CredentialOptions(anonymous=True), PYPI, "The wish for no credential is for other indexes"),
        (CredentialOptions(secret=API_TOKEN), OTHER, "its API tokens are shown to no other index"),
    ],
)
def test_a_secret_that_is_withheld_is_said_to_be(given: CredentialOptions, endpoints: Endpoints, words: str) -> None:
    with pytest.raises(errors.IdentityUnavailable) as caught:
        choose(replace(given, several=True), Harness(ci=NOWHERE), endpoints).authenticate()
    assert words in caught.value.detail
    assert "Indexes that need different secrets need a run each." in caught.value.hints


@pytest.mark.parametrize(
    "given",
    [
        CredentialOptions(secret=API_TOKEN, trusted_publishing=TrustedPublishing.ALWAYS),
        CredentialOptions(secret=API_TOKEN, anonymous=True),
    ],
)
def test_contradictions_are_refused(given: CredentialOptions) -> None:
    with pytest.raises(errors.ConfigurationError, match="The password was given together"):
        choose(given)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (CredentialOptions(), errors.IdentityUnavailable, "no credential for pypi"),
        (
            CredentialOptions(trusted_publishing=TrustedPublishing.NEVER),
            errors.IdentityUnavailable,
            "no credential for pypi",
        ),
        (
            CredentialOptions(secret=Secret(""), name="CI_PUBLISH_PASSWORD"),
            errors.EmptySecret,
            "CI_PUBLISH_PASSWORD was given, and it",
        ),
    ],
)
def test_what_is_missing_is_said_when_it_is_needed(
    given: CredentialOptions, error: type[errors.IdentityUnavailable], words: str
) -> None:
    credential = choose(given, Harness(ci=NOWHERE))
    assert credential.state.kind is CredentialKind.NONE
    assert credential.renew(None) is None
    credential.burn()
    for ask in (credential.authenticate, credential.authorization):
        with pytest.raises(error, match=words) as caught:
            ask()
        assert type(caught.value) is error
        assert caught.value.exit_code == 5
        assert len(caught.value.hints) >= 2


def test_the_ways_to_a_credential_differ_by_why_there_is_none() -> None:
    switched_off = choose(CredentialOptions(trusted_publishing=TrustedPublishing.NEVER))
    assert isinstance(switched_off, MissingCredential)
    assert "switched off" in switched_off.error.detail


def test_an_empty_secret_beside_an_identity_is_mentioned() -> None:
    world = Harness()
    choose(CredentialOptions(secret=Secret(""), name="password"), world)
    [note] = world.of(Noted)
    assert (note.slug, note.warning) == ("empty-secret", True)
    assert "password is empty" in note.message


def test_no_credential_is_sent_where_none_was_wanted() -> None:
    credential = choose(CredentialOptions(anonymous=True))
    credential.authenticate()
    assert credential.authorization() is None
    assert credential.renew(None) is None
    credential.burn()
    assert credential.state.kind is CredentialKind.NONE


# API tokens and passwords ---------------------------------------------------------------------------------------


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
@pytest.mark.parametrize(("secret", "cause"), [("AgEIcHlwaS5vcmc", "a part of a token"), ('"pypi-x"', "a quote")])
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


# keyring --------------------------------------------------------------------------------------------------------


def test_a_keyring_is_asked_where_there_is_one_and_nothing_else() -> None:
    asked: list[tuple[str, str]] = []

    def keyring(address: str, user: str) -> KeyringEntry | None:
        asked.append((address, user))
        return KeyringEntry(user, API_TOKEN) if user == "__token__" else None

    assert isinstance(choose(CredentialOptions(), Harness(ci=NOWHERE), keyring=keyring), StaticCredential)
    assert isinstance(choose(CredentialOptions(user="alice"), Harness(ci=NOWHERE), keyring=keyring), MissingCredential)
    assert isinstance(choose(CredentialOptions(), Harness(), keyring=keyring), TrustedPublishingCredential)
    assert asked == [(PYPI.upload, "__token__"), (PYPI.upload, "alice")]


def test_a_keyring_that_was_asked_for_is_the_only_credential() -> None:
    missing = choose(CredentialOptions(keyring=True), Harness()).missing()
    assert isinstance(missing, errors.IdentityUnavailable)
    assert PYPI.upload in missing.summary
    found = choose(
        CredentialOptions(user="oauth2accesstoken", secret=Secret("s"), name=KEYRING_NAME, keyring=True),
        Harness(),
        OTHER,
    )
    assert found.authorization() == BasicAuthorization("oauth2accesstoken", Secret("s"))
    for other in (CredentialOptions(keyring=True, anonymous=True), CredentialOptions(secret=API_TOKEN, keyring=True)):
        with pytest.raises(errors.ConfigurationError, match="keyring"):
            choose(other)


def test_what_was_given_is_not_missing_and_what_was_not_is() -> None:
    world = Harness(ci=NOWHERE)
    assert choose(CredentialOptions(secret=API_TOKEN), world).missing() is None
    assert choose(CredentialOptions(anonymous=True), world).missing() is None
    assert isinstance(choose(CredentialOptions(), world).missing(), errors.IdentityUnavailable)


TESTPYPI = replace(PYPI, name="testpypi", upload="https://test.pypi.org/legacy/")
SECOND = replace(OTHER, name="second", upload="https://second.example/")
ON_LOOPBACK = replace(PYPI, name="127.0.0.1:1", upload="http://127.0.0.1:1/legacy/")
SAME_SERVER = replace(OTHER, name="same", upload="https://index.example:443/same/")


@pytest.mark.parametrize(
    ("destinations", "given", "names"),
    [
        ((PYPI, TESTPYPI), CredentialOptions(secret=API_TOKEN), "pypi, testpypi"),
        ((OTHER, SECOND), CredentialOptions(user="alice", secret=Secret("x")), "index.example/legacy, second"),
        ((PYPI, OTHER), CredentialOptions(secret=Secret("x")), "pypi, index.example/legacy"),
        ((PYPI, OTHER), CredentialOptions(secret=API_TOKEN), None),
        ((PYPI, OTHER), CredentialOptions(user="alice", secret=Secret("x")), None),
        ((OTHER, SAME_SERVER), CredentialOptions(user="alice", secret=Secret("x")), None),
        ((PYPI, TESTPYPI), CredentialOptions(), None),
        ((PYPI, TESTPYPI), CredentialOptions(secret=Secret(" ")), None),
        ((PYPI, TESTPYPI), CredentialOptions(anonymous=True), None),
    ],
)
def test_no_secret_is_for_several_servers(
    destinations: tuple[Endpoints, ...], given: CredentialOptions, names: str | None
) -> None:
    error = shared(destinations, replace(given, several=True))
    assert (error is not None) is (names is not None)
    if error is not None:
        assert error.summary == f"The password would be shown to several indexes: {names}."
        assert error.exit_code == 2
        assert "Trusted Publishing" in error.hints[1]


@pytest.mark.parametrize(
    ("token", "index", "words"),
    [
        (macaroon([3, "user"])[:40], PYPI, "not a whole API token"),
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
    assert scope.names("demo")
    assert not scope.names("other")


def test_an_upload_proxy_is_allowed_by_name() -> None:
    with pytest.raises(errors.ApiTokenUnusable) as caught:
        choose_credential(OTHER, CredentialOptions(secret=API_TOKEN), Harness().tools()).authenticate()
    assert "token-for: index.example" in caught.value.hints[-1], "the line to write"


def test_what_a_token_states_is_part_of_its_state() -> None:
    token = Secret(macaroon([1, ["demo"]]))
    state = choose_credential(PYPI, CredentialOptions(secret=token), Harness().tools()).state
    assert state.scope is not None
    assert state.scope.names("demo")
    assert choose_credential(OTHER, CredentialOptions(secret=token), Harness().tools()).state.scope is None
    assert choose_credential(PYPI, CredentialOptions(user="alice", secret=token), Harness().tools()).state.scope is None
    assert choose_credential(PYPI, CredentialOptions(secret=Secret("pypi-x")), Harness().tools()).state.scope is None
