"""Behind a proxy: pip and uv get dependencies through it, and nobody reads its password in a log."""

import datetime as dt
import hashlib
import os
import shutil
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ci_publish.rehearsal.loopback_tls import make_loopback_tls
from tests.e2e.conftest import Cli, Result
from tests.faults.server import FaultServer, answering, tunnel_to
from tests.installable import wheel

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="environments and processes as on Linux"),
]

PASSWORD = "canary-of-the-proxy"
UPSTREAM = "https://upstream.example/simple/"
INSTALLERS = ["uv", pytest.param("pip", marks=pytest.mark.stress)]


@dataclass(frozen=True)
class Behind:
    """A machine whose only way to ``upstream.example`` is a proxy that asks for a password."""

    cli: Cli
    proxy: FaultServer
    environ: dict[str, str]

    def rehearse(self, *arguments: str) -> Result:
        """Rehearse and install what is in ``dist``, with every report there is."""
        summary = self.cli.folder / "summary.md"
        result = self.cli(
            *("rehearse", "dist", "--install", "--upstream", UPSTREAM, "--verbose", "--reports-dir", "reports"),
            *arguments,
            **self.environ,
            GITHUB_STEP_SUMMARY=str(summary),
        )
        reports = [path.read_text() for path in (self.cli.folder / "reports").iterdir()]
        for text in (result.stdout, result.stderr, str(result.receipt), *reports):
            assert PASSWORD not in text
        return result


@contextmanager
def upstream(folder: Path) -> Iterator[tuple[int, Path]]:
    """An index with one wheel that only says hello to whoever believes it is ``upstream.example``."""
    folder.mkdir()
    path = wheel(folder, "dep")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    pages = {
        "/simple/dep/": ("text/html", f'<a href="/files/{path.name}#sha256={digest}">x</a>'.encode()),
        f"/files/{path.name}": ("application/octet-stream", path.read_bytes()),
    }

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = pages.get(self.path, ("text/plain", b""))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    tls = make_loopback_tls(folder, dt.datetime.now(tz=dt.UTC), ["upstream.example"])
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.socket = tls.context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, tls.authority_file
        server.shutdown()
        thread.join()


@pytest.fixture(params=INSTALLERS)
def behind(request: pytest.FixtureRequest, cli: Cli) -> Iterator[Behind]:
    programs = cli.folder / "programs"
    programs.mkdir()
    if request.param == "uv":
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        (programs / "uv").write_text(f'#!/bin/sh\nUV_HTTP_RETRIES=0 exec {uv} "$@"\n')
        (programs / "uv").chmod(0o755)
    with (
        upstream(cli.folder / "upstream") as (port, authority),
        FaultServer(looks=[tunnel_to(port)] * 200) as proxy,
    ):
        environ = {
            "PATH": f"{programs}{os.pathsep}/usr/bin:/bin",
            "HTTPS_PROXY": proxy.url.replace("://", f"://user:{PASSWORD}@"),
            "SSL_CERT_FILE": str(authority),
        }
        yield Behind(cli, proxy, environ)


@pytest.mark.stress
def test_dependencies_come_through_the_proxy(behind: Behind) -> None:
    wheel(behind.cli.folder / "dist", files={"demo/__init__.py": "import dep\n"}, metadata=["Requires-Dist: dep"])
    result = behind.rehearse()

    assert result.code == 0, result.stdout + result.stderr
    assert [trial["result"] for file in result.receipt["files"] for trial in file["tried"]] == ["passed"]
    assert {request.target for request in behind.proxy.looks_seen} == {"upstream.example:443"}
    credential = f"Basic {b64encode(f'user:{PASSWORD}'.encode()).decode()}"
    assert {request.headers.get("proxy-authorization") for request in behind.proxy.looks_seen} == {credential}


def test_what_failed_shows_neither_the_proxy_s_password_nor_the_one_of_the_run(behind: Behind) -> None:
    of_the_run = "pypi-canary-of-the-run"
    (behind.cli.folder / "secret").write_text(of_the_run)
    wheel(behind.cli.folder / "dist", metadata=["Requires-Dist: dep"])
    missing = wheel(behind.cli.folder / "dist", "other", metadata=["Requires-Dist: absent"])
    behind.environ["CI_PUBLISH_PASSWORD"] = of_the_run
    result = behind.rehearse(
        *("--repository-url", "http://127.0.0.1:9/legacy/", "--install-with-credentials"),
        *("--run", f'sh -c "env; cat {behind.cli.folder}/secret; exit 3"'),
    )

    assert result.code == 4, result.stdout + result.stderr
    rules = {problem["rule"] for problem in result.receipt["problems"]}
    assert rules >= {
        "install-command",
        "install-unresolvable",
    }
    assert "HTTPS_PROXY=http://***@" in result.stdout
    assert f"{missing.name}: absent cannot be met on" in result.stdout
    assert of_the_run not in result.stdout + result.stderr + str(result.receipt)
    assert of_the_run not in (behind.cli.folder / "reports" / "junit.xml").read_text()
    assert {request.target for request in behind.proxy.looks_seen} == {"upstream.example:443"}


@pytest.mark.stress
@pytest.mark.parametrize("status", [407, 502])
def test_a_proxy_that_refuses_is_named_and_no_file_is_blamed(behind: Behind, status: int) -> None:
    wheel(behind.cli.folder / "dist", metadata=["Requires-Dist: dep"])
    behind.proxy.looks[:] = [answering(status)] * 200
    result = behind.rehearse()

    assert (result.code, result.receipt["error"]["slug"]) == (
        (2, "proxy-authentication-required") if status == 407 else (10, "index-unavailable")
    ), result.stdout + result.stderr
    assert "(HTTPS_PROXY)" in result.stdout
