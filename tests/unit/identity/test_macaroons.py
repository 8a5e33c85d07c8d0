import base64
import json

import pytest

from ci_publish.identity.macaroons import ReadToken, TruncatedToken, read_token
from ci_publish.model.token_scope import TokenScope
from ci_publish.rehearsal.tokens import TokenStore, User
from tests.unit.identity.credential_harness import macaroon

EXPIRY = [0, 1_800_000_900, 1_800_000_000]


@pytest.mark.parametrize(
    ("caveats", "scope"),
    [
        ([], TokenScope()),
        ([[3, "user"]], TokenScope()),
        ([[1, ["demo", "Other.Name"]]], TokenScope(frozenset({"demo", "other-name"}))),
        ([[1, ["a", "b"]], [1, ["b", "c"]]], TokenScope(frozenset({"b"}))),
        ([[2, ["x", "y", "x"]]], TokenScope(count=2)),
        ([[2, ["x", "y"]], [2, ["x"]]], TokenScope(count=1)),
        ([[4, "publisher"], [2, ["x"]], EXPIRY], TokenScope(None, 1, 1_800_000_000.0, 1_800_000_900.0)),
        ([EXPIRY, [0, 1_700_000_000, 0]], TokenScope(begins=0.0, expires=1_700_000_000.0)),
        ([{"version": 1, "permissions": {"projects": ["demo"]}}], TokenScope(frozenset({"demo"}))),
        ([{"version": 1, "permissions": "user"}], TokenScope()),
        ([{"project_ids": ["x", "y"]}, {"exp": 5, "nbf": 1}], TokenScope(None, 2, 1.0, 5.0)),
        ([{"permissions": "user"}, {"exp": 5}], TokenScope()),
        ([[9, "unknown"], {"version": 1}, b"no JSON", [1, [7]], [0, "soon", 0], [1, "demo"]], TokenScope()),
    ],
)
def test_the_caveats_are_read(caveats: list[object], scope: TokenScope) -> None:
    assert read_token(macaroon(*caveats)) == ReadToken("pypi.org", scope)


def test_a_real_token_of_the_rehearsal_is_read() -> None:
    raw = TokenStore("rehearsal", lambda: 0.0).issue(User("somebody"), [[1, ["demo"]], [3, "somebody"]])
    assert read_token(raw) == ReadToken("rehearsal", TokenScope(frozenset({"demo"})))


def test_long_caveats_have_long_lengths() -> None:
    names = [f"project-{number}" for number in range(300)]
    raw = TokenStore("pypi.org", lambda: 0.0).issue(User("somebody"), [[1, names]])
    read = read_token(raw)
    assert isinstance(read, ReadToken)
    assert read.scope.projects == frozenset(names)


def test_every_part_of_a_token_is_known_to_be_a_part() -> None:
    whole = macaroon([1, ["demo"]], EXPIRY)
    parts = [whole[:length] for length in range(len("pypi-AgE"), len(whole) - 1)]
    assert {type(read_token(part)) for part in parts} == {TruncatedToken}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "password",
        "pypi-",
        "pypi-secret",
        "pypi-wrong!",
        "pypi-" + base64.urlsafe_b64encode(json.dumps(["a", "b"]).encode()).decode(),
        macaroon()[5:],
        "pypi-AgE" + "A" * 70_000,
    ],
)
def test_what_is_no_macaroon_states_nothing(text: str) -> None:
    assert read_token(text) is None
