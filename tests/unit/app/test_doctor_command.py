"""The command doctor over its indexes."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_httpserver import HTTPServer

from ci_publish import Settings
from ci_publish.app import commands
from ci_publish.errors import (
    CiPublishError,
    CredentialRejected,
    IdentityUnavailable,
)
from ci_publish.model.attestation import AttestationPolicy
from ci_publish.model.finding import Finding
from tests.distributions import make_release, make_wheel
from tests.unit.app.contexts import context

if TYPE_CHECKING:
    from ci_publish.model.events import Event


def test_doctor_reports_findings_and_ends_as_publishing_would(tmp_path: Path, private: HTTPServer) -> None:
    events: list[Event] = []
    settings = Settings(paths=(str(tmp_path / "nothing"),), repository_url=(private.url_for("/"),))
    with pytest.raises(IdentityUnavailable):
        commands.doctor(settings, context=context(events))
    assert [event.name for event in events if isinstance(event, Finding)][:2] == ["environment", "index"]
    make_release(tmp_path)
    with_password = Settings(
        paths=(str(tmp_path),),
        repository_url=(private.url_for("/"),),
        password="pypi-x",  # type: ignore[arg-type]
    )
    assert commands.doctor(with_password, context=context(events)).outcome == "undetermined"
    verdicts = [event.message for event in events if isinstance(event, Finding) and event.name == "verdict"]
    assert ["Only an upload shows" in verdict for verdict in verdicts] == [True]
    with pytest.raises(CredentialRejected, match="Only an upload shows"):
        commands.doctor(with_password.model_copy(update={"strict": True}), context=context())


def test_doctor_ends_with_the_code_of_the_checks(tmp_path: Path, private: HTTPServer) -> None:
    make_wheel(tmp_path, tag="py3-none-linux_x86_64")
    settings = Settings(
        paths=(str(tmp_path),),
        repository_url=(private.url_for("/"),),
        index_profile="pypi",
        password="pypi-x",  # type: ignore[arg-type]
    )
    assert _ends(settings) == 4
    assert _ends(settings.model_copy(update={"paths": (str(tmp_path / "nothing"),)})) == 0
    required = {"paths": (str(tmp_path / "nothing"),), "attestations": AttestationPolicy.REQUIRED}
    assert _ends(settings.model_copy(update=required)) == 2


@pytest.mark.parametrize(
    ("options", "code"), [({}, 8), ({"on_conflict": "keep-published"}, 0), ({"skip_existing": True}, 0)]
)
def test_doctor_keeps_what_is_published_where_publishing_would(
    options: dict[str, object], code: int, tmp_path: Path, httpserver: HTTPServer
) -> None:
    names = [path.name for path in make_release(tmp_path)]
    files = [{"filename": name, "url": name, "hashes": {"sha256": "0" * 64}} for name in names]
    listing = {"meta": {"api-version": "1.0"}, "name": "demo", "files": files}
    httpserver.expect_request("/simple/demo/").respond_with_data(
        json.dumps(listing), content_type="application/vnd.pypi.simple.v1+json"
    )
    httpserver.expect_request(re.compile("/.*")).respond_with_data("", status=404)
    settings = Settings(
        paths=(str(tmp_path),),
        repository_url=(httpserver.url_for("/"),),
        password="x",  # type: ignore[arg-type]
        **options,  # type: ignore[arg-type]
    )
    assert _ends(settings) == code


def _ends(settings: Settings, environ: dict[str, str] | None = None) -> int:
    try:
        commands.doctor(settings, context=context(environ=environ or {}))
    except CiPublishError as error:
        return error.exit_code
    return 0
