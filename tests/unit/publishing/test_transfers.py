"""The order and the limits of uploads, over fakes."""

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    CredentialRejected,
    IdentityUnavailable,
    IndexUnavailable,
    Interrupted,
    UploadRejected,
)
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import (
    FileStatus,
    Outcome,
)
from ci_publish.model.index import (
    CredentialRefused,
    Refused,
)
from ci_publish.publishing.publish import publish
from tests.unit.fakes import (
    GENERIC,
    FakeCredential,
    FakeIndex,
    fake_run,
    wheel,
)
from tests.unit.publishing.run_harness import (
    ALL,
    ONE,
    answered,
    attempted,
    credential_of,
    failing,
    index_of,
    notes,
    statuses,
    unsure,
)


def test_a_file_that_pypi_may_refuse_goes_first_and_its_refusal_spends_nothing() -> None:
    new = wheel(tag="py9", size=1000)
    played = fake_run(
        *ALL,
        new,
        index=FakeIndex(answers={new.filename: [Refused(attempts=1, status=400, message="unsupported platform tag")]}),
    )
    played.distributions.problems = (unsure(new),)

    failing(played, UploadRejected)

    assert attempted(played) == [new.filename]
    assert "undecided-file" not in notes(played)


def test_an_expired_upload_token_is_renewed_once() -> None:
    played = answered(CredentialRefused(attempts=1, status=403, message="expired", expired=True))
    assert publish(played.run()) is Outcome.PUBLISHED
    assert credential_of(played).log.count("renew") == 1


def test_a_renewed_token_that_is_refused_ends_the_run() -> None:
    expired = CredentialRefused(attempts=1, status=403, message="expired", expired=True)
    failing(answered(expired, expired), CredentialRejected)


def test_a_credential_that_cannot_be_renewed_ends_the_run() -> None:
    played = answered(CredentialRefused(attempts=1, status=403, message="expired", expired=True))
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
