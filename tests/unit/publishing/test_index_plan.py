"""Planning one index's part of a run, over fakes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    ContentConflict,
    IdentityUnavailable,
    IndexUnavailable,
    Interrupted,
    UploadRejected,
)
from ci_publish.model.events import (
    FileStatus,
    Noted,
    Outcome,
)
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    Endpoints,
    ListingUnavailable,
    NotVisible,
    ProjectListing,
)
from ci_publish.model.receipt_building import build_receipt
from ci_publish.publishing.context import Destination
from ci_publish.publishing.publish import plan, publish
from tests.unit.fakes import (
    GENERIC,
    PYPI,
    TESTPYPI,
    FakeCredential,
    FakeIndex,
    fake_run,
    published,
    sha,
    wheel,
)
from tests.unit.publishing.projects import project
from tests.unit.publishing.run_harness import (
    ALL,
    ONE,
    TWO,
    attempted,
    by_md5,
    credential_of,
    failing,
    index_of,
    listed,
    notes,
    statuses,
    unsure,
)


def test_a_conflict_stops_the_run_and_shows_both_digests() -> None:
    there = FakeIndex(files={ONE.filename: published(ONE, sha256=sha("other"))})
    played = fake_run(*ALL, index=there)
    error = failing(played, ContentConflict)
    assert ONE.sha256 in error.detail
    assert sha("other") in error.detail
    assert any("on-conflict: keep-published" in hint for hint in error.hints)
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


def test_what_the_index_will_refuse_is_known_before_anything_is_signed() -> None:
    for command in (publish, plan):
        closed = ProjectListing(project="demo", files={}, status="archived")
        played = fake_run(*ALL, index=FakeIndex(states=[closed]))
        failing(played, UploadRejected, command)
        assert played.signer.signed == []
        assert index_of(played).sent == []
        assert "prove" not in credential_of(played).log


def test_adding_to_a_yanked_release_is_said() -> None:
    played = fake_run(*ALL, index=FakeIndex(files={ONE.filename: published(ONE, yanked=True)}))
    assert publish(played.run()) is Outcome.PUBLISHED
    assert "yanked-release" in notes(played)


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


def test_two_releases_of_one_project_are_both_looked_at() -> None:
    old, new = wheel(version="1.0"), wheel(version="2.0")
    first = ProjectListing(project="demo", files={old.filename: published(old)})
    second = ProjectListing(project="demo", files={new.filename: published(new)})
    played = fake_run(old, new, index=FakeIndex(states=[first, second]))
    assert publish(played.run()) is Outcome.ALREADY_PUBLISHED
    hidden = fake_run(old, new, index=FakeIndex(GENERIC, states=[NotVisible("demo", "401")] * 9))
    assert plan(hidden.run()) is Outcome.PLANNED
    assert len([event for event in hidden.events if isinstance(event, Noted)]) == 1


def test_the_same_md5_is_already_published_with_a_warning() -> None:
    played = by_md5(FakeIndex().md5(ONE))
    assert publish(played.run()) is Outcome.SAME_MD5
    assert statuses(played, "index.example") == {ONE.filename: FileStatus.SAME_MD5}
    assert "compared-by-md5" in notes(played)
    assert listed(played) == {ONE.filename: None}
    assert build_receipt(played.events).files[0].status is FileStatus.SAME_MD5


def test_another_md5_is_other_content() -> None:
    error = failing(by_md5("0" * 32), ContentConflict)
    assert "different content" in error.summary
    assert "its MD5" in error.detail


def test_content_without_any_digest_is_called_unknown() -> None:
    undigested = {ONE.filename: published(ONE, sha256=None)}
    password = FakeCredential(CredentialKind.PASSWORD)
    played = fake_run(ONE, index=FakeIndex(GENERIC, files=undigested), credential=password)
    error = failing(played, ContentConflict)
    assert "unknown content" in error.summary
    assert any("skip-existing: true" in hint for hint in error.hints)


def test_other_and_unknown_content_are_told_apart() -> None:
    other, unknown = ALL[:2]
    files = {other.filename: published(other, sha256=sha("x")), unknown.filename: published(unknown, sha256=None)}
    played = fake_run(
        other, unknown, index=FakeIndex(GENERIC, files=files), credential=FakeCredential(CredentialKind.PASSWORD)
    )
    error = failing(played, ContentConflict)
    assert "different content for 1 file and unknown content for 1 file" in error.summary


def test_new_projects_of_a_family_are_told_with_their_forms_in_order() -> None:
    family = (project("plugin", "core"), project("core"))
    for files, kind, slugs in (
        (family, CredentialKind.TRUSTED_PUBLISHING, 1),
        (family, CredentialKind.API_TOKEN, 0),
        (family[1:], CredentialKind.TRUSTED_PUBLISHING, 0),
    ):
        played = fake_run(*files, credential=FakeCredential(kind))
        plan(replace(played.run(), registration=lambda _, name: f"https://form/{name}"))
        found = [event for event in played.events if isinstance(event, Noted) and event.slug == "pending-publishers"]
        assert len(found) == slugs
        assert all(note.hints == ("core: https://form/core", "plugin: https://form/plugin") for note in found)
