"""The limits on sigstore's HTTP sessions, against servers that misbehave in ways WSGI cannot."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
import requests

from ci_publish.attestations.sigstore_sessions import Limits, limit_sigstore_session
from ci_publish.errors import ProxyAuthenticationRequired

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\n"


@contextlib.contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection after the other with *behave*, which gets the socket after the request was read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=_serve, args=(listener, behave), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def _serve(listener: socket.socket, behave: Callable[[socket.socket], None]) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                behave(connection)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        limit_sigstore_session(session, Limits(seconds=0.5, size=10_000))
        yield session


def sending(content: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(content)


def trickle(connection: socket.socket) -> None:
    connection.sendall(OK + b"Content-Length: 1000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x" * 5)
        time.sleep(0.1)


def silence(_connection: socket.socket) -> None:
    time.sleep(2)


def test_an_ordinary_answer_arrives(session: requests.Session) -> None:
    with server(sending(OK + b'Content-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}')) as url:
        assert session.post(url, json={}).json() == {"a": 1}


def test_a_compressed_answer_is_read(session: requests.Session) -> None:
    body = gzip.compress(b"hello")
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    with server(sending(OK + head + body)) as url:
        assert session.get(url).text == "hello"


@pytest.mark.parametrize("behave", [silence, trickle])
def test_an_answer_that_takes_too_long_is_given_up(
    session: requests.Session, behave: Callable[[socket.socket], None]
) -> None:
    began = time.monotonic()

    with server(behave) as url, pytest.raises(requests.Timeout):
        session.post(url)

    assert time.monotonic() - began < 1.5


def test_an_answer_that_is_too_long_is_not_read(session: requests.Session) -> None:
    bomb = gzip.compress(b"x" * 50_000_000)
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()

    with server(sending(OK + head + bomb)) as url, pytest.raises(requests.ConnectionError, match="longer than 10000"):
        session.get(url)


@pytest.mark.parametrize("answer", [b"", OK + b"Content-Length: 100\r\n\r\nshort", b"garbage\r\n\r\n"])
def test_an_answer_that_breaks_off_is_a_connection_error(session: requests.Session, answer: bytes) -> None:
    with server(sending(answer)) as url, pytest.raises(requests.ConnectionError):
        session.get(url)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(session: requests.Session, status: int) -> None:
    asked: list[int] = []

    def behave(connection: socket.socket) -> None:
        asked.append(status)
        connection.sendall(f"HTTP/1.1 {status} X\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n".encode())

    with server(behave) as url, pytest.raises(requests.TooManyRedirects):
        session.post(url, data="secret")

    assert asked == [status]


def test_netrc_does_not_replace_the_identity(
    session: requests.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen: list[str] = []

    def behave(connection: socket.socket) -> None:
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

    with server(behave) as url:
        answer = session.post(url, headers={"Authorization": "Bearer identity"})
        seen.append(str(answer.request.headers["Authorization"]))

    assert seen == ["Bearer identity"]


def test_limits_are_set_once(session: requests.Session) -> None:
    before = session.get_adapter("https://example.org")

    limit_sigstore_session(session, Limits(seconds=1))

    assert session.get_adapter("https://example.org") is before


def limited(environ: dict[str, str]) -> requests.Session:
    session = requests.Session()
    limit_sigstore_session(session, Limits(seconds=2.0, size=10_000), environ=environ)
    return session


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_loopback_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")  # requests reads the process's own environment
    with (
        server(sending(OK + b"Content-Length: 2\r\n\r\nhi")) as url,
        limited({variable: "http://127.0.0.1:1"}) as session,
    ):
        assert session.get(url).content == b"hi"


def test_a_proxy_that_requires_authentication_ends_the_run() -> None:
    refusal = b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n"
    with server(sending(refusal)) as url, limited({"HTTPS_PROXY": url}) as session:
        with pytest.raises(ProxyAuthenticationRequired) as caught:
            session.get("https://192.0.2.1/")
        assert f"{url.rstrip('/')} (HTTPS_PROXY)" in caught.value.summary
        assert "407 Who are you?" in caught.value.summary


def test_a_proxy_that_refuses_is_named() -> None:
    refusal = b"HTTP/1.1 403 Not there\r\nContent-Length: 0\r\n\r\n"
    with (
        server(sending(refusal)) as url,
        limited({"ALL_PROXY": url}) as session,
        pytest.raises(requests.exceptions.ProxyError, match=r"\(ALL_PROXY\) refuses the connection: 403 Not there"),
    ):
        session.get("https://192.0.2.1/")


def test_a_proxy_that_cannot_be_reached_is_named() -> None:
    with (
        limited({"https_proxy": "http://bob:hunter2@127.0.0.1:1"}) as session,
        pytest.raises(requests.exceptions.ProxyError, match=r"the proxy http://127.0.0.1:1 \(https_proxy\) cannot be"),
    ):
        session.get("https://192.0.2.1/")
