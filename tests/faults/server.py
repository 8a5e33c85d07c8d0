"""An index on loopback that talks raw sockets, so that it can do wrong whatever a server and a network can do wrong.

Uploads are played by acts, one for each upload, the last one again and again; every other request gets an honest
answer: the listing of what is stored, unless ``looks`` says otherwise. An act gets the connection and the request and
does with it what it wants.
"""

import contextlib
import hashlib
import json
import re
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self

PIECE = 64 * 1024


class Gone(Exception):
    """The client closed the connection."""


class Connection:
    """One accepted connection, read through a buffer."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()

    def read_until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._fill()
        found, _, rest = self._buffer.partition(mark)
        self._buffer = rest
        return bytes(found)

    def read(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        found = bytes(self._buffer[:count])
        del self._buffer[:count]
        return found

    def _fill(self) -> None:
        data = self.sock.recv(PIECE)
        if not data:
            raise Gone
        self._buffer += data

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """Close with RST instead of FIN: what the client has not read yet is lost, and its next write fails."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.close()

    def wait_for_the_end(self) -> None:
        """Say nothing more, until the client has had enough."""
        with contextlib.suppress(Gone, OSError):
            while True:
                self._fill()
                self._buffer.clear()


@dataclass
class Request:
    """A request as it came; the body is read on demand."""

    connection: Connection
    method: str
    target: str
    headers: dict[str, str]
    body: bytes | None = None

    @property
    def length(self) -> int:
        return int(self.headers.get("content-length", "0"))

    def read_body(self) -> bytes:
        if self.body is None:
            self.body = self.connection.read(self.length)
        return self.body

    def form(self) -> dict[str, list[bytes]]:
        """Return the fields of a multipart form; ``filename`` is the file's."""
        boundary = self.headers["content-type"].partition("boundary=")[2].encode()
        fields: dict[str, list[bytes]] = {}
        for part in self.read_body().split(b"--" + boundary)[1:-1]:
            head, _, value = part.partition(b"\r\n\r\n")
            name = re.search(rb'; name="([^"]*)"', head)
            filename = re.search(rb'; filename="([^"]*)"', head)
            assert name
            fields.setdefault(name[1].decode(), []).append(value.removesuffix(b"\r\n"))
            if filename:
                fields["filename"] = [filename[1]]
        return fields


Act = Callable[["FaultServer", Request], None]


@dataclass
class FaultServer:
    """The server. ``stored`` is what the index holds; ``uploads`` and ``looks_seen`` are the requests that came."""

    acts: list[Act] = field(default_factory=list)
    looks: list[Act] = field(default_factory=list)
    greetings: list[Callable[[Connection], bool]] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    stored: dict[str, bytes] = field(default_factory=dict)
    uploads: list[Request] = field(default_factory=list)
    looks_seen: list[Request] = field(default_factory=list)
    connections: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._acceptor.join(5)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        if error is None and self.failures:
            raise self.failures[0]

    @property
    def url(self) -> str:
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"

    @property
    def upload_url(self) -> str:
        return f"{self.url}/legacy/"

    def _accept(self) -> None:
        while not self._closing:
            sock, _ = self._listener.accept()
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with self._lock:
            self._open.add(sock)
            self.connections += 1
            greeting = self.greetings.pop(0) if self.greetings else None
        connection = Connection(sock)
        try:
            if greeting is not None and greeting(connection):
                return
            if self.tls is not None:
                connection = Connection(self.tls.wrap_socket(sock, server_side=True))
            while self._one(connection):
                pass
        except (Gone, OSError):
            pass
        except BaseException as failure:  # noqa: BLE001  (shown by the test that used this server)
            self.failures.append(failure)
        finally:
            with self._lock:
                self._open.discard(sock)
            connection.close()

    def _one(self, connection: Connection) -> bool:
        """Answer one request; return whether the connection is good for another."""
        first, *lines = connection.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        request = Request(connection, method, target, headers)
        act = self._act(request)
        act(self, request)
        return request.length == 0 or (request.body is not None and connection.sock.fileno() >= 0)

    def _act(self, request: Request) -> Act:
        with self._lock:
            if request.method == "POST":
                self.uploads.append(request)
                acts: list[Act] = self.acts
            else:
                self.looks_seen.append(request)
                acts = self.looks
            if not acts:
                return honest
            return acts.pop(0) if len(acts) > 1 else acts[0]


# --- acts


def honest(server: FaultServer, request: Request) -> None:
    """Do what PyPI does."""
    if request.method == "POST":
        reply(request, *store(server, request))
    elif request.target.startswith("/simple/"):
        reply(request, *listing(server, request), headers={"Content-Type": "application/vnd.pypi.simple.v1+json"})
    else:
        reply(request, 404, b"Not Found")


def store(server: FaultServer, request: Request) -> tuple[int, bytes]:
    """Take the file of an upload, as PyPI does: the same again is fine, other content under its name is not."""
    form = request.form()
    name, content = form["filename"][0].decode(), form["content"][0]
    if hashlib.sha256(content).hexdigest() != form["sha256_digest"][0].decode():
        return 400, b"The digest supplied does not match a digest calculated from the uploaded file."
    if server.stored.setdefault(name, content) == content:
        return 200, b"OK"
    return 400, f"File already exists ('{name}', with blake2_256 hash '{'0' * 64}').".encode()


def listing(server: FaultServer, request: Request) -> tuple[int, bytes]:
    project = request.target.split("/")[2]
    files = [
        {
            "filename": name,
            "url": f"{server.url}/files/{name}",
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
        }
        for name, content in server.stored.items()
        if name.startswith(f"{project}-")
    ]
    if not files:
        return 404, b"Not Found"
    return 200, json.dumps({"meta": {"api-version": "1.1"}, "name": project, "files": files}).encode()


def head(status: int, reason: str | None, headers: Mapping[str, str]) -> bytes:
    known = {code.value: code.phrase for code in HTTPStatus}
    words = known.get(status, "Whatever") if reason is None else reason
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {words}\r\n{lines}\r\n".encode("latin-1")


def reply(
    request: Request,
    status: int,
    body: bytes = b"",
    *,
    reason: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    request.connection.send(head(status, reason, {"Content-Length": str(len(body)), **(headers or {})}) + body)


def answering(  # noqa: PLR0913  (the choices of an answer, all but two by name)
    status: int,
    body: bytes = b"",
    *,
    reason: str | None = None,
    headers: Mapping[str, str] | None = None,
    storing: bool = False,
    reading: bool = True,
) -> Act:
    """Answer with this; *storing* the file first, or without *reading* the request's body."""

    def act(server: FaultServer, request: Request) -> None:
        if reading and request.length:
            request.read_body()
        if storing:
            store(server, request)
        reply(request, status, body, reason=reason, headers=headers)
        if not reading:
            request.connection.wait_for_the_end()

    return act


def raw(answer: bytes, *, storing: bool = False) -> Act:
    """Answer with these bytes, and close."""

    def act(server: FaultServer, request: Request) -> None:
        if request.length:
            request.read_body()
        if storing:
            store(server, request)
        request.connection.send(answer)
        request.connection.close()

    return act


def lost(server: FaultServer, request: Request) -> None:
    """Store the file, and cut the connection instead of answering."""
    store(server, request)
    request.connection.reset()


def reset_in_the_body(server: FaultServer, request: Request) -> None:
    """Read a part of the body, then cut the connection."""
    request.connection.read(min(request.length // 2, 100_000))
    request.connection.reset()


def silent(server: FaultServer, request: Request) -> None:
    """Read the request and never answer."""
    request.read_body()
    request.connection.wait_for_the_end()


def silent_but_storing(server: FaultServer, request: Request) -> None:
    """Store the file and never answer."""
    store(server, request)
    request.connection.wait_for_the_end()


def counting(arrived: list[tuple[int, int]]) -> Act:
    """Read the body to its end, and write down how much came of how much was announced."""

    def act(server: FaultServer, request: Request) -> None:
        received = 0
        try:
            while received < request.length:
                received += len(request.connection.read(min(4096, request.length - received)))
        finally:
            arrived.append((received, request.length))

    return act


def deaf(server: FaultServer, request: Request) -> None:
    """Do not even read the request's body."""
    threading.Event().wait(6)
    request.connection.close()


def slowly(data: bytes, pause: float, *, at_once: bytes = b"") -> Act:
    """Answer one byte at a time, after what comes *at_once*."""

    def act(server: FaultServer, request: Request) -> None:
        if request.length:
            request.read_body()
        request.connection.send(at_once)
        for number in range(len(data)):
            request.connection.send(data[number : number + 1])
            threading.Event().wait(pause)

    return act


def endless(first: bytes, more: bytes) -> Act:
    """Answer, and never stop."""

    def act(server: FaultServer, request: Request) -> None:
        if request.length:
            request.read_body()
        request.connection.send(first)
        while True:
            request.connection.send(more)

    return act


def echoing(server: FaultServer, request: Request) -> None:
    """Send the credential back, wherever it could be printed from."""
    request.read_body()
    secret = request.headers.get("authorization", "")
    body = json.dumps({"message": f"who is {secret}?"}).encode()
    reply(request, 400, body, reason=f"no {secret}", headers={"X-Debug": secret})


def reset_on_accept(connection: Connection) -> bool:
    """Greeting: cut the connection before anything is said."""
    connection.reset()
    return True


def stall(connection: Connection) -> bool:
    """Greeting: never say anything, so that no TLS handshake ends."""
    connection.wait_for_the_end()
    return True


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Give a port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


def tunnel_to(port: int) -> Act:
    """Play a proxy: whatever server a CONNECT names, connect to this port on loopback."""

    def act(server: FaultServer, request: Request) -> None:
        request.connection.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        _relay(request.connection.sock, port)

    return act


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
