"""The composition root: settings become rooms, runs become receipts, bugs become reports."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

import ci_publish
from ci_publish import RuntimeContext, Settings
from ci_publish.app import commands, recording, releases
from ci_publish.app.reader import FrontEnd, Reader
from ci_publish.errors import (
    CiPublishError,
    ConfigurationError,
    ContentConflict,
    CredentialRejected,
    IdentityUnavailable,
    InternalError,
    Interrupted,
    InvalidDistribution,
)
from ci_publish.model.attestation import AttestationPolicy
from ci_publish.model.events import Event, Finding, Noted, Outcome, RunFinished, RunStarted
from ci_publish.model.identity import Secret
from ci_publish.model.index import PublishedFile
from ci_publish.model.receipt_json import to_dict
from ci_publish.regular_files import MAX_SETTINGS
from tests.distributions import make_release, make_wheel
from tests.unit.fakes import FakeIndex, fake_run, published, sdist, sha, wheel

PUBLISHING = Reader(FrontEnd.COMMAND_LINE, "publish")


def context(events: list[Event] | None = None, **changes: object) -> RuntimeContext:
    emit = events.append if events is not None else lambda _: None
    return replace(RuntimeContext(environ={}, emit=emit), **changes)  # type: ignore[arg-type]


def test_what_is_public_is_what_is_exported() -> None:
    for name in ci_publish.__all__:
        assert getattr(ci_publish, name) is not None
    assert sorted(dir(ci_publish)) == sorted(ci_publish.__all__)
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        _ = ci_publish.frobnicate


def test_a_run_of_ones_own_rooms_returns_the_receipt() -> None:
    played = fake_run(wheel(), sdist())
    events: list[Event] = []
    receipt = ci_publish.publish(played.run(), context=context(events))
    assert receipt.outcome == "published"
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    assert [file.status for file in receipt.files] == ["uploaded", "uploaded"]


def test_an_error_carries_the_receipt_of_what_happened() -> None:
    file = wheel()
    played = fake_run(file, index=FakeIndex(files={file.filename: published(file, sha256=sha("x"))}))
    run = played.run()
    with pytest.raises(ContentConflict) as caught:
        ci_publish.plan(run)
    assert caught.value.receipt is not None
    assert caught.value.receipt.exit_code == 8
    assert caught.value.receipt.outcome == "failed"


def test_a_bug_is_reported_as_one() -> None:
    def fail(_: RuntimeContext) -> Outcome:
        raise ZeroDivisionError("of all things")

    with pytest.raises(InternalError) as caught:
        recording.recorded(fail, context(), PUBLISHING)
    assert caught.value.exit_code == 1
    assert "ZeroDivisionError: of all things" in caught.value.detail
    assert "test_composition.py" in caught.value.detail
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_interruption_is_an_outcome_of_its_own() -> None:
    def stop(_: RuntimeContext) -> Outcome:
        raise Interrupted("stopped")

    with pytest.raises(Interrupted) as caught:
        recording.recorded(stop, context(), PUBLISHING)
    assert caught.value.receipt is not None
    assert caught.value.receipt.outcome == "interrupted"


def test_notes_come_first() -> None:
    events: list[Event] = []
    recording.recorded(lambda _: Outcome.CHECKED, context(events, notes=(Noted(slug="n", message="m"),)), PUBLISHING)
    assert isinstance(events[1], Noted)


def test_check_needs_no_network_and_no_credential(tmp_path: Path) -> None:
    make_release(tmp_path)
    receipt = ci_publish.check(Settings(paths=(str(tmp_path),)), context=context())
    assert receipt.outcome == "checked"
    assert len(receipt.files) == 2
    make_wheel(tmp_path / "bad", tag="py3-none-linux_x86_64")
    with pytest.raises(InvalidDistribution):
        ci_publish.check(Settings(paths=(str(tmp_path / "bad"),)), context=context())


def test_attest_without_a_ci_has_no_identity(tmp_path: Path) -> None:
    make_release(tmp_path)
    settings = Settings(paths=(str(tmp_path),), output_dir=tmp_path / "out")
    with pytest.raises(IdentityUnavailable):
        ci_publish.attest(settings, context=context())


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
    assert "canary" not in json.dumps(to_dict(receipt))


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
    assert ["only an upload shows" in verdict for verdict in verdicts] == [True]
    with pytest.raises(CredentialRejected, match="only an upload shows"):
        commands.doctor(with_password.model_copy(update={"strict": True}), context=context())


def test_an_unreadable_trust_configuration_is_a_mistake(tmp_path: Path) -> None:
    make_release(tmp_path)
    settings = Settings(paths=(str(tmp_path),), output_dir=tmp_path, sigstore_trust_config=tmp_path / "none.json")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        ci_publish.attest(settings, context=context())


def test_a_trust_configuration_that_is_too_large_is_a_mistake(tmp_path: Path) -> None:
    make_release(tmp_path)
    (tmp_path / "trust.json").write_text("x" * (MAX_SETTINGS + 1))
    settings = Settings(paths=(str(tmp_path),), output_dir=tmp_path, sigstore_trust_config=tmp_path / "trust.json")
    with pytest.raises(ConfigurationError, match="more than 1024 KiB"):
        ci_publish.attest(settings, context=context())


@pytest.mark.parametrize("named", ["demo==", "==1", "demo==not a version", "-==1.0"])
def test_a_release_is_named_correctly_or_not_at_all(named: str, private: HTTPServer) -> None:
    settings = Settings(paths=(named,), repository_url=(private.url_for("/"),))
    with pytest.raises(ConfigurationError, match="PROJECT==VERSION"):
        ci_publish.verify(settings, context=context())


def test_a_release_stands_alone(private: HTTPServer) -> None:
    settings = Settings(paths=("demo==1", "dist"), repository_url=(private.url_for("/"),))
    with pytest.raises(ConfigurationError, match="stands alone"):
        ci_publish.verify(settings, context=context())


@pytest.mark.parametrize(
    ("filename", "digest", "kind"),
    [
        ("demo-1.0-py3-none-any.whl", "a" * 64, "wheel"),
        ("demo-1.0.tar.gz", "a" * 64, "sdist"),
        ("demo-1.0.tar.gz", None, None),
        ("demo-2.0.tar.gz", "a" * 64, None),
        ("other-1.0.tar.gz", "a" * 64, None),
        ("demo-1.0.exe", "a" * 64, None),
    ],
)
def test_listed_files_of_a_release_are_described(filename: str, digest: str | None, kind: str | None) -> None:
    found = releases.as_distribution(PublishedFile(filename=filename, url="u", sha256=digest, size=7), "demo", "1.0")
    assert (found and found.kind.value) == kind
    if found is not None:
        assert found.size == 7


def _ends(settings: Settings, environ: dict[str, str] | None = None) -> int:
    try:
        commands.doctor(settings, context=context(environ=environ or {}))
    except CiPublishError as error:
        return error.exit_code
    return 0


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
