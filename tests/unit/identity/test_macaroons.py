import base64
import json

import pytest

from ci_publish.identity.macaroons import (
    ReadToken,
    TruncatedToken,
    is_token_issued_for,
    macaroon_location,
    read_pypi_token,
)
from ci_publish.model.token_scope import TokenScope
from ci_publish.rehearsal.upload_token_store import TokenUser, UploadTokenStore
from tests.unit.identity.credential_harness import macaroon

EXPIRY = [0, 1_800_000_900, 1_800_000_000]


@pytest.mark.parametrize(
    ("caveats", "scope"),
    [
        ([], TokenScope()),
        ([[3, "user"]], TokenScope()),
        ([[1, ["demo", "Other.Name"]]], TokenScope(projects=frozenset({"demo", "other-name"}))),
        ([[1, ["a", "b"]], [1, ["b", "c"]]], TokenScope(projects=frozenset({"b"}))),
        ([[2, ["x", "y", "x"]]], TokenScope(count=2)),
        ([[2, ["x", "y"]], [2, ["x"]]], TokenScope(count=1)),
        (
            [[4, "publisher"], [2, ["x"]], EXPIRY],
            TokenScope(projects=None, count=1, begins=1_800_000_000.0, expires=1_800_000_900.0),
        ),
        ([EXPIRY, [0, 1_700_000_000, 0]], TokenScope(begins=0.0, expires=1_700_000_000.0)),
        ([{"version": 1, "permissions": {"projects": ["demo"]}}], TokenScope(projects=frozenset({"demo"}))),
        ([{"version": 1, "permissions": "user"}], TokenScope()),
        (
            [{"project_ids": ["x", "y"]}, {"exp": 5, "nbf": 1}],
            TokenScope(projects=None, count=2, begins=1.0, expires=5.0),
        ),
        ([{"permissions": "user"}, {"exp": 5}], TokenScope()),
        ([[9, "unknown"], {"version": 1}, b"no JSON", [1, [7]], [0, "soon", 0], [1, "demo"]], TokenScope()),
    ],
)
def test_the_caveats_are_read(caveats: list[object], scope: TokenScope) -> None:
    assert read_pypi_token(macaroon(*caveats)) == ReadToken("pypi.org", scope)


def test_a_real_token_of_the_rehearsal_is_read() -> None:
    raw = UploadTokenStore("rehearsal", lambda: 0.0).issue_upload_token(
        TokenUser("somebody"), [[1, ["demo"]], [3, "somebody"]]
    )
    assert read_pypi_token(raw) == ReadToken("rehearsal", TokenScope(projects=frozenset({"demo"})))


def test_long_caveats_have_long_lengths() -> None:
    names = [f"project-{number}" for number in range(300)]
    raw = UploadTokenStore("pypi.org", lambda: 0.0).issue_upload_token(TokenUser("somebody"), [[1, names]])
    read = read_pypi_token(raw)
    assert isinstance(read, ReadToken)
    assert read.scope.projects == frozenset(names)


def test_every_part_of_a_token_is_known_to_be_a_part() -> None:
    whole = macaroon([1, ["demo"]], EXPIRY)
    parts = [whole[:length] for length in range(len("pypi-AgE"), len(whole) - 1)]
    assert {type(read_pypi_token(part)) for part in parts} == {TruncatedToken}


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
    assert read_pypi_token(text) is None


def token(data: bytes) -> str:
    return "pypi-" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


PYPI = token(b"\x02\x01\x08pypi.org\x02\x03abc\x00")
TESTPYPI = token(b"\x02\x01\x0dtest.pypi.org\x02\x03abc\x00")


def test_the_issuer_is_read() -> None:
    assert PYPI.startswith("pypi-AgEIcHlwaS5vcmc"), "as all tokens of PyPI do"
    assert macaroon_location(PYPI) == "pypi.org"
    assert macaroon_location(TESTPYPI) == "test.pypi.org"


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "pypi-",
        "pypi-x",
        "pypi-not base64!",
        token(b"\x01\x01\x08pypi.org"),
        token(b"\x02\x02\x08pypi.org"),
        token(b"\x02\x01\x20pypi.org"),
        token(b"\x02"),
        token(b"\x02\x01\x01/"),
        token(b"\x02\x01\x00"),
    ],
)
def test_what_names_no_issuer_says_nothing(text: str) -> None:
    assert macaroon_location(text) is None
    assert is_token_issued_for(text, "upload.pypi.org") is None


def test_a_token_fits_its_own_index_only() -> None:
    assert is_token_issued_for(PYPI, "upload.pypi.org")
    assert is_token_issued_for(PYPI, "test.pypi.org") is False
    assert is_token_issued_for(TESTPYPI, "test.pypi.org")
    assert is_token_issued_for(TESTPYPI, "upload.pypi.org") is False
    assert is_token_issued_for(PYPI, "evilpypi.org") is False
    assert is_token_issued_for(PYPI, "pypi.org.example") is False
    assert is_token_issued_for(PYPI, "www.pypi.org") is False


@pytest.mark.parametrize(
    ("issuer", "host", "fits"),
    [
        ("corp.example", "corp.example", True),
        ("corp.example:8443", "corp.example", True),
        ("Corp.Example", "corp.example", True),
        ("corp.example", "upload.corp.example", False),
        ("nexus", "nexus", True),
        ("nexus", "upload.pypi.org", False),
        ("127.0.0.1", "localhost", True),
        ("localhost:8080", "::1", True),
        ("localhost", "corp.example", False),
        ("pypi.org", "127.0.0.1", False),
    ],
)
def test_a_token_of_another_index_fits_the_host_that_it_names(issuer: str, host: str, fits: bool) -> None:
    named = issuer.encode()
    assert is_token_issued_for(token(b"\x02\x01" + bytes([len(named)]) + named + b"\x02\x03abc\x00"), host) is fits
