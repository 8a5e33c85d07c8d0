"""The order of a run, over fakes of every room."""

from collections.abc import Sequence

import pytest

from ci_publish.errors import (
    ContentConflict,
    IdentityUnavailable,
    IndexUnavailable,
    Interrupted,
    InvalidDistribution,
    UntrustedCertificate,
)
from ci_publish.model.attestation import (
    PUBLISH_V1,
    ProvenanceVerified,
    Signable,
    SigningResult,
)
from ci_publish.model.events import (
    Checked,
    FileStatus,
    Outcome,
    ProvenanceChecked,
    Step,
    StepFinished,
)
from ci_publish.model.index import (
    ListingUnavailable,
)
from ci_publish.model.problem import Severity
from ci_publish.publishing.attest import attest
from ci_publish.publishing.publish import check, plan, publish
from tests.unit.fakes import (
    PYPI,
    TESTPYPI,
    FakeCredential,
    FakeDistributions,
    FakeIndex,
    FakeRun,
    FakeSigner,
    fake_run,
    published,
    sha,
)
from tests.unit.publishing.run_harness import (
    ALL,
    ONE,
    SOURCE,
    TWO,
    both,
    broken,
    credential_of,
    failing,
    index_of,
    listed,
    statuses,
    steps,
)


def test_a_whole_run_takes_every_step_in_order() -> None:
    played = fake_run(*ALL)
    assert publish(played.run()) is Outcome.PUBLISHED
    expected = [step for step in Step if step is not Step.INSTALL]  # only a rehearsal installs, afterwards
    expected.insert(expected.index(Step.UPLOAD), Step.AUTHENTICATE)  # the upload token may have to be renewed
    assert steps(played) == expected
    assert [event.step for event in played.events if isinstance(event, StepFinished)] == expected
    assert played.signer.prefetched == 1
    assert set(statuses(played).values()) == {FileStatus.UPLOADED}
    assert listed(played) == dict.fromkeys([file.filename for file in ALL], True)
    assert index_of(played).sent[0] == (ONE.filename, 1)
    assert {count for _, count in index_of(played).sent} == {1}
    assert credential_of(played).log[0] == "prove"
    assert credential_of(played).log[-1] == "burn"
    outcomes = [event.outcome for event in played.events if isinstance(event, ProvenanceChecked)]
    assert [outcome.publisher for outcome in outcomes if isinstance(outcome, ProvenanceVerified)] == ["somebody"] * 3


def test_problems_of_files_that_are_published_already_are_only_noted() -> None:
    for command, outcome in ((publish, Outcome.PUBLISHED), (plan, Outcome.PLANNED)):
        played = fake_run(*ALL, index=FakeIndex(files={ONE.filename: published(ONE)}))
        played.distributions.problems = (broken(ONE.filename),)
        assert command(played.run()) is outcome
        (checked,) = [event for event in played.events if isinstance(event, Checked)]
        assert [problem.severity for problem in checked.problems] == [Severity.NOTE]


def test_problems_of_files_that_would_be_sent_stop_the_run_after_the_look() -> None:
    played = fake_run(*ALL, index=FakeIndex(files={ONE.filename: published(ONE)}))
    played.distributions.problems = (broken(ONE.filename), broken(TWO.filename))
    error = failing(played, InvalidDistribution)
    assert TWO.filename in error.detail
    assert ONE.filename not in error.detail
    assert index_of(played).sent == []
    assert "prove" not in credential_of(played).log


def test_problems_are_told_even_when_the_index_cannot_be_asked() -> None:
    played = fake_run(*ALL, index=FakeIndex(states=[ListingUnavailable("demo", "HTTP 500")]))
    played.distributions.problems = (broken(ONE.filename),)
    failing(played, InvalidDistribution)
    sound = fake_run(*ALL, index=FakeIndex(states=[ListingUnavailable("demo", "HTTP 500")]))
    failing(sound, IndexUnavailable)


def test_check_and_attest_know_of_no_index() -> None:
    for command in (check, attest):
        played = FakeRun(FakeDistributions(ALL), ())
        played.distributions.problems = (broken(ONE.filename),)
        failing(played, InvalidDistribution, command)


def test_plan_tells_what_publish_would_do_and_sends_nothing() -> None:
    there = FakeIndex(files={ONE.filename: published(ONE)})
    played = fake_run(*ALL, index=there)
    assert plan(played.run()) is Outcome.PLANNED
    assert statuses(played) == {
        ONE.filename: FileStatus.ALREADY_PUBLISHED,
        TWO.filename: FileStatus.PLANNED,
        SOURCE.filename: FileStatus.PLANNED,
    }
    assert there.sent == []
    assert credential_of(played).log == ["burn"]


def test_plan_with_a_conflict_ends_as_publish_would() -> None:
    played = fake_run(*ALL, index=FakeIndex(files={ONE.filename: published(ONE, sha256=sha("x"))}))
    failing(played, ContentConflict, plan)
    assert statuses(played)[TWO.filename] is FileStatus.PLANNED


def test_check_uses_no_network() -> None:
    played = fake_run(*ALL)
    assert check(played.run()) is Outcome.CHECKED
    assert index_of(played).looks == []
    assert [profile.value for profile in played.distributions.profiles] == ["pypi"]


def test_a_run_that_is_stopped_while_it_signs_uploads_nothing() -> None:
    class Stopping(FakeSigner):
        def sign(self, files: Sequence[Signable], predicate_types: Sequence[str] = (PUBLISH_V1,)) -> SigningResult:
            played.waiting.stop = True
            return super().sign(files, predicate_types)

    played = fake_run(*ALL, signer=Stopping())
    failing(played, Interrupted)
    assert index_of(played).sent == []


def test_two_indexes_share_one_check_and_one_signing() -> None:
    played = both(FakeIndex(TESTPYPI), FakeIndex(PYPI))
    assert publish(played.run()) is Outcome.PUBLISHED
    assert len(played.signer.signed) == 3
    assert set(statuses(played, "testpypi").values()) == {FileStatus.UPLOADED}
    assert set(statuses(played, "pypi").values()) == {FileStatus.UPLOADED}
    assert steps(played).count(Step.SIGN) == 1


def test_a_conflict_at_the_second_index_stops_before_the_first_upload() -> None:
    first = FakeIndex(TESTPYPI)
    played = both(first, FakeIndex(PYPI, files={ONE.filename: published(ONE, sha256=sha("x"))}))
    failing(played, ContentConflict)
    assert first.sent == []


@pytest.mark.parametrize("untrusted", [False, True])
def test_plan_with_a_broken_connection_reports_the_connection(*, untrusted: bool) -> None:
    away = FakeIndex(states=[ListingUnavailable("demo", "no route", untrusted=untrusted)])
    played = fake_run(ONE, index=away, credential=FakeCredential(lacks=IdentityUnavailable("no CI")))
    error = failing(played, UntrustedCertificate if untrusted else IndexUnavailable, plan)
    assert "no route" in error.summary
    assert error.exit_code == (2 if untrusted else 10)
