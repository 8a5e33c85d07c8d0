from __future__ import annotations

import pytest

from ci_publish.attestations.sigstore_trouble import (
    LONGEST_RETRY_AFTER,
    MAX_BODY,
    Refusal,
    Transient,
    sigstore_exception_chain,
    trouble_of_sigstore_response,
    trouble_text,
)

NOW = 1_700_000_000.0


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_worth_another_try(status: int) -> None:
    assert isinstance(trouble_of_sigstore_response("Rekor", status, "", {}, NOW), Transient)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refusal_is_final(status: int) -> None:
    assert isinstance(trouble_of_sigstore_response("Rekor", status, "", {}, NOW), Refusal)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "Rekor responded with HTTP 503"),
        ('{"code": 503, "message": "come  back\\nlater"}', "Rekor responded with HTTP 503: come back later"),
        ('{"code": 503}', 'Rekor responded with HTTP 503: {"code": 503}'),
        ('["x"]', 'Rekor responded with HTTP 503: ["x"]'),
        (
            "<html><style>b {}</style><body><h1>502</h1>\n<p>Bad Gateway</body>",
            "Rekor responded with HTTP 503: 502 Bad Gateway",
        ),
    ],
)
def test_the_reason_is_in_the_servers_own_words(body: str, reason: str) -> None:
    assert trouble_of_sigstore_response("Rekor", 503, body, {}, NOW).reason == reason


def test_a_body_is_read_up_to_a_size() -> None:
    assert trouble_of_sigstore_response("Rekor", 503, " " * (MAX_BODY - 4) + "seenunseen", {}, NOW).reason.endswith(
        ": seen"
    )
    message = '{"message": "unseen"' + " " * MAX_BODY + "}"
    assert trouble_of_sigstore_response("Rekor", 503, message, {}, NOW).reason.endswith(': {"message": "unseen"')


def test_long_texts_are_cut() -> None:
    assert len(trouble_of_sigstore_response("Rekor", 503, "x" * 100_000, {}, NOW).reason) < 350


@pytest.mark.parametrize(("asked", "expected"), [("7", 7.0), ("86400", LONGEST_RETRY_AFTER), ("soon", 0.0)])
def test_retry_after_reaches_the_failure_within_its_limit(asked: str, expected: float) -> None:
    trouble = trouble_of_sigstore_response("Rekor", 429, "", {"Retry-After": asked}, NOW)

    assert isinstance(trouble, Transient)
    assert trouble.retry_after == expected


def test_the_first_words_in_a_chain_of_exceptions_are_told() -> None:
    error, cause = KeyError(), ValueError("the  reason\n" + "x" * 1000)
    error.__cause__ = cause
    assert trouble_text(error).startswith("the reason x")
    assert len(trouble_text(error)) == 300
    assert [*sigstore_exception_chain(error)] == [error, cause]
    assert trouble_text(KeyError()) == "KeyError"
