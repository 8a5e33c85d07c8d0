import sys

import pytest

from ci_publish.identity.keyring import Lookup, import_keyring, keyring_for_people
from ci_publish.model.identity import Secret


def lookup() -> Lookup:
    def get_password(address: str, user: str) -> str | None:
        if user == "locked":
            raise RuntimeError("the keyring is locked")
        return "s3cret" if (address, user) == ("https://index.example/", "alice") else None

    return get_password


def test_people_at_a_terminal_may_use_their_keyring() -> None:
    keyring = keyring_for_people({}, at_terminal=lambda: True, lookup=lookup)
    assert keyring is not None
    assert keyring("https://index.example/", "alice") == Secret("s3cret")
    assert keyring("https://index.example/", "bob") is None
    assert keyring("https://index.example/", "locked") is None


def test_nobody_else_may() -> None:
    assert keyring_for_people({"CI": "true"}, at_terminal=lambda: True, lookup=lookup) is None
    assert keyring_for_people({}, at_terminal=lambda: False, lookup=lookup) is None
    assert keyring_for_people({}, at_terminal=lambda: True, lookup=lambda: None) is None


def test_the_extra_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert import_keyring() is None


def test_the_extra_is_found_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Installed:
        @staticmethod
        def get_password(address: str, user: str) -> str | None:
            return f"{user}@{address}"

    monkeypatch.setitem(sys.modules, "keyring", Installed())
    found = import_keyring()
    assert found is not None
    assert found("index", "alice") == "alice@index"
