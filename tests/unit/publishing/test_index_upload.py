"""One index's part of a run, over fakes."""

from ci_publish.errors import (
    UntrustedCertificate,
    UploadRejected,
)
from ci_publish.model.events import (
    FileStatus,
    Outcome,
)
from ci_publish.model.index import (
    Refused,
    Unavailable,
)
from ci_publish.publishing.publish import publish
from tests.unit.fakes import (
    PYPI,
    TESTPYPI,
    FakeIndex,
    fake_run,
    published,
)
from tests.unit.publishing.run_harness import (
    ALL,
    ONE,
    SOURCE,
    TWO,
    answered,
    both,
    credential_of,
    failing,
    listed,
    notes,
    statuses,
)


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


def test_a_failure_at_one_index_stops_before_the_next() -> None:
    second = FakeIndex(PYPI)
    played = both(FakeIndex(TESTPYPI, answers={ONE.filename: [Refused(attempts=1, status=400, message="no")]}), second)
    failing(played, UploadRejected)
    assert second.sent == []


def test_a_certificate_that_is_not_trusted_during_an_upload_is_a_setting() -> None:
    failing(answered(Unavailable(attempts=1, message="self-signed", untrusted=True)), UntrustedCertificate)
