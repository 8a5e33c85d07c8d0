"""The composition root: settings become rooms, runs become receipts, bugs become reports."""

import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

import ci_publish
from ci_publish import Settings
from ci_publish.errors import (
    ConfigurationError,
)
from ci_publish.model.identity import Secret
from ci_publish.model.receipt_json import receipt_as_dict
from ci_publish.regular_files import MAX_SETTINGS
from tests.distributions import make_release
from tests.unit.app.contexts import context


def test_looks_use_the_uploads_own_credential(tmp_path: Path, private: HTTPServer) -> None:
    make_release(tmp_path)
    masked: list[Secret] = []
    settings = Settings(
        paths=(str(tmp_path),),
        repository_url=(private.url_for("/"),),
        user="me",
        password="canary",  # type: ignore[arg-type]
        verify=False,
    )
    receipt = ci_publish.publish(settings, context=context(mask=masked.append))
    assert {file.status for file in receipt.files} == {"uploaded-not-confirmed"}
    looks = [request for request, _ in private.log if request.path == "/simple/demo/"]
    assert looks
    assert all(request.authorization is not None and request.authorization.username == "me" for request in looks)
    assert Secret("canary") in masked
    assert "canary" not in json.dumps(receipt_as_dict(receipt))


def test_an_unreadable_trust_configuration_is_a_mistake(tmp_path: Path) -> None:
    make_release(tmp_path)
    settings = Settings(paths=(str(tmp_path),), output_dir=tmp_path, sigstore_trust_config=tmp_path / "none.json")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        ci_publish.attest(settings, context=context())


def test_a_trust_configuration_that_is_too_large_is_a_mistake(tmp_path: Path) -> None:
    make_release(tmp_path)
    (tmp_path / "trust.json").write_text("x" * (MAX_SETTINGS + 1))
    settings = Settings(paths=(str(tmp_path),), output_dir=tmp_path, sigstore_trust_config=tmp_path / "trust.json")
    with pytest.raises(ConfigurationError, match="more than 1 MiB"):
        ci_publish.attest(settings, context=context())
