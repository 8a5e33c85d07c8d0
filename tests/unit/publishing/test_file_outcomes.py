"""What becomes of each file, over fakes."""

from collections.abc import Collection

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    CiPublishError,
    CredentialRejected,
    FileChangedDuringRun,
    IndexUnavailable,
    Interrupted,
    PublishingDeferred,
    UploadRejected,
)
from ci_publish.model.distribution import Distribution
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
from ci_publish.model.train import Train
from ci_publish.publishing import messages, train_messages
from ci_publish.publishing.file_outcomes import FileOutcomes, Reach
from ci_publish.publishing.publish import publish
from ci_publish.publishing.stopped_projects import Stopped
from tests.unit.fakes import (
    FakeCredential,
    FakeIndex,
    FakeRun,
    fake_run,
    published,
    sha,
    wheel,
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


# recorded one by one ---------------------------------------------------------------------------------------------

ALONE = Train(waves=(("demo",),), requires={"demo": frozenset()})
CORE, PLUGIN, OTHER = wheel("core"), wheel("plugin"), wheel("other")
TRAIN = Train(
    waves=(("core", "other"), ("plugin",)),
    requires={"core": frozenset(), "other": frozenset(), "plugin": frozenset({"core"})},
)
NO, LATER = UploadRejected("no"), PublishingDeferred("later")


def recording(
    train: Train = ALONE, *, absent: Collection[str] = (), keep_going: bool = False
) -> tuple[FileOutcomes, FakeRun]:
    played = fake_run(ONE, options=Settings(keep_going=keep_going))
    return FileOutcomes(run=played.run(), index="i", train=train, absent=absent), played


def ended(
    file: Distribution,
    status: FileStatus,
    attempts: int = 0,
    *,
    url: str | None = None,
    error: CiPublishError | None = None,
) -> FileFinished:
    return FileFinished(index="i", distribution=file, status=status, attempts=attempts, url=url, error=error)


def test_nothing_is_recorded_at_first() -> None:
    outcomes, played = recording()
    assert (outcomes.failures, outcomes.deferred, outcomes.uploaded, outcomes.unclear_uploads) == ((), (), (), ())
    assert (outcomes.halted, outcomes.has_kept_published, outcomes.sent) == (False, False, False)
    assert (outcomes.doubtful, outcomes.take_withdrawn(), played.events) == ({}, (), [])
    assert not outcomes.is_on_index(ONE)
    assert not outcomes.has_ended(ONE)
    assert not outcomes.gets_no_turn(ONE)
    assert not outcomes.record_if_project_stopped(ONE)


@pytest.mark.parametrize(("status", "sent"), [(FileStatus.UPLOADED, True), (FileStatus.SAME_MD5, False)])
def test_an_accepted_file_is_there(status: FileStatus, *, sent: bool) -> None:
    outcomes, played = recording()
    outcomes.record_on_index(ONE, status, 2, url="https://files.example/one")
    assert (outcomes.uploaded, outcomes.sent, outcomes.has_kept_published) == ((ONE,), sent, False)
    assert outcomes.is_on_index(ONE)
    assert outcomes.has_ended(ONE)
    assert played.events == [ended(ONE, status, 2, url="https://files.example/one")]
    outcomes.record_on_index(TWO, FileStatus.SAME_MD5, 1)
    assert outcomes.sent is sent


def test_a_doubtful_answer_is_remembered() -> None:
    outcomes, played = recording()
    outcomes.record_accepted(ONE, Accepted(attempts=2, doubt="a page of a proxy"))
    assert outcomes.doubtful == {ONE.filename: "a page of a proxy"}
    assert played.events == [ended(ONE, FileStatus.UNKNOWN, 2)]
    assert outcomes.uploaded == (ONE,)


def test_other_content_that_is_kept_is_there_but_not_ours() -> None:
    outcomes, played = recording()
    there = published(ONE, sha256=None)
    outcomes.record_kept_published(ONE, there, "the name is taken", 3)
    assert (outcomes.has_kept_published, outcomes.sent, outcomes.uploaded) == (True, False, ())
    assert outcomes.is_on_index(ONE)
    note = messages.kept_published_warning(ONE, there, "the name is taken")
    assert played.events == [note, ended(ONE, FileStatus.KEPT_PUBLISHED, 3, url=there.url)]


@pytest.mark.parametrize(
    ("reach", "keep_going", "halted"),
    [(Reach.FILE, False, True), (Reach.FILE, True, False), (Reach.PROJECT, True, False), (Reach.RUN, True, True)],
)
def test_a_failure_ends_the_uploads_unless_the_others_are_wanted(
    reach: Reach, *, keep_going: bool, halted: bool
) -> None:
    outcomes, played = recording(keep_going=keep_going)
    outcomes.record_failure(ONE, NO, FileStatus.REFUSED, 2, reach=reach)
    assert (outcomes.failures, outcomes.halted) == (((ONE, NO),), halted)
    assert played.events == [ended(ONE, FileStatus.REFUSED, 2, error=NO)]
    assert outcomes.gets_no_turn(TWO) is halted
    assert outcomes.why_project_stopped("demo") is None, "a single project is not stopped"
    outcomes.record_failure(TWO, NO, FileStatus.FAILED)
    assert played.events[1] == ended(TWO, FileStatus.FAILED, error=NO)
    assert outcomes.halted is halted


@pytest.mark.parametrize(("reach", "itself"), [(Reach.FILE, None), (Reach.PROJECT, Stopped(("core",), NO))])
def test_a_failure_stops_the_projects_that_require_the_file_s(reach: Reach, itself: Stopped | None) -> None:
    outcomes, played = recording(TRAIN, keep_going=True)
    outcomes.record_failure(CORE, NO, FileStatus.REFUSED, 1, reach=reach)
    assert outcomes.why_project_stopped("core") == itself
    assert outcomes.why_project_stopped("plugin") == Stopped(("core",), NO)
    assert outcomes.gets_no_turn(PLUGIN)
    assert not outcomes.gets_no_turn(OTHER)
    assert outcomes.record_if_project_stopped(PLUGIN)
    assert not outcomes.record_if_project_stopped(OTHER)
    ((_, first), (file, error)) = outcomes.failures
    assert (first, file, error.summary) == (
        NO,
        PLUGIN,
        train_messages.project_stopped_error("plugin", ("core",), NO).summary,
    )
    assert played.events[1] == ended(PLUGIN, FileStatus.NOT_ATTEMPTED, error=error)
    assert not outcomes.has_ended(PLUGIN)
    outcomes.forget_failures()
    assert (outcomes.failures, outcomes.halted, outcomes.why_project_stopped("plugin")) == ((), False, None)


def test_a_limit_on_new_projects_stops_those_that_were_not_there() -> None:
    outcomes, played = recording(TRAIN, absent={"core", "other"})
    outcomes.record_on_index(OTHER, FileStatus.UPLOADED, 1)
    outcomes.record_deferral(PLUGIN, LATER, 2)
    assert outcomes.deferred == ((PLUGIN, LATER),)
    assert played.events[1:] == [ended(PLUGIN, FileStatus.DEFERRED, 2, error=LATER)]
    assert outcomes.why_project_stopped("plugin") == Stopped(("plugin",), LATER)
    assert outcomes.why_project_stopped("core") == Stopped(("core",), LATER)
    assert outcomes.why_project_stopped("other") is None, "it was created in this run"
    assert outcomes.record_if_project_stopped(CORE)
    assert [file for file, _ in outcomes.deferred] == [PLUGIN, CORE]
    assert played.events[2:] == [ended(CORE, FileStatus.DEFERRED, 0, error=LATER)]
    assert (outcomes.failures, outcomes.halted) == ((), False)


@pytest.mark.parametrize(
    ("outcome", "status", "unclear"),
    [
        (Unavailable(attempts=3, message="503"), FileStatus.FAILED, ()),
        (Unavailable(attempts=0, message="503"), FileStatus.NOT_ATTEMPTED, ()),
        (Cancelled(1, unclear=True), FileStatus.UNKNOWN, (ONE,)),
    ],
)
def test_an_upload_without_a_clear_answer(
    outcome: Unavailable | Cancelled, status: FileStatus, unclear: tuple[Distribution, ...]
) -> None:
    outcomes, played = recording()
    outcomes.record_lost_answer(ONE, outcome, NO)
    assert (outcomes.unclear_uploads, outcomes.failures, outcomes.halted) == (unclear, ((ONE, NO),), True)
    assert played.events == [ended(ONE, status, outcome.attempts, error=NO)]
    outcomes.forget_failures()
    assert (outcomes.unclear_uploads, outcomes.failures, outcomes.halted) == ((), (), False)


def test_an_upload_that_got_no_turn_is_sent_again_unless_the_uploads_ended() -> None:
    outcomes, played = recording(TRAIN, keep_going=True)
    outcomes.record_withdrawn(OTHER)
    outcomes.record_failure(CORE, NO, FileStatus.REFUSED, 1)
    outcomes.record_withdrawn(PLUGIN)
    assert outcomes.take_withdrawn() == (OTHER,)
    assert outcomes.take_withdrawn() == ()
    assert [file for file, _ in outcomes.failures] == [CORE, PLUGIN]
    outcomes.record_failure(CORE, NO, FileStatus.REFUSED, 1, reach=Reach.RUN)
    outcomes.record_withdrawn(OTHER)
    assert outcomes.take_withdrawn() == ()
    assert played.events[-1] == ended(OTHER, FileStatus.NOT_ATTEMPTED)


def test_an_upload_was_cut_by_a_stop_or_by_another_failure() -> None:
    outcomes, played = recording()
    assert isinstance(outcomes.stop_error(), Interrupted)
    outcomes.record_failure(ONE, NO, FileStatus.REFUSED)
    assert outcomes.stop_error() is NO
    played.waiting.stop = True
    assert isinstance(outcomes.stop_error(), Interrupted)


def test_projects_that_are_refused_by_the_plan_come_after_other_failures() -> None:
    outcomes, played = recording(TRAIN, keep_going=True)
    outcomes.record_failure(OTHER, NO, FileStatus.REFUSED, 1)
    refusal = UploadRejected("the plan refuses it")
    outcomes.record_refused_projects({"core": refusal}, [CORE])
    assert outcomes.failures == ((OTHER, NO), (CORE, refusal))
    assert outcomes.why_project_stopped("plugin") == Stopped(("core",), refusal)
    assert len(played.events) == 1, "the plan has told of it"
