"""What the answers of an index mean for a file, over fakes."""

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    ContentConflict,
    IndexUnavailable,
    UploadRejected,
)
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import (
    FileStatus,
    Outcome,
)
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    AlreadyThere,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    ProjectListing,
    PublishedFile,
)
from ci_publish.model.receipt_building import receipt_of
from ci_publish.publishing.publish import publish
from tests.unit.fakes import (
    GENERIC,
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
    assert receipt_of(played.events).files[0].status is FileStatus.SAME_MD5
    assert "confirmed-by-md5" in notes(played)
    failing(raced(published(ONE, sha256=None, md5="0" * 32)), ContentConflict)


def test_a_race_is_judged_by_a_download_where_there_is_no_digest() -> None:
    played = raced(UNDIGESTED, contents={ONE.filename: ONE.sha256})
    publish(played.run())
    assert statuses(played, "index.example") == {ONE.filename: FileStatus.ALREADY_PUBLISHED}
