"""Whatever a server sends, the pure modules of the index room give a value, and the values keep their promises."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_publish.errors import ConfigurationError
from ci_publish.http.messages import HttpAnswer
from ci_publish.http.response_texts import MAX_MESSAGE, response_message
from ci_publish.http.retries import (
    MAX_ATTEMPTS,
    MAX_TOTAL_WAIT,
    FailedAttempt,
    GiveUp,
    RetryState,
    SingleRetry,
    decide_retry,
    server_requested_wait,
)
from ci_publish.http.urls import is_loopback_url, redacted_url
from ci_publish.index.endpoints import resolve_endpoints
from ci_publish.index.simple_api import Unreadable, parse_json_api_release, parse_listing
from ci_publish.index.upload_api import interpret_upload_response, multipart_framing
from ci_publish.model.index import Accepted, Endpoints, ProjectListing

URL = "https://index.example/simple/demo/"
TEXT = st.text(max_size=40)
WORDS = st.sampled_from(
    [
        "files",
        "filename",
        "hashes",
        "sha256",
        "url",
        "yanked",
        "meta",
        "api-version",
        "versions",
        "urls",
        "digests",
        "message",
        "code",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.just("a" * 64),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | TEXT, inner, max_size=6),
    max_leaves=30,
)
BODIES = st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()) | TEXT.map(str.encode)
HEADERS = st.dictionaries(st.sampled_from(["retry-after", "ratelimit", "location", "content-type"]), TEXT, max_size=4)
ANSWERS = st.builds(
    HttpAnswer, status=st.integers(100, 999), reason=TEXT, headers=HEADERS, body=BODIES, truncated=st.booleans()
)


@given(BODIES, TEXT | st.sampled_from(["application/json", "text/html"]), st.booleans())
def test_any_listing_is_a_value(body: bytes, content_type: str, public: bool) -> None:
    for parsed in (
        parse_listing("demo", body, content_type, URL, public=public),
        parse_json_api_release("demo", body, URL),
    ):
        assert isinstance(parsed, ProjectListing | Unreadable)
        if isinstance(parsed, ProjectListing):
            for name, file in parsed.files.items():
                assert name == file.filename
                assert file.sha256 is None or int(file.sha256, 16) >= 0


@given(ANSWERS, st.integers(1, 5))
def test_any_answer_to_an_upload_is_a_value(answer: HttpAnswer, attempts: int) -> None:
    verdict = interpret_upload_response(answer, "https://index.example/up", attempts, 1.8e9)
    message = response_message(answer)
    assert len(message) <= MAX_MESSAGE
    assert message == " ".join(message.split()) or message == f"{answer.status} {answer.reason}".strip()[:MAX_MESSAGE]
    assert not isinstance(verdict, Accepted) or answer.status in {200, 201, 202, 204}


@given(HEADERS, st.floats(0, 4e9))
def test_any_wait_that_is_asked_for_is_a_number_or_none(headers: dict[str, str], now: float) -> None:
    wait = server_requested_wait(headers, now)
    assert wait is None or wait >= 0


FAILURES = st.builds(
    FailedAttempt, st.just("x"), st.none() | st.floats(0, 1000), st.none() | st.sampled_from(list(SingleRetry))
)


@given(st.lists(FAILURES, min_size=20, max_size=40), st.floats(0, 1, exclude_max=True), st.floats(0, 4000))
def test_every_series_of_troubles_ends(troubles: list[FailedAttempt], random: float, left: float) -> None:
    history = RetryState()
    for trouble in troubles:
        history = history.with_attempt()
        decision = decide_retry(history, trouble, random=random, left=left)
        if isinstance(decision, GiveUp):
            break
        assert 0 <= decision.wait <= left
        history = history.with_wait(trouble, decision.wait)
    else:
        pytest.fail("it goes on for ever")
    assert history.attempts <= MAX_ATTEMPTS
    assert history.waited <= MAX_TOTAL_WAIT + 1e-6


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5), TEXT, st.binary(max_size=200))
def test_a_form_holds_what_was_put_in(form: list[tuple[str, str]], filename: str, content: bytes) -> None:
    boundary = hashlib.sha256(repr((form, content)).encode()).hexdigest()
    made = multipart_framing(form, filename, boundary)
    parts = (made.head + content + made.tail).split(f"--{boundary}".encode())
    assert parts[0] == b""
    assert parts[-1] == b"--\r\n"
    assert len(parts) == len(form) + 3
    values = [part.partition(b"\r\n\r\n") for part in parts[1:-1]]
    assert [value.removesuffix(b"\r\n").decode() for _, _, value in values[:-1]] == [value for _, value in form]
    assert values[-1][2] == content + b"\r\n"
    assert all(head.count(b"\r\n") == 1 for head, _, _ in values[:-1])


@given(st.text(max_size=60) | st.from_regex(r"https?://[a-z.@:/\[\]?#%0-9-]{0,40}", fullmatch=True))
def test_any_address_is_resolved_or_refused_with_words(url: str) -> None:
    found = _resolved(url)
    if isinstance(found, ConfigurationError):
        assert found.summary
        assert found.hints
    else:
        assert found.upload.startswith("https://") or is_loopback_url(found.upload)


def _resolved(url: str) -> Endpoints | ConfigurationError:
    try:
        return resolve_endpoints(url)
    except ConfigurationError as error:
        return error


@given(st.from_regex(r"[a-z]{1,6}:[A-Z]{8}", fullmatch=True), TEXT, TEXT)
def test_user_names_and_passwords_are_never_shown(userinfo: str, path: str, query: str) -> None:
    secret = userinfo.partition(":")[2]
    if secret in path:
        return
    assert secret not in redacted_url(f"https://{userinfo}@host/{path.replace('#', '').replace('?', '')}?{query}")
