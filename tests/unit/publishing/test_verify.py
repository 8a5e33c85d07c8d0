"""The command verify, over fakes."""

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    ContentConflict,
    IndexUnavailable,
    Interrupted,
    InvalidDistribution,
    Unverified,
)
from ci_publish.model.attestation import (
    AttestationPolicy,
)
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import (
    FileStatus,
    Outcome,
    ProvenanceChecked,
)
from ci_publish.model.index import (
    ListingUnavailable,
    NotVisible,
    PublishedFile,
)
from ci_publish.publishing.context import Destination
from ci_publish.publishing.verify import verify, verify_release
from tests.unit.fakes import (
    FakeCredential,
    FakeIndex,
    FakeVerifier,
    fake_run,
    published,
    sha,
    wheel,
)
from tests.unit.publishing.run_harness import (
    ALL,
    ONE,
    broken,
    by_md5,
    credential_of,
    failing,
    listed,
    notes,
    statuses,
    undigested,
)


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


def test_verify_is_green_for_what_is_there() -> None:
    played = fake_run(*ALL, index=FakeIndex(files={file.filename: published(file) for file in ALL}))
    assert verify(played.run()) is Outcome.VERIFIED
    assert set(listed(played).values()) == {True}
    assert credential_of(played).log == []


def test_verify_tells_missing_from_other_content() -> None:
    missing = fake_run(*ALL, index=FakeIndex(files={ONE.filename: published(ONE)}))
    assert "2 files are not on pypi" in failing(missing, Unverified, verify).summary
    other = fake_run(*ALL, index=FakeIndex(files={ONE.filename: published(ONE, sha256=sha("x"))}))
    failing(other, ContentConflict, verify)
    nothing = fake_run(ONE)
    assert "1 file is not" in failing(nothing, Unverified, verify).summary


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


def test_verify_compares_by_md5_and_by_download() -> None:
    by_digest = by_md5(FakeIndex().md5(ONE))
    assert verify(by_digest.run()) is Outcome.VERIFIED
    assert statuses(by_digest, "index.example") == {ONE.filename: FileStatus.SAME_MD5}
    assert "confirmed-by-md5" in notes(by_digest)
    assert verify(undigested(ONE.sha256).run()) is Outcome.VERIFIED
    assert "unknown content" in failing(undigested(None), ContentConflict, verify).summary
