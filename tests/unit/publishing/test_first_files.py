"""The first files of several releases: transferred side by side, completed one after the other."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import Interrupted, UploadRejected
from ci_publish.http.messages import Authorization
from ci_publish.model.attestation import Attestation
from ci_publish.model.completion import UNSCHEDULED, CompletionTurn, Permission
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import FileStatus, Outcome
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import Cancelled, Endpoints, Refused, UploadOutcome
from ci_publish.model.receipt_building import build_receipt
from ci_publish.publishing.context import Destination
from ci_publish.publishing.publish import publish
from tests.unit.fakes import GENERIC, PYPI, FakeCredential, FakeIndex, FakeRun, fake_run, published, wheel
from tests.unit.publishing.run_harness import failing, statuses


class RecordingIndex(FakeIndex):
    """Counts the uploads that wait for their turn, and refuses what it is told to refuse."""

    def __init__(self, refused: Sequence[str] = (), *, endpoints: Endpoints = PYPI, seconds: float = 0.02) -> None:
        super().__init__(endpoints, seconds=seconds)
        self.refused = set(refused)
        self.under_way = self.most_under_way = 0
        self.most_first_files = 0
        self.most_of: Counter[str] = Counter()

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
        turn: CompletionTurn = UNSCHEDULED,
    ) -> UploadOutcome:
        with self.lock:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return super().upload(distribution, attestations, authorization, throttled, turn)
        finally:
            with self.lock:
                self.under_way -= 1

    def _completed(self, distribution: Distribution, *more: Any) -> UploadOutcome:  # noqa: ANN401
        with self.lock:
            self.most_first_files = max(self.most_first_files, self.completing.total() if len(self.sent) < 6 else 0)
            self.most_of[distribution.project] = max(
                self.most_of[distribution.project], self.completing[distribution.release]
            )
        if distribution.filename in self.refused:
            self.sent.append((distribution.filename, 0))
            return Refused(attempts=1, status=400, message="no")
        return super()._completed(distribution, *more)


TRAIN = [wheel(f"p{number}", tag=f"py{tag}") for number in range(6) for tag in (2, 3)]
LEADS = [file for file in TRAIN if file.python_tag == "py2"]


@pytest.mark.parametrize("endpoints", [PYPI, GENERIC])
def test_the_first_file_of_each_project_is_completed_alone_and_in_order(endpoints: Endpoints) -> None:
    index = RecordingIndex(endpoints=endpoints)
    publish(fake_run(*TRAIN, index=index, credential=FakeCredential(CredentialKind.PASSWORD)).run())
    assert [name for name, _ in index.sent[:6]] == [file.filename for file in LEADS]
    assert len(index.sent) == len(TRAIN)
    assert index.most_first_files == 1
    assert index.most_under_way > 1, "transfers overlap"


def test_one_job_transfers_one_first_file_at_a_time() -> None:
    index = RecordingIndex()
    publish(fake_run(*TRAIN, index=index, options=Settings(jobs=1)).run())
    assert index.most_under_way == 1


def test_a_refused_first_file_withdraws_those_that_wait() -> None:
    index = RecordingIndex([LEADS[1].filename])
    played = fake_run(*TRAIN, index=index)
    failing(played, UploadRejected)
    assert [name for name, _ in index.sent] == [file.filename for file in LEADS[:2]]
    receipt = build_receipt(played.events)
    assert Counter(file.status for file in receipt.files) == {
        FileStatus.UPLOADED: 1,
        FileStatus.REFUSED: 1,
        FileStatus.NOT_ATTEMPTED: len(TRAIN) - 2,
    }


def test_with_keep_going_a_refused_first_file_has_its_release_completed_one_at_a_time() -> None:
    files = [wheel(project, tag=f"cp3{number}") for project in ("demo", "other") for number in range(8)]
    index = RecordingIndex(["demo-1.0-cp30-none-any.whl"])
    played = fake_run(*files, index=index, options=Settings(keep_going=True))
    failing(played, UploadRejected)
    assert len(index.sent) == len(files)
    assert (index.most_of["demo"], index.most_of["other"]) == (1, 2)


def test_with_keep_going_two_new_releases_of_one_project_do_not_race_to_create_it() -> None:
    files = [wheel("demo", version, tag=f"cp3{number}") for version in ("1.0", "2.0") for number in range(4)]
    index = RecordingIndex([f"demo-{version}-cp30-none-any.whl" for version in ("1.0", "2.0")])
    failing(fake_run(*files, index=index, options=Settings(keep_going=True)), UploadRejected)
    assert len(index.sent) == len(files)
    assert index.most_in_all == 1


def test_with_keep_going_new_projects_whose_first_files_were_refused_do_not_race() -> None:
    files = [wheel(project, tag=f"cp3{number}") for project in ("demo", "other") for number in range(4)]
    refused = [f"{project}-1.0-cp30-none-any.whl" for project in ("demo", "other")]
    index = RecordingIndex(refused)
    failing(fake_run(*files, index=index, options=Settings(keep_going=True)), UploadRejected)
    assert index.most_in_all == 1
    there = [published(wheel(project, "0.9")) for project in ("demo", "other")]
    existing = RecordingIndex(refused)
    existing.files = {file.filename: file for file in there}
    failing(fake_run(*files, index=existing, options=Settings(keep_going=True)), UploadRejected)
    assert existing.most_in_all <= 2


class SlowToComplete(FakeIndex):
    """Completes its first upload only when the second one was withdrawn, *hours* later by the run's clock."""

    def __init__(self, pass_time: Callable[[], None], *, unclear: bool) -> None:
        super().__init__()
        self.pass_time = pass_time
        self.unclear = unclear
        self.waits, self.gave_up = threading.Event(), threading.Event()

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
        turn: CompletionTurn = UNSCHEDULED,
    ) -> UploadOutcome:
        if distribution == LEADS[1] and not self.waits.is_set():
            assert turn.wait(0) is Permission.NOT_YET
            self.waits.set()
            self.pass_time()
            assert turn.wait(0) is Permission.STOPPED
            self.gave_up.set()
            return Cancelled(1, "withdrawn", unclear=self.unclear)
        if distribution == LEADS[0]:
            assert self.gave_up.wait(10)
        return super().upload(distribution, attestations, authorization, throttled, turn)


def waiting_too_long(*, unclear: bool) -> FakeRun:
    played = fake_run(*LEADS)
    played.options = Settings(keep_going=unclear)
    index = SlowToComplete(lambda: setattr(played.waiting, "now", played.waiting.now + 100), unclear=unclear)
    played.destinations = (Destination(index, FakeCredential()),)
    return played


def test_a_first_file_that_waited_too_long_is_sent_again_before_the_rest() -> None:
    played = waiting_too_long(unclear=False)
    assert publish(played.run()) is Outcome.PUBLISHED
    assert set(statuses(played).values()) == {FileStatus.UPLOADED}


def test_a_first_file_whose_answer_was_lost_before_it_was_withdrawn_is_unknown() -> None:
    played = waiting_too_long(unclear=True)
    failing(played, Interrupted)
    assert statuses(played)[LEADS[1].filename] is FileStatus.UNKNOWN


def test_an_upload_that_was_cut_short_by_the_failure_of_another_ends_with_that_failure() -> None:
    index = FakeIndex(
        answers={
            LEADS[0].filename: [Refused(attempts=1, status=400, message="no")],
            LEADS[1].filename: [Cancelled(2, "withdrawn", unclear=True)],
        }
    )
    played = fake_run(*TRAIN, index=index, options=Settings(keep_going=True))
    assert isinstance(failing(played, UploadRejected), UploadRejected)
    assert statuses(played)[LEADS[1].filename] is FileStatus.UNKNOWN
