import sys

import pytest

from ci_publish.errors import ConfigurationError
from ci_publish.identity.keyring import KeyringEntry, Lookup, import_keyring, keyring_at_terminal, requested_keyring
from ci_publish.model.identity import Secret


def lookup() -> Lookup:
    def find(address: str, user: str | None) -> tuple[str, str] | None:
        if user == "locked":
            raise RuntimeError("the keyring is locked")
        if address == "https://registry.example/" and user is None:
            return "oauth2accesstoken", "t0ken"
        return ("alice", "s3cret") if (address, user) == ("https://index.example/", "alice") else None

    return find


def test_people_at_a_terminal_may_use_their_keyring() -> None:
    keyring = keyring_at_terminal({}, at_terminal=lambda: True, lookup=lookup)
    assert keyring is not None
    assert keyring("https://index.example/", "alice") == KeyringEntry("alice", Secret("s3cret"))
    assert keyring("https://index.example/", "bob") is None
    assert keyring("https://index.example/", "locked") is None


def test_a_back_end_may_know_the_user() -> None:
    keyring = requested_keyring(lookup)
    assert keyring("https://registry.example/", "__token__") == KeyringEntry("oauth2accesstoken", Secret("t0ken"))
    assert keyring("https://registry.example/", "alice") is None, "somebody else's secret"


def test_a_keyring_that_was_asked_for_must_be_installed() -> None:
    with pytest.raises(ConfigurationError, match="extra `keyring`"):
        requested_keyring(lambda: None)


def test_nobody_else_may() -> None:
    assert keyring_at_terminal({"CI": "true"}, at_terminal=lambda: True, lookup=lookup) is None
    assert keyring_at_terminal({}, at_terminal=lambda: False, lookup=lookup) is None
    assert keyring_at_terminal({}, at_terminal=lambda: True, lookup=lambda: None) is None


def test_the_extra_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert import_keyring() is None


def test_the_extra_is_found_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Credential:
        username = "aws"
        password = "t0ken"

    class Installed:
        @staticmethod
        def get_password(address: str, user: str) -> str | None:
            return f"{user}@{address}" if user == "alice" else None

        @staticmethod
        def get_credential(address: str, user: str | None) -> Credential | None:
            return Credential() if address == "index" and user is None else None

    monkeypatch.setitem(sys.modules, "keyring", Installed())
    found = import_keyring()
    assert found is not None
    assert found("index", "alice") == ("alice", "alice@index")
    assert found("index", "bob") is None
    assert found("index", None) == ("aws", "t0ken")
    assert found("other", None) is None
