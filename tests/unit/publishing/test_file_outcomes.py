"""What becomes of each file, over fakes."""

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    CiPublishError,
    CredentialRejected,
    FileChangedDuringRun,
    IndexUnavailable,
    Interrupted,
    UploadRejected,
)
from ci_publish.model.events import (
    FileFinished,
    FileStatus,
    Outcome,
)
from ci_publish.model.index import (
    Accepted,
    Cancelled,
    CredentialRefused,
    FileChanged,
    NoSuchProject,
    Refused,
    Unavailable,
    UploadOutcome,
)
from ci_publish.publishing.publish import publish
from tests.unit.fakes import (
    FakeCredential,
    FakeIndex,
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
    credential_of,
    failing,
    index_of,
    statuses,
)


@pytest.mark.parametrize(
    ("outcome", "error", "status"),
    [
        (
            Refused(attempts=1, status=400, message="The name is not allowed", advice=("Choose another",)),
            UploadRejected,
            FileStatus.REFUSED,
        ),
        (Refused(attempts=1, status=400, message=""), UploadRejected, FileStatus.REFUSED),
        (CredentialRefused(attempts=1, status=403, message="no role"), CredentialRejected, FileStatus.REFUSED),
        (CredentialRefused(attempts=1, status=403, message=""), CredentialRejected, FileStatus.REFUSED),
        (Unavailable(attempts=5, message="HTTP 503", unclear=True), IndexUnavailable, FileStatus.UNKNOWN),
        (Unavailable(attempts=5, message="HTTP 503"), IndexUnavailable, FileStatus.FAILED),
        (FileChanged(1, "its size is another"), FileChangedDuringRun, FileStatus.FAILED),
        (Cancelled(1), Interrupted, FileStatus.FAILED),
        (Cancelled(0), Interrupted, FileStatus.NOT_ATTEMPTED),
        (Cancelled(1, unclear=True), Interrupted, FileStatus.UNKNOWN),
    ],
)
def test_the_first_fatal_answer_stops_handing_out_work(
    outcome: UploadOutcome, error: type[CiPublishError], status: FileStatus
) -> None:
    played = answered(outcome)
    failing(played, error)
    assert statuses(played) == {ONE.filename: status}
    assert credential_of(played).log[-1] == "burn"


def test_keep_going_reports_every_file_and_ends_with_the_first_error() -> None:
    played = answered(Refused(attempts=1, status=400, message="no"), keep_going=True)
    index_of(played).answers[TWO.filename] = [Refused(attempts=1, status=400, message="neither")]
    error = failing(played, UploadRejected)
    assert "2 of 3 files" in error.summary
    assert statuses(played)[SOURCE.filename] is FileStatus.UPLOADED


def test_keep_going_tries_no_other_file_with_a_refused_credential() -> None:
    played = answered(CredentialRefused(attempts=1, status=403, message="no role"), keep_going=True)
    failing(played, CredentialRejected)
    assert [filename for filename, _ in index_of(played).sent] == [ONE.filename]
    assert statuses(played) == {ONE.filename: FileStatus.REFUSED}


def test_keep_going_tries_no_other_file_without_a_credential() -> None:
    credential = FakeCredential()
    played = fake_run(*ALL, credential=credential, options=Settings(keep_going=True))
    index_of(played).before_upload = lambda _: setattr(credential, "hold_refusal", IndexUnavailable("mint"))
    failing(played, IndexUnavailable)
    assert [filename for filename, _ in index_of(played).sent] == [ONE.filename]
    assert statuses(played) == {ONE.filename: FileStatus.UPLOADED, TWO.filename: FileStatus.FAILED}


def test_keeping_other_content_is_not_already_published() -> None:
    other = {file.filename: published(file, sha256=sha("x")) for file in ALL}
    played = fake_run(*ALL, index=FakeIndex(files=other), options=Settings(on_conflict="keep-published"))
    assert publish(played.run()) is Outcome.KEPT_PUBLISHED


def test_accepted_is_counted_with_its_attempts() -> None:
    played = answered(Accepted(attempts=3))
    index_of(played).files = {}
    index_of(played).states = [NoSuchProject("demo")]
    played.options = Settings(verify=False)
    publish(played.run())
    attempts = {e.distribution.filename: e.attempts for e in played.events if isinstance(e, FileFinished)}
    assert attempts[ONE.filename] == 3
