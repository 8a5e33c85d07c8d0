from collections.abc import Mapping

import pytest

from ci_publish.http.proxies import Proxy, loopback_proxy_exceptions, proxy_authentication_error, proxy_secrets
from ci_publish.http.proxies import proxy_for_url as chosen

PROXY = "http://proxy.example:3128"


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    proxy = chosen(url, environ)
    return None if proxy is None else proxy.address


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
        ({"ALL_PROXY": PROXY}, PROXY),
        ({"HTTP_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": "proxy.example:3128"}, PROXY),
        ({"HTTPS_PROXY": " "}, None),
    ],
)
def test_the_proxy_of_an_https_address(environ: dict[str, str], proxy: str | None) -> None:
    assert proxy_for("https://index.example/x", environ) == proxy


def test_the_proxy_of_an_http_address() -> None:
    assert proxy_for("http://index.example/", {"HTTP_PROXY": PROXY}) == PROXY
    assert proxy_for("http://index.example/", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}) is None
    assert proxy_for("http://index.example/", {"http_proxy": PROXY, "REQUEST_METHOD": "GET"}) == PROXY


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/", "https://localhost/", "https://[::1]/"])
def test_loopback_is_never_given_to_a_proxy(url: str) -> None:
    assert proxy_for(url, {"ALL_PROXY": PROXY, "HTTPS_PROXY": PROXY}) is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("*", "https://index.example/", True),
        ("index.example", "https://index.example/", True),
        ("INDEX.example", "https://index.example/", True),
        ("example", "https://index.example/", True),
        (".example", "https://index.example/", True),
        ("*.example", "https://index.example/", True),
        ("dex.example", "https://index.example/", False),
        ("index.example:443", "https://index.example/", True),
        ("index.example:8443", "https://index.example/", False),
        ("a.example, , index.example", "https://index.example/", True),
        ("10.0.0.0/8", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://11.1.2.3/", False),
        ("10.1.2.3", "https://10.1.2.3/", True),
        ("[fd00::1]:443", "https://[fd00::1]/", True),
        ("[fd00::1]", "https://[fd00::1]/", True),
        ("fd00::/8", "https://[fd00::1]/", True),
        ("fd00::2", "https://[fd00::1]/", False),
    ],
)
def test_no_proxy(no_proxy: str, url: str, *, direct: bool) -> None:
    assert (proxy_for(url, {"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy}) is None) is direct


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"HTTPS_PROXY": PROXY, "ALL_PROXY": PROXY}, "HTTPS_PROXY"),
        ({"https_proxy": PROXY, "HTTPS_PROXY": PROXY}, "https_proxy"),
        ({"all_proxy": PROXY, "HTTP_PROXY": PROXY}, "all_proxy"),
    ],
)
def test_a_proxy_knows_the_variable_that_names_it(environ: dict[str, str], variable: str) -> None:
    proxy = chosen("https://index.example/", environ)
    assert proxy == Proxy(PROXY, variable)
    assert proxy is not None
    assert proxy.name == f"the proxy http://proxy.example:3128 ({variable})"


@pytest.mark.parametrize("address", ["http://bob:hunter2@proxy.example:1", "http://bob:hunter2@[", "bob:hunter2@x:y"])
def test_the_password_of_a_proxy_is_never_shown(address: str) -> None:
    proxy = chosen("https://index.example/", {"HTTPS_PROXY": address})
    assert proxy is not None
    error = proxy_authentication_error(proxy, "407 No")
    assert "hunter2" not in "".join((repr(proxy), proxy.name, error.summary, error.detail, *error.hints))
    assert "HTTPS_PROXY" in error.summary


def test_what_is_wrong_with_the_credential_of_a_proxy() -> None:
    without = proxy_authentication_error(Proxy(PROXY, "ALL_PROXY"), "407 Who are you?")
    assert without.summary == f"The proxy {PROXY} (ALL_PROXY) requires authentication: 407 Who are you?"
    assert without.detail == "ALL_PROXY contains no user name and password for it."
    assert "ALL_PROXY=http://USER:PASSWORD@proxy.example:3128" in without.hints[0]
    refused = proxy_authentication_error(Proxy("http://bob:pw@proxy.example:3128", "ALL_PROXY"), "407")
    assert refused.detail == "It rejected the user name and password in ALL_PROXY."


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, {}),
        ({"NO_PROXY": "a.example"}, {}),
        ({"HTTP_PROXY": PROXY}, {"NO_PROXY": "localhost,127.0.0.1,::1"}),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "a.example"}, {"NO_PROXY": "a.example,localhost,127.0.0.1,::1"}),
        ({"https_proxy": PROXY, "no_proxy": "a", "NO_PROXY": "b"}, {"no_proxy": "a,localhost,127.0.0.1,::1"}),
        ({"https_proxy": PROXY, "NO_PROXY": "*"}, {}),
    ],
)
def test_what_keeps_the_loopback_requests_of_others_from_a_proxy(
    environ: dict[str, str], wanted: dict[str, str]
) -> None:
    assert loopback_proxy_exceptions(environ) == wanted


def test_every_form_of_a_proxy_s_password_is_known() -> None:
    environ = {
        "http_proxy": "http://bob:p%40ss@proxy.example:3128",
        "HTTP_PROXY": "other:secret@proxy.example",
        "HTTPS_PROXY": "http://token@proxy.example",
        "ALL_PROXY": "http://proxy.example",
        "all_proxy": "http://bob:p#1@proxy.example:port",
        "NO_PROXY": "bob:never@example",
    }

    assert set(proxy_secrets(environ)) == {
        "p%40ss",
        "p@ss",
        "bob:p@ss",
        "secret",
        "other:secret",
        "token",
        *("p#1", "bob:p#1"),
    }
