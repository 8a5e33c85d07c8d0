"""A fast index over TLS on loopback, for benchmarks: it keeps nothing but names and digests.

What an upload costs is up to a ``Store``: ``SideBySide`` here, or the database of ``pypi_model``. Listings are
JSON or HTML, as asked for.
"""

import asyncio
import json
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.loop import serving

_HEAD = 256 * 1024
_SHA256 = re.compile(rb'name="sha256_digest"\r\n(?:[^\r\n]+\r\n)*\r\n([0-9a-f]{64})')
_FILENAME = re.compile(rb'name="content"; filename="([^"]+)"')
_RELEASE = re.compile(r"^(.+?)-(\d[^-]*?)(?:-|\.tar\.gz$)")


@dataclass
class Ledger:
    """What the index has, what it was asked, and what it answered: ``failed`` counts answers 500."""

    files: dict[str, str] = field(default_factory=dict)
    failed: int = 0
    uploads: int = 0
    looks: int = 0
    in_flight: int = 0
    most_in_flight: int = 0


class Store(Protocol):
    """What an index does with a file that it has received."""

    async def upload(self, project: str, version: str, filename: str, sha256: str) -> int:
        """Keep the file, or not; return the HTTP status of the answer."""


class SideBySide:
    """Works *work* seconds for each upload, side by side; 500 to first files of a release that race each other."""

    def __init__(self, work: float = 0.3) -> None:
        self._work = work
        self._creating: set[tuple[str, str]] = set()
        self._releases: set[tuple[str, str]] = set()

    async def upload(self, project: str, version: str, filename: str, sha256: str) -> int:
        """Wait; the ledger keeps the file."""
        del filename, sha256
        release = (project, version)
        if release in self._creating:
            return 500
        if release not in self._releases:
            self._creating.add(release)
        await asyncio.sleep(self._work)
        self._creating.discard(release)
        self._releases.add(release)
        return 200


class BenchIndex:
    """Serves a ledger; requests are read and answered by one event loop in a thread of its own."""

    def __init__(self, context: ssl.SSLContext, ledger: Ledger, store: Store) -> None:
        self.ledger = ledger
        self.port = 0
        self._context = context
        self._store = store

    @contextmanager
    def running(self) -> Iterator["BenchIndex"]:
        """Listen on a free port of loopback."""

        async def start() -> asyncio.Server:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context, limit=_HEAD)
            self.port = server.sockets[0].getsockname()[1]
            return server

        with serving(start):
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, path, _ = head.split(" ", 2)
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
                }
                if method == "POST":
                    answer = await self._upload(reader, headers)
                else:
                    answer = self._look(path, headers.get("accept", ""))
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _upload(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        ledger = self.ledger
        ledger.in_flight += 1
        ledger.most_in_flight = max(ledger.most_in_flight, ledger.in_flight)
        try:
            head = await self._read_body(reader, int(headers["content-length"]))
            return await self._receive(head)
        finally:
            ledger.in_flight -= 1

    async def _read_body(self, reader: asyncio.StreamReader, length: int) -> bytes:
        kept = bytearray()
        while length:
            block = await reader.read(min(length, 256 * 1024))
            if not block:
                raise ConnectionResetError
            length -= len(block)
            if len(kept) < _HEAD:
                kept += block
        return bytes(kept)

    async def _receive(self, head: bytes) -> bytes:
        digest, filename = _SHA256.search(head), _FILENAME.search(head)
        if digest is None or filename is None:
            return _answer(400, b"no digest or no file", "text/plain")
        name = filename[1].decode()
        sha256 = digest[1].decode()
        match = _RELEASE.match(name)
        project, version = match.groups() if match else (name, "")
        self.ledger.uploads += 1
        status = await self._store.upload(project, version, name, sha256)
        if status == 200:
            self.ledger.files[name] = sha256
        self.ledger.failed += status == 500
        return _answer(status, b"", "text/plain")

    def _look(self, path: str, accept: str) -> bytes:
        self.ledger.looks += 1
        project = path.rstrip("/").rsplit("/", 1)[-1]
        if path.startswith("/pypi/"):
            return self._json_api(path)
        files = {n: d for n, d in self.ledger.files.items() if n.startswith(f"{project.replace('-', '_')}-")}
        if not files:
            return _answer(404, b"not found", "text/plain")
        if "application/vnd.pypi.simple.v1+json" in accept:
            listing = {
                "meta": {"api-version": "1.4", "_last-serial": len(files)},
                "name": project,
                "project-status": {"status": "active"},
                "versions": sorted({n.split("-")[1] for n in files}),
                "files": [
                    {"filename": n, "url": f"https://files.example/{n}", "hashes": {"sha256": d}, "size": 1}
                    for n, d in files.items()
                ],
            }
            return _answer(200, json.dumps(listing).encode(), "application/vnd.pypi.simple.v1+json")
        links = "".join(f'<a href="https://files.example/{n}#sha256={d}">{n}</a>' for n, d in files.items())
        return _answer(200, f"<!DOCTYPE html><body>{links}</body>".encode(), "text/html")

    def _json_api(self, path: str) -> bytes:
        project, *version = path.removeprefix("/pypi/").split("/")[:-1]
        release = "-".join([project.replace("-", "_"), *version]) + "-"
        files = [name for name in self.ledger.files if name.startswith(release)]
        entries = [{"filename": n, "digests": {"sha256": self.ledger.files[n]}, "url": ""} for n in files]
        body = {
            "info": {"name": project, "version": "1.0"},
            "last_serial": 1,
            "urls": entries,
            "releases": {"1.0": entries},
        }
        return _answer(200 if files else 404, json.dumps(body).encode(), "application/json")


def _answer(status: int, body: bytes, kind: str) -> bytes:
    reason = {200: "OK", 400: "Bad Request", 404: "Not Found", 500: "Internal Server Error"}[status]
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
