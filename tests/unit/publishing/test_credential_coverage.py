"""The credential is compared with the projects of a run before anything is signed."""

from dataclasses import replace

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import CredentialRejected, ProjectNotCovered
from ci_publish.model.distribution import CoreMetadata
from ci_publish.model.events import FileFinished, FileStatus, Noted, Outcome, Retrying
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import Endpoints, NoSuchProject, ProjectListing
from ci_publish.model.token_scope import TokenScope
from ci_publish.publishing.publish import plan, publish
from tests.unit.covered_runs import DEMO, OF_DEMO, OTHER, TOKEN, TRUSTED, played, refused, sent
from tests.unit.fakes import PYPI, TESTPYPI, FakeCredential, FakeIndex, FakeRun, published, wheel

THERE = ProjectListing(project="demo")


@pytest.mark.parametrize("kind", [TOKEN, TRUSTED])
def test_a_token_that_names_other_projects_stops_the_run_before_signing(kind: CredentialKind) -> None:
    play = played(DEMO, OTHER, scope=OF_DEMO, kind=kind, states=(THERE, ProjectListing(project="other")))
    error = refused(play)
    assert "is for demo, not for other" in error.summary
    assert "Nothing was signed" in error.detail
    assert play.signer.signed == []


def test_every_project_that_is_not_named_is_reported_once() -> None:
    names = frozenset(f"p{number}" for number in range(7))
    error = refused(
        played(DEMO, OTHER, scope=TokenScope(projects=names), states=(THERE, ProjectListing(project="other")))
    )
    assert "2 projects of this run: demo, other" in error.summary
    assert "p0, p1, p2, p3, p4 and 2 more" in error.detail
    assert len(set(error.hints)) == len(error.hints)


def test_a_token_that_names_no_project_at_all() -> None:
    assert "is for no project" in refused(played(DEMO, scope=TokenScope(projects=frozenset()), states=(THERE,))).summary


@pytest.mark.parametrize(("count", "words"), [(1, "1 project,"), (2, "2 projects,")])
def test_a_token_for_fewer_projects_stops_the_run(count: int, words: str) -> None:
    files = (DEMO, OTHER, wheel("third"))
    states = tuple(ProjectListing(project=file.project) for file in files)
    play = played(*files, scope=TokenScope(count=count), kind=TOKEN, states=states, keep_going=True)
    error = refused(play)
    assert words in error.summary
    assert "demo, other, third" in error.summary


@pytest.mark.parametrize("scope", [TokenScope(), TokenScope(count=1), OF_DEMO, None])
def test_a_token_that_covers_the_run_publishes(scope: TokenScope | None) -> None:
    assert publish(played(DEMO, scope=scope, states=(THERE,)).run()) is Outcome.PUBLISHED


@pytest.mark.parametrize("endpoints", [PYPI, TESTPYPI])
def test_a_project_that_the_exchange_did_not_create_stops_the_run(endpoints: Endpoints) -> None:
    play = played(DEMO, scope=TokenScope(), endpoints=endpoints)
    error = refused(play)
    assert "no project demo" in error.summary
    assert play.signer.signed == []
    assert play.waiting.waits == [1.0, 2.0, 4.0, 8.0, 15.0]
    retries = [event for event in play.events if isinstance(event, Retrying)]
    assert len(retries) == 5
    index = play.destinations[0].index
    assert isinstance(index, FakeIndex)
    assert index.looks == [False, *[True] * 6]


def test_a_stale_404_is_asked_again() -> None:
    gone = NoSuchProject("demo")
    play = played(DEMO, scope=TokenScope(), states=(gone, gone, gone, THERE))
    assert publish(play.run()) is Outcome.PUBLISHED
    assert play.waiting.waits[:2] == [1.0, 2.0]


def test_a_stopped_run_does_not_go_on_asking() -> None:
    play = played(DEMO, scope=TokenScope())
    play.waiting.stop_after = 1
    with pytest.raises(Exception, match="stopped"):
        publish(play.run())
    assert play.waiting.waits == [1.0]


def test_keep_going_leaves_out_only_what_is_not_covered() -> None:
    needs = replace(
        wheel("needs"),
        metadata=CoreMetadata(
            metadata_version="2.1", name="needs", version="1.0", fields=(("requires-dist", "Other>=1"),)
        ),
    )
    states = (THERE, ProjectListing(project="needs"), ProjectListing(project="other"))
    scope = TokenScope(projects=frozenset({"demo", "needs"}))
    play = played(DEMO, needs, OTHER, scope=scope, states=states, keep_going=True)
    with pytest.raises(ProjectNotCovered) as caught:
        publish(play.run())
    assert sent(play) == [(DEMO.filename, 1)]
    assert play.signer.signed == [DEMO.filename]
    assert "2 of 3 files" in caught.value.summary
    left = {event.distribution.project: event for event in play.events if isinstance(event, FileFinished)}
    assert left["needs"].status is left["other"].status is FileStatus.NOT_ATTEMPTED
    assert "requires other" in str(left["needs"].error)


def test_keep_going_with_nothing_left_stops_the_run() -> None:
    refused(played(OTHER, scope=OF_DEMO, states=(ProjectListing(project="other"),), keep_going=True))


def test_where_the_exchange_comes_after_signing_the_public_log_is_named() -> None:
    play = played(OTHER, scope=OF_DEMO, states=(ProjectListing(project="other"),), late=True)
    error = refused(play)
    assert play.signer.signed == [OTHER.filename]
    assert "public transparency log" in error.detail


def test_without_attestations_nothing_is_in_the_log() -> None:
    play = played(OTHER, scope=OF_DEMO, states=(ProjectListing(project="other"),), late=True, kind=TOKEN)
    assert "Nothing was signed" in refused(play).detail


def proved(play: FakeRun) -> list[str]:
    credential = play.destinations[0].credential
    assert isinstance(credential, FakeCredential)
    return credential.log


def notes(play: FakeRun) -> dict[str, str]:
    return {event.slug: event.message for event in play.events if isinstance(event, Noted)}


@pytest.mark.parametrize(
    ("kind", "scope", "words"),
    [
        (TOKEN, OF_DEMO, "names demo"),
        (TOKEN, TokenScope(count=1), "cannot be known without an upload"),
        (TOKEN, None, "cannot be known without an upload"),
        (CredentialKind.PASSWORD, None, "cannot be known without an upload"),
        (CredentialKind.NONE, None, "No credential is sent to"),
        (TRUSTED, TokenScope(count=1), "only the first upload shows whether it covers demo"),
        (TRUSTED, None, "was not tried"),
    ],
)
def test_a_plan_says_what_the_credential_proves(kind: CredentialKind, scope: TokenScope | None, words: str) -> None:
    play = played(DEMO, scope=scope, kind=kind, states=(THERE,))
    play = replace(play, options=Settings(prove_credential=True))
    assert plan(play.run()) is Outcome.PLANNED
    assert words in notes(play)["credential-proof"]
    assert proved(play) == ["prove", "burn"]


def test_a_plan_ends_with_6_where_publish_would() -> None:
    play = replace(played(DEMO, OTHER, scope=OF_DEMO, kind=TOKEN), options=Settings(prove_credential=True))
    assert refused(play, plan).exit_code == CredentialRejected.exit_code


def test_a_plan_creates_no_project_unless_told() -> None:
    play = replace(played(DEMO, scope=None), options=Settings(prove_credential=True))
    assert plan(play.run()) is Outcome.PLANNED
    assert proved(play) == ["judge", "burn"]
    assert "creates its project immediately" in notes(play)["exchange-not-tried"]
    told = replace(played(DEMO, scope=None), options=Settings(prove_credential=True, create_project=True))
    assert plan(told.run()) is Outcome.PLANNED
    assert proved(told) == ["prove", "burn"]


def test_a_plan_with_nothing_to_upload_tries_nothing() -> None:
    listed = ProjectListing(project="demo", files={DEMO.filename: published(DEMO)})
    play = replace(played(DEMO, scope=None, states=(listed,)), options=Settings(prove_credential=True))
    assert plan(play.run()) is Outcome.PLANNED
    assert proved(play) == ["burn"]
