"""The server under the rehearsal world speaks HTTP/1.1 as clients need it, and ends when it should."""

import http.client
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from werkzeug.wrappers import Request, Response

from ci_publish.errors import ConfigurationError
from ci_publish.rehearsal.loopback_server import RehearsalServer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


class App:
    """Does what a path says."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.closed = threading.Event()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self.answer(Request(environ))(environ, start_response)

    def answer(self, request: Request) -> Response:
        match request.path:
            case "/echo":
                return Response(request.stream.read(), headers={"X-Scheme": request.scheme})
            case "/words":
                return Response(status="400 All the words: äöü")
            case "/early":
                return Response("too early", status=403)
            case "/stream":
                return Response(self.pieces())
            case "/count":
                total = sum(len(chunk) for chunk in iter(lambda: request.stream.read(65536), b""))
                self.seen.append(str(total).encode())
                return Response(str(total))
            case "/nothing":
                return Response(status=204)
            case "/drop":
                raise ConnectionResetError("dropped on purpose")
            case _:
                raise RuntimeError("a bug")

    def pieces(self) -> Iterator[bytes]:
        try:
            yield b"one "
            yield b""
            yield b"two"
        finally:
            self.closed.set()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def server(app: App) -> Iterator[RehearsalServer]:
    with RehearsalServer(app=app) as server:
        yield server


@pytest.fixture
def client(server: RehearsalServer) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as client:
        yield client


def ask(
    client: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    **headers: str,
) -> tuple[int, str, bytes]:
    client.request(method, path, body, headers, encode_chunked=not isinstance(body, bytes | None))
    response = client.getresponse()
    return response.status, response.reason, response.read()


def raw(server: RehearsalServer, request: bytes) -> bytes:
    """Send bytes and return all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_connections_are_kept(client: http.client.HTTPConnection) -> None:
    ask(client, "POST", "/echo", b"first")
    kept = client.sock

    answers = [ask(client, "POST", "/echo", b"x" * size)[2] for size in (0, 1, 100_000)]

    assert [len(answer) for answer in answers] == [0, 1, 100_000]
    assert client.sock is kept


def test_words_travel_in_the_reason_phrase(client: http.client.HTTPConnection) -> None:
    assert ask(client, "GET", "/words")[:2] == (400, "All the words: äöü")


def test_a_body_may_be_chunked(client: http.client.HTTPConnection) -> None:
    headers = {"Transfer-Encoding": "chunked"}

    answers = [ask(client, "POST", "/echo", iter([b"one ", b"two"]), **headers)[2] for _ in range(2)]

    assert answers == [b"one two", b"one two"]


def test_an_answer_without_a_length_is_chunked(client: http.client.HTTPConnection, app: App) -> None:
    assert ask(client, "GET", "/stream") == (200, "OK", b"one two")
    assert app.closed.wait(5)
    assert ask(client, "HEAD", "/stream") == (200, "OK", b"")
    assert ask(client, "GET", "/nothing")[::2] == (204, b"")


def test_an_early_answer_is_seen_and_the_connection_goes_on(client: http.client.HTTPConnection) -> None:
    body = b"x" * 5_000_000

    assert ask(client, "POST", "/early", body) == (403, "FORBIDDEN", b"too early")
    assert ask(client, "POST", "/early", iter([body]), **{"Transfer-Encoding": "chunked"})[0] == 403
    assert ask(client, "GET", "/words")[0] == 400


def test_a_client_that_asks_first_is_told_to_go_on(server: RehearsalServer) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
    head += b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head)
        told = connection.recv(65536)
        connection.sendall(b"abc")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.endswith(b"\r\n\r\nabc")


def test_an_old_client_is_closed_on(server: RehearsalServer) -> None:
    answer = raw(server, b"GET /stream HTTP/1.0\r\nHost: localhost\r\n\r\n")

    assert answer.endswith(b"\r\n\r\none two")
    assert b"Connection: close" in answer


def test_a_bug_is_a_500_and_is_kept(server: RehearsalServer, client: http.client.HTTPConnection) -> None:
    assert ask(client, "GET", "/bug")[0] == 500
    assert [str(failure) for failure in server.failures] == ["a bug"]


def test_a_connection_error_cuts_the_connection(server: RehearsalServer) -> None:
    assert raw(server, b"GET /drop HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""
    assert server.failures == ()


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n" + b"x" * 50,
        b"POST /count HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + b"x" * 50,
        b"POST /count HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_a_client_that_stops_in_the_middle_is_nobodys_failure(
    server: RehearsalServer, app: App, request_head: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request_head)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(65536) == b""

    assert (server.failures, app.seen) == ((), [])


def test_rubbish_is_a_400(server: RehearsalServer) -> None:
    assert b"400" in raw(server, b"rubbish\r\n\r\n").partition(b"\r\n")[0]


def test_requests_do_not_wait_for_each_other(server: RehearsalServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as silent:
        silent.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as client:
            assert ask(client, "GET", "/words")[0] == 400


def test_it_is_gone_afterwards_with_all_its_connections(app: App) -> None:
    with RehearsalServer(app=app) as server:
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        connection.sendall(b"GET /words HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536)
    with connection:
        assert connection.recv(65536) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)


def test_a_port_that_is_taken_is_the_users_mistake(server: RehearsalServer, app: App) -> None:
    with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1, port {server.port}"):
        RehearsalServer(app=app, port=server.port)


def test_a_server_that_was_never_started_leaves_nothing(app: App) -> None:
    server = RehearsalServer(app=app)

    server.__exit__(None)

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)


def status_with(server: RehearsalServer, *headers: bytes) -> int:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
        sock.sendall(b"\r\n".join((b"GET /nothing HTTP/1.1", *headers, b"Connection: close", b"", b"")))
        return int(sock.makefile("rb").readline().split()[1])


@pytest.mark.parametrize("host", [b"127.0.0.1", b"LocalHost:1", b"[::1]:80", b"127.0.0.1:", b"  localhost  "])
def test_this_machine_by_any_of_its_names(server: RehearsalServer, host: bytes) -> None:
    assert status_with(server, b"Host: " + host) == 204


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example",
        b"127.0.0.1.evil.example",
        b"evil.localhost",
        b"127.0.0.2",
        b"localhost:1:2",
        b"a@localhost",
        b"::1",
    ],
)
def test_another_name_that_leads_here_is_refused(server: RehearsalServer, host: bytes) -> None:
    """DNS rebinding: a page of evil.example whose address is 127.0.0.1 by now must read nothing."""
    assert status_with(server, b"Host: " + host) == 421


@pytest.mark.parametrize("headers", [(), (b"Host:",), (b"Host: localhost", b"Host: evil.example")])
def test_a_request_names_exactly_one_host(server: RehearsalServer, headers: tuple[bytes, ...]) -> None:
    assert status_with(server, *headers) == 400
