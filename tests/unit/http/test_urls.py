import pytest

from ci_publish.http.urls import (
    have_same_origin,
    is_loopback_url,
    redacted_url,
    split_url,
    url_has_secrets,
    url_host,
    url_origin,
    url_with_slash,
)


@pytest.mark.parametrize("url", ["http://[::1", "https://host:99999/", "https://host:port/", "http://[x]/"])
def test_what_cannot_be_split_is_nothing(url: str) -> None:
    assert split_url(url).netloc == ""
    assert url_host(url) == ""


@pytest.mark.parametrize("url", ["https://Host.Example./x", "https://host.example:443/", "https://host.example.:8443"])
def test_the_dot_of_the_root_changes_no_host(url: str) -> None:
    assert url_host(url) == "host.example"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a/x", "https://a:443/y", True),
        ("http://a/", "http://A:80/", True),
        ("https://a/", "http://a/", False),
        ("https://a/", "https://a:8443/", False),
        ("https://a/", "https://b/", False),
        ("https://a/", "https://a./", False),
        ("", "", False),
        ("/x", "/x", False),
    ],
)
def test_same_origin(one: str, other: str, *, same: bool) -> None:
    assert have_same_origin(one, other) is same


def test_an_unknown_scheme_has_no_default_port() -> None:
    assert url_origin("gopher://a/") == ("gopher", "a", None)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1/", True),
        ("http://127.0.0.2/", True),
        ("http://127.9.9.9/", True),
        ("http://a.localhost/", True),
        ("http://[::1]:1/", True),
        ("http://LOCALHOST/", True),
        ("http://a.localhost./", True),
        ("http://localhost.example/", False),
        ("http://10.0.0.1/", False),
        ("http://127.0.0.1.example/", False),
        ("http://127.example/", False),
        ("http://127evil.example/", False),
        ("nonsense", False),
    ],
)
def test_loopback(url: str, *, local: bool) -> None:
    assert is_loopback_url(url) is local


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://bob:hunter2@host:1/path", "https://host:1/path"),
        ("https://host/p?token=hunter2&x#hunter2", "https://host/p?token=…&x=…"),
        ("https://bob:hun@ter2@host/", "https://host/"),
        ("bob:hunter2@host?hunter2#hunter2", "host"),
        ("http://u:hunter2@[::1/", "[::1/"),
    ],
)
def test_nothing_secret_is_shown(url: str, safe: str) -> None:
    assert redacted_url(url) == safe


def test_secrets_are_seen() -> None:
    assert url_has_secrets("https://bob@host/")
    assert not url_has_secrets("https://host/@")


def test_with_slash() -> None:
    assert url_with_slash("a") == url_with_slash("a/") == "a/"
