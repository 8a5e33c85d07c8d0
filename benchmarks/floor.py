"""The floor: the same requests in the same order as ci-publish, from raw sockets, with nothing read, checked or hashed.

    python -m benchmarks.floor HOST PORT CA PROJECT JOBS VIA FILE…     VIA: direct, or proxy:PORT

One look, the first file alone, the others in parallel over as many kept connections, one listing.
"""

import socket
import ssl
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

BOUNDARY = b"floor-boundary"


class Line:
    """One kept TLS connection."""

    def __init__(self, host: str, port: int, authority: str, via: str) -> None:
        context = ssl.create_default_context(cafile=authority)
        if via == "direct":
            plain = socket.create_connection((host, port))
        else:
            plain = socket.create_connection(("127.0.0.1", int(via.removeprefix("proxy:"))))
            plain.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            while b"\r\n\r\n" not in plain.recv(4096):
                pass
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = host
        self._socket = context.wrap_socket(plain, server_hostname=host)

    def get(self, path: str) -> bytes:
        """Ask for *path*; return the status."""
        accept = "application/vnd.pypi.simple.v1+json"
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nAccept: {accept}\r\n\r\n".encode())
        return self._answer()

    def upload(self, path: Path, digest: str) -> bytes:
        """Send a file; return the status."""
        head = _part("sha256_digest") + digest.encode() + b"\r\n--" + BOUNDARY
        head += f'\r\nContent-Disposition: form-data; name="content"; filename="{path.name}"\r\n\r\n'.encode()
        tail = b"\r\n--" + BOUNDARY + b"--\r\n"
        length = len(head) + path.stat().st_size + len(tail)
        self._socket.sendall(
            f"POST /legacy/ HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {length}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}\r\n\r\n".encode()
            + head
        )
        with path.open("rb") as file:
            while block := file.read(256 * 1024):
                self._socket.sendall(block)
        self._socket.sendall(tail)
        return self._answer()

    def _answer(self) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += self._more()
        return head.split(b" ", 2)[1]

    def _more(self) -> bytes:
        block = self._socket.recv(65536)
        if not block:
            raise ConnectionResetError
        return block


def _part(name: str) -> bytes:
    return b"--" + BOUNDARY + f'\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()


def main(arguments: Sequence[str]) -> None:
    """Do it; see the module."""
    host, port, authority, project, jobs, via, *names = arguments
    digests = dict(line.split() for line in sys.stdin.read().splitlines())
    files = [Path(name) for name in names]
    first_line = Line(host, int(port), authority, via)
    if first_line.get(f"/simple/{project}/") == b"200":
        return
    _require(first_line.upload(files[0], digests[files[0].name]))
    rest = iter(files[1:])
    lock = threading.Lock()

    def work(line: Line | None) -> None:
        while True:
            with lock:
                path = next(rest, None)
            if path is None:
                return
            line = line or Line(host, int(port), authority, via)
            _require(line.upload(path, digests[path.name]))

    threads = [threading.Thread(target=work, args=(None,)) for _ in range(min(int(jobs), len(files) - 1) - 1)]
    for thread in threads:
        thread.start()
    work(first_line)
    for thread in threads:
        thread.join()
    _require(first_line.get(f"/simple/{project}/"))


def _require(status: bytes) -> None:
    if status != b"200":
        sys.exit(f"floor: {status!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
