"""A recorder in the place of PyPI, TestPyPI and a private index, and the command line run against it many times.

As a program it runs every combination of ``destinations_table`` and prints what reached which host, as JSON. With
``direct`` the hosts resolve to this machine (`/etc/hosts` of a network namespace) and the recorder has port 443; with
``proxy`` it is the proxy that all requests go through.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import socket
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_publish.cli.main import main
from ci_publish.cli.streams import Streams
from ci_publish.rehearsal.ci_claims import simulated_github_claims
from ci_publish.rehearsal.loopback_tls import make_loopback_tls
from tests.distributions import make_release
from tests.e2e.destinations_table import HOSTS, Case, cases

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping, Sequence

Request = dict[str, str]
_TYPE = "application/vnd.pypi.simple.v1+json"


class Recorder:
    """Answers every request as an index without any files would, and remembers to which host it was sent."""

    def __init__(self, context: ssl.SSLContext, port: int, *, proxy: bool) -> None:
        self._context = context
        self._proxy = proxy
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.requests: list[Request] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(20)
            if not self._proxy:
                self._tls(connection)
                return
            first = _read_head(connection)
            if first.startswith(b"CONNECT "):
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._tls(connection)

    def _tls(self, connection: socket.socket) -> None:
        with self._context.wrap_socket(connection, server_side=True) as stream:
            while head := _read_head(stream):
                lines = head.decode("latin-1").split("\r\n")
                method, path, _ = lines[0].split(" ", 2)
                headers = {
                    name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
                }
                body = _read_body(stream, headers)
                host = headers.get("host", "")
                self.requests.append(
                    {"host": host, "method": method, "path": path, "secret": _secret(headers, body, path)}
                )
                status, answer = _answer(host, method, path)
                stream.sendall(
                    f"HTTP/1.1 {status} Recorded\r\nContent-Type: {_TYPE}\r\n"
                    f"Content-Length: {len(answer)}\r\n\r\n".encode()
                    + answer
                )


def _read_head(stream: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            return b""
        data += byte
    return data[:-4]


def _read_body(stream: socket.socket, headers: Mapping[str, str]) -> bytes:
    length, data = int(headers.get("content-length", "0")), b""
    while len(data) < length and (piece := stream.recv(min(65536, length - len(data)))):
        data += piece
    return data


def _secret(headers: Mapping[str, str], body: bytes, path: str) -> str:
    """Return what a request shows: the password or token of its authorization, or an identity."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return base64.b64decode(value).decode().partition(":")[2]
    if scheme:
        return value
    if path.endswith("/mint-token"):
        token: str = json.loads(body)["token"]
        return "identity" if token.count(".") == 2 else token
    return ""


def _answer(host: str, method: str, path: str) -> tuple[int, bytes]:
    if path.startswith("/_/oidc/audience") and host.endswith("pypi.org"):
        return 200, json.dumps({"audience": "testpypi" if host.startswith("test.") else "pypi"}).encode()
    if path.endswith("/mint-token"):
        return 200, json.dumps({"success": True, "token": f"pypi-minted-{host}"}).encode()
    if path.startswith("/simple/"):  # the project exists, without any files
        return 200, json.dumps({"meta": {"api-version": "1.0"}, "name": "demo", "files": []}).encode()
    return (200, b"{}") if method == "POST" else (404, b"{}")


class IdentityService:
    """GitHub's service for identity tokens, on plain http on loopback."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/token?api-version=2.0"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with contextlib.suppress(OSError), connection:
                path = _read_head(connection).decode("latin-1").split(" ")[1]
                audience = path.partition("audience=")[2].partition("&")[0]
                answer = json.dumps({"value": _token(audience)}).encode()
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                    + f"Content-Length: {len(answer)}\r\n\r\n".encode()
                    + answer
                )


def _token(audience: str) -> str:
    now = int(time.time())
    claims = {
        **simulated_github_claims(),
        "aud": audience,
        "exp": now + 600,
        "iat": now,
        "nbf": now - 600,
        "jti": str(now),
    }
    parts = ({"alg": "none"}, {"iss": "https://token.actions.githubusercontent.com", **claims})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2ln"])


def run(case: Case, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run the command line once, in a folder and an environment that hold what *case* says."""
    (folder / "pyproject.toml").write_text(case.pyproject, encoding="utf-8")
    (folder / ".pypirc").write_text(case.pypirc, encoding="utf-8")
    (folder / ".pypirc").chmod(0o600)
    out = io.StringIO()
    argv = ["publish", "dist", *case.flags, "--no-verify", "--attestations", "off", "--timeout", "5", "--jobs", "1"]
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update({**environment, **case.environ, "HOME": str(folder)})
    try:
        return main(argv, os.environ, Streams(io.StringIO(), out, out)), out.getvalue()
    finally:
        os.environ.clear()
        os.environ.update(before)


def run_all(chosen: Sequence[Case], *, proxy: bool) -> Iterator[dict[str, Any]]:
    """Run each case; yield its exit code, what it printed, and the requests that reached the recorder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_release(folder / "dist")
        tls = make_loopback_tls(folder, datetime.now(UTC), HOSTS)
        recorder = Recorder(tls.context, 0 if proxy else 443, proxy=proxy)
        service = IdentityService()
        environment = {**tls.environment, "PATH": os.environ["PATH"]}
        if proxy:
            environment |= {"HTTPS_PROXY": f"http://127.0.0.1:{recorder.port}", "NO_PROXY": "127.0.0.1"}
        os.chdir(folder)
        for case in chosen:
            recorder.requests.clear()
            ci = {"ACTIONS_ID_TOKEN_REQUEST_URL": service.url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token"}
            context = {"GITHUB_ACTIONS": "true", **(ci if case.identity else {})} if case.action else {}
            code, text = run(case, folder, {**environment, **context})
            yield {"case": case.name, "code": code, "text": text, "requests": list(recorder.requests)}
        os.chdir("/")


if __name__ == "__main__":
    json.dump(list(run_all(cases(), proxy=sys.argv[1] == "proxy")), sys.stdout)
