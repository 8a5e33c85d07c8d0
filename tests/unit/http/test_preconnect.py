"""Connections that are there before a request is."""

import contextlib
import datetime as dt
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_publish.http.messages import HttpAnswer, HttpRequest, NoAnswer, NoAnswerReason
from ci_publish.http.preconnect import Preconnection
from ci_publish.http.sockets import ConnectionFailed, RequestAttempt, Timeouts
from ci_publish.http.transport import ConnectionLimits, HttpTransport
from ci_publish.rehearsal.loopback_tls import LoopbackTls, make_loopback_tls
from tests.faults.server import Connection, FaultServer, Request, reply
from tests.unit.index.scripted_index import Waits

SOON = Timeouts(connect=5.0, tls=5.0, read=5.0, answer=5.0)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> LoopbackTls:
    return make_loopback_tls(tmp_path_factory.mktemp("tls"), dt.datetime.now(dt.UTC))


def environ(tls: LoopbackTls) -> dict[str, str]:
    return {"SSL_CERT_FILE": str(tls.authority_file)}


def attempt(timeouts: Timeouts = SOON) -> RequestAttempt:
    return RequestAttempt(timeouts=timeouts, end=time.monotonic() + 60, waiting=Waits(), limit=1000)


def transport(tls: LoopbackTls) -> HttpTransport:
    return HttpTransport(
        waiting=Waits(), emit=lambda _: None, limits=ConnectionLimits(timeouts=SOON), environ=environ(tls)
    )


def echo(server: FaultServer, request: Request) -> None:
    reply(request, 200, b"here")


def eventually(found: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not found() and time.monotonic() < end:
        time.sleep(0.01)
    return found()


def test_the_first_request_takes_it_and_the_others_go_on_with_it(tls: LoopbackTls) -> None:
    with FaultServer(looks=[echo, echo], tls=tls.context) as server:
        client = transport(tls)
        client.preconnect(server.url)
        assert eventually(lambda: server.connections == 1)
        for _ in range(2):
            answer = client.send(HttpRequest(method="GET", url=f"{server.url}/x"))
            assert isinstance(answer, HttpAnswer)
            assert answer.body == b"here"
        client.close()
        assert server.connections == 1


def test_it_is_given_out_once_and_only_for_its_server(tls: LoopbackTls) -> None:
    with FaultServer(tls=tls.context) as server:
        early = Preconnection(server.url, environ(tls))
        assert early.take_connection("127.0.0.1", server.port + 1, attempt()) is None
        early.close()
        early = Preconnection(server.url, environ(tls))
        taken = early.take_connection("127.0.0.1", server.port, attempt())
        assert taken is not None
        assert taken.version() == "TLSv1.3"
        assert taken.selected_alpn_protocol() in {"http/1.1", None}
        assert early.take_connection("127.0.0.1", server.port, attempt()) is None
        early.close()
        assert taken.fileno() != -1  # whoever took it closes it
        taken.close()


def test_what_nobody_takes_is_closed(tls: LoopbackTls) -> None:
    begun, ended = threading.Event(), threading.Event()

    def until_the_end(connection: Connection) -> bool:
        with tls.context.wrap_socket(connection.sock, server_side=True) as secured:
            begun.set()
            with contextlib.suppress(OSError):  # a reset, where what TLS had to say was not read
                assert secured.recv(1) == b""
            ended.set()
        return True

    with FaultServer(greetings=[until_the_end], tls=tls.context) as server:
        client = transport(tls)
        client.preconnect(server.url)
        assert begun.wait(10)
        client.close()
        assert ended.wait(10)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://index.example/", "https://bücher.example/"])
def test_servers_without_tls_behind_a_proxy_or_with_other_letters_are_left_alone(url: str, tls: LoopbackTls) -> None:
    proxied = {**environ(tls), "https_proxy": "http://127.0.0.1:9"} if "index" in url else environ(tls)
    before = threading.active_count()
    early = Preconnection(url, proxied)
    assert threading.active_count() == before
    assert early.take_connection("127.0.0.1", 9, attempt()) is None
    early.close()


def test_a_server_that_closed_it_since_is_connected_to_again(tls: LoopbackTls) -> None:
    def leave(connection: Connection) -> bool:
        tls.context.wrap_socket(connection.sock, server_side=True).close()
        return True

    with FaultServer(greetings=[leave], looks=[echo], tls=tls.context) as server:
        client = transport(tls)
        client.preconnect(server.url)
        assert eventually(lambda: server.connections == 1)
        time.sleep(0.2)  # so that its end has arrived
        assert isinstance(client.send(HttpRequest(method="GET", url=f"{server.url}/")), HttpAnswer)
        client.close()
        assert server.connections == 2


def test_what_goes_wrong_is_said_by_the_request(tls: LoopbackTls) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"https://127.0.0.1:{free.getsockname()[1]}/"
    client = transport(tls)
    client.preconnect(url)
    answer = client.send(HttpRequest(method="GET", url=url))
    client.close()
    assert isinstance(answer, NoAnswer)
    assert answer.reason is NoAnswerReason.CONNECT


def test_a_server_that_does_not_answer_is_waited_for_as_long_as_the_request_may(tls: LoopbackTls) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        early = Preconnection(url, environ(tls))
        short = attempt(Timeouts(connect=0.1, tls=0.1, read=1.0, answer=1.0))
        with pytest.raises(ConnectionFailed, match="timed out while connecting"):
            early.take_connection("127.0.0.1", silent.getsockname()[1], short)
        began = time.monotonic()
        early.close()
        assert time.monotonic() - began < 5, "not for the whole limit"


def test_a_connection_is_closed_when_the_certificates_cannot_be_read(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5.0)
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        early = Preconnection(url, {"SSL_CERT_FILE": str(tmp_path / "missing.pem")}, SOON)
        with server.accept()[0] as client:
            client.settimeout(5.0)
            assert client.recv(1) == b""
        early.close()
