"""What the answers of an index mean for a file, over fakes."""

import time
from dataclasses import dataclass, field, replace

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import CiPublishError, ContentConflict, IndexUnavailable, PublishingDeferred, UploadRejected
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import FileFinished, FileStatus, Noted, Outcome
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    Accepted,
    AlreadyThere,
    Conflict,
    CredentialRefused,
    FileChanged,
    IndexState,
    ListingUnavailable,
    NewProjectLimit,
    NoSuchProject,
    NotVisible,
    ProjectListing,
    PublishedFile,
    Refused,
    Unavailable,
    UploadOutcome,
)
from ci_publish.model.receipt_building import build_receipt
from ci_publish.model.train import Train
from ci_publish.publishing import messages, train_messages
from ci_publish.publishing.file_outcomes import FileOutcomes, Reach
from ci_publish.publishing.planning import Match, why_published_file_is_kept
from ci_publish.publishing.publish import publish
from ci_publish.publishing.upload_answers import UploadAnswers
from tests.unit.fakes import (
    GENERIC,
    PYPI,
    TESTPYPI,
    FakeCredential,
    FakeIndex,
    FakeRun,
    FakeWaiting,
    fake_run,
    published,
    sha,
)
from tests.unit.publishing.run_harness import ALL, ONE, UNDIGESTED, answered, failing, index_of, notes, statuses


def test_already_there_with_our_digest_is_done() -> None:
    def race(file: Distribution) -> None:
        index_of(played).files[file.filename] = published(file)

    played = fake_run(*ALL)
    index_of(played).before_upload = race
    assert publish(played.run()) is Outcome.PUBLISHED
    assert set(statuses(played).values()) == {FileStatus.ALREADY_PUBLISHED}


def racing(digest: str | None, **options: object) -> FakeRun:
    def race(file: Distribution) -> None:
        index_of(played).files[file.filename] = published(file, sha256=digest)

    played = fake_run(ONE, index=FakeIndex(TESTPYPI), options=Settings(**options))  # type: ignore[arg-type]
    index_of(played).before_upload = race
    return played


def test_already_there_with_another_digest_is_a_conflict() -> None:
    failing(racing(sha("x")), ContentConflict)
    failing(racing(None), ContentConflict)


def test_already_there_with_another_digest_is_kept_where_the_user_said_so() -> None:
    for digest in (sha("x"), None):
        played = racing(digest, on_conflict="keep-published")
        publish(played.run())
        assert statuses(played, "testpypi")[ONE.filename] is FileStatus.KEPT_PUBLISHED


def test_already_there_but_not_listed_is_the_same_bytes_under_another_name() -> None:
    played = answered(AlreadyThere(1, "File already exists ('x', with blake2_256 hash 'y')"))
    error = failing(played, UploadRejected)
    assert "another name" in error.detail


def test_already_there_where_the_index_cannot_be_asked() -> None:
    for skip, status in ((False, FileStatus.CONFLICT), (True, FileStatus.KEPT_PUBLISHED)):
        index = FakeIndex(GENERIC, states=[NotVisible("demo", "401")] * 9)
        index.answers[ONE.filename] = [AlreadyThere(1, "409")]
        played = fake_run(ONE, index=index, options=Settings(skip_existing=skip))
        if skip:
            publish(played.run())
        else:
            failing(played, ContentConflict)
        assert statuses(played, GENERIC.name)[ONE.filename] is status


def test_already_there_when_the_question_fails_is_an_outage() -> None:
    played = answered(AlreadyThere(1, "409"))
    index_of(played).states = [NoSuchProject("demo"), ListingUnavailable("demo", "HTTP 500")]
    failing(played, IndexUnavailable)


def test_a_listing_that_is_late_after_a_race_is_asked_again() -> None:
    played = answered(AlreadyThere(1, "File already exists"))
    late = ProjectListing(project="demo", files={ONE.filename: published(ONE)})
    index_of(played).states = [NoSuchProject("demo"), NoSuchProject("demo"), NoSuchProject("demo"), late]
    played.options = Settings(verify=False)
    assert publish(played.run()) is Outcome.NOT_CONFIRMED
    assert statuses(played)[ONE.filename] is FileStatus.ALREADY_PUBLISHED
    assert played.waiting.waits == [1.0, 2.0]


def test_a_stop_ends_the_questions_after_a_race() -> None:
    played = answered(AlreadyThere(1, "File already exists"))
    played.waiting = FakeWaiting(stop_after=1)
    failing(played, UploadRejected)


def raced(published_file: PublishedFile, **more: object) -> FakeRun:
    """A run whose upload of the only file is answered with "already exists"."""
    index = FakeIndex(GENERIC, answers={ONE.filename: [AlreadyThere(1, "exists")]}, **more)  # type: ignore[arg-type]
    index.states = [NoSuchProject("demo")]
    index.files = {ONE.filename: published_file}
    return fake_run(ONE, index=index, credential=FakeCredential(CredentialKind.PASSWORD))


def test_a_race_is_judged_by_md5_where_there_is_nothing_better() -> None:
    played = raced(published(ONE, sha256=None, md5=FakeIndex().md5(ONE)))
    assert publish(played.run()) is Outcome.SAME_MD5
    assert build_receipt(played.events).files[0].status is FileStatus.SAME_MD5
    assert "confirmed-by-md5" in notes(played)
    failing(raced(published(ONE, sha256=None, md5="0" * 32)), ContentConflict)


def test_a_race_is_judged_by_a_download_where_there_is_no_digest() -> None:
    played = raced(UNDIGESTED, contents={ONE.filename: ONE.sha256})
    publish(played.run())
    assert statuses(played, "index.example") == {ONE.filename: FileStatus.ALREADY_PUBLISHED}


# answers recorded one by one -------------------------------------------------------------------------------------

TRAIN = Train(waves=(("demo", "other"),), requires={"demo": frozenset(), "other": frozenset()})
THERE = AlreadyThere(3, "exists")


@dataclass
class AskedIndex(FakeIndex):
    """Remembers what was asked for: project, version, and whether no cache may answer."""

    asked: list[tuple[str, str | None, bool]] = field(default_factory=list)

    def fetch_listing(
        self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
    ) -> IndexState:
        self.asked.append((project, version, fresh))
        return super().fetch_listing(project, version, fresh=fresh, patience=patience)


@dataclass
class Recorded:
    """What one answer made of a file; ``reach`` is what else it stopped."""

    finished: FileFinished
    error: CiPublishError | None
    reach: Reach
    notes: list[Noted]


def record(answer: UploadOutcome, index: FakeIndex, state: IndexState | None = None, **options: object) -> Recorded:
    played = fake_run(ONE, index=index, options=Settings(keep_going=True, **options))  # type: ignore[arg-type]
    run = played.run()
    outcomes = FileOutcomes(run=run, index="i", train=TRAIN)
    states = {"demo": state or NoSuchProject("demo"), "other": NoSuchProject("other")}
    UploadAnswers(run=run, index=index, outcomes=outcomes, states=states).record(ONE, answer)
    (finished,) = (event for event in played.events if isinstance(event, FileFinished))
    reach = Reach.RUN if outcomes.halted else Reach.PROJECT if outcomes.why_project_stopped("demo") else Reach.FILE
    return Recorded(finished, finished.error, reach, [event for event in played.events if isinstance(event, Noted)])


def ended(status: FileStatus, *, url: str | None = None, error: CiPublishError | None = None) -> FileFinished:
    return FileFinished(index="i", distribution=ONE, status=status, attempts=3, url=url, error=error)


def words(error: CiPublishError | None) -> tuple[object, ...]:
    assert error is not None
    return type(error), error.summary, error.detail, error.hints


def listing(file: PublishedFile) -> AskedIndex:
    return AskedIndex(GENERIC, files={file.filename: file})


REFUSED = Refused(attempts=3, status=400, message="no", advice=("Choose another",))
NOBODY = CredentialRefused(attempts=3, status=403, message="no role")


@pytest.mark.parametrize(
    ("answer", "status", "reach", "error"),
    [
        (REFUSED, FileStatus.REFUSED, Reach.FILE, messages.refused_upload_error(GENERIC, ONE, REFUSED)),
        (
            replace(REFUSED, whole_project=True),
            FileStatus.REFUSED,
            Reach.PROJECT,
            messages.refused_upload_error(GENERIC, ONE, REFUSED),
        ),
        (NOBODY, FileStatus.REFUSED, Reach.RUN, messages.credential_refused_error(GENERIC, NOBODY)),
        (
            replace(NOBODY, one_project=True),
            FileStatus.REFUSED,
            Reach.PROJECT,
            messages.credential_refused_error(GENERIC, NOBODY),
        ),
        (
            FileChanged(3, "its size is another"),
            FileStatus.FAILED,
            Reach.FILE,
            messages.file_changed_error(ONE, FileChanged(3, "its size is another")),
        ),
        (
            Unavailable(attempts=3, message="503"),
            FileStatus.FAILED,
            Reach.FILE,
            messages.unanswered_upload_error(GENERIC, ONE, Unavailable(attempts=3, message="503")),
        ),
        (
            NewProjectLimit(attempts=3, message="too many", wait=None),
            FileStatus.DEFERRED,
            Reach.PROJECT,
            train_messages.new_project_limit_error(
                GENERIC, NewProjectLimit(attempts=3, message="too many", wait=None), 0.0
            ),
        ),
        (
            THERE,
            FileStatus.REFUSED,
            Reach.FILE,
            messages.same_bytes_elsewhere_error(GENERIC, ONE, "exists"),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_answer_that_ends_a_file(
    answer: UploadOutcome, status: FileStatus, reach: Reach, error: CiPublishError
) -> None:
    recorded = record(answer, AskedIndex(GENERIC))
    assert recorded.finished == ended(status, error=recorded.error)
    assert words(recorded.error) == words(error)
    assert recorded.reach is reach


def test_a_limit_on_new_projects_ends_as_long_after_now_as_the_index_says() -> None:
    before = time.time()
    error = record(NewProjectLimit(attempts=3, message="too many", wait=60.0), AskedIndex(GENERIC)).error
    assert isinstance(error, PublishingDeferred)
    assert error.resume_after is not None
    assert before + 60 <= error.resume_after <= time.time() + 60


def test_a_refused_credential_of_the_only_project_ends_the_run_and_the_project_s_status_is_named() -> None:
    archived = ProjectListing(project="demo", files={}, status="archived")
    recorded = record(NOBODY, FakeIndex(PYPI), archived)
    assert words(recorded.error) == words(messages.credential_refused_error(PYPI, NOBODY, "archived"))
    denied = replace(NOBODY, message="The user is not allowed to upload to project 'demo'")
    for state, status in ((archived, "archived"), (NoSuchProject("demo"), None)):
        recorded = record(denied, FakeIndex(PYPI), state)
        assert words(recorded.error) == words(messages.credential_refused_error(PYPI, denied, status))


def test_the_listing_is_asked_for_this_release_and_past_every_cache() -> None:
    index = AskedIndex(GENERIC)
    record(THERE, index)
    assert index.asked == [("demo", "1.0", True)] * 4


@pytest.mark.parametrize(
    ("file", "status"),
    [
        (published(ONE), FileStatus.ALREADY_PUBLISHED),
        (published(ONE, sha256=None, md5=FakeIndex().md5(ONE)), FileStatus.SAME_MD5),
    ],
)
def test_the_same_content_is_accepted_with_its_address(file: PublishedFile, status: FileStatus) -> None:
    assert record(THERE, listing(file)).finished == ended(status, url=file.url)


@pytest.mark.parametrize("digest", [sha("x"), None])
def test_other_content_is_a_conflict_of_the_project_unless_it_is_kept(digest: str | None) -> None:
    other = published(ONE, sha256=digest)
    match = Match.OTHER if digest else Match.UNKNOWN
    recorded = record(THERE, listing(other))
    assert recorded.finished == ended(FileStatus.CONFLICT, error=recorded.error)
    assert words(recorded.error) == words(
        messages.content_conflict_error(GENERIC, [Conflict(ONE, other)], skip_existing=False)
    )
    assert recorded.reach is Reach.PROJECT
    kept = record(THERE, listing(other), on_conflict="keep-published")
    assert kept.finished == ended(FileStatus.KEPT_PUBLISHED, url=other.url)
    assert kept.notes[-1] == messages.kept_published_warning(ONE, other, why_published_file_is_kept(match))


def test_on_pypi_skip_existing_keeps_only_what_cannot_be_compared() -> None:
    for digest, status in ((sha("x"), FileStatus.CONFLICT), (None, FileStatus.KEPT_PUBLISHED)):
        index = FakeIndex(PYPI, files={ONE.filename: published(ONE, sha256=digest)})
        assert record(THERE, index, skip_existing=True).finished.status is status


def test_a_name_that_is_taken_where_the_listing_cannot_be_seen() -> None:
    unseen = NotVisible("demo", "401")
    recorded = record(THERE, AskedIndex(GENERIC, states=[unseen]))
    assert recorded.finished == ended(FileStatus.CONFLICT, error=recorded.error)
    assert words(recorded.error) == words(messages.cannot_compare_error(GENERIC, ONE, "exists"))
    assert recorded.reach is Reach.PROJECT
    kept = record(THERE, AskedIndex(GENERIC, states=[unseen]), skip_existing=True)
    assert kept.finished == ended(FileStatus.KEPT_PUBLISHED, url="")
    taken = PublishedFile(filename=ONE.filename, url="", sha256=None)
    assert kept.notes == [messages.kept_published_warning(ONE, taken, "the index reports that this filename is in use")]


def test_a_listing_that_cannot_be_read_is_an_outage() -> None:
    down = ListingUnavailable("demo", "HTTP 500")
    recorded = record(THERE, AskedIndex(GENERIC, states=[down]))
    assert recorded.finished == ended(FileStatus.FAILED, error=recorded.error)
    assert words(recorded.error) == words(messages.listing_unavailable_error(GENERIC, down))


@pytest.mark.parametrize(
    ("answer", "status"),
    [(Accepted(attempts=3), FileStatus.UPLOADED), (Accepted(attempts=3, doubt="a page"), FileStatus.UNKNOWN)],
)
def test_an_answer_of_success(answer: Accepted, status: FileStatus) -> None:
    assert record(answer, FakeIndex(GENERIC)).finished == ended(status)
