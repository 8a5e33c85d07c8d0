"""An upstream that does not answer is no fault of the files that are tried."""

import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.conftest import Cli, stop
from tests.installable import sdist, wheel

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="environments and processes as on Linux"),
]


class Busy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def busy() -> Iterator[str]:
    """An index that answers 503 to everything."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/simple/"
        server.shutdown()
        thread.join()


@contextmanager
def closed() -> Iterator[str]:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/simple/"


def programs(folder: Path, installer: str) -> str:
    """A PATH with uv, which does not retry so that tests do not wait, or without it, so that pip is used."""
    folder.mkdir()
    if installer == "uv":
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        (folder / "uv").write_text(f'#!/bin/sh\nUV_HTTP_RETRIES=0 exec {uv} "$@"\n')
        (folder / "uv").chmod(0o755)
    return f"{folder}{os.pathsep}/usr/bin:/bin"


def requiring(folder: Path) -> Path:
    return wheel(folder, metadata=["Requires-Dist: dep"])


def building(folder: Path) -> Path:
    return sdist(folder, requires=["dep"])


SECRET = "canary-of-the-upstream-address"


@pytest.mark.parametrize(
    ("installer", "gone", "make", "said"),
    [
        ("uv", closed, requiring, "Cannot reach the upstream index http://127.0.0.1:"),
        pytest.param("uv", busy, building, "answers 503 Service Unavailable.", marks=pytest.mark.stress),
        pytest.param("uv", closed, building, "connection refused", marks=pytest.mark.stress),
        pytest.param("uv", busy, requiring, "responds with 503", marks=pytest.mark.stress),
        pytest.param("pip", closed, requiring, "connection refused", marks=pytest.mark.stress),
        pytest.param("pip", busy, requiring, "responds with 503", marks=pytest.mark.stress),
        pytest.param("pip", busy, building, "responds with 503", marks=pytest.mark.stress),
    ],
)
def test_an_upstream_that_does_not_answer_is_unavailable(
    cli: Cli, installer: str, gone: Callable[[], AbstractContextManager[str]], make: Callable[[Path], Path], said: str
) -> None:
    make(cli.folder / "dist")
    path = programs(cli.folder / "programs", installer)
    with gone() as url:
        address = url.replace("://", f"://user:{SECRET}@") if installer == "pip" else url
        result = cli("rehearse", "dist", "--install", PATH=path, CI_PUBLISH_UPSTREAM=address)

    assert (result.code, result.receipt["error"]["slug"]) == (10, "index-unavailable"), result.stdout + result.stderr
    for text in (
        said,
        "Run it again when the upstream index responds.",
        "errors/index-unavailable/",
        "nothing is public",
    ):
        assert text in result.stdout
    assert "install-" not in result.stdout
    assert [file["tried"] for file in result.receipt["files"]] == [[]]
    assert SECRET not in result.stdout + result.stderr + str(result.receipt)


def test_a_served_rehearsal_warns_that_there_are_no_dependencies(cli: Cli) -> None:
    requiring(cli.folder / "dist")
    with closed() as url:
        process = cli.start("rehearse", "dist", "--serve", "--upstream", url)
        assert process.stdout is not None
        said = list(iter(process.stdout.readline, "The rehearsal is running. Press Ctrl-C to stop it.\n"))
        assert stop(process) == 0

    (warning,) = [line for line in said if line.startswith("warning")]
    assert "Cannot reach the upstream index http://127.0.0.1:" in warning
    assert "only the rehearsed projects can be installed" in warning
