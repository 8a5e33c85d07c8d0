"""Connections through a proxy, for httpcore: errors between us and the proxy name the proxy."""

import ssl
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import unquote

import httpcore

from ci_publish.http.messages import NoAnswerReason
from ci_publish.http.proxies import Proxy, proxy_authentication_error, unusable_proxy_error
from ci_publish.http.sockets import ConnectionFailed
from ci_publish.http.urls import split_url


def httpcore_proxy(proxy: Proxy, trust: Callable[[], ssl.SSLContext]) -> httpcore.Proxy:
    """Return *proxy* as a value of httpcore. Raises ConnectionFailed for one that does not speak HTTP."""
    parts = split_url(proxy.address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise unusable_proxy_error(proxy)
    secured = parts.scheme == "https"
    where = httpcore.URL(
        scheme=parts.scheme.encode(),
        host=parts.hostname.encode(),
        port=parts.port or (443 if secured else 80),
        target=b"/",
    )
    credential = (unquote(parts.username).encode(), unquote(parts.password or "").encode()) if parts.username else None
    return httpcore.Proxy(where, auth=credential, ssl_context=trust() if secured else None)


class ProxyBackend(httpcore.NetworkBackend):
    """Opens connections to *proxy* with another backend, and names the proxy if that fails."""

    def __init__(self, backend: httpcore.NetworkBackend, proxy: Proxy) -> None:
        self._backend = backend
        self._proxy = proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the proxy. Raises ConnectionFailed."""
        try:
            return self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        except ConnectionFailed as error:
            if error.reason is NoAnswerReason.CANCELLED:
                raise
            raise ConnectionFailed(error.reason, f"{self._proxy.name} cannot be reached: {error.text}") from error


def raise_proxy_error(proxy: Proxy, error: httpcore.ProxyError) -> NoReturn:
    """Raise ProxyAuthenticationRequired if *proxy* requires authentication, otherwise ConnectionFailed."""
    if str(error).startswith(str(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED.value)):
        raise proxy_authentication_error(proxy, f"{error}".strip()) from error
    raise ConnectionFailed(NoAnswerReason.CONNECT, f"{proxy.name} refuses the connection: {error}") from error


def require_proxy_authenticated(proxy: Proxy, answer: httpcore.Response) -> None:
    """Raise ProxyAuthenticationRequired for the 407 of a proxy that forwards plain http."""
    if answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        reason = answer.extensions.get("reason_phrase", b"").decode("latin-1")
        answer.close()
        raise proxy_authentication_error(proxy, f"{answer.status} {reason}".strip())
