"""What tests of settings and commands begin with."""

import json
import re
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.unit.app.tools_settings import CORP, PYPIRC


@pytest.fixture
def private(httpserver: HTTPServer) -> HTTPServer:
    """An index with a Simple API that knows nothing yet, behind a password."""
    listing = {"meta": {"api-version": "1.0"}, "name": "demo", "files": []}
    httpserver.expect_request("/simple/demo/").respond_with_data(
        json.dumps(listing), content_type="application/vnd.pypi.simple.v1+json"
    )
    httpserver.expect_request("/", method="POST").respond_with_data("OK")
    httpserver.expect_request(re.compile("/.*")).respond_with_data("", status=404)
    return httpserver


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".pypirc").write_text(PYPIRC)
    (tmp_path / ".pypirc").chmod(0o600)
    (tmp_path / "pyproject.toml").write_text(
        '[[tool.uv.index]]\nname = "corp"\nurl = "https://corp.example/simple/"\n'
        f'publish-url = "{CORP}"\n[[tool.uv.index]]\nname = "readonly"\nurl = "https://r.example/"\n'
    )
    return tmp_path


@pytest.fixture
def pyproject(tmp_path: Path) -> Path:
    return tmp_path / "pyproject.toml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pypirc").write_text("")
