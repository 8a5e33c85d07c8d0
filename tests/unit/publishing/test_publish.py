"""The order of a run, over fakes of every room."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    AttestationInvalid,
    CiPublishError,
    ConfigurationError,
    ContentConflict,
    CredentialRejected,
    FileChangedDuringRun,
    IdentityUnavailable,
    IndexUnavailable,
    Interrupted,
    InvalidDistribution,
    SigningFailed,
    UntrustedCertificate,
    Unverified,
    UploadRejected,
)
from ci_publish.model.attestation import (
    AttestationPolicy,
    ProvenanceInvalid,
    ProvenanceMissing,
    ProvenanceVerified,
    SigningResult,
)
from ci_publish.model.distribution import Distribution, FoundAttestation
from ci_publish.model.events import (
    Checked,
    FileFinished,
    FileListed,
    FileStatus,
    Noted,
    Outcome,
    ProvenanceChecked,
    Signed,
    Step,
    StepFinished,
    StepStarted,
)
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    Accepted,
    AlreadyThere,
    Cancelled,
    CredentialRefused,
    Endpoints,
    FileChanged,
    IndexState,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    ProjectListing,
    PublishedFile,
    Refused,
    Unavailable,
    UploadOutcome,
)
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.receipt_building import receipt_of
from ci_publish.publishing.attest import attest, attestation_policy
from ci_publish.publishing.context import Destination
from ci_publish.publishing.publish import check, plan, publish
from ci_publish.publishing.verify import verify, verify_release
from tests.unit.fakes import (
    GENERIC,
    PYPI,
    TESTPYPI,
    FakeCredential,
    FakeDistributions,
    FakeIndex,
    FakeRun,
    FakeSigner,
    FakeVerifier,
    FakeWaiting,
    fake_run,
    published,
    sdist,
    sha,
    wheel,
)

ONE, TWO, SOURCE = wheel(tag="py2"), wheel(tag="py3"), sdist()
ALL = (ONE, TWO, SOURCE)


def statuses(played: FakeRun, index: str = "pypi") -> dict[str, FileStatus]:
    return {
        event.distribution.filename: event.status
        for event in played.events
        if isinstance(event, FileFinished) and event.index == index
    }


def notes(played: FakeRun) -> set[str]:
    return {event.slug for event in played.events if isinstance(event, Noted)}


def steps(played: FakeRun) -> list[Step]:
    return [event.step for event in played.events if isinstance(event, StepStarted)]


def listed(played: FakeRun) -> dict[str, bool | None]:
    return {event.filename: event.listed for event in played.events if isinstance(event, FileListed)}


def index_of(played: FakeRun) -> FakeIndex:
    index = played.destinations[0].index
    assert isinstance(index, FakeIndex)
    return index


def credential_of(played: FakeRun) -> FakeCredential:
    credential = played.destinations[0].credential
    assert isinstance(credential, FakeCredential)
    return credential


def failing(played: FakeRun, error: type[CiPublishError], command: Callable[..., Outcome] = publish) -> CiPublishError:
    with pytest.raises(error) as caught:
        command(played.run())
    assert type(caught.value) is error
    assert caught.value.summary
    return caught.value


# the whole staircase ----------------------------------------------------------------------------------------------


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
    assert outcomes == [ProvenanceVerified("somebody")] * 3


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
        Problem("a.whl", "rule-a", Severity.ERROR, "is broken", "mend it"),
        Problem(None, "rule-b", Severity.ERROR, "does not fit"),
        Problem("b.whl", "rule-c", Severity.WARNING, "is odd"),
    )
    played = fake_run(*ALL)
    played.distributions.problems = problems
    error = failing(played, InvalidDistribution)
    assert error.hints == ("mend it",)
    assert "a.whl: is broken [rule-a]" in error.detail
    assert "the set: does not fit [rule-b]" in error.detail
    assert index_of(played).looks == []
    assert credential_of(played).log == ["burn"], "which has nothing to burn"


def broken(name: str) -> Problem:
    return Problem(name, "rule", Severity.ERROR, "is broken", "mend it")


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
    played.distributions.problems = (Problem(None, "rule", Severity.ERROR, "does not fit"),)
    assert "1 problem;" in failing(played, InvalidDistribution).summary


def test_a_refused_identity_leaves_nothing_in_a_public_log() -> None:
    played = fake_run(*ALL, credential=FakeCredential(refusal=CredentialRejected("no")))
    failing(played, CredentialRejected)
    assert played.signer.signed == []
    assert index_of(played).sent == []
    assert credential_of(played).log == ["prove", "burn"]


# plan -------------------------------------------------------------------------------------------------------------


def test_a_conflict_stops_the_run_and_shows_both_digests() -> None:
    there = FakeIndex(files={ONE.filename: published(ONE, sha256=sha("other"))})
    played = fake_run(*ALL, index=there)
    error = failing(played, ContentConflict)
    assert ONE.sha256 in error.detail
    assert sha("other") in error.detail
    assert any("--on-conflict keep-published" in hint for hint in error.hints)
    assert there.sent == []
    assert statuses(played) == {ONE.filename: FileStatus.CONFLICT}


def test_skip_existing_keeps_other_content_on_testpypi_and_says_so() -> None:
    there = FakeIndex(TESTPYPI, files={ONE.filename: published(ONE, sha256=sha("other"))})
    played = fake_run(*ALL, index=there, options=Settings(skip_existing=True))
    assert publish(played.run()) is Outcome.PUBLISHED
    assert statuses(played, "testpypi")[ONE.filename] is FileStatus.KEPT_PUBLISHED
    assert "kept-published" in notes(played)


def test_skip_existing_on_pypi_names_the_line_to_write() -> None:
    there = FakeIndex(files={ONE.filename: published(ONE, sha256=None), TWO.filename: published(TWO, sha256=sha("x"))})
    played = fake_run(*ALL, index=there, options=Settings(skip_existing=True))
    error = failing(played, ContentConflict)
    assert any("on-conflict: keep-published" in hint for hint in error.hints)
    assert statuses(played)[ONE.filename] is FileStatus.KEPT_PUBLISHED


def test_an_undigested_file_is_a_conflict_that_says_why() -> None:
    played = fake_run(ONE, index=FakeIndex(files={ONE.filename: published(ONE, sha256=None)}))
    assert "shows no SHA-256" in failing(played, ContentConflict).detail


def test_a_look_that_fails_is_never_absence() -> None:
    played = fake_run(*ALL, index=FakeIndex(states=[ListingUnavailable("demo", "HTTP 500")]))
    assert "HTTP 500" in failing(played, IndexUnavailable).summary
    assert index_of(played).sent == []


def test_what_the_ci_lacks_is_said_even_when_the_index_is_away() -> None:
    credential = FakeCredential(lacks=IdentityUnavailable("no id-token: write"))
    played = fake_run(*ALL, index=FakeIndex(states=[ListingUnavailable("demo", "HTTP 500")]), credential=credential)
    error = failing(played, IdentityUnavailable)
    assert isinstance(error.__cause__, IndexUnavailable)


def test_a_look_that_was_cut_short_by_a_signal_is_an_interruption() -> None:
    played = fake_run(ONE, index=FakeIndex(states=[ListingUnavailable("demo", "stopped")]))
    run = played.run()
    played.distributions.problems = ()

    class Stopping(FakeIndex):
        def fetch_listing(
            self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
        ) -> ListingUnavailable:
            del version, fresh, patience
            played.waiting.stop = True
            return ListingUnavailable(project, "stopped")

    played.destinations = (Destination(Stopping(), FakeCredential()),)
    del run
    failing(played, Interrupted)


def test_an_index_that_cannot_be_seen_is_said_and_its_answers_decide() -> None:
    hidden = FakeIndex(GENERIC, states=[NotVisible("demo", "HTTP 401")] * 9)
    played = fake_run(*ALL, index=hidden, credential=FakeCredential(CredentialKind.PASSWORD))
    assert publish(played.run()) is Outcome.NOT_CONFIRMED
    assert {"index-not-visible", "not-confirmed"} <= notes(played)
    assert set(listed(played).values()) == {None}
    assert played.signer.signed == []


def test_what_cannot_be_confirmed_is_an_error_under_strict() -> None:
    hidden = FakeIndex(GENERIC, states=[NotVisible("demo", "HTTP 401")] * 9)
    password = FakeCredential(CredentialKind.PASSWORD)
    played = fake_run(ONE, index=hidden, credential=password, options=Settings(strict=True))
    error = failing(played, Unverified)
    assert "its listing cannot confirm that: HTTP 401" in error.summary
    assert any("--index-url" in hint for hint in error.hints)


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


def test_plan_proves_the_credential_where_asked_and_burns_it() -> None:
    played = fake_run(*ALL, index=FakeIndex(states=[ProjectListing("demo")]), options=Settings(prove_credential=True))
    plan(played.run())
    assert credential_of(played).log == ["prove", "burn"]


def test_plan_proves_no_credential_for_what_the_index_is_known_to_refuse() -> None:
    taken = FakeIndex(files={ONE.filename: published(ONE, sha256=sha("x"))})
    played = fake_run(*ALL, index=taken, options=Settings(prove_credential=True))
    failing(played, ContentConflict, plan)
    assert credential_of(played).log == ["burn"]


def test_plan_with_a_conflict_ends_as_publish_would() -> None:
    played = fake_run(*ALL, index=FakeIndex(files={ONE.filename: published(ONE, sha256=sha("x"))}))
    failing(played, ContentConflict, plan)
    assert statuses(played)[TWO.filename] is FileStatus.PLANNED


def test_what_the_index_will_refuse_is_known_before_anything_is_signed() -> None:
    for command in (publish, plan):
        closed = ProjectListing("demo", {}, status="archived")
        played = fake_run(*ALL, index=FakeIndex(states=[closed]))
        failing(played, UploadRejected, command)
        assert played.signer.signed == []
        assert index_of(played).sent == []
        assert "prove" not in credential_of(played).log


def test_adding_to_a_yanked_release_is_said() -> None:
    played = fake_run(*ALL, index=FakeIndex(files={ONE.filename: published(ONE, yanked=True)}))
    assert publish(played.run()) is Outcome.PUBLISHED
    assert "yanked-release" in notes(played)


def unsure(file: Distribution, message: str = "a new tag") -> Problem:
    return Problem(file.filename, "platform-tag-unknown", Severity.WARNING, message)


def attempted(played: FakeRun) -> list[str]:
    return [filename for filename, _ in index_of(played).sent]


def test_a_file_that_pypi_may_refuse_goes_first_and_its_refusal_spends_nothing() -> None:
    new = wheel(tag="py9", size=1000)
    played = fake_run(*ALL, new, index=FakeIndex(answers={new.filename: [Refused(1, 400, "unsupported platform tag")]}))
    played.distributions.problems = (unsure(new),)

    failing(played, UploadRejected)

    assert attempted(played) == [new.filename]
    assert "undecided-file" not in notes(played)


@pytest.mark.parametrize("command", [publish, plan])
def test_a_second_such_file_is_said_to_endanger_the_release(command: Callable[..., Outcome]) -> None:
    new, other = wheel(tag="py8"), wheel(tag="py9")
    played = fake_run(*ALL, new, other)
    played.distributions.problems = (unsure(new), unsure(other, "another new tag"))

    command(played.run())

    assert "undecided-file" in notes(played)


def test_such_a_file_for_a_release_that_exists_is_said_to_endanger_it() -> None:
    new = wheel(tag="py9")
    played = fake_run(new, index=FakeIndex(files={ONE.filename: published(ONE)}))
    played.distributions.problems = (unsure(new),)

    publish(played.run())

    assert "undecided-file" in notes(played)


def test_other_indexes_decide_by_their_own_rules() -> None:
    new = wheel(tag="py9", size=1000)
    played = fake_run(ONE, new, index=FakeIndex(GENERIC))
    played.distributions.problems = (unsure(new),)

    publish(played.run())

    assert attempted(played) == [ONE.filename, new.filename]


@pytest.mark.parametrize("command", [publish, plan])
@pytest.mark.parametrize("endpoints", [PYPI, TESTPYPI])
@pytest.mark.parametrize("name", ["smtplib", "xml-etree"])
def test_a_new_project_cannot_be_named_like_the_standard_library(
    command: Callable[..., Outcome], endpoints: Endpoints, name: str
) -> None:
    played = fake_run(wheel(name), index=FakeIndex(endpoints))

    error = failing(played, UploadRejected, command)

    assert name in error.summary
    assert index_of(played).sent == []
    assert played.signer.signed == []


def test_a_project_of_such_a_name_that_exists_takes_files() -> None:
    old = wheel("dataclasses", "0.8")
    played = fake_run(wheel("dataclasses", "0.9"), index=FakeIndex(files={old.filename: published(old)}))
    assert publish(played.run()) is Outcome.PUBLISHED


def test_elsewhere_such_a_name_is_a_warning() -> None:
    played = fake_run(wheel("smtplib"), index=FakeIndex(GENERIC))
    assert publish(played.run()) is Outcome.PUBLISHED
    assert "reserved-name" in notes(played)


def test_check_uses_no_network() -> None:
    played = fake_run(*ALL)
    assert check(played.run()) is Outcome.CHECKED
    assert index_of(played).looks == []
    assert [profile.value for profile in played.distributions.profiles] == ["pypi"]


def test_check_without_a_destination_judges_as_pypi_would() -> None:
    played = FakeRun(FakeDistributions(ALL), ())
    assert check(played.run()) is Outcome.CHECKED
    assert [profile.value for profile in played.distributions.profiles] == ["pypi"]


# attestations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "kind", "endpoints", "expected"),
    [
        ("auto", CredentialKind.TRUSTED_PUBLISHING, PYPI, "required"),
        ("auto", CredentialKind.TRUSTED_PUBLISHING, GENERIC, "off"),
        ("auto", CredentialKind.API_TOKEN, PYPI, "off"),
        ("required", CredentialKind.TRUSTED_PUBLISHING, GENERIC, "required"),
        ("required", CredentialKind.PASSWORD, GENERIC, "required"),
        ("if-possible", CredentialKind.API_TOKEN, PYPI, "off"),
        ("if-possible", CredentialKind.TRUSTED_PUBLISHING, PYPI, "if-possible"),
        ("off", CredentialKind.TRUSTED_PUBLISHING, PYPI, "off"),
    ],
)
def test_auto_means_required_where_pypi_takes_attestations(
    option: str, kind: CredentialKind, endpoints: object, expected: str
) -> None:
    assert attestation_policy(AttestationPolicy(option), kind, endpoints) == expected  # type: ignore[arg-type]


def test_required_attestations_with_an_api_token_on_pypi_are_refused_before_anything() -> None:
    played = fake_run(
        *ALL,
        credential=FakeCredential(CredentialKind.API_TOKEN),
        options=Settings(attestations=AttestationPolicy.REQUIRED),
    )
    failing(played, ConfigurationError)
    assert index_of(played).looks == []


def test_a_file_that_cannot_be_signed_stops_the_run_where_attestations_are_required() -> None:
    failures = {ONE.filename: SigningFailed("Rekor answered 502")}
    played = fake_run(*ALL, signer=FakeSigner(failures))
    assert failing(played, SigningFailed).summary == "Rekor answered 502"
    assert index_of(played).sent == []
    assert credential_of(played).log[-1] == "burn"


def test_many_files_that_cannot_be_signed_are_one_error() -> None:
    failures = {ONE.filename: SigningFailed("A"), TWO.filename: SigningFailed("B")}
    error = failing(fake_run(*ALL, signer=FakeSigner(failures)), SigningFailed)
    assert "2 files" in error.summary
    assert f"{TWO.filename}: B" in error.detail


def test_one_reason_for_many_files_is_told_once() -> None:
    for detail in ("", "HTTP 502 from the log"):
        failures = {file.filename: SigningFailed("Rekor is away", detail=detail) for file in (ONE, TWO)}
        error = failing(fake_run(*ALL, signer=FakeSigner(failures)), SigningFailed)
        assert error.summary.count("Rekor is away") == 1
        assert "Rekor is away" not in error.detail
        assert detail in error.detail
        assert ONE.filename in error.detail


def test_if_possible_publishes_without_and_says_so_loudly() -> None:
    failures = {ONE.filename: SigningFailed("Rekor answered 502")}
    options = Settings(attestations=AttestationPolicy.IF_POSSIBLE)
    played = fake_run(*ALL, signer=FakeSigner(failures), options=options)
    assert publish(played.run()) is Outcome.PUBLISHED
    assert dict(index_of(played).sent)[ONE.filename] == 0
    assert dict(index_of(played).sent)[TWO.filename] == 1
    assert "published-without-attestation" in notes(played)


@pytest.mark.parametrize("refusal", [IdentityUnavailable("no token"), SigningFailed("no root")])
def test_no_signing_identity_at_all_follows_the_policy_too(refusal: CiPublishError) -> None:
    strict = fake_run(*ALL, signer=FakeSigner(refusal=refusal))
    failing(strict, type(refusal))
    lenient = fake_run(
        *ALL, signer=FakeSigner(refusal=refusal), options=Settings(attestations=AttestationPolicy.IF_POSSIBLE)
    )
    assert publish(lenient.run()) is Outcome.PUBLISHED
    assert {count for _, count in index_of(lenient).sent} == {0}


def test_attestations_that_lie_beside_the_files_are_used_and_not_made_again() -> None:
    found = FoundAttestation(Path("dist/x"), ONE.filename, "publish", b"{}")
    stray = FoundAttestation(Path("dist/y"), "other-1.0-py3-none-any.whl", "publish", b"{}")
    played = fake_run(*ALL)
    played.distributions.attestations = (found, stray)
    publish(played.run())
    assert ONE.filename not in played.signer.signed
    assert {count for _, count in index_of(played).sent} == {1}
    told = [event.attestation.filename for event in played.events if isinstance(event, Signed)]
    assert told == [ONE.filename], "what was found is told of as what is made is"


def test_attest_signs_everything_and_writes_it_down() -> None:
    played = fake_run(*ALL, options=Settings(attestations_dir=Path("out")))
    assert attest(played.run()) is Outcome.ATTESTED
    assert played.written == [(Path("out"), 3)]
    assert index_of(played).looks == []


def test_attest_without_a_folder_is_a_mistake() -> None:
    failing(fake_run(*ALL), ConfigurationError, attest)


def test_publish_writes_attestations_where_asked() -> None:
    played = fake_run(*ALL, options=Settings(attestations_dir=Path("out")))
    publish(played.run())
    assert played.written == [(Path("out"), 3)]


def test_an_attestation_that_is_in_the_way_stops_the_run_before_anything_is_signed() -> None:
    played = fake_run(*ALL, options=Settings(attestations_dir=Path("out")))

    def refuse(folder: Path, filenames: Sequence[str]) -> None:
        assert (folder, list(filenames)) == (Path("out"), [file.filename for file in ALL])
        raise ConfigurationError("exists already")

    with pytest.raises(ConfigurationError):
        publish(replace(played.run(), require_unwritten=refuse))
    assert played.signer.signed == []
    assert index_of(played).sent == []


# upload -----------------------------------------------------------------------------------------------------------


def answered(outcome: UploadOutcome, *more: UploadOutcome, **changes: object) -> FakeRun:
    index = FakeIndex(answers={ONE.filename: [outcome, *more]})
    return fake_run(*ALL, index=index, options=Settings(**changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "error", "status"),
    [
        (Refused(1, 400, "The name is not allowed", ("Choose another",)), UploadRejected, FileStatus.REFUSED),
        (Refused(1, 400, ""), UploadRejected, FileStatus.REFUSED),
        (CredentialRefused(1, 403, "no role"), CredentialRejected, FileStatus.REFUSED),
        (CredentialRefused(1, 403, ""), CredentialRejected, FileStatus.REFUSED),
        (Unavailable(5, "HTTP 503", unclear=True), IndexUnavailable, FileStatus.UNKNOWN),
        (Unavailable(5, "HTTP 503"), IndexUnavailable, FileStatus.FAILED),
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
    played = answered(Refused(1, 400, "no"), keep_going=True)
    index_of(played).answers[TWO.filename] = [Refused(1, 400, "neither")]
    error = failing(played, UploadRejected)
    assert "2 of 3 files" in error.summary
    assert statuses(played)[SOURCE.filename] is FileStatus.UPLOADED


def test_keep_going_tries_no_other_file_with_a_refused_credential() -> None:
    played = answered(CredentialRefused(1, 403, "no role"), keep_going=True)
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


def test_an_expired_upload_token_is_renewed_once() -> None:
    played = answered(CredentialRefused(1, 403, "expired", expired=True))
    assert publish(played.run()) is Outcome.PUBLISHED
    assert credential_of(played).log.count("renew") == 1


def test_a_renewed_token_that_is_refused_ends_the_run() -> None:
    expired = CredentialRefused(1, 403, "expired", expired=True)
    failing(answered(expired, expired), CredentialRejected)


def test_a_credential_that_cannot_be_renewed_ends_the_run() -> None:
    played = answered(CredentialRefused(1, 403, "expired", expired=True))
    credential_of(played).renewable = False
    failing(played, CredentialRejected)


def test_a_credential_that_cannot_be_had_ends_the_run() -> None:
    played = fake_run(*ALL, credential=FakeCredential(hold_refusal=IdentityUnavailable("gone")))
    failing(played, IdentityUnavailable)
    assert index_of(played).sent == []


def test_a_credential_that_is_lost_between_two_files_ends_the_run() -> None:
    credential = FakeCredential()
    played = fake_run(*ALL, credential=credential)
    index_of(played).before_upload = lambda _: setattr(credential, "hold_refusal", IndexUnavailable("mint"))
    failing(played, IndexUnavailable)
    assert statuses(played)[ONE.filename] is FileStatus.UPLOADED


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


def test_a_throttling_index_gets_every_file_all_the_same() -> None:
    files = [wheel(tag=f"cp3{number}") for number in range(30)]
    played = fake_run(*files, index=FakeIndex(throttle=5))
    publish(played.run())
    assert len(index_of(played).sent) == 30


def test_pypi_completes_two_files_of_a_release_at_once_and_other_releases_beside_them() -> None:
    files = [wheel(project=project, tag=f"cp3{number}") for project in ("demo", "other") for number in range(12)]
    played = fake_run(*files, index=FakeIndex(seconds=0.01))
    publish(played.run())
    index = index_of(played)
    assert len(index.files) == 24
    assert index.most_at_once == 2
    assert index.most_in_all > 2


def test_other_indexes_complete_as_many_as_there_are_jobs() -> None:
    files = [wheel(tag=f"cp3{number}") for number in range(30)]
    played = fake_run(*files, index=FakeIndex(GENERIC, seconds=0.01), options=Settings(jobs=8))
    publish(played.run())
    assert 2 < index_of(played).most_at_once <= 8


def test_uploads_that_wait_for_their_turn_are_withdrawn_when_the_run_is_stopped() -> None:
    files = [wheel(tag=f"cp3{number}") for number in range(12)]
    played = fake_run(*files, index=FakeIndex(seconds=0.2))
    index = index_of(played)
    seen: list[Distribution] = []

    def stop_at_the_fifth(file: Distribution) -> None:
        seen.append(file)
        if len(seen) == 5:
            played.waiting.stop = True

    index.before_upload = stop_at_the_fifth
    failing(played, Interrupted)
    assert len(index.files) == 3, "the first, and two that were being completed; the others were not sent to their end"


def test_a_signal_during_the_uploads_ends_as_an_interruption() -> None:
    played = fake_run(*ALL)
    index_of(played).before_upload = lambda _: setattr(played.waiting, "stop", True)
    failing(played, Interrupted)
    assert statuses(played) == {ONE.filename: FileStatus.UPLOADED}
    assert credential_of(played).log[-1] == "burn"


# verify -----------------------------------------------------------------------------------------------------------


def slow(*states: object) -> FakeRun:
    played = fake_run(ONE, options=Settings(verify_timeout=60))
    index_of(played).states = [NoSuchProject("demo"), *states]  # type: ignore[list-item]
    return played


def test_the_listing_is_waited_for_with_growing_pauses() -> None:
    played = slow(NoSuchProject("demo"), ListingUnavailable("demo", "502"), ProjectListing("demo"))
    assert publish(played.run()) is Outcome.PUBLISHED
    assert played.waiting.waits == [1.0, 2.0, 4.0]
    assert index_of(played).looks == [False, True, True, True, True]


@pytest.mark.parametrize("endpoints", [PYPI, GENERIC])
def test_a_file_that_a_readable_listing_never_shows_is_unverified(endpoints: Endpoints) -> None:
    played = slow(*[NoSuchProject("demo")] * 99)
    index_of(played).endpoints = endpoints
    error = failing(played, Unverified)
    assert "not listed within 60 s" in error.detail
    assert any("--verify-timeout" in hint for hint in error.hints)
    assert listed(played) == {ONE.filename: False}


def test_an_outage_during_confirmation_is_not_called_an_absence() -> None:
    played = slow(*[ListingUnavailable("demo", "HTTP 502")] * 99)
    error = failing(played, Unverified)
    assert error.summary == "pypi accepted 1 file, but its listing could not be read within 60 s: HTTP 502"
    assert listed(played) == {ONE.filename: None}


PORTAL = Accepted(2, "a web page", doubt="a web page came instead of an index's response")


def test_a_web_page_waits_for_the_listing() -> None:
    played = answered(PORTAL)
    index_of(played).states = [
        NoSuchProject("demo"),
        *[ProjectListing("demo", {f.filename: published(f) for f in ALL})],
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
    played = answered(Unavailable(5, "HTTP 503", unclear=True), keep_going=True)
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


def test_keeping_other_content_is_not_already_published() -> None:
    other = {file.filename: published(file, sha256=sha("x")) for file in ALL}
    played = fake_run(*ALL, index=FakeIndex(files=other), options=Settings(on_conflict="keep-published"))
    assert publish(played.run()) is Outcome.KEPT_PUBLISHED


def test_another_digest_in_the_listing_is_unverified_everywhere() -> None:
    for endpoints in (PYPI, GENERIC):
        played = fake_run(ONE, index=FakeIndex(endpoints))
        wrong = ProjectListing("demo", {ONE.filename: published(ONE, sha256=sha("evil"))})
        index_of(played).states = [NoSuchProject("demo"), wrong]
        error = failing(played, Unverified)
        assert "another digest" in error.detail
        assert any("who uploads" in hint for hint in error.hints)


def test_a_listing_without_digests_says_that_nothing_is_known_but_is_no_proof_on_pypi() -> None:
    undigested = ProjectListing("demo", {ONE.filename: published(ONE, sha256=None)})
    played = fake_run(
        ONE,
        index=FakeIndex(GENERIC, states=[NoSuchProject("demo"), undigested]),
        credential=FakeCredential(CredentialKind.PASSWORD),
    )
    assert publish(played.run()) is Outcome.NOT_CONFIRMED
    assert listed(played) == {ONE.filename: None}
    failing(slow(*[undigested] * 99), Unverified)


def test_verify_does_not_take_an_outage_or_a_stop_for_an_answer() -> None:
    there = {file.filename: published(file) for file in ALL}
    away = fake_run(*ALL, index=FakeIndex(files=there, provenances={ONE.filename: IndexUnavailable("HTTP 503")}))
    failing(away, IndexUnavailable, verify)
    stopped = fake_run(*ALL, index=FakeIndex(files=there))
    stopped.verifier = FakeVerifier()
    run = stopped.run()

    class Stopping(FakeIndex):
        def provenance(self, project: str, version: str, filename: str) -> bytes | None:
            del project, version, filename
            stopped.waiting.stop = True
            return None

    stopped.destinations = (Destination(Stopping(files=there), FakeCredential()),)
    del run
    failing(stopped, Interrupted, verify)


def test_verify_asks_the_index_and_not_the_checks() -> None:
    played = fake_run(*ALL, index=FakeIndex(files={file.filename: published(file) for file in ALL}))
    played.distributions.problems = (broken(ONE.filename),)
    assert verify(played.run()) is Outcome.VERIFIED
    unreadable = fake_run(*ALL)
    unreadable.distributions.unreadable = (broken("x.whl"),)
    failing(unreadable, InvalidDistribution, verify)


def test_attest_that_is_switched_off_is_a_mistake() -> None:
    options = Settings(attestations=AttestationPolicy.OFF, attestations_dir=Path("out"))
    played = fake_run(*ALL, options=options)
    failing(played, ConfigurationError, attest)
    assert played.signer.signed == []


def test_wishing_for_attestations_with_an_api_token_is_answered_loudly() -> None:
    played = fake_run(
        *ALL,
        credential=FakeCredential(CredentialKind.API_TOKEN),
        options=Settings(attestations=AttestationPolicy.IF_POSSIBLE),
    )
    assert publish(played.run()) is Outcome.PUBLISHED
    assert "published-without-attestation" in notes(played)


def test_a_missing_credential_is_not_called_an_api_token() -> None:
    played = fake_run(
        *ALL,
        credential=FakeCredential(CredentialKind.NONE, refusal=IdentityUnavailable("nothing")),
        options=Settings(attestations=AttestationPolicy.REQUIRED),
    )
    failing(played, IdentityUnavailable)


def test_a_listing_that_is_late_after_a_race_is_asked_again() -> None:
    played = answered(AlreadyThere(1, "File already exists"))
    late = ProjectListing("demo", {ONE.filename: published(ONE)})
    index_of(played).states = [NoSuchProject("demo"), NoSuchProject("demo"), NoSuchProject("demo"), late]
    played.options = Settings(verify=False)
    assert publish(played.run()) is Outcome.NOT_CONFIRMED
    assert statuses(played)[ONE.filename] is FileStatus.ALREADY_PUBLISHED
    assert played.waiting.waits == [1.0, 2.0]


def test_a_stop_ends_the_questions_after_a_race() -> None:
    played = answered(AlreadyThere(1, "File already exists"))
    played.waiting = FakeWaiting(stop_after=1)
    failing(played, UploadRejected)


def test_two_releases_of_one_project_are_both_looked_at() -> None:
    old, new = wheel(version="1.0"), wheel(version="2.0")
    first = ProjectListing("demo", {old.filename: published(old)})
    second = ProjectListing("demo", {new.filename: published(new)})
    played = fake_run(old, new, index=FakeIndex(states=[first, second]))
    assert publish(played.run()) is Outcome.ALREADY_PUBLISHED
    hidden = fake_run(old, new, index=FakeIndex(GENERIC, states=[NotVisible("demo", "401")] * 9))
    assert plan(hidden.run()) is Outcome.PLANNED
    assert len([event for event in hidden.events if isinstance(event, Noted)]) == 1


def test_a_run_that_is_stopped_while_it_signs_uploads_nothing() -> None:
    class Stopping(FakeSigner):
        def sign(self, distributions: Sequence[Distribution]) -> SigningResult:
            played.waiting.stop = True
            return super().sign(distributions)

    played = fake_run(*ALL, signer=Stopping())
    failing(played, Interrupted)
    assert index_of(played).sent == []


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


def test_verify_is_green_for_what_is_there() -> None:
    played = fake_run(*ALL, index=FakeIndex(files={file.filename: published(file) for file in ALL}))
    assert verify(played.run()) is Outcome.VERIFIED
    assert set(listed(played).values()) == {True}
    assert credential_of(played).log == []


def test_verify_tells_missing_from_other_content() -> None:
    missing = fake_run(*ALL, index=FakeIndex(files={ONE.filename: published(ONE)}))
    assert "2 files not on pypi" in failing(missing, Unverified, verify).summary
    other = fake_run(*ALL, index=FakeIndex(files={ONE.filename: published(ONE, sha256=sha("x"))}))
    failing(other, ContentConflict, verify)
    nothing = fake_run(ONE)
    assert "1 file not" in failing(nothing, Unverified, verify).summary


def test_verify_needs_to_see_the_index() -> None:
    played = fake_run(ONE, index=FakeIndex(states=[NotVisible("demo", "HTTP 401")]))
    failing(played, IndexUnavailable, verify)


def test_verify_wants_provenance_only_where_it_must_be_there() -> None:
    files = {ONE.filename: published(ONE)}
    lenient = fake_run(ONE, index=FakeIndex(files=files, provenances={ONE.filename: None}))
    assert verify(lenient.run()) is Outcome.VERIFIED
    assert "no-provenance" in notes(lenient)
    strict = fake_run(
        ONE,
        index=FakeIndex(files=files, provenances={ONE.filename: None}),
        options=Settings(attestations=AttestationPolicy.REQUIRED),
    )
    failing(strict, Unverified, verify)
    off = fake_run(ONE, index=FakeIndex(files=files), options=Settings(attestations=AttestationPolicy.OFF))
    assert verify(off.run()) is Outcome.VERIFIED
    assert not [event for event in off.events if isinstance(event, ProvenanceChecked)]


def released(file: PublishedFile) -> Distribution | None:
    return next((known for known in ALL if known.filename == file.filename), None)


def test_a_release_is_verified_from_the_listing() -> None:
    files = {file.filename: published(file) for file in (*ALL, wheel(version="2.0"))}
    played = fake_run(index=FakeIndex(files=files))
    assert verify_release(played.run(), "demo", "1.0", released) is Outcome.VERIFIED
    assert len(listed(played)) == 3


def test_a_release_that_is_not_there_is_unverified() -> None:
    for index in (FakeIndex(), FakeIndex(files={"demo-9.whl": published(wheel(version="9"))})):
        with pytest.raises(Unverified, match="not on pypi"):
            verify_release(fake_run(index=index).run(), "demo", "1.0", released)
    with pytest.raises(IndexUnavailable):
        verify_release(
            fake_run(index=FakeIndex(states=[ListingUnavailable("demo", "x")])).run(), "demo", "1.0", released
        )


# several indexes --------------------------------------------------------------------------------------------------


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
    played = both(FakeIndex(TESTPYPI, answers={ONE.filename: [Refused(1, 400, "no")]}), second)
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


def test_accepted_is_counted_with_its_attempts() -> None:
    played = answered(Accepted(attempts=3))
    index_of(played).files = {}
    index_of(played).states = [NoSuchProject("demo")]
    played.options = Settings(verify=False)
    publish(played.run())
    attempts = {e.distribution.filename: e.attempts for e in played.events if isinstance(e, FileFinished)}
    assert attempts[ONE.filename] == 3


def test_a_broken_attestation_file_is_found_before_the_credential_is_used() -> None:
    played = fake_run(*ALL)
    broken_file = FoundAttestation(Path("x"), ONE.filename, "publish", b"")
    played.distributions.attestations = (broken_file,)
    failing(played, AttestationInvalid)
    assert credential_of(played).log == ["burn"]
    unused = fake_run(*ALL, options=Settings(attestations=AttestationPolicy.OFF))
    unused.distributions.attestations = (broken_file,)
    assert publish(unused.run()) is Outcome.PUBLISHED


@pytest.mark.parametrize("untrusted", [False, True])
def test_plan_with_a_broken_connection_reports_the_connection(*, untrusted: bool) -> None:
    away = FakeIndex(states=[ListingUnavailable("demo", "no route", untrusted=untrusted)])
    played = fake_run(ONE, index=away, credential=FakeCredential(lacks=IdentityUnavailable("no CI")))
    error = failing(played, UntrustedCertificate if untrusted else IndexUnavailable, plan)
    assert "no route" in error.summary
    assert error.exit_code == (2 if untrusted else 10)


def test_a_certificate_that_is_not_trusted_during_an_upload_is_a_setting() -> None:
    failing(answered(Unavailable(1, "self-signed", untrusted=True)), UntrustedCertificate)


def by_md5(md5: str) -> FakeRun:
    listing = {ONE.filename: published(ONE, sha256=None, md5=md5)}
    return fake_run(ONE, index=FakeIndex(GENERIC, files=listing), credential=FakeCredential(CredentialKind.PASSWORD))


def test_the_same_md5_is_already_published_with_a_warning() -> None:
    played = by_md5(FakeIndex().md5(ONE))
    assert publish(played.run()) is Outcome.SAME_MD5
    assert statuses(played, "index.example") == {ONE.filename: FileStatus.SAME_MD5}
    assert "compared-by-md5" in notes(played)
    assert listed(played) == {ONE.filename: None}
    assert receipt_of(played.events).files[0].status is FileStatus.SAME_MD5


def test_another_md5_is_other_content() -> None:
    error = failing(by_md5("0" * 32), ContentConflict)
    assert "other content" in error.summary
    assert "its MD5" in error.detail


def test_content_without_any_digest_is_called_unknown() -> None:
    undigested = {ONE.filename: published(ONE, sha256=None)}
    password = FakeCredential(CredentialKind.PASSWORD)
    played = fake_run(ONE, index=FakeIndex(GENERIC, files=undigested), credential=password)
    error = failing(played, ContentConflict)
    assert "unknown content" in error.summary
    assert any("--skip-existing" in hint for hint in error.hints)


UNDIGESTED = published(ONE, sha256=None)


def undigested(content: str | None, **options: object) -> FakeRun:
    """A second run at an index that shows no digest, and serves *content* (its SHA-256) when it is asked for it."""
    index = FakeIndex(GENERIC, files={ONE.filename: UNDIGESTED}, contents={ONE.filename: content})
    credential = FakeCredential(CredentialKind.PASSWORD)
    return fake_run(ONE, index=index, credential=credential, options=Settings(**options))  # type: ignore[arg-type]


def test_content_without_a_digest_is_downloaded_and_compared() -> None:
    played = undigested(ONE.sha256)
    assert publish(played.run()) is Outcome.ALREADY_PUBLISHED
    assert listed(played) == {ONE.filename: True}
    assert "compared-by-download" in notes(played)
    error = failing(undigested(sha("other")), ContentConflict)
    assert f"published: sha256 {sha('other')}" in error.detail


@pytest.mark.parametrize(("content", "limit"), [(None, 25), (ONE.sha256, 0), (ONE.sha256, ONE.size - 1)])
def test_content_that_is_not_downloaded_stays_unknown(content: str | None, limit: int) -> None:
    played = undigested(content, compare_downloads=limit)
    error = failing(played, ContentConflict)
    assert "unknown content" in error.summary
    assert any("--compare-downloads" in hint for hint in error.hints)
    assert index_of(played).downloads == ([] if content else [ONE.filename])


def test_nothing_is_downloaded_from_pypi() -> None:
    played = fake_run(ONE, index=FakeIndex(files={ONE.filename: UNDIGESTED}, contents={ONE.filename: ONE.sha256}))
    failing(played, ContentConflict)
    assert index_of(played).downloads == []


def test_other_and_unknown_content_are_told_apart() -> None:
    other, unknown = ALL[:2]
    files = {other.filename: published(other, sha256=sha("x")), unknown.filename: published(unknown, sha256=None)}
    played = fake_run(
        other, unknown, index=FakeIndex(GENERIC, files=files), credential=FakeCredential(CredentialKind.PASSWORD)
    )
    error = failing(played, ContentConflict)
    assert "other content under the name of 1 file, and unknown content under that of 1 file" in error.summary


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


def confirmed_with(md5: str) -> FakeRun:
    index = FakeIndex(GENERIC)
    index.states = [NoSuchProject("demo"), ProjectListing("demo", {ONE.filename: published(ONE, sha256=None, md5=md5)})]
    return fake_run(ONE, index=index, credential=FakeCredential(CredentialKind.PASSWORD))


def test_an_upload_is_confirmed_by_md5_and_never_called_published() -> None:
    played = confirmed_with(FakeIndex().md5(ONE))
    played.options = Settings(strict=True)
    assert publish(played.run()) is Outcome.UPLOADED_MD5
    assert "confirmed-by-md5" in notes(played)
    assert "not-confirmed" not in notes(played)
    receipt = receipt_of(played.events)
    assert (receipt.files[0].status, receipt.files[0].listed, receipt.files[0].error) == (
        FileStatus.UPLOADED_MD5,
        None,
        None,
    )
    assert "another digest" in failing(confirmed_with("0" * 32), Unverified).detail


def test_a_run_with_one_file_known_by_md5_is_not_called_published() -> None:
    there = {ONE.filename: published(ONE, sha256=None, md5=FakeIndex().md5(ONE))}
    played = fake_run(*ALL, index=FakeIndex(GENERIC, files=there), credential=FakeCredential(CredentialKind.PASSWORD))
    assert publish(played.run()) is Outcome.UPLOADED_MD5


class ChangingIndex(FakeIndex):
    def md5(self, distribution: Distribution) -> str:
        raise FileChangedDuringRun(f"{distribution.filename} changed")


def test_a_file_that_changed_since_is_not_confirmed() -> None:
    index = ChangingIndex(GENERIC)
    index.states = [NoSuchProject("demo"), ProjectListing("demo", {ONE.filename: published(ONE, sha256=None, md5="a")})]
    played = fake_run(ONE, index=index, credential=FakeCredential(CredentialKind.PASSWORD))
    assert publish(played.run()) is Outcome.NOT_CONFIRMED


def test_verify_compares_by_md5_and_by_download() -> None:
    by_digest = by_md5(FakeIndex().md5(ONE))
    assert verify(by_digest.run()) is Outcome.VERIFIED
    assert statuses(by_digest, "index.example") == {ONE.filename: FileStatus.SAME_MD5}
    assert "confirmed-by-md5" in notes(by_digest)
    assert verify(undigested(ONE.sha256).run()) is Outcome.VERIFIED
    assert "unknown content" in failing(undigested(None), ContentConflict, verify).summary
