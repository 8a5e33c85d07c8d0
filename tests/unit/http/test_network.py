"""What lies under the transport: attempts that count down, and streams of every kind."""

import httpcore
import httpx
import pytest

from ci_publish.http.messages import NoAnswerReason
from ci_publish.http.network import request_failure_reason
from ci_publish.http.sockets import ConnectionFailed


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (ConnectionFailed(NoAnswerReason.TLS, "no"), NoAnswerReason.TLS, "no"),
        (httpcore.ProxyError("407 x"), NoAnswerReason.CONNECT, "407 x"),
        (httpcore.PoolTimeout(), NoAnswerReason.TIMEOUT, "free connection"),
        (httpcore.RemoteProtocolError("bad line"), NoAnswerReason.PROTOCOL, "bad line"),
        (
            httpcore.RemoteProtocolError("Server disconnected without sending"),
            NoAnswerReason.RESET,
            "without a response",
        ),
        (httpcore.ReadError("x"), NoAnswerReason.RESET, "closed"),
        (httpcore.LocalProtocolError("secret"), NoAnswerReason.REFUSED_LOCALLY, "not allowed in HTTP"),
        (httpx.InvalidURL("secret"), NoAnswerReason.REFUSED_LOCALLY, "not allowed in HTTP"),
        (KeyError("secret"), NoAnswerReason.PROTOCOL, "KeyError"),
    ],
)
def test_every_exception_has_a_meaning(error: Exception, reason: NoAnswerReason, words: str) -> None:
    found, text = request_failure_reason(error)
    assert found is reason
    assert words in text
    assert "secret" not in text
