"""Connections through a proxy: whatever goes wrong between us and it names the proxy."""

import ssl

import httpcore
import pytest

from ci_publish.errors import ConfigurationError, ProxyAuthenticationRequired
from ci_publish.http.messages import NoAnswerReason
from ci_publish.http.proxies import Proxy
from ci_publish.http.proxy_connections import (
    ProxyBackend,
    httpcore_proxy,
    raise_proxy_error,
    require_proxy_authenticated,
)
from ci_publish.http.sockets import ConnectionFailed

PROXY = Proxy("http://bob:p%40ss@proxy.example:3128", "HTTPS_PROXY")


def test_a_proxy_with_a_credential() -> None:
    made = httpcore_proxy(PROXY, ssl.create_default_context)
    assert (made.url.host, made.url.port, made.ssl_context) == (b"proxy.example", 3128, None)
    assert made.auth == (b"bob", b"p@ss")


@pytest.mark.parametrize(
    ("address", "port", "tls"), [("http://p.example", 80, False), ("https://p.example", 443, True)]
)
def test_the_ports_of_a_proxy_without_one(address: str, port: int, *, tls: bool) -> None:
    made = httpcore_proxy(Proxy(address, "HTTPS_PROXY"), ssl.create_default_context)
    assert made.url.port == port
    assert (made.ssl_context is not None) is tls


@pytest.mark.parametrize("address", ["socks5://p.example:1080", "http://", "nonsense"])
def test_a_proxy_that_does_not_speak_http_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY is not a valid http or https proxy URL") as caught:
        httpcore_proxy(Proxy(address, "HTTPS_PROXY"), ssl.create_default_context)
    assert caught.value.exit_code == 2


class Unreachable(httpcore.NetworkBackend):
    def __init__(self, reason: NoAnswerReason) -> None:
        self.reason = reason

    def connect_tcp(self, host: str, *_: object, **__: object) -> httpcore.NetworkStream:
        raise ConnectionFailed(self.reason, f"cannot connect to {host}")


def test_a_proxy_that_cannot_be_reached_is_named_without_its_password() -> None:
    with pytest.raises(ConnectionFailed) as caught:
        ProxyBackend(Unreachable(NoAnswerReason.CONNECT), PROXY).connect_tcp("proxy.example", 3128)
    assert "proxy.example:3128 (HTTPS_PROXY)" in caught.value.text
    assert "ss@" not in caught.value.text


def test_a_stopped_run_is_not_the_proxys_doing() -> None:
    with pytest.raises(ConnectionFailed, match=r"^cannot connect to proxy\.example$"):
        ProxyBackend(Unreachable(NoAnswerReason.CANCELLED), PROXY).connect_tcp("proxy.example", 3128)


def test_a_407_is_a_setting_and_any_other_refusal_an_outage() -> None:
    with pytest.raises(ProxyAuthenticationRequired):
        raise_proxy_error(PROXY, httpcore.ProxyError("407 Proxy Authentication Required"))
    with pytest.raises(ConnectionFailed, match="403 Forbidden"):
        raise_proxy_error(PROXY, httpcore.ProxyError("403 Forbidden"))
    with pytest.raises(ProxyAuthenticationRequired):
        require_proxy_authenticated(PROXY, httpcore.Response(407, content=b""))
    require_proxy_authenticated(PROXY, httpcore.Response(200, content=b""))
