"""Uploads whose answer was lost until the retries ran out: the index is asked once more."""

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import CiPublishError, IndexUnavailable, UploadRejected
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import FileStatus, Outcome
from ci_publish.model.index import Refused, Unavailable
from ci_publish.model.receipt_building import build_receipt
from ci_publish.publishing.publish import publish
from ci_publish.reports.file_failures import file_failures_not_in_run_error
from tests.unit.fakes import FakeIndex, FakeRun, fake_run, published, wheel
from tests.unit.publishing.run_harness import failing, notes

FILES = [wheel(tag=f"cp3{number}") for number in range(4)]
LOST = Unavailable(attempts=5, message="the connection was closed", unclear=True)


def lost(*files: Distribution, stored: bool = True, options: Settings | None = None) -> FakeRun:
    """A run in which the answers to *files* are lost; the index has *stored* the files or not."""
    index = FakeIndex(answers={file.filename: [LOST] for file in files})

    def store(file: Distribution) -> None:
        if file in files and stored:
            index.files[file.filename] = published(file)

    index.before_upload = store
    return fake_run(*FILES, index=index, options=options)


@pytest.mark.parametrize("files", [FILES[:1], FILES[2:3], FILES[:1] + FILES[3:]])
def test_where_the_index_has_the_file_the_run_goes_on_and_does_not_fail(files: list[Distribution]) -> None:
    played = lost(*files)
    assert publish(played.run()) is Outcome.PUBLISHED
    receipt = build_receipt(played.events)
    assert [file.status for file in receipt.files] == [FileStatus.UPLOADED] * len(FILES)
    assert "lost-answer-found" in notes(played)
    assert file_failures_not_in_run_error(played.events) == ()


def test_where_the_index_does_not_have_it_the_run_fails() -> None:
    played = lost(FILES[0], stored=False)
    failing(played, IndexUnavailable)
    assert build_receipt(played.events).files[0].status is FileStatus.UNKNOWN


@pytest.mark.parametrize(("keep_going", "error"), [(False, IndexUnavailable), (True, UploadRejected)])
def test_where_anything_else_failed_the_run_fails(*, keep_going: bool, error: type[CiPublishError]) -> None:
    played = lost(FILES[1], stored=keep_going, options=Settings(keep_going=keep_going, jobs=1))
    index = played.destinations[0].index
    assert isinstance(index, FakeIndex)
    index.answers[FILES[0].filename] = [Refused(attempts=1, status=400, message="no")] if keep_going else []
    failing(played, error)
    assert "lost-answer-found" not in notes(played)
