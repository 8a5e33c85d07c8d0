import ssl
from pathlib import Path

import certifi
import pytest

from ci_publish.errors import ConfigurationError
from ci_publish.http.certificates import (
    apply_ca_variables,
    ca_variables,
    certifi_bundle,
    openssl_has_authorities,
    untrusted_certificate_reason,
)

FILE, FOLDER = "ca.pem", "ca.d"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, {}),
        ({"SSL_CERT_FILE": ""}, {}),
        ({"SSL_CERT_FILE": FILE}, {"REQUESTS_CA_BUNDLE": FILE}),
        ({"SSL_CERT_DIR": FOLDER}, {"REQUESTS_CA_BUNDLE": FOLDER}),
        ({"REQUESTS_CA_BUNDLE": FILE}, {"SSL_CERT_FILE": FILE}),
        ({"REQUESTS_CA_BUNDLE": FOLDER}, {"SSL_CERT_DIR": FOLDER}),
        ({"CURL_CA_BUNDLE": FILE}, {"SSL_CERT_FILE": FILE, "REQUESTS_CA_BUNDLE": FILE}),
        ({"SSL_CERT_FILE": FILE, "REQUESTS_CA_BUNDLE": "/other.pem"}, {}),
        ({"SSL_CERT_FILE": FILE, "SSL_CERT_DIR": FOLDER}, {"REQUESTS_CA_BUNDLE": FILE}),
    ],
)
def test_what_one_variable_says_is_said_in_all(
    environ: dict[str, str], expected: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(FILE).touch()
    Path(FOLDER).mkdir()
    assert ca_variables(environ, has_authorities=lambda: True) == expected


def test_a_python_without_authorities_gets_the_public_ones() -> None:
    assert ca_variables({}, has_authorities=lambda: False) == {"SSL_CERT_FILE": certifi.where()}
    assert certifi_bundle() == certifi.where()
    assert isinstance(openssl_has_authorities(), bool)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_path_that_does_not_exist_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=name):
        ca_variables({name: str(tmp_path / "none.pem")})


@pytest.mark.parametrize("value", ["-----BEGIN CERTIFICATE-----\n" + "A" * 4096, "a" * 300])
def test_what_cannot_be_a_path_is_named(value: str) -> None:
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        ca_variables({"SSL_CERT_FILE": value})


def test_it_is_applied_to_an_environment(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    environ = {"REQUESTS_CA_BUNDLE": str(bundle)}
    apply_ca_variables(environ)
    assert environ == {"REQUESTS_CA_BUNDLE": str(bundle), "SSL_CERT_FILE": str(bundle)}


def refused(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_code, error.verify_message = code, "self-signed certificate"
    return error


def test_a_certificate_of_an_unknown_issuer_is_found_in_a_chain() -> None:
    outer = RuntimeError("no answer")
    outer.__cause__ = middle = OSError("retries exceeded")
    middle.__context__ = refused(19)
    assert untrusted_certificate_reason(outer) == "self-signed certificate"
    expired = RuntimeError("no answer")
    expired.__cause__ = refused(10)
    assert untrusted_certificate_reason(expired) is None
    assert untrusted_certificate_reason(None) is None
