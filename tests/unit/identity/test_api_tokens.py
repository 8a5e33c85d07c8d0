"""What an API token says about the index that issued it."""

import base64

import pytest

from ci_publish.identity.api_tokens import issued_for, location


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
        token(b"\x02\x01\x09rehearsal"),
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
