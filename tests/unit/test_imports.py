"""What a run does not need is not imported: by what a process of its own has loaded in the end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.distributions import make_release

NEEDLESS = {
    "aiohttp", "click", "cryptography", "docutils", "jwt", "keyring", "pypi_attestations", "requests", "rich",
    "sigstore", "sigstore_models", "tuf", "urllib3", "werkzeug",
}  # fmt: skip

# httpx imports these for a command line of its own, where they are installed.
BY_HTTPX = {"click", "rich"}

LOADED = "import json, sys; print('loaded', json.dumps(sorted(name for name in sys.modules if '.' not in name)))"


def loaded(code: str, *arguments: str, folder: Path) -> set[str]:
    """Run *code* in a process of its own; return the top-level modules that it has loaded in the end."""
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment | {"CI_PUBLISH_PASSWORD": "canary", "CI_PUBLISH_USER": "me"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stdout.splitlines() if line.startswith("loaded ")]
    assert said, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    return set(json.loads(said[-1].removeprefix("loaded ")))


def run(*arguments: str, folder: Path) -> set[str]:
    """Run a command as a user does; return what it has loaded."""
    code = f"import atexit\nfrom ci_publish.cli.main import entry\natexit.register(lambda: exec({LOADED!r}))\nentry()"
    return loaded(code, *arguments, folder=folder)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    make_release(tmp_path / "dist")
    return tmp_path


def test_a_check_needs_no_network_and_no_signatures(release: Path) -> None:
    assert run("check", folder=release) & (NEEDLESS | {"httpx", "httpcore"}) == set()


def test_publishing_with_a_password_needs_no_signatures(release: Path, httpserver: HTTPServer) -> None:
    listing = {"meta": {"api-version": "1.0"}, "name": "demo", "files": []}
    httpserver.expect_request("/simple/demo/").respond_with_data(
        json.dumps(listing), content_type="application/vnd.pypi.simple.v1+json"
    )
    httpserver.expect_request("/", method="POST").respond_with_data("OK")
    found = run("publish", "--no-verify", "--repository-url", httpserver.url_for("/"), folder=release)
    assert found & (NEEDLESS - BY_HTTPX) == set()
    assert "httpx" in found


def test_putting_the_rooms_together_opens_none(tmp_path: Path) -> None:
    found = loaded(f"import ci_publish.app.composition\n{LOADED}", folder=tmp_path)
    assert found & (NEEDLESS | {"httpx", "httpcore", "readme_renderer", "id"}) == set()


def test_the_version_needs_nothing(tmp_path: Path) -> None:
    assert "pydantic" not in loaded(f"import ci_publish\n{LOADED}", folder=tmp_path)


def test_little_is_imported_before_the_connection_is_begun(tmp_path: Path) -> None:
    code = "import sys\nimport ci_publish.app.commands, ci_publish.cli.command_invocation\n"
    names = loaded(code + LOADED.replace("if '.' not in name", ""), folder=tmp_path)
    assert "ci_publish.app.connections" in names
    late = (
        "ci_publish.app.composition",
        "ci_publish.distributions",
        "ci_publish.publishing.planning",
        "httpx",
        "packaging",
    )
    assert not any(name.startswith(late) for name in names)
