"""The port ``Transport``: the fakes of the identity and index rooms, and real HTTP to the rehearsal's index."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ci_publish.http.messages import BodyChanged, BodyWithdrawn, HttpAnswer, HttpRequest, NoAnswer, NoAnswerReason
from ci_publish.http.transport import HttpTransport
from ci_publish.publishing.interruption import Interruption
from ci_publish.rehearsal.world import RehearsalWorld
from tests.unit.identity.credential_harness import FakeIndex
from tests.unit.index.scripted_index import UNREACHABLE, ScriptedTransport, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ci_publish.http.messages import Transport

AUDIENCE = json.dumps({"audience": "ci-publish-rehearsal"})
REDIRECT = answer(308, location="/legacy/")


@dataclass(frozen=True)
class Kind:
    """A transport to an index, one to nowhere, and the address of the index."""

    transport: Transport
    to_nowhere: Transport
    url: str
    nowhere: str
    takes_bodies: bool = True


def of_the_identity_room(_: RehearsalWorld) -> Kind:
    index = FakeIndex(audience="ci-publish-rehearsal", scripts={"legacy": [REDIRECT]})
    url = "https://index.example"
    return Kind(index, FakeIndex(scripts={"audience": [UNREACHABLE]}), url, url, takes_bodies=False)


def of_the_index_room(_: RehearsalWorld) -> Kind:
    index = ScriptedTransport(uploads=[REDIRECT], looks=[answer(200, AUDIENCE, content_type="application/json")])
    url = "https://index.example"
    return Kind(index, ScriptedTransport(looks=[UNREACHABLE]), url, url)


def http(world: RehearsalWorld) -> Kind:
    transport = HttpTransport(waiting=Interruption(60.0), emit=lambda _: None, environ={})
    return Kind(transport, transport, world.base_url, "http://127.0.0.1:1")


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as opened:
        yield opened
        assert opened.failures == ()


@pytest.fixture(params=[of_the_identity_room, of_the_index_room, http], ids=lambda make: make.__name__)
def kind(world: RehearsalWorld, request: pytest.FixtureRequest) -> Iterator[Kind]:
    make: Callable[[RehearsalWorld], Kind] = request.param
    made = make(world)
    yield made
    if isinstance(made.transport, HttpTransport):
        made.transport.close()


@dataclass(frozen=True)
class Body:
    """A streamed body of two blocks; a *changed* or *withdrawn* one tells so after the first."""

    changed: bool = False
    withdrawn: bool = False
    content_type: str = "multipart/form-data; boundary=b"

    @property
    def length(self) -> int:
        return 20

    def __iter__(self) -> Iterator[bytes]:
        yield b"0123456789"
        if self.changed:
            raise BodyChanged("its size is another")
        if self.withdrawn:
            raise BodyWithdrawn("the run was stopped")
        yield b"0123456789"


def test_an_answer_is_complete_and_its_header_names_are_in_lower_case(kind: Kind) -> None:
    got = kind.transport.send(HttpRequest(method="GET", url=f"{kind.url}/_/oidc/audience"), deadline=10.0)
    assert isinstance(got, HttpAnswer)
    assert (got.status, got.truncated) == (200, False)
    assert json.loads(got.body) == {"audience": "ci-publish-rehearsal"}
    assert all(name == name.lower() for name in got.headers)


def test_a_redirect_is_an_answer(kind: Kind) -> None:
    got = kind.transport.send(HttpRequest(method="POST", url=f"{kind.url}/legacy", body=b""), deadline=10.0)
    assert isinstance(got, HttpAnswer)
    assert got.status == 308
    assert got.headers["location"].endswith("/legacy/")


def test_no_answer_is_a_value(kind: Kind) -> None:
    got = kind.to_nowhere.send(HttpRequest(method="GET", url=f"{kind.nowhere}/_/oidc/audience"), deadline=10.0)
    assert isinstance(got, NoAnswer)
    assert got.reason is NoAnswerReason.CONNECT
    assert got.text
    assert not got.sent


def test_a_body_that_changes_is_cut_off(kind: Kind) -> None:
    if not kind.takes_bodies:
        return  # the identity room sends no streams
    url = f"{kind.url}/_/oidc/mint-token"
    for _ in range(2):
        got = kind.transport.send(HttpRequest(method="POST", url=url, body=Body(changed=True)), deadline=10.0)
        assert isinstance(got, NoAnswer)
        assert got.reason is NoAnswerReason.FILE_CHANGED
        assert "its size is another" in got.text
        whole = kind.transport.send(HttpRequest(method="POST", url=url, body=Body()), deadline=10.0)
        assert isinstance(whole, HttpAnswer), "the next request is not hindered"


def test_a_body_that_is_withdrawn_is_cut_off(kind: Kind) -> None:
    if not kind.takes_bodies:
        return  # the identity room sends no streams
    request = HttpRequest(method="POST", url=f"{kind.url}/_/oidc/mint-token", body=Body(withdrawn=True))
    got = kind.transport.send(request, deadline=10.0)
    assert got == NoAnswer(NoAnswerReason.CANCELLED, "the run was stopped")


@pytest.mark.parametrize("limit", [0, 1, 10])
def test_no_more_is_read_than_was_asked_for(world: RehearsalWorld, limit: int) -> None:
    kind = http(world)
    got = kind.transport.send(HttpRequest(method="GET", url=f"{kind.url}/"), limit=limit)
    assert isinstance(got, HttpAnswer)
    assert len(got.body) <= limit
    assert got.truncated
    kind.transport.close()  # type: ignore[attr-defined]
