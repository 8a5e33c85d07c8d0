from dataclasses import replace

import pytest

from ci_publish import errors
from ci_publish.http.messages import BasicAuthorization
from ci_publish.identity.credential_choice import (
    KEYRING_NAME,
    CredentialOptions,
    TrustedPublishing,
    shared_secret_error,
)
from ci_publish.identity.keyring import KeyringEntry
from ci_publish.identity.static_credentials import AnonymousCredential, MissingCredential, StaticCredential
from ci_publish.identity.upload_tokens import TrustedPublishingCredential
from ci_publish.model.events import Noted
from ci_publish.model.identity import CredentialKind, Secret
from ci_publish.model.index import Endpoints
from tests.unit.identity.chosen_credentials import API_TOKEN, NOWHERE, choose
from tests.unit.identity.credential_harness import OTHER, PYPI, FakeCI, Harness


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
        (CredentialOptions(anonymous=True), PYPI, "The request to use no credential is for other indexes"),
        (CredentialOptions(secret=API_TOKEN), OTHER, "its API tokens are not sent to other indexes"),
    ],
)
def test_a_secret_that_is_withheld_is_said_to_be(given: CredentialOptions, endpoints: Endpoints, words: str) -> None:
    with pytest.raises(errors.IdentityUnavailable) as caught:
        choose(replace(given, several=True), Harness(ci=NOWHERE), endpoints).authenticate()
    assert words in caught.value.detail
    assert "If indexes need different secrets, publish to each in a separate run." in caught.value.hints


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
            "CI_PUBLISH_PASSWORD was given, but it",
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
    assert "turned off" in switched_off.error.detail


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
    missing = choose(CredentialOptions(keyring=True), Harness()).missing_credential_error()
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


TESTPYPI = replace(PYPI, name="testpypi", upload="https://test.pypi.org/legacy/")
SECOND = replace(OTHER, name="second", upload="https://second.example/")
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
    error = shared_secret_error(destinations, replace(given, several=True))
    assert (error is not None) is (names is not None)
    if error is not None:
        assert error.summary == f"The password would be sent to several indexes: {names}."
        assert error.exit_code == 2
        assert "Trusted Publishing" in error.hints[1]
