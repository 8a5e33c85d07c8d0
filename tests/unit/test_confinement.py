"""Tests cannot leave this machine: proved here rather than believed."""

import socket

import pytest
from pytest_socket import SocketConnectBlockedError

# TEST-NET-1 (RFC 5737): an address that belongs to nobody.
ELSEWHERE = ("192.0.2.1", 80)


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_a_connection_to_elsewhere_is_refused() -> None:
    with socket.socket() as client, pytest.raises(SocketConnectBlockedError, match=r"192\.0\.2\.1"):
        client.connect(ELSEWHERE)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_allowed(host: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection((host, server.getsockname()[1]), timeout=5) as client,
    ):
        assert client.getpeername()[0] == "127.0.0.1"
