"""What a credential does not cover."""

from dataclasses import replace

import pytest

from ci_publish.model.events import Noted, Outcome
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import Endpoints
from ci_publish.model.token_scope import TokenScope
from ci_publish.publishing.publish import publish
from tests.unit.covered_runs import DEMO, OF_DEMO, TOKEN, TRUSTED, played, refused
from tests.unit.fakes import GENERIC, PYPI, FakeRun

REHEARSAL = replace(PYPI, name="127.0.0.1:8000")


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
