"""Runs whose credential states what it is for."""

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import ProjectNotCovered
from ci_publish.model.distribution import Distribution
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import Endpoints, IndexState
from ci_publish.model.token_scope import TokenScope
from ci_publish.publishing.publish import publish
from tests.unit.fakes import PYPI, FakeCredential, FakeIndex, FakeRun, fake_run, wheel

DEMO, OTHER = wheel("demo"), wheel("other")
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
