"""Single socket operations: deadlines, pauses, caps, addresses and what their errors mean."""

import select
import socket
import ssl
from collections.abc import Callable, Iterator

import pytest

from ci_publish.http import sockets
from ci_publish.http.messages import NoAnswerReason
from ci_publish.http.sockets import ConnectionFailed, RequestAttempt, Timeouts
from tests.unit.index.scripted_index import Waits


def attempt(*, end: float = 100.0, limit: int = 100, now: float = 0.0, uploads: bool = False) -> RequestAttempt:
    limits = Timeouts(connect=1.0, tls=2.0, read=3.0, answer=40.0)
    return RequestAttempt(timeouts=limits, end=end, waiting=Waits(), limit=limit, uploads=uploads, clock=lambda: now)


def test_every_operation_ends_before_the_attempt_does() -> None:
    assert attempt(now=10.0).operation_deadline(5.0) == 15.0
    assert attempt(now=98.0).operation_deadline(5.0) == 100.0


def test_the_first_read_after_an_upload_is_patient() -> None:
    upload = attempt(uploads=True)
    assert upload.read_deadline() == 40.0
    upload.count_received_bytes(1)
    assert upload.read_deadline() == 3.0
    assert attempt().read_deadline() == 3.0


def test_the_whole_answer_has_one_budget() -> None:
    upload = attempt(uploads=True, now=39.0)
    upload.sent_at = 0.0
    upload.received = 1
    assert upload.read_deadline() == 40.0


def test_pauses_are_short_and_end() -> None:
    assert attempt().next_check_wait(50.0, "waiting") == 0.1
    assert attempt(now=49.95).next_check_wait(50.0, "waiting") == pytest.approx(0.05)
    with pytest.raises(ConnectionFailed, match="timed out while waiting"):
        attempt(now=50.0).next_check_wait(50.0, "waiting")


def test_an_answer_of_any_kind_has_a_cap() -> None:
    counted = attempt()
    counted.count_received_bytes(100 + sockets.MAX_OVERHEAD)
    with pytest.raises(ConnectionFailed, match="does not end"):
        counted.count_received_bytes(1)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("poll", [True, False])
def test_waiting_for_a_socket(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch, *, poll: bool
) -> None:
    if not poll:
        monkeypatch.delattr(select, "poll")  # as on Windows
    ours, theirs = pair
    assert sockets.poll_socket(ours, read=True, write=True, seconds=0) == (False, True)
    theirs.send(b"x")
    assert sockets.poll_socket(ours, read=True, write=False, seconds=1) == (True, False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), NoAnswerReason.RESET),
        (OSError(), NoAnswerReason.RESET),
        (ssl.SSLEOFError(), NoAnswerReason.RESET),
        (ssl.SSLError(1, "nonsense"), NoAnswerReason.TLS),
    ],
)
def test_every_error_of_a_socket_has_a_meaning(error: OSError, reason: NoAnswerReason) -> None:
    broken = sockets.connection_failure_of_error(error, "sending")
    assert broken.reason is reason
    assert broken.text.endswith("while sending") or "TLS failed" in broken.text


def test_a_name_below_localhost_never_leads_to_another_machine() -> None:
    def answers(*addresses: str) -> Callable[..., list[object]]:
        return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 80)) for each in addresses]

    assert sockets.resolve_host("a.localhost", 80, answers("192.0.2.1", "127.0.0.1")) == [
        (socket.AF_INET, ("127.0.0.1", 80))
    ]
    assert isinstance(sockets.resolve_host("a.localhost", 80, answers("192.0.2.1")), OSError)
    assert sockets.resolve_host("index.example", 80, answers("192.0.2.1")) == [(socket.AF_INET, ("192.0.2.1", 80))]
