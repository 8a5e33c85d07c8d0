"""What a server says in a response, whatever shape it has."""

from dataclasses import replace

import pytest

from ci_publish.http.messages import HttpAnswer
from ci_publish.http.response_texts import (
    MAX_MARKUP,
    all_response_text,
    response_body_text,
    response_message,
    without_repeated_clauses,
)
from tests.unit.index.scripted_index import answer


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (answer(400, reason="Bad Request"), "400 Bad Request"),
        (answer(400), "400"),
        (answer(400, reason="PyPI's words"), "PyPI's words"),
        (answer(999, reason="unheard of"), "unheard of"),
        (answer(400, '{"message": "The server could not", "code": "400 Why", "title": "Bad Request"}'), "Why"),
        (answer(400, '{"code": 400, "message": "azure"}'), "azure"),
        (answer(400, '{"code": "E1", "message": "x"}'), "x"),
        (answer(400, '{"title": "T", "detail": "problem"}'), "problem"),
        (answer(400, '{"error": "e", "error_description": "oauth"}'), "oauth"),
        (answer(400, '{"errors": [{"status": 403, "message": "artifactory"}]}'), "artifactory"),
        (answer(400, '{"errors": ["words", 1, null]}'), "words"),
        (answer(400, '{"errors": "no list"}', reason="Words"), "Words"),
        (answer(400, "[1]", reason="Words"), "Words"),
        (answer(400, "{broken", reason="Bad Request"), "400 Bad Request"),
        (answer(400, "plain\n text "), "plain text"),
        (answer(400, b"\xff\xfe"), "400"),
        (answer(400, "<html><head><title>t</title></head><script>s</script><p>a &lt;b&gt;</p>"), "a <b>"),
        (answer(400, "a < b"), "a < b"),
        (answer(400, "y" * 5000), "y" * 2048),
    ],
)
def test_the_message(given: HttpAnswer, message: str) -> None:
    assert response_message(given) == message


def test_deeply_nested_json_is_no_message() -> None:
    assert response_message(answer(400, "[" * 100_000, reason="No")) == "No"


def test_hostile_markup_is_read_in_time() -> None:
    page = "<script>" * 4000 + "<a " * 4000 + "x"
    assert len(response_message(replace(answer(400), body=page.encode()))) <= 2048


NOT_VALID = "OIDC scoped token is not valid for project 'x'"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            f"Invalid API Token: {NOT_VALID}, {NOT_VALID}",
            "Invalid API Token: OIDC scoped token is not valid for project 'x'",
        ),
        ("This file is not good. This file is not good.", "This file is not good."),
        ("one of a, b, a, b", "one of a, b, a, b"),
        ("The name is taken by x, the name is free", "The name is taken by x, the name is free"),
        ("", ""),
    ],
)
def test_what_the_server_repeats_is_told_once(said: str, told: str) -> None:
    assert without_repeated_clauses(said) == told


def test_a_body_is_read_up_to_a_size() -> None:
    assert response_body_text(b"<p>" + b" " * (MAX_MARKUP - 7) + b"seen" + b"unseen").strip() == "seen"
    assert (
        len(all_response_text(answer(400, b"x" * (2 * MAX_MARKUP), reason="y" * (2 * MAX_MARKUP))))
        <= 2 * MAX_MARKUP + 1
    )
