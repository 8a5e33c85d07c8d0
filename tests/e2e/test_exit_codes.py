"""Every exit code of the table, reached on the command line, each with a receipt that the schema accepts."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pytest_httpserver import HTTPServer

from ci_publish.errors import error_classes
from tests.distributions import make_release, make_wheel
from tests.e2e.conftest import Cli, Result, Served
from tests.platforms import needs_signals

pytestmark = pytest.mark.e2e

SCHEMA = json.loads(Path("docs/receipt-2.schema.json").read_text(encoding="utf-8"))


def ended(result: Result, code: int, slug: str | None) -> dict[str, Any]:
    """Check what must hold for every end of a run, and return the receipt."""
    assert result.code == code, result.stdout + result.stderr
    jsonschema.validate(result.receipt, SCHEMA)
    assert result.receipt["exit_code"] == code
    error = result.receipt["error"]
    assert (error["slug"] if error else None) == slug
    if slug is not None:
        assert f"exit code {code}" in result.stdout + result.stderr
        assert error["docs"].endswith(f"/errors/{slug}/")
        assert error["summary"]
        assert error["hints"], "every failure says what to do"
    return result.receipt


@pytest.fixture
def released(cli: Cli) -> list[Path]:
    """A release of a project that no other test has."""
    name = f"exit-{cli.folder.name.replace('_', '-').rstrip('0123456789')}".strip("-")
    return make_release(cli.folder / "dist", name)


def password_for(url: str) -> dict[str, str]:
    return {"CI_PUBLISH_REPOSITORY_URL": url, "CI_PUBLISH_USER": "me", "CI_PUBLISH_PASSWORD": "canary-pw"}


def test_0_published_and_again(in_ci: Cli, released: list[Path]) -> None:
    first = in_ci("publish")
    receipt = ended(first, 0, None)
    assert receipt["outcome"] == "published"
    assert {file["status"] for file in receipt["files"]} == {"uploaded"}
    assert all(file["listed"] and file["provenance_verified"] for file in receipt["files"])
    assert receipt["indexes"][0]["credential"]["kind"] == "trusted-publishing"
    assert receipt["indexes"][0]["credential"]["burnt"] is True
    again = in_ci("publish")
    receipt = ended(again, 0, None)
    assert receipt["outcome"] == "already-published"
    assert {file["status"] for file in receipt["files"]} == {"already-published"}
    assert len(released) == len(receipt["files"])


def test_2_configuration(cli: Cli) -> None:
    ended(cli("publish", "--jobs", "none"), 2, "configuration")
    ended(cli("publish", "--no-such-flag"), 2, "configuration")
    ended(cli("publish", "--password", "x"), 2, "configuration")


def test_3_nothing_to_publish(cli: Cli) -> None:
    ended(cli("check"), 3, "nothing-to-publish")


def test_4_invalid_distribution(in_ci: Cli) -> None:
    make_wheel(in_ci.folder / "dist", "demo", tag="py3-none-linux_x86_64")
    receipt = ended(in_ci("publish"), 4, "invalid-distribution")
    assert any(problem["severity"] == "error" for problem in receipt["problems"])
    ended(in_ci("check", "--index-profile", "pypi"), 4, "invalid-distribution")
    assert in_ci("check", "--index-profile", "generic").code == 0, "linux wheels are welcome elsewhere"


def test_5_identity_unavailable(cli: Cli, served: Served, released: list[Path]) -> None:
    assert released
    ended(cli("publish", "--repository-url", served.repository_url), 5, "identity-unavailable")


def test_6_credential_rejected(cli: Cli, served: Served, released: list[Path]) -> None:
    assert released
    result = cli("publish", CI_PUBLISH_REPOSITORY_URL=served.repository_url, CI_PUBLISH_PASSWORD="pypi-wrong")
    ended(result, 6, "credential-rejected")
    assert "pypi-wrong" not in result.stdout + result.stderr + json.dumps(result.receipt)


def test_7_signing_failed(in_ci: Cli, released: list[Path], served: Served, httpserver: HTTPServer) -> None:
    assert released
    httpserver.expect_request(re.compile("/.*")).respond_with_data("no certificates today", status=400)
    trust = json.loads(Path(served.sigstore_trust_config).read_text(encoding="utf-8"))
    for service in (*trust["signingConfig"]["caUrls"], *trust["signingConfig"]["rekorTlogUrls"]):
        service["url"] = httpserver.url_for("/").rstrip("/")
    refusing = in_ci.folder / "trust.json"
    refusing.write_text(json.dumps(trust), encoding="utf-8")
    result = in_ci("publish", CI_PUBLISH_SIGSTORE_TRUST_CONFIG=str(refusing))
    assert result.code == 7, result.stderr
    assert {file["status"] for file in result.receipt["files"]} == {"not-attempted"}
    assert "no certificates today" in result.stdout
    ended(result, 7, result.receipt["error"]["slug"])


def test_8_content_conflict(in_ci: Cli, released: list[Path]) -> None:
    assert in_ci("publish").code == 0
    for path in released:
        path.unlink()
    project = released[0].name.rsplit("-", 1)[0].replace("_", "-")
    make_release(in_ci.folder / "dist", project, payload=b"x = 2\n")
    for command in ("publish", "plan", "verify"):
        receipt = ended(in_ci(command), 8, "content-conflict")
        assert "conflict" in {file["status"] for file in receipt["files"]}


def test_9_upload_rejected(cli: Cli, released: list[Path], httpserver: HTTPServer) -> None:
    assert released
    httpserver.expect_request("/", method="POST").respond_with_data("That name is not allowed", status=400)
    httpserver.expect_request(re.compile("/.*"), method="GET").respond_with_data("", status=404)
    result = cli("publish", **password_for(httpserver.url_for("/")))
    ended(result, 9, "upload-rejected")


def test_10_index_unavailable(cli: Cli, released: list[Path]) -> None:
    assert released
    url = f"http://127.0.0.1:{_closed_port()}/legacy/"
    result = cli("publish", "--deadline", "20", **password_for(url))
    ended(result, 10, "index-unavailable")


def test_11_unverified(cli: Cli, served: Served) -> None:
    make_wheel(cli.folder / "dist", "nowhere-to-be-seen")
    ended(cli("verify", "--repository-url", served.repository_url), 11, "unverified")


def test_12_deferred(cli: Cli, released: list[Path], httpserver: HTTPServer) -> None:
    assert released
    limited = {"RateLimit": '"project.create.user";r=0;t=3600', "RateLimit-Policy": '"project.create.user";q=4;w=86400'}
    answered = httpserver.expect_request("/", method="POST")
    answered.respond_with_data("Too many new projects created", status=429, headers=limited)
    httpserver.expect_request(re.compile("/.*"), method="GET").respond_with_data("", status=404)
    receipt = ended(cli("publish", **password_for(httpserver.url_for("/"))), 12, "deferred")
    assert receipt["outcome"] == "deferred"
    assert receipt["resume_after"] is not None
    assert {file["status"] for file in receipt["files"]} == {"deferred"}


@dataclass
class Tarpit:
    """An index that accepts connections and never answers; ``visited`` is set when the first request came."""

    url: str
    visited: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def tarpit() -> Iterator[Tarpit]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pit = Tarpit(f"http://127.0.0.1:{listener.getsockname()[1]}/legacy/")
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    kept.append(listener.accept()[0])
                except OSError:
                    return
                kept[-1].recv(1)
                pit.visited.set()

        threading.Thread(target=accept, daemon=True).start()
        yield pit
        listener.shutdown(socket.SHUT_RDWR)
        for connection in kept:
            connection.close()


@needs_signals
@pytest.mark.parametrize("signal_and_end", [(2, 130, "interrupted"), (15, 143, "terminated")])
def test_130_and_143_interrupted(
    cli: Cli, released: list[Path], tarpit: Tarpit, signal_and_end: tuple[int, int, str]
) -> None:
    assert released
    number, code, slug = signal_and_end
    process = cli.start("publish", "--index-profile", "generic", **password_for(tarpit.url))
    assert tarpit.visited.wait(30)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=15)
    receipt = ended(cli.result(process.returncode, stdout, stderr), code, slug)
    assert receipt["outcome"] == "interrupted"


def test_1_internal_is_the_only_code_without_a_way_to_it() -> None:
    """A bug cannot be reached on purpose from outside; tests/unit/app/test_composition.py makes one."""
    codes = {error.exit_code for error in error_classes()}
    reached = {
        int(name.split("_")[1]) for name in globals() if name.startswith("test_") and name.split("_")[1].isdigit()
    }
    assert codes - {143} == (reached - {0}) | {1}


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
