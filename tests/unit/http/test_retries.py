import time
from email.utils import formatdate

import pytest

from ci_publish.http.messages import NoAnswer, NoAnswerReason
from ci_publish.http.retries import (
    CONFIRMATION,
    INDEX,
    MAX_ATTEMPTS,
    MAX_TOTAL_WAIT,
    OIDC,
    FailedAttempt,
    GiveUp,
    RetryState,
    SingleRetry,
    TryAgain,
    decide_retry,
    failed_attempt_without_answer,
    is_transient_failure,
    is_transient_status,
    parse_http_date,
    parse_retry_after,
    server_requested_wait,
)

NOW = 1_800_000_000.0
BAD = FailedAttempt("the index responded with 500")


def after(attempts: int, waited: float = 0.0, used: frozenset[SingleRetry] = frozenset()) -> RetryState:
    return RetryState(attempts, waited, used)


def test_waits_double_and_are_jittered() -> None:
    assert [INDEX.seconds_to_wait(attempts, 0.0) for attempts in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert INDEX.seconds_to_wait(1, 0.999) < 1.0
    assert INDEX.seconds_to_wait(1000, 0.0) == 30.0
    assert INDEX.seconds_to_wait(0, 0.0) == 0.5
    assert [CONFIRMATION.seconds_to_wait(attempts) for attempts in (1, 2, 5, 6)] == [1.0, 2.0, 16.0, 20.0]


@pytest.mark.parametrize(("asked", "expected"), [(None, 1.0), (0.0, 1.0), (7.0, 7.0), (3600.0, 60.0)])
def test_a_wait_that_the_exchange_asks_for_is_honoured_up_to_a_minute(asked: float | None, expected: float) -> None:
    assert OIDC.seconds_to_wait_as_asked(1, 1.0, asked) == expected


def test_the_wait_before_a_request_to_the_exchange_doubles_and_is_jittered() -> None:
    assert [OIDC.seconds_to_wait_as_asked(attempts, 0.0, None) for attempts in (1, 3, 9)] == [0.5, 2.0, 15.0]


LATER, EARLIER = "Fri, 15 Jan 2027 08:00:30 GMT", "Fri, 15 Jan 2027 07:00:30 GMT"


@pytest.mark.parametrize(
    ("value", "now", "expected"),
    [
        (None, NOW, None),
        ("", NOW, None),
        (" 12 ", NOW, 12.0),
        ("12", None, 12.0),
        ("9" * 50, NOW, 999_999_999.0),
        ("-1", NOW, None),
        ("²", NOW, None),
        ("soon", NOW, None),
        ("Fri, 99 Jan 2027 08:00:30 GMT", NOW, None),
        (LATER, NOW, 30.0),
        (LATER.replace("GMT", "-0000"), NOW, 30.0),
        (LATER.replace("08:00:30 GMT", "10:00:30 +0200"), NOW, 30.0),
        (EARLIER, NOW, 0.0),
        (LATER, None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, now: float | None, expected: float | None) -> None:
    assert parse_retry_after(value, now) == expected


def test_a_date_without_a_zone_is_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "JST-9")
        time.tzset()
        moment = parse_http_date(LATER.replace("GMT", "-0000"))
    time.tzset()
    assert moment == NOW + 30


def test_five_attempts_are_made() -> None:
    assert decide_retry(after(MAX_ATTEMPTS - 1), BAD, random=0.0) == TryAgain(4.0)
    assert decide_retry(after(MAX_ATTEMPTS), BAD, random=0.0) == GiveUp(
        "the index responded with 500 (after 5 attempts)"
    )
    assert decide_retry(after(1), BAD, random=0.0, max_attempts=1) == GiveUp(
        "the index responded with 500 (after 1 attempt)"
    )


def test_a_wait_that_is_asked_for_is_honoured_in_full_or_not_at_all() -> None:
    assert decide_retry(after(1), FailedAttempt("x", asked=120.0), random=0.0) == TryAgain(120.0)
    refused = decide_retry(after(1, waited=200.0), FailedAttempt("x", asked=120.0), random=0.0)
    assert refused == GiveUp("x; the index asks to wait 120 s, and only 100 s are left")
    assert isinstance(decide_retry(after(1), FailedAttempt("x", asked=20.0), random=0.0, left=10.0), GiveUp)
    assert decide_retry(after(1), FailedAttempt("x", asked=20.0), random=0.0, left=20.0) == TryAgain(20.0)
    assert decide_retry(after(1), FailedAttempt("x", asked=0.0), random=0.5) == TryAgain(0.0)


def test_the_time_that_is_left_bounds_every_wait() -> None:
    assert decide_retry(after(4), BAD, random=0.0, left=1.5) == TryAgain(1.5)
    assert decide_retry(after(4), BAD, random=0.0, left=0.5) == TryAgain(0.5)
    assert decide_retry(after(1, waited=MAX_TOTAL_WAIT), BAD, random=0.0) == GiveUp(
        "the index responded with 500 (no time is left to try again)"
    )
    assert isinstance(decide_retry(after(1), BAD, random=0.0, left=0.0), GiveUp)


@pytest.mark.parametrize("once", SingleRetry)
def test_some_troubles_are_worth_one_more_attempt(once: SingleRetry) -> None:
    trouble = FailedAttempt("damaged", once=once)
    first = decide_retry(after(1), trouble, random=0.0)
    assert isinstance(first, TryAgain)
    history = after(1).with_wait(trouble, first.wait).with_attempt()
    assert history == RetryState(2, first.wait, frozenset({once}))
    assert decide_retry(history, trouble, random=0.0) == GiveUp("damaged")


def test_waits_add_up() -> None:
    assert after(1).with_wait(BAD, 2.0).with_wait(BAD, 3.0) == RetryState(1, 5.0)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_transient_statuses(status: int) -> None:
    assert is_transient_status(status)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 409, 499, 600])
def test_final_statuses(status: int) -> None:
    assert not is_transient_status(status)


@pytest.mark.parametrize(
    ("reason", "once"), [(NoAnswerReason.PROTOCOL, SingleRetry.MALFORMED_ANSWER), (NoAnswerReason.RESET, None)]
)
def test_a_response_that_is_not_valid_http_is_worth_one_more_attempt(
    reason: NoAnswerReason, once: SingleRetry | None
) -> None:
    assert failed_attempt_without_answer(NoAnswer(reason, "why", sent=True)) == FailedAttempt("why", once=once)


def test_what_is_never_tried_again() -> None:
    final = {reason for reason in NoAnswerReason if not is_transient_failure(NoAnswer(reason, "x"))}
    assert final == {
        NoAnswerReason.UNTRUSTED_CERTIFICATE,
        NoAnswerReason.INVALID_CERTIFICATE,
        NoAnswerReason.FILE_CHANGED,
        NoAnswerReason.CANCELLED,
        NoAnswerReason.REFUSED_LOCALLY,
    }
    assert {reason for reason in final if failed_attempt_without_answer(NoAnswer(reason, "x"))} == set()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": formatdate(NOW + 90, usegmt=True)}, 90.0),
        ({"retry-after": formatdate(NOW + 90)}, 90.0),
        ({"retry-after": formatdate(NOW - 90, usegmt=True)}, 0.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Fri, 99 Foo 2026 00:00:00 GMT"}, None),
        ({"retry-after": "Fri, 20 Nov 99999999999 00:00:00 GMT"}, None),
        ({"retry-after": "٣"}, None),
        ({"ratelimit": '"project.create.user";r=0;t=42'}, 42.0),
        ({"ratelimit": '"a";r=0;t=1, "b"; r=0; t=3'}, 3.0),
        ({"ratelimit": '"a";r=1;t=42'}, None),
        ({"ratelimit": '"a";r=0'}, None),
        ({"ratelimit": "nonsense"}, None),
        ({"retry-after": "5", "ratelimit": '"a";r=0;t=42'}, 42.0),
    ],
)
def test_what_the_index_asks_for(headers: dict[str, str], wait: float | None) -> None:
    assert server_requested_wait(headers, NOW) == wait
