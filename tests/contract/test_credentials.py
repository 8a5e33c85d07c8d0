"""The port ``Credential``: the pipeline's fake, and each of the real ones against the rehearsal's index."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ci_publish.http.messages import HttpAnswer, HttpRequest
from ci_publish.http.transport import HttpTransport
from ci_publish.identity.static_credentials import AnonymousCredential, StaticCredential
from ci_publish.index.endpoints import rehearsal_endpoints, resolve_endpoints
from ci_publish.model.identity import CredentialKind, Purpose, Secret
from ci_publish.publishing.interruption import Interruption
from ci_publish.rehearsal.world import RehearsalWorld
from tests.contract.test_identity_exchange import run
from tests.unit.fakes import FakeCredential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ci_publish.http.messages import Authorization
    from ci_publish.publishing.ports import Credential

TRUSTED = CredentialKind.TRUSTED_PUBLISHING


@dataclass(frozen=True)
class Kind:
    """A credential, of which kind it is, and whether the rehearsal's index is really asked with it."""

    credential: Credential
    kind: CredentialKind
    real: bool = True


def fake(_: RehearsalWorld, __: ExitStack) -> Kind:
    return Kind(FakeCredential(), TRUSTED, real=False)


def fake_that_cannot_renew(_: RehearsalWorld, __: ExitStack) -> Kind:
    return Kind(FakeCredential(renewable=False), TRUSTED, real=False)


def is_github_job(world: RehearsalWorld, stack: ExitStack) -> Kind:
    return Kind(stack.enter_context(run(world, "github")).credential, TRUSTED)


def is_gitlab_job(world: RehearsalWorld, stack: ExitStack) -> Kind:
    return Kind(stack.enter_context(run(world, "gitlab")).credential, TRUSTED)


def api_token(world: RehearsalWorld, _: ExitStack) -> Kind:
    endpoints = rehearsal_endpoints(resolve_endpoints(world.repository_url))
    token = Secret(world.issue_api_token())
    credential = StaticCredential(
        endpoints=endpoints, user="__token__", secret=token, name="The password", emit=lambda _: None
    )
    return Kind(credential, CredentialKind.API_TOKEN)


def anonymous(_: RehearsalWorld, __: ExitStack) -> Kind:
    return Kind(AnonymousCredential(), CredentialKind.NONE)


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as opened:
        yield opened
        assert opened.failures == ()


KINDS = [fake, fake_that_cannot_renew, is_github_job, is_gitlab_job, api_token, anonymous]


@pytest.fixture(params=KINDS, ids=lambda make: make.__name__)
def kind(world: RehearsalWorld, request: pytest.FixtureRequest) -> Iterator[Kind]:
    make: Callable[[RehearsalWorld, ExitStack], Kind] = request.param
    with ExitStack() as stack:
        yield make(world, stack)


def taken(world: RehearsalWorld, authorization: Authorization | None) -> bool:
    """Ask the index whether it knows who uploads: only then does it miss the file in the form."""
    transport = HttpTransport(waiting=Interruption(60.0), emit=lambda _: None, environ={})
    part = '--b\r\nContent-Disposition: form-data; name=":action"\r\n\r\nfile_upload\r\n--b--\r\n'
    form = part.encode()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = transport.send(
        HttpRequest(method="POST", url=world.repository_url, headers=headers, authorization=authorization, body=form)
    )
    transport.close()
    assert isinstance(answer, HttpAnswer)
    return answer.status not in {401, 403}


def test_its_kind_is_known_from_the_start(kind: Kind) -> None:
    assert kind.credential.state.kind is kind.kind


def test_what_is_proved_is_held_and_good_for_now(world: RehearsalWorld, kind: Kind) -> None:
    kind.credential.authenticate(Purpose(("demo",)))
    kind.credential.authenticate(Purpose(("demo",)))
    held = kind.credential.authorization()
    assert kind.credential.authorization() == held
    assert (held is None) is (kind.kind is CredentialKind.NONE)
    if kind.real:
        assert taken(world, held) is (held is not None)


def test_what_is_not_proved_can_be_held_as_well(kind: Kind) -> None:
    assert (kind.credential.authorization() is None) is (kind.kind is CredentialKind.NONE)


def test_reports_never_see_a_secret(kind: Kind) -> None:
    held = kind.credential.authorization()
    shown = f"{kind.credential.state!r} {held!r}"
    if held is not None:
        assert not held.secret.satisfies(lambda text: text in shown)


def test_renewing_gives_another_or_none(world: RehearsalWorld, kind: Kind) -> None:
    held = kind.credential.authorization()
    other = kind.credential.renew(held)
    assert other is None or other != held
    if other is not None:
        assert kind.credential.authorization() == other, "from then on that one is held"
        assert kind.credential.renew(held) == other, "who comes late with the old one gets the new one, too"
        assert not kind.real or taken(world, other)


def test_burning_what_was_never_held_is_no_error(kind: Kind) -> None:
    kind.credential.burn()
    assert kind.credential.state.burnt is not False


def test_burning_is_idempotent_and_never_raises(world: RehearsalWorld, kind: Kind) -> None:
    kind.credential.authorization()
    kind.credential.burn()
    kind.credential.burn()
    assert all(token.burnt for token in world.index.mint_log)


def test_what_was_burnt_is_good_no_longer(world: RehearsalWorld, kind: Kind) -> None:
    held = kind.credential.authorization()
    kind.credential.burn()
    assert all(token.burnt for token in world.index.mint_log)
    if kind.real and kind.kind is TRUSTED:
        assert kind.credential.state.burnt is True
        assert not taken(world, held)
    if kind.kind is CredentialKind.API_TOKEN:
        assert taken(world, held), "it belongs to the user"


def test_threads_share_what_is_held(world: RehearsalWorld, kind: Kind) -> None:
    minted = len(world.index.mint_log)
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda _: kind.credential.authorization(), range(24)))
    assert all(each == held[0] for each in held)
    assert len(world.index.mint_log) - minted == (1 if kind.real and kind.kind is TRUSTED else 0)
