"""What a credential does not cover."""

from dataclasses import replace

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import ProjectNotCovered
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Noted, Outcome
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import Endpoints, IndexState
from ci_publish.model.token_scope import TokenScope
from ci_publish.publishing.publish import publish
from tests.unit.fakes import GENERIC, PYPI, FakeCredential, FakeIndex, FakeRun, fake_run, wheel

DEMO, OTHER = wheel("demo"), wheel("other")


REHEARSAL = replace(PYPI, name="127.0.0.1:8000")


TOKEN, TRUSTED = CredentialKind.API_TOKEN, CredentialKind.TRUSTED_PUBLISHING


OF_DEMO = TokenScope(projects=frozenset({"demo"}))


def played(  # noqa: PLR0913  (each test names what it is about)
    *files: Distribution,
    scope: TokenScope | None,
    kind: CredentialKind = TRUSTED,
    endpoints: Endpoints = PYPI,
    states: tuple[IndexState, ...] = (),
    keep_going: bool = False,
    late: bool = False,
) -> FakeRun:
    credential = FakeCredential(kind, scope=None if late else scope, scope_when_held=scope)
    return fake_run(
        *files,
        index=FakeIndex(endpoints, states=list(states)),
        credential=credential,
        options=Settings(keep_going=keep_going),
    )


def sent(play: FakeRun) -> list[tuple[str, int]]:
    index = play.destinations[0].index
    assert isinstance(index, FakeIndex)
    return index.sent


def refused(play: FakeRun, command: object = publish) -> ProjectNotCovered:
    with pytest.raises(ProjectNotCovered) as caught:
        command(play.run())  # type: ignore[operator]
    assert sent(play) == []
    assert caught.value.hints
    return caught.value


@pytest.mark.parametrize(
    ("endpoints", "kind", "scope", "covered"),
    [
        (REHEARSAL, TRUSTED, TokenScope(), True),
        (REHEARSAL, TRUSTED, TokenScope(count=1), False),
        (REHEARSAL, TOKEN, OF_DEMO, True),
        (PYPI, TOKEN, OF_DEMO, False),
        (PYPI, TOKEN, TokenScope(), True),
        (REHEARSAL, TOKEN, TokenScope(count=1), False),
        (GENERIC, TRUSTED, TokenScope(count=1), True),
        (GENERIC, TOKEN, TokenScope(count=1), True),
    ],
)
def test_who_may_create_a_project_at_the_upload(
    endpoints: Endpoints, kind: CredentialKind, scope: TokenScope, covered: bool
) -> None:
    play = played(DEMO, scope=scope, kind=kind, endpoints=endpoints)
    if not covered:
        assert "no project demo" in refused(play).summary
        return
    assert publish(play.run()) is Outcome.PUBLISHED
    notes = [event.slug for event in play.events if isinstance(event, Noted) and not event.warning]
    assert ("project-not-created-yet" in notes) is (endpoints is GENERIC and kind is TRUSTED)


def notes(play: FakeRun) -> dict[str, str]:
    return {event.slug: event.message for event in play.events if isinstance(event, Noted)}
