"""The door to the network, over real sockets on loopback (its faults are played in tests/faults)."""

import datetime as dt
import gzip
import ipaddress
import socket
import ssl
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from ci_publish.errors import ConfigurationError, ProxyAuthenticationRequired
from ci_publish.http.messages import (
    Authorization,
    BasicAuthorization,
    BearerAuthorization,
    HttpAnswer,
    HttpRequest,
    NoAnswer,
    NoAnswerReason,
    SecretJson,
    StreamedAnswer,
)
from ci_publish.http.sockets import Timeouts
from ci_publish.http.transport import ConnectionLimits, HttpTransport
from ci_publish.model.events import Event, RequestTraced
from ci_publish.model.identity import Secret
from ci_publish.rehearsal.loopback_tls import make_loopback_tls
from tests.faults.server import Connection, FaultServer, Request, answering, closed_port, reply
from tests.unit.index.scripted_index import Waits

SECRET = "a-very-secret-value"
TIMEOUTS = Timeouts(connect=2.0, tls=2.0, read=2.0, answer=2.0)


def make(events: list[Event] | None = None, **more: object) -> HttpTransport:
    options: dict[str, object] = {"environ": {}, "waiting": Waits(), **more}
    names = {field.name for field in fields(ConnectionLimits)} & options.keys()
    limits = ConnectionLimits(**{"timeouts": TIMEOUTS, **{name: options.pop(name) for name in names}})  # type: ignore[arg-type]
    return HttpTransport(emit=([] if events is None else events).append, limits=limits, **options)  # type: ignore[arg-type]


def get(url: str, authorization: Authorization | None = None) -> HttpRequest:
    return HttpRequest(method="GET", url=url, authorization=authorization)


def echo(server: FaultServer, request: Request) -> None:
    """Send everything back that a server could know."""
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    body = request.read_body().decode() if request.length else ""
    reply(request, 200, f"{request.method} {request.target}\n{headers}\n\n{body}".encode(), headers={"X-A": "1"})


def test_a_get() -> None:
    events: list[Event] = []
    with FaultServer(looks=[echo]) as server:
        transport = make(events)
        result = transport.send(get(f"{server.url}/path?token=x"))
        transport.close()
    assert isinstance(result, HttpAnswer)
    assert (result.status, result.reason, result.headers["x-a"], result.truncated) == (200, "OK", "1", False)
    lines = result.body.decode().splitlines()
    assert lines[0] == "GET /path?token=x"
    assert "accept-encoding: identity" in lines
    assert not [line for line in lines if line.startswith(("authorization", "cookie", "content-length"))]
    [trace] = [event for event in events if isinstance(event, RequestTraced)]
    assert (trace.method, trace.url, trace.result) == ("GET", f"{server.url}/path?token=…", "200 OK")


@pytest.mark.parametrize(
    "authorization", [BasicAuthorization("__token__", Secret(SECRET)), BearerAuthorization(Secret(SECRET))]
)
def test_secrets_are_sent_and_blotted_out_of_the_answer(authorization: Authorization) -> None:
    seen: list[str] = []

    def look(server: FaultServer, request: Request) -> None:
        seen.append(request.headers["authorization"])
        echo(server, request)

    with FaultServer(looks=[look]) as server:
        transport = make()
        result = transport.send(get(server.url, authorization))
        transport.close()
    assert seen[0] in {f"Bearer {SECRET}", "Basic X190b2tlbl9fOmEtdmVyeS1zZWNyZXQtdmFsdWU="}
    assert isinstance(result, HttpAnswer)
    assert b"***" in result.body
    assert SECRET.encode() not in result.body
    assert b"X190" not in result.body


def test_secret_json() -> None:
    with FaultServer([echo]) as server:
        transport = make()
        result = transport.send(
            HttpRequest(method="POST", url=server.url, body=SecretJson((("token", Secret(SECRET)),)))
        )
        transport.close()
        assert server.uploads[0].body == b'{"token": "a-very-secret-value"}'
        assert server.uploads[0].headers["content-type"] == "application/json"
        assert server.uploads[0].headers["content-length"] == "32"
    assert isinstance(result, HttpAnswer)
    assert SECRET.encode() not in result.body


def test_bytes_are_sent_and_connections_are_kept() -> None:
    with FaultServer([echo]) as server:
        transport = make()
        for _ in range(3):
            result = transport.send(HttpRequest(method="POST", url=server.url, body=b"body"))
            assert isinstance(result, HttpAnswer)
            assert result.body.endswith(b"\n\nbody")
        transport.close()
        assert server.connections == 1


def test_no_cookie_is_kept() -> None:
    with FaultServer(looks=[answering(200, headers={"Set-Cookie": "a=b"}), echo]) as server:
        transport = make()
        transport.send(get(server.url))
        transport.send(get(server.url))
        transport.close()
        assert "cookie" not in server.looks_seen[1].headers


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/", "http://[", "/again"])
def test_redirects_are_answers(location: str) -> None:
    with FaultServer(looks=[answering(301, headers={"Location": location})]) as server:
        transport = make()
        result = transport.send(get(server.url))
        transport.close()
        assert len(server.looks_seen) == 1
    assert isinstance(result, HttpAnswer)
    assert (result.status, result.headers["location"]) == (301, location)


# what is refused here


@pytest.mark.parametrize(
    ("request_", "allowed", "words"),
    [
        (get("http://index.example/"), "", "plain http"),
        (get("http://127.example/"), "", "plain http"),
        (get("http://127.0.0.1.example/"), "", "plain http"),
        (get("http://1270.0.0.1/"), "", "plain http"),
        (get("https://bob:hunter2@index.example/"), "", "not a valid request URL"),
        (get("nonsense"), "", "not a valid request URL"),
        (
            HttpRequest(method="POST", url="http://index.example/", body=SecretJson((("token", Secret(SECRET)),))),
            "index.example",
            "no identity",
        ),
    ],
)
def test_what_never_leaves_this_machine(request_: HttpRequest, allowed: str, words: str) -> None:
    events: list[Event] = []
    result = make(events, allow_http=frozenset({allowed})).send(request_)
    assert isinstance(result, NoAnswer)
    assert result.reason is NoAnswerReason.REFUSED_LOCALLY
    assert words in result.text
    assert "hunter2" not in repr((result, events))
    assert len(events) == 1


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest(method="GET", url="{url}", headers={"X-A": "a\nb"}),
        HttpRequest(method="GET", url="{url}", headers={"X-A": "\u20ac"}),
        HttpRequest(method="GET", url="{url}", authorization=BearerAuthorization(Secret(f"{SECRET}\n"))),
    ],
)
def test_what_http_cannot_carry_is_not_quoted(request_: HttpRequest) -> None:
    with FaultServer() as server:
        events: list[Event] = []
        transport = make(events)
        asked = HttpRequest(
            method=request_.method, url=server.url, headers=request_.headers, authorization=request_.authorization
        )
        result = transport.send(asked)
        transport.close()
    assert isinstance(result, NoAnswer)
    assert result.reason is NoAnswerReason.REFUSED_LOCALLY
    assert SECRET not in repr((result, events))


# answers


def test_the_cap_of_the_body() -> None:
    with FaultServer(looks=[answering(200, b"x" * 100_000)]) as server:
        transport = make()
        capped, whole = transport.send(get(server.url)), transport.send(get(server.url), limit=100_000)
        short = transport.send(get(server.url), limit=10)
        transport.close()
    assert isinstance(capped, HttpAnswer)
    assert isinstance(whole, HttpAnswer)
    assert isinstance(short, HttpAnswer)
    assert (len(capped.body), capped.truncated) == (65_536, True)
    assert (len(whole.body), whole.truncated) == (100_000, False)
    assert (len(short.body), short.truncated) == (10, True)


@pytest.mark.parametrize(
    ("encoding", "sent", "body", "truncated"),
    [
        ("gzip", gzip.compress(b"words", mtime=0), b"words", False),
        ("X-GZIP", gzip.compress(b"words", mtime=0), b"words", False),
        ("deflate", zlib.compress(b"words"), b"words", False),
        ("gzip", gzip.compress(b"x" * 1_000_000, mtime=0), b"x" * 65_536, True),
        ("gzip", gzip.compress(b"words", mtime=0)[:-6], b"words", True),
        ("gzip", b"not gzip", b"", True),
        ("br", b"who knows", b"who knows", False),
    ],
)
def test_encoded_bodies(encoding: str, sent: bytes, body: bytes, *, truncated: bool) -> None:
    with FaultServer(looks=[answering(200, sent, headers={"Content-Encoding": encoding})]) as server:
        transport = make()
        result = transport.send(get(server.url))
        transport.close()
    assert isinstance(result, HttpAnswer)
    assert (result.body, result.truncated) == (body, truncated)


def test_reasons_and_headers_are_text() -> None:
    def act(server: FaultServer, request: Request) -> None:
        head = b"HTTP/1.1 400 caf\xe9\r\nX-A: caf\xc3\xa9\r\nX-B: 1\r\nX-B: 2\r\nContent-Length: 0\r\n\r\n"
        request.connection.send(head)

    with FaultServer(looks=[act]) as server:
        transport = make()
        result = transport.send(get(server.url))
        transport.close()
    assert isinstance(result, HttpAnswer)
    assert result.reason == "caf\u00e9"
    assert result.headers["x-a"] == "caf\u00e9"
    assert result.headers["x-b"] == "1, 2"


# time


def test_the_deadline_of_one_request() -> None:
    def sleepy(server: FaultServer, request: Request) -> None:
        request.connection.wait_for_the_end()

    with FaultServer(looks=[sleepy]) as server:
        transport = make()
        began = time.monotonic()
        result = transport.send(get(server.url), deadline=0.2)
        assert time.monotonic() - began < 10
        transport.close()
    assert result == NoAnswer(NoAnswerReason.TIMEOUT, "timed out while waiting for the response", sent=False)


def test_one_timeout_for_every_wait() -> None:
    with FaultServer(looks=[lambda _, request: request.connection.wait_for_the_end()]) as server:
        transport = make(timeouts=None, timeout=0.2)
        began = time.monotonic()
        assert isinstance(transport.send(get(server.url)), NoAnswer)
        assert time.monotonic() - began < 10
        transport.close()


class HeldBack:
    """A body that holds its last bytes back for a second, by a clock of its own."""

    content_type = "text/plain"
    length = 4

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    def __iter__(self) -> Iterator[bytes]:
        yield b"la"
        self.seconds += 1
        yield b"st"


@pytest.mark.parametrize(("pause", "kind"), [(2.0, HttpAnswer), (0.0, NoAnswer)])
def test_the_pause_of_a_body_is_added_to_the_time_of_the_whole_request(pause: float, kind: type) -> None:
    over = threading.Event()

    def late(server: FaultServer, request: Request) -> None:
        request.read_body()
        if kind is NoAnswer:
            over.wait(10)  # a response that is there already is read, however late it is
        reply(request, 200)

    body = HeldBack()
    with FaultServer([late]) as server:
        transport = make(timeouts=Timeouts(connect=0.2, tls=0.05, read=0.2, answer=0.5), clock=body.clock)
        result = transport.send(HttpRequest(method="POST", url=server.upload_url, body=body, pause=pause))
        over.set()
        transport.close()
    assert isinstance(result, kind)
    assert body.seconds == 1


def test_a_full_pool_is_waited_for_no_longer_than_the_deadline() -> None:
    release = threading.Event()

    def held(server: FaultServer, request: Request) -> None:
        release.wait(5)
        reply(request, 200)

    with FaultServer(looks=[held]) as server:
        transport = make(connections=1)
        first = threading.Thread(target=transport.send, args=(get(server.url),))
        first.start()
        while not server.looks_seen:
            time.sleep(0.01)
        result = transport.send(get(server.url), deadline=0.2)
        release.set()
        first.join()
        transport.close()
    assert isinstance(result, NoAnswer)
    assert result.reason is NoAnswerReason.TIMEOUT


def test_the_default_limits() -> None:
    assert Timeouts() == Timeouts(connect=10.0, tls=10.0, read=30.0, answer=300.0)


# TLS, and certificates


def test_tls_with_an_authority_of_our_own(tmp_path: Path) -> None:
    tls = make_loopback_tls(tmp_path, dt.datetime.now(dt.UTC))
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        with FaultServer(looks=[echo], tls=tls.context) as server:
            transport = make(environ={variable: str(tls.authority_file)})
            assert isinstance(transport.send(get(server.url)), HttpAnswer)
            transport.close()


def test_openssl_s_own_variables_come_first(tmp_path: Path) -> None:
    tls = make_loopback_tls(tmp_path, dt.datetime.now(dt.UTC))
    empty = tmp_path / "empty"
    empty.mkdir()
    environ = {"SSL_CERT_DIR": str(empty), "REQUESTS_CA_BUNDLE": str(tls.authority_file)}
    with FaultServer(tls=tls.context) as server:
        transport = make(environ=environ)
        result = transport.send(get(server.url))
        transport.close()
    assert isinstance(result, NoAnswer)
    assert result.reason is NoAnswerReason.UNTRUSTED_CERTIFICATE
    assert not result.sent


@pytest.mark.parametrize("content", [None, b"no certificates"])
def test_a_bundle_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    transport = make(environ={"SSL_CERT_FILE": str(bundle)})
    result = transport.send(get("https://127.0.0.1:1/"))
    assert isinstance(result, NoAnswer)
    assert result.reason is NoAnswerReason.REFUSED_LOCALLY
    assert "SSL_CERT_FILE" in result.text


def test_a_server_that_speaks_no_tls() -> None:
    def plain(connection: Connection) -> bool:
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.wait_for_the_end()
        return True

    with FaultServer(greetings=[plain]) as server:
        transport = make()
        result = transport.send(get(server.url.replace("http:", "https:")))
        transport.close()
    assert isinstance(result, NoAnswer)
    assert result.reason is NoAnswerReason.TLS


# proxies


def test_http_through_a_proxy() -> None:
    with FaultServer(looks=[echo]) as proxy:
        environ = {"HTTP_PROXY": f"http://bob:pass%20word@127.0.0.1:{proxy.port}"}
        transport = make(environ=environ, allow_http=frozenset({"index.example"}))
        result = transport.send(get("http://index.example/path"))
        transport.close()
        assert proxy.looks_seen[0].target == "http://index.example/path"
        assert proxy.looks_seen[0].headers["proxy-authorization"] == "Basic Ym9iOnBhc3Mgd29yZA=="
    assert isinstance(result, HttpAnswer)


@pytest.mark.parametrize("proxy_tls", [False, True])
def test_https_through_a_proxy(tmp_path: Path, *, proxy_tls: bool) -> None:
    tls = make_loopback_tls(tmp_path, dt.datetime.now(dt.UTC))
    with FaultServer(looks=[echo], tls=tls.context) as server:

        def tunnel(proxy: FaultServer, request: Request) -> None:
            request.connection.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            _pump(request.connection.sock, server.port)

        with FaultServer(looks=[tunnel], tls=tls.context if proxy_tls else None) as proxy:
            # An address that is not loopback, so that a proxy is used at all; nobody connects to it.
            environ = {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(tls.authority_file)}
            transport = make(environ=environ)
            result = transport.send(get("https://192.0.2.1/"))
            transport.close()
            assert proxy.looks_seen[0].method == "CONNECT"
            assert proxy.looks_seen[0].target == "192.0.2.1:443"
    # The tunnel leads to a server whose certificate is for loopback: it is looked at, to the end of the tunnel.
    assert isinstance(result, NoAnswer)
    assert result.reason is NoAnswerReason.INVALID_CERTIFICATE
    assert "192.0.2.1" in result.text


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_requires_authentication(scheme: str) -> None:
    with FaultServer(looks=[answering(407, reason="Who are you?")]) as proxy:
        transport = make(environ={"ALL_PROXY": proxy.url}, allow_http=frozenset({"192.0.2.1"}))
        with pytest.raises(ProxyAuthenticationRequired) as caught:
            transport.send(get(f"{scheme}://192.0.2.1/"))
        transport.close()
        assert len(proxy.looks_seen) == 1
    assert caught.value.exit_code == 2
    assert f"{proxy.url.rstrip('/')} (ALL_PROXY)" in caught.value.summary
    assert "407 Who are you?" in caught.value.summary


def test_a_407_of_the_server_itself_is_only_an_answer() -> None:
    with FaultServer(looks=[answering(407)]) as server:
        transport = make(environ={"HTTP_PROXY": "http://127.0.0.1:1"})
        result = transport.send(get(server.url))
        transport.close()
    assert isinstance(result, HttpAnswer)
    assert result.status == 407


def test_a_proxy_that_says_no() -> None:
    with FaultServer(looks=[answering(403, reason="Not there")]) as proxy:
        transport = make(environ={"HTTPS_PROXY": proxy.url})
        result = transport.send(get("https://192.0.2.1/"))
        transport.close()
    name = f"the proxy {proxy.url.rstrip('/')} (HTTPS_PROXY)"
    assert result == NoAnswer(NoAnswerReason.CONNECT, f"{name} refuses the connection: 403 Not there")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_reached_is_named(scheme: str) -> None:
    with closed_port() as port:
        transport = make(
            environ={f"{scheme}_proxy": f"http://bob:hunter2@127.0.0.1:{port}"}, allow_http=frozenset({"192.0.2.1"})
        )
        result = transport.send(get(f"{scheme}://192.0.2.1/"))
        transport.close()
    assert isinstance(result, NoAnswer)
    assert result.reason is NoAnswerReason.CONNECT
    assert result.text.startswith(f"the proxy http://127.0.0.1:{port} ({scheme}_proxy) cannot be reached: ")


def test_a_run_that_is_cut_off_says_nothing_about_its_proxy() -> None:
    transport = make(environ={"HTTPS_PROXY": "http://127.0.0.1:1"}, waiting=Waits(cut=True))
    result = transport.send(get("https://192.0.2.1/"))
    transport.close()
    assert result == NoAnswer(NoAnswerReason.CANCELLED, "the run was stopped")


def test_a_proxy_of_another_kind() -> None:
    transport = make(environ={"HTTPS_PROXY": "socks5://bob:hunter2@127.0.0.1:1"})
    with pytest.raises(ConfigurationError, match=r"HTTPS_PROXY is not .*: its scheme is socks5") as caught:
        transport.send(get("https://192.0.2.1/"))
    assert "hunter2" not in "\n".join([str(caught.value), caught.value.detail, *caught.value.hints])


def _pump(sock: socket.socket, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as other:
        thread = threading.Thread(target=_copy, args=(other, sock), daemon=True)
        thread.start()
        _copy(sock, other)
        thread.join(2)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except (OSError, ssl.SSLError):
        return


# the rest


def test_connecting_to_nobody() -> None:
    with closed_port() as port:
        result = make().send(get(f"http://127.0.0.1:{port}/"))
    assert isinstance(result, NoAnswer)
    assert result.reason is NoAnswerReason.CONNECT


def test_names_are_looked_up() -> None:
    with FaultServer(looks=[echo]) as server:
        transport = make()
        assert isinstance(transport.send(get(f"http://localhost:{server.port}/")), HttpAnswer)
        transport.close()


def test_a_cut_run_connects_to_nobody() -> None:
    with FaultServer() as server:
        result = make(waiting=Waits(cut=True)).send(get(server.url))
        assert server.looks_seen == []
    assert result == NoAnswer(NoAnswerReason.CANCELLED, "the run was stopped")


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    script = "import sys, ci_publish.index.client, ci_publish.http.transport; print(sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert "'ci_publish.index.client'" in modules
    assert not [name for name in ("'httpx'", "'httpcore'", "'ssl'", "'asyncio'") if name in modules]


def test_the_addresses_of_tests_belong_to_nobody() -> None:
    assert ipaddress.ip_address("192.0.2.1") in ipaddress.ip_network("192.0.2.0/24")


class TestStreams:
    def test_the_body_is_read_while_it_arrives(self) -> None:
        events: list[Event] = []
        with FaultServer(looks=[echo]) as server:
            transport = make(events)
            with transport.stream(
                get(f"{server.url}/file", BearerAuthorization(Secret(SECRET))), limit=9_000
            ) as answer:
                assert isinstance(answer, StreamedAnswer)
                body = b"".join(answer.body)
            transport.close()

        assert (answer.status, answer.headers["x-a"]) == (200, "1")
        assert body.startswith(b"GET /file\n")
        assert [event.result for event in events if isinstance(event, RequestTraced)] == ["200"]

    @pytest.mark.parametrize("url", ["http://index.example/", "https://user:x@index.example/", ""])
    def test_what_must_not_leave_does_not(self, url: str) -> None:
        with make().stream(get(url), limit=1) as answer:
            assert isinstance(answer, NoAnswer)
            assert answer.reason is NoAnswerReason.REFUSED_LOCALLY

    def test_a_server_that_is_not_there(self) -> None:
        with closed_port() as port, make().stream(get(f"http://127.0.0.1:{port}/"), limit=1) as answer:
            assert isinstance(answer, NoAnswer)
            assert answer.reason is NoAnswerReason.CONNECT

    def test_a_proxy_that_requires_authentication_stops_the_run(self) -> None:
        def refuse(_: FaultServer, request: Request) -> None:
            reply(request, 407)

        with FaultServer(looks=[refuse]) as proxy:
            transport = make(environ={"HTTP_PROXY": proxy.url}, allow_http=frozenset({"index.example"}))
            with pytest.raises(ProxyAuthenticationRequired), transport.stream(get("http://index.example/"), limit=1):
                pass
            transport.close()
