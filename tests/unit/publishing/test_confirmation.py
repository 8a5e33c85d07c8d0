"""What the index shows of the files of a run, over fakes."""

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    FileChangedDuringRun,
    IndexUnavailable,
    Interrupted,
    Unverified,
)
from ci_publish.model.attestation import (
    ProvenanceInvalid,
    ProvenanceMissing,
)
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import (
    FileStatus,
    Outcome,
    ProvenanceChecked,
    Step,
)
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    Accepted,
    Cancelled,
    Endpoints,
    IndexState,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    ProjectListing,
    Unavailable,
)
from ci_publish.model.receipt_building import build_receipt
from ci_publish.publishing.publish import publish
from tests.unit.fakes import (
    GENERIC,
    PYPI,
    FakeCredential,
    FakeIndex,
    FakeRun,
    FakeVerifier,
    FakeWaiting,
    fake_run,
    published,
    sha,
)
from tests.unit.publishing.run_harness import (
    ALL,
    ONE,
    SOURCE,
    TWO,
    answered,
    failing,
    index_of,
    listed,
    notes,
    statuses,
    steps,
)


def test_what_cannot_be_confirmed_is_an_error_under_strict() -> None:
    hidden = FakeIndex(GENERIC, states=[NotVisible("demo", "HTTP 401")] * 9)
    password = FakeCredential(CredentialKind.PASSWORD)
    played = fake_run(ONE, index=hidden, credential=password, options=Settings(strict=True))
    error = failing(played, Unverified)
    assert "its file list cannot confirm that: HTTP 401" in error.summary
    assert any("index-url: URL" in hint for hint in error.hints)


def slow(*states: object) -> FakeRun:
    played = fake_run(ONE, options=Settings(verify_timeout=60))
    index_of(played).states = [NoSuchProject("demo"), *states]  # type: ignore[list-item]
    return played


def test_the_listing_is_waited_for_with_growing_pauses() -> None:
    played = slow(NoSuchProject("demo"), ListingUnavailable("demo", "502"), ProjectListing(project="demo"))
    assert publish(played.run()) is Outcome.PUBLISHED
    assert played.waiting.waits == [1.0, 2.0, 4.0]
    assert index_of(played).looks == [False, True, True, True, True]


@pytest.mark.parametrize("endpoints", [PYPI, GENERIC])
def test_a_file_that_a_readable_listing_never_shows_is_unverified(endpoints: Endpoints) -> None:
    played = slow(*[NoSuchProject("demo")] * 99)
    index_of(played).endpoints = endpoints
    error = failing(played, Unverified)
    assert "not listed within 60 s" in error.detail
    assert any("verify-timeout: SECONDS" in hint for hint in error.hints)
    assert listed(played) == {ONE.filename: False}


def test_an_outage_during_confirmation_is_not_called_an_absence() -> None:
    played = slow(*[ListingUnavailable("demo", "HTTP 502")] * 99)
    error = failing(played, Unverified)
    assert error.summary == "pypi accepted 1 file, but its file list could not be read within 60 s: HTTP 502"
    assert listed(played) == {ONE.filename: None}


PORTAL = Accepted(2, "a web page", doubt="a web page came instead of an index's response")


def test_a_web_page_waits_for_the_listing() -> None:
    played = answered(PORTAL)
    index_of(played).states = [
        NoSuchProject("demo"),
        *[ProjectListing(project="demo", files={f.filename: published(f) for f in ALL})],
    ]
    assert publish(played.run()) is Outcome.PUBLISHED
    assert listed(played) == {file.filename: True for file in ALL}


@pytest.mark.parametrize(
    "state", [NoSuchProject("demo"), NotVisible("demo", "HTTP 401"), ListingUnavailable("demo", "502")]
)
def test_a_web_page_without_a_listing_is_an_outage(state: IndexState) -> None:
    index = FakeIndex(GENERIC, answers={ONE.filename: [PORTAL]}, states=[NoSuchProject("demo"), *[state] * 99])
    played = fake_run(
        ONE, index=index, credential=FakeCredential(CredentialKind.PASSWORD), options=Settings(verify_timeout=60)
    )
    error = failing(played, IndexUnavailable)
    assert "a web page came" in error.summary
    assert statuses(played, "index.example") == {ONE.filename: FileStatus.UNKNOWN}


def test_after_a_failure_the_index_is_asked_once_what_it_has() -> None:
    played = answered(Unavailable(attempts=5, message="HTTP 503", unclear=True), keep_going=True)
    failing(played, IndexUnavailable)
    assert listed(played) == {ONE.filename: False, TWO.filename: True, SOURCE.filename: True}
    assert index_of(played).looks == [False, True]
    assert Step.CONFIRM not in steps(played)


def test_after_an_interruption_the_index_is_asked_once_what_it_has() -> None:
    played = answered(Cancelled(1, unclear=True))
    failing(played, Interrupted)
    assert listed(played) == {ONE.filename: False}


def test_a_failed_confirmation_is_not_asked_for_again() -> None:
    played = slow(*[NoSuchProject("demo")] * 9)
    played.options = Settings(verify_timeout=0)
    failing(played, Unverified)
    assert index_of(played).looks == [False, True]


def test_another_digest_in_the_listing_is_unverified_everywhere() -> None:
    for endpoints in (PYPI, GENERIC):
        played = fake_run(ONE, index=FakeIndex(endpoints))
        wrong = ProjectListing(project="demo", files={ONE.filename: published(ONE, sha256=sha("evil"))})
        index_of(played).states = [NoSuchProject("demo"), wrong]
        error = failing(played, Unverified)
        assert "a different digest" in error.detail
        assert any("who uploads" in hint for hint in error.hints)


def test_a_listing_without_digests_says_that_nothing_is_known_but_is_no_proof_on_pypi() -> None:
    undigested = ProjectListing(project="demo", files={ONE.filename: published(ONE, sha256=None)})
    played = fake_run(
        ONE,
        index=FakeIndex(GENERIC, states=[NoSuchProject("demo"), undigested]),
        credential=FakeCredential(CredentialKind.PASSWORD),
    )
    assert publish(played.run()) is Outcome.NOT_CONFIRMED
    assert listed(played) == {ONE.filename: None}
    failing(slow(*[undigested] * 99), Unverified)


def test_no_verify_asks_nothing() -> None:
    played = fake_run(ONE, options=Settings(verify=False))
    publish(played.run())
    assert index_of(played).looks == [False]
    assert listed(played) == {ONE.filename: None}


def test_a_signal_while_waiting_for_the_listing_is_an_interruption() -> None:
    played = slow(*[NoSuchProject("demo")] * 9)
    played.waiting = FakeWaiting(stop_after=2)
    failing(played, Interrupted)


def test_provenance_that_does_not_verify_is_unverified() -> None:
    played = fake_run(*ALL, verifier=FakeVerifier({ONE.filename: ProvenanceInvalid("other bytes")}))
    assert f"{ONE.filename}: other bytes" in failing(played, Unverified).detail


def test_provenance_that_is_not_served_in_time_is_a_warning() -> None:
    played = fake_run(*ALL, options=Settings(verify_timeout=10))
    index_of(played).provenances = {ONE.filename: None, TWO.filename: IndexUnavailable("HTTP 500")}
    assert publish(played.run()) is Outcome.PUBLISHED
    assert "provenance-not-served" in notes(played)
    reasons = {e.filename: e.outcome for e in played.events if isinstance(e, ProvenanceChecked)}
    assert reasons[ONE.filename] == ProvenanceMissing("none is served")
    assert reasons[TWO.filename] == ProvenanceMissing("HTTP 500")


def confirmed_with(md5: str) -> FakeRun:
    index = FakeIndex(GENERIC)
    index.states = [
        NoSuchProject("demo"),
        ProjectListing(project="demo", files={ONE.filename: published(ONE, sha256=None, md5=md5)}),
    ]
    return fake_run(ONE, index=index, credential=FakeCredential(CredentialKind.PASSWORD))


def test_an_upload_is_confirmed_by_md5_and_never_called_published() -> None:
    played = confirmed_with(FakeIndex().md5(ONE))
    played.options = Settings(strict=True)
    assert publish(played.run()) is Outcome.UPLOADED_MD5
    assert "confirmed-by-md5" in notes(played)
    assert "not-confirmed" not in notes(played)
    receipt = build_receipt(played.events)
    assert (receipt.files[0].status, receipt.files[0].listed, receipt.files[0].error) == (
        FileStatus.UPLOADED_MD5,
        None,
        None,
    )
    assert "a different digest" in failing(confirmed_with("0" * 32), Unverified).detail


def test_a_run_with_one_file_known_by_md5_is_not_called_published() -> None:
    there = {ONE.filename: published(ONE, sha256=None, md5=FakeIndex().md5(ONE))}
    played = fake_run(*ALL, index=FakeIndex(GENERIC, files=there), credential=FakeCredential(CredentialKind.PASSWORD))
    assert publish(played.run()) is Outcome.UPLOADED_MD5


class ChangingIndex(FakeIndex):
    def md5(self, distribution: Distribution) -> str:
        raise FileChangedDuringRun(f"{distribution.filename} changed")


def test_a_file_that_changed_since_is_not_confirmed() -> None:
    index = ChangingIndex(GENERIC)
    index.states = [
        NoSuchProject("demo"),
        ProjectListing(project="demo", files={ONE.filename: published(ONE, sha256=None, md5="a")}),
    ]
    played = fake_run(ONE, index=index, credential=FakeCredential(CredentialKind.PASSWORD))
    assert publish(played.run()) is Outcome.NOT_CONFIRMED
