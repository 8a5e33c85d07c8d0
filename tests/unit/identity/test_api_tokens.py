"""What an API token says about the index that issued it."""

import base64

import pytest

from ci_publish.identity.api_tokens import issued_for
from ci_publish.identity.macaroons import location


def token(data: bytes) -> str:
    return "pypi-" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


PYPI = token(b"\x02\x01\x08pypi.org\x02\x03abc\x00")
TESTPYPI = token(b"\x02\x01\x0dtest.pypi.org\x02\x03abc\x00")


def test_the_issuer_is_read() -> None:
    assert PYPI.startswith("pypi-AgEIcHlwaS5vcmc"), "as all tokens of PyPI do"
    assert location(PYPI) == "pypi.org"
    assert location(TESTPYPI) == "test.pypi.org"


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
    assert location(text) is None
    assert issued_for(text, "upload.pypi.org") is None


def test_a_token_fits_its_own_index_only() -> None:
    assert issued_for(PYPI, "upload.pypi.org")
    assert issued_for(PYPI, "test.pypi.org") is False
    assert issued_for(TESTPYPI, "test.pypi.org")
    assert issued_for(TESTPYPI, "upload.pypi.org") is False
    assert issued_for(PYPI, "evilpypi.org") is False
    assert issued_for(PYPI, "pypi.org.example") is False
    assert issued_for(PYPI, "www.pypi.org") is False


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
    assert issued_for(token(b"\x02\x01" + bytes([len(named)]) + named + b"\x02\x03abc\x00"), host) is fits
