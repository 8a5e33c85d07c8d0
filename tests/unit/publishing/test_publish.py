"""The order of a run, over fakes of every room."""

from collections.abc import Sequence

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    ContentConflict,
    IdentityUnavailable,
    IndexUnavailable,
    Interrupted,
    InvalidDistribution,
    NothingToPublish,
    UntrustedCertificate,
    UploadRejected,
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
    Refused,
    Unavailable,
)
from ci_publish.model.problem import Problem, Severity
from ci_publish.publishing.attest import attest
from ci_publish.publishing.context import Destination
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
    answered,
    broken,
    credential_of,
    failing,
    index_of,
    listed,
    notes,
    statuses,
    steps,
)


def test_a_whole_run_takes_every_step_in_order() -> None:
    played = fake_run(*ALL)
    assert publish(played.run()) is Outcome.PUBLISHED
    expected = list(Step)
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


def test_a_second_run_mints_nothing_signs_nothing_and_sends_nothing() -> None:
    there = FakeIndex(files={file.filename: published(file) for file in ALL})
    played = fake_run(*ALL, index=there)
    assert publish(played.run()) is Outcome.ALREADY_PUBLISHED
    assert set(statuses(played).values()) == {FileStatus.ALREADY_PUBLISHED}
    assert credential_of(played).log == ["burn"]
    assert played.signer.signed == []
    assert played.signer.prefetched == 0
    assert there.sent == []
    assert listed(played) == dict.fromkeys([file.filename for file in ALL], True)


def test_only_what_is_missing_is_signed_and_sent() -> None:
    there = FakeIndex(files={ONE.filename: published(ONE, yanked="bad build")})
    played = fake_run(*ALL, index=there)
    publish(played.run())
    assert sorted(played.signer.signed) == sorted([TWO.filename, SOURCE.filename])
    assert len(there.sent) == 2
    assert "yanked" in notes(played)


def test_failed_checks_stop_the_run_before_anything_leaves_the_machine() -> None:
    problems = (
        Problem(filename="a.whl", rule="rule-a", severity=Severity.ERROR, message="is broken", advice="mend it"),
        Problem(filename=None, rule="rule-b", severity=Severity.ERROR, message="does not fit"),
        Problem(filename="b.whl", rule="rule-c", severity=Severity.WARNING, message="is odd"),
    )
    played = fake_run(*ALL)
    played.distributions.problems = problems
    error = failing(played, InvalidDistribution)
    assert error.hints == ("mend it",)
    assert "a.whl: is broken [rule-a]" in error.detail
    assert "the set: does not fit [rule-b]" in error.detail
    assert index_of(played).looks == []
    assert credential_of(played).log == ["burn"], "which has nothing to burn"


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


def test_one_problem_of_the_whole_set_is_counted_as_one() -> None:
    played = fake_run(*ALL)
    played.distributions.problems = (
        Problem(filename=None, rule="rule", severity=Severity.ERROR, message="does not fit"),
    )
    assert "1 problem;" in failing(played, InvalidDistribution).summary


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


def test_check_without_a_destination_judges_as_pypi_would() -> None:
    played = FakeRun(FakeDistributions(ALL), ())
    assert check(played.run()) is Outcome.CHECKED
    assert [profile.value for profile in played.distributions.profiles] == ["pypi"]


def test_a_check_of_nothing_passes_only_where_that_is_allowed() -> None:
    with pytest.raises(NothingToPublish):
        check(FakeRun(FakeDistributions(()), ()).run())
    allowed = Settings(allow_empty=True)
    assert check(FakeRun(FakeDistributions(()), (), options=allowed).run()) is Outcome.CHECKED
    problem = Problem(filename="a.whl", rule="archive-damaged", severity=Severity.ERROR, message="It is damaged.")
    broken = FakeDistributions((), unreadable=(problem,))
    with pytest.raises(InvalidDistribution):
        check(FakeRun(broken, (), options=allowed).run())


def test_a_run_that_is_stopped_while_it_signs_uploads_nothing() -> None:
    class Stopping(FakeSigner):
        def sign(self, files: Sequence[Signable], predicate_types: Sequence[str] = (PUBLISH_V1,)) -> SigningResult:
            played.waiting.stop = True
            return super().sign(files, predicate_types)

    played = fake_run(*ALL, signer=Stopping())
    failing(played, Interrupted)
    assert index_of(played).sent == []


def both(first: FakeIndex, second: FakeIndex) -> FakeRun:
    destinations = (Destination(first, FakeCredential()), Destination(second, FakeCredential()))
    return FakeRun(FakeDistributions(ALL), destinations)


def test_two_indexes_share_one_check_and_one_signing() -> None:
    played = both(FakeIndex(TESTPYPI), FakeIndex(PYPI))
    assert publish(played.run()) is Outcome.PUBLISHED
    assert len(played.signer.signed) == 3
    assert set(statuses(played, "testpypi").values()) == {FileStatus.UPLOADED}
    assert set(statuses(played, "pypi").values()) == {FileStatus.UPLOADED}
    assert steps(played).count(Step.SIGN) == 1


def test_a_failure_at_one_index_stops_before_the_next() -> None:
    second = FakeIndex(PYPI)
    played = both(FakeIndex(TESTPYPI, answers={ONE.filename: [Refused(attempts=1, status=400, message="no")]}), second)
    failing(played, UploadRejected)
    assert second.sent == []


def test_a_conflict_at_the_second_index_stops_before_the_first_upload() -> None:
    first = FakeIndex(TESTPYPI)
    played = both(first, FakeIndex(PYPI, files={ONE.filename: published(ONE, sha256=sha("x"))}))
    failing(played, ContentConflict)
    assert first.sent == []


def test_a_stopped_run_begins_no_step() -> None:
    played = fake_run(*ALL)
    played.waiting.stop = True
    failing(played, Interrupted)
    assert steps(played) == []
    assert index_of(played).sent == []


@pytest.mark.parametrize("untrusted", [False, True])
def test_plan_with_a_broken_connection_reports_the_connection(*, untrusted: bool) -> None:
    away = FakeIndex(states=[ListingUnavailable("demo", "no route", untrusted=untrusted)])
    played = fake_run(ONE, index=away, credential=FakeCredential(lacks=IdentityUnavailable("no CI")))
    error = failing(played, UntrustedCertificate if untrusted else IndexUnavailable, plan)
    assert "no route" in error.summary
    assert error.exit_code == (2 if untrusted else 10)


def test_a_certificate_that_is_not_trusted_during_an_upload_is_a_setting() -> None:
    failing(answered(Unavailable(attempts=1, message="self-signed", untrusted=True)), UntrustedCertificate)
