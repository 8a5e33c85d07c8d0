"""An index on loopback whose every project has a release that is newer than the locked one."""

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version


@dataclass(frozen=True)
class Locked:
    """One entry of a lock; ``marker`` is its environment marker as it stands there, "" without one."""

    name: str
    version: str
    marker: str = ""

    @property
    def wanted(self) -> bool:
        """Whether this interpreter is to have it."""
        return not self.marker or Requirement(f"x; {self.marker}").marker.evaluate()  # type: ignore[union-attr]


def read_lock(path: Path) -> list[Locked]:
    """Return the entries of a requirement file that `make lock` wrote."""
    lines = path.read_text(encoding="utf-8").splitlines()
    entries = [line.removesuffix("\\").strip() for line in lines if "==" in line and not line.startswith((" ", "#"))]
    found = [entry.partition(" ; ") for entry in entries]
    pins = [(pin.partition("=="), marker) for pin, _, marker in found]
    return [Locked(name, version.strip(), marker.strip()) for (name, _, version), marker in pins]


def newer(version: str) -> str:
    """Return a version that is higher than *version*, in its own epoch or not."""
    return f"{Version(version).epoch}!{Version(version).major + 1}"


def make_wheel(name: str, version: str, requires: str | None = None) -> tuple[str, bytes]:
    """Return the filename and the content of a wheel that holds nothing; it provides an extra."""
    stem = f"{canonicalize_name(name).replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: extra\n"
    if requires is not None:
        metadata += f"Requires-Dist: {requires}\n"
    members = {
        "METADATA": metadata,
        "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{stem}.dist-info/{member},,\n" for member in (*members, "RECORD"))
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, text in {**members, "RECORD": record}.items():
            archive.writestr(f"{stem}.dist-info/{member}", text)
    return f"{stem}-py3-none-any.whl", buffer.getvalue()


def newer_wheels(locked: Iterable[Locked]) -> dict[str, bytes]:
    """Return a higher version of each locked distribution."""
    return dict(make_wheel(entry.name, newer(entry.version)) for entry in locked)


def lock_of(locked: Iterable[Locked], wheels: Mapping[str, bytes]) -> str:
    """Return a lock of the same *locked* versions for *wheels* that were made for them."""
    digests = {
        (name, str(version)): hashlib.sha256(content).hexdigest()
        for filename, content in wheels.items()
        for name, version, *_ in [parse_wheel_filename(filename)]
    }
    return "".join(
        f"{entry.name}=={entry.version}{f' ; {entry.marker}' if entry.marker else ''} \\\n"
        f"    --hash=sha256:{digests[canonicalize_name(entry.name), str(Version(entry.version))]}\n"
        for entry in locked
    )


@contextmanager
def serving(wheels: Mapping[str, bytes]) -> Iterator[str]:
    """Serve *wheels* by the Simple API; yield the URL of the index."""
    projects: dict[str, list[str]] = {}
    for filename in wheels:
        projects.setdefault(parse_wheel_filename(filename)[0], []).append(filename)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            _, kind, name, *_ = self.path.split("/")
            if kind == "files" and name in wheels:
                self.answer(200, wheels[name], "application/octet-stream")
            elif kind == "simple" and name in projects:
                links = (
                    f'<a href="/files/{each}#sha256={hashlib.sha256(wheels[each]).hexdigest()}">{each}</a>'
                    for each in projects[name]
                )
                self.answer(200, "\n".join(links).encode(), "text/html")
            else:
                self.answer(404, b"", "text/plain")

        def answer(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple/"
        finally:
            server.shutdown()
            thread.join()
