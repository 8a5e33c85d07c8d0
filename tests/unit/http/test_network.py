"""What lies under the transport: attempts that count down, and streams of every kind."""

import select
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpcore
import httpx
import pytest

from ci_publish.http import sockets
from ci_publish.http.messages import HttpAnswer, HttpRequest, NoAnswerReason
from ci_publish.http.network import Attempts, Stream, explained
from ci_publish.http.sockets import Attempt, ConnectionFailed, Timeouts
from ci_publish.http.transport import HttpTransport
from tests.faults.server import FaultServer, Request, reply
from tests.unit.index.certificates import certificate
from tests.unit.index.scripted_index import Waits

TIMEOUTS = Timeouts(connect=5.0, tls=5.0, read=5.0, answer=5.0)


def attempt(*, end: float = 100.0, limit: int = 100, now: float = 0.0, uploads: bool = False) -> Attempt:
    limits = Timeouts(connect=1.0, tls=2.0, read=3.0, answer=40.0)
    return Attempt(timeouts=limits, end=end, waiting=Waits(), limit=limit, uploads=uploads, clock=lambda: now)


def test_every_operation_ends_before_the_attempt_does() -> None:
    assert attempt(now=10.0).until(5.0) == 15.0
    assert attempt(now=98.0).until(5.0) == 100.0


def test_the_first_read_after_an_upload_is_patient() -> None:
    upload = attempt(uploads=True)
    assert upload.until_read() == 40.0
    upload.count(1)
    assert upload.until_read() == 3.0
    assert attempt().until_read() == 3.0


def test_the_whole_answer_has_one_budget() -> None:
    upload = attempt(uploads=True, now=39.0)
    upload.sent_at = 0.0
    upload.received = 1
    assert upload.until_read() == 40.0


def test_pauses_are_short_and_end() -> None:
    assert attempt().pause(50.0, "waiting") == 0.1
    assert attempt(now=49.95).pause(50.0, "waiting") == pytest.approx(0.05)
    with pytest.raises(ConnectionFailed, match="timed out while waiting"):
        attempt(now=50.0).pause(50.0, "waiting")


def test_an_answer_of_any_kind_has_a_cap() -> None:
    counted = attempt()
    counted.count(100 + sockets.MAX_OVERHEAD)
    with pytest.raises(ConnectionFailed, match="does not end"):
        counted.count(1)


def test_a_stream_without_an_attempt_does_nothing() -> None:
    with pytest.raises(ConnectionFailed):
        Attempts().now()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("poll", [True, False])
def test_waiting_for_a_socket(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch, *, poll: bool
) -> None:
    if not poll:
        monkeypatch.delattr(select, "poll")  # as on Windows
    ours, theirs = pair
    assert sockets.poll(ours, read=True, write=True, seconds=0) == (False, True)
    theirs.send(b"x")
    assert sockets.poll(ours, read=True, write=False, seconds=1) == (True, False)


def test_what_a_stream_tells_about_itself(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    stream = Stream(ours, Attempts())
    assert stream.get_extra_info("is_readable") is False
    theirs.close()
    assert stream.get_extra_info("is_readable") is True
    assert stream.get_extra_info("ssl_object") is None
    assert stream.get_extra_info("socket") is None
    stream.close()
    stream.close()


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (ConnectionFailed(NoAnswerReason.TLS, "no"), NoAnswerReason.TLS, "no"),
        (httpcore.ProxyError("407 x"), NoAnswerReason.CONNECT, "407 x"),
        (httpcore.PoolTimeout(), NoAnswerReason.TIMEOUT, "free connection"),
        (httpcore.RemoteProtocolError("bad line"), NoAnswerReason.PROTOCOL, "bad line"),
        (
            httpcore.RemoteProtocolError("Server disconnected without sending"),
            NoAnswerReason.RESET,
            "without an answer",
        ),
        (httpcore.ReadError("x"), NoAnswerReason.RESET, "closed"),
        (httpcore.LocalProtocolError("secret"), NoAnswerReason.REFUSED_LOCALLY, "cannot carry"),
        (httpx.InvalidURL("secret"), NoAnswerReason.REFUSED_LOCALLY, "cannot carry"),
        (KeyError("secret"), NoAnswerReason.PROTOCOL, "KeyError"),
    ],
)
def test_every_exception_has_a_meaning(error: Exception, reason: NoAnswerReason, words: str) -> None:
    found, text = explained(error)
    assert found is reason
    assert words in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), NoAnswerReason.RESET),
        (OSError(), NoAnswerReason.RESET),
        (ssl.SSLEOFError(), NoAnswerReason.RESET),
        (ssl.SSLError(1, "nonsense"), NoAnswerReason.TLS),
    ],
)
def test_every_error_of_a_socket_has_a_meaning(error: OSError, reason: NoAnswerReason) -> None:
    broken = sockets.broken(error, "sending")
    assert broken.reason is reason
    assert broken.text.endswith("while sending") or "TLS failed" in broken.text


@pytest.mark.parametrize("proxy_tls", [False, True])
def test_an_upload_through_a_tunnel(tmp_path: Path, *, proxy_tls: bool) -> None:
    """TLS to the index ends at the index, also inside of TLS to the proxy."""
    context, trusted = certificate(tmp_path, "index.example")
    content = b"x" * 3_000_000

    def act(server: FaultServer, request: Request) -> None:
        received.append(request.read_body())
        reply(request, 200, b"y" * 60_000)

    received: list[bytes] = []
    with FaultServer([act], tls=context) as server:

        def tunnel(proxy: FaultServer, request: Request) -> None:
            request.connection.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            _relay(request.connection.sock, server.port)

        with FaultServer(looks=[tunnel], tls=context if proxy_tls else None) as proxy:
            transport = HttpTransport(
                waiting=Waits(),
                emit=lambda _: None,
                timeouts=TIMEOUTS,
                environ={"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(trusted)},
            )
            for _ in range(2):
                result = transport.send(HttpRequest("POST", "https://index.example/legacy/", body=content))
                assert isinstance(result, HttpAnswer)
                assert result.body == b"y" * 60_000
            transport.close()
            assert [request.target for request in proxy.looks_seen] == ["index.example:443"]
    assert received == [content, content]


def _relay(sock: socket.socket, port: int) -> None:
    """Copy in both directions, in one thread: a TLS socket is not to be used by two."""
    with socket.create_connection(("127.0.0.1", port)) as other:
        while True:
            waiting = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
            readable, _, _ = select.select([sock, other], [], [], 0 if waiting else 5)
            pairs = [(sock, other)] if waiting or sock in readable else []
            pairs += [(other, sock)] if other in readable else []
            for source, target in pairs:
                data = source.recv(65_536)
                if not data:
                    return
                target.sendall(data)


def test_a_name_below_localhost_never_leads_to_another_machine() -> None:
    def answers(*addresses: str) -> Callable[..., list[object]]:
        return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 80)) for each in addresses]

    assert sockets.resolve("a.localhost", 80, answers("192.0.2.1", "127.0.0.1")) == [
        (socket.AF_INET, ("127.0.0.1", 80))
    ]
    assert isinstance(sockets.resolve("a.localhost", 80, answers("192.0.2.1")), OSError)
    assert sockets.resolve("index.example", 80, answers("192.0.2.1")) == [(socket.AF_INET, ("192.0.2.1", 80))]
