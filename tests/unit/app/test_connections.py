"""The connections of a run."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_publish.app.connections import RunConnections
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError
from ci_publish.http.messages import HttpRequest, NoAnswer, NoAnswerReason
from ci_publish.model.identity import Secret
from ci_publish.publishing.interruption import Interruption


def connections(settings: Settings) -> RunConnections:
    return RunConnections(settings, RuntimeContext(environ={}))


def test_a_run_shares_its_interruption() -> None:
    interruption = Interruption(5.0)
    context = RuntimeContext(environ={}, interruption=interruption)
    assert RunConnections(Settings(), context).interruption is interruption


def test_a_run_without_one_ends_at_the_deadline_of_the_settings() -> None:
    assert connections(Settings(deadline=7.0)).interruption.left() == pytest.approx(7.0, abs=1.0)


def test_plain_http_goes_where_the_settings_allow_it() -> None:
    request = HttpRequest(method="GET", url="http://index.example/simple/")
    answer = connections(Settings()).transport.send(request)
    assert isinstance(answer, NoAnswer)
    assert answer.reason is NoAnswerReason.REFUSED_LOCALLY


def test_an_index_that_is_not_one_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        connections(Settings()).resolve_endpoints("not an address")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5.0)
        yield server


def settings_for(listener: socket.socket, *, listing: bool) -> Settings:
    base = f"https://127.0.0.1:{listener.getsockname()[1]}"
    return Settings(repository_url=(f"{base}/upload/",), index_url=f"{base}/simple/" if listing else None)


def test_the_connection_to_the_index_is_begun_and_nothing_but_tls_is_sent(listener: socket.socket) -> None:
    made = connections(settings_for(listener, listing=True))
    made.preconnect()
    with listener.accept()[0] as client:
        assert client.recv(1) == b"\x16"  # a TLS handshake record
        made.close()


def test_an_index_whose_listing_has_no_known_address_is_not_connected_to(listener: socket.socket) -> None:
    made = connections(settings_for(listener, listing=False))
    assert made.resolve_endpoints(made_url(listener)).simple is None
    made.preconnect()
    made.close()
    listener.settimeout(0.0)
    with pytest.raises(BlockingIOError):
        listener.accept()


def made_url(listener: socket.socket) -> str:
    return f"https://127.0.0.1:{listener.getsockname()[1]}/upload/"


def is_connected_to(listener: socket.socket) -> bool:
    listener.settimeout(0.0)
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def test_a_run_that_is_accepted_connects_once(listener: socket.socket, tmp_path: Path) -> None:
    made = connections(settings_for(listener, listing=True).model_copy(update={"paths": (str(tmp_path),)}))
    made.preconnect_if_accepted()
    made.preconnect()
    listener.accept()[0].close()
    made.close()
    assert not is_connected_to(listener)


@pytest.mark.parametrize(
    "changes",
    [
        {"paths": ("nothing", "demo==1.0")},
        {"attestations_dir": Path("attestations")},
        {"anonymous": True},
        {"keyring": True},
        {"password": Secret(" ")},
        {"index_profile": "pypi", "user": "somebody", "password": Secret("secret")},
        {"repository_url": ("https://127.0.0.1:9/", "https://127.0.0.1:10/"), "index_url": None},
    ],
)
def test_no_index_is_connected_to_while_the_run_may_still_be_refused(
    changes: dict[str, object], listener: socket.socket, tmp_path: Path
) -> None:
    settings = settings_for(listener, listing=True).model_copy(update={"paths": (str(tmp_path),), **changes})
    made = connections(settings)
    made.preconnect_if_accepted()
    made.close()
    assert not is_connected_to(listener)


def test_an_index_that_follows_with_a_wrong_address_is_refused(listener: socket.socket) -> None:
    settings = settings_for(listener, listing=False)
    several = settings.model_copy(update={"repository_url": (*settings.repository_url, "http://index.example/")})
    with pytest.raises(ConfigurationError):
        connections(several).preconnect_if_accepted()
    assert not is_connected_to(listener)
