"""Connections, plain, with TLS, and with TLS through a proxy's TLS."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_publish.http.messages import HttpAnswer, HttpRequest
from ci_publish.http.sockets import ConnectionFailed, Timeouts
from ci_publish.http.streams import SocketStream, ThreadAttempts
from ci_publish.http.transport import ConnectionLimits, HttpTransport
from tests.faults.server import FaultServer, Request, reply, tunnel_to
from tests.unit.index.certificates import certificate
from tests.unit.index.scripted_index import Waits

TIMEOUTS = Timeouts(connect=5.0, tls=5.0, read=5.0, answer=5.0)


def test_a_stream_without_an_attempt_does_nothing() -> None:
    with pytest.raises(ConnectionFailed):
        ThreadAttempts().current_attempt()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_what_a_stream_tells_about_itself(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    stream = SocketStream(ours, ThreadAttempts())
    assert stream.get_extra_info("is_readable") is False
    theirs.close()
    assert stream.get_extra_info("is_readable") is True
    assert stream.get_extra_info("ssl_object") is None
    assert stream.get_extra_info("socket") is None
    stream.close()
    stream.close()


@pytest.mark.parametrize("proxy_tls", [False, True])
def test_an_upload_through_a_tunnel(tmp_path: Path, *, proxy_tls: bool) -> None:
    """TLS to the index ends at the index, also inside of TLS to the proxy."""
    context, trusted = certificate(tmp_path, "index.example")
    content = b"x" * 3_000_000

    def act(server: FaultServer, request: Request) -> None:
        received.append(request.read_body())
        reply(request, 200, b"y" * 60_000)

    received: list[bytes] = []
    with (
        FaultServer([act], tls=context) as server,
        FaultServer(looks=[tunnel_to(server.port)], tls=context if proxy_tls else None) as proxy,
    ):
        transport = HttpTransport(
            waiting=Waits(),
            emit=lambda _: None,
            limits=ConnectionLimits(timeouts=TIMEOUTS),
            environ={"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(trusted)},
        )
        for _ in range(2):
            result = transport.send(HttpRequest(method="POST", url="https://index.example/legacy/", body=content))
            assert isinstance(result, HttpAnswer)
            assert result.body == b"y" * 60_000
        transport.close()
        assert [request.target for request in proxy.looks_seen] == ["index.example:443"]
    assert received == [content, content]
