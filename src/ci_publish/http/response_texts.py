"""The message in a server's response: JSON, HTML, plain text or the reason phrase (pure).

Everything here is untrusted: whatever its shape, the functions return a value and never raise.
"""

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from ci_publish.http.messages import HttpAnswer
from ci_publish.model.frozen import frozen

MAX_MESSAGE = 2048
MAX_MARKUP = 64 * 1024

# A repeated clause of so many words is shown once.
_CLAUSE = 4
_PAGE = (b"<!doctype html", b"<html")


@frozen
class NotAnObject:
    """The body is not a JSON object; ``reason`` completes the sentence "the response …"."""

    reason: str


def parse_json_object(body: bytes | str) -> dict[str, Any] | NotAnObject:
    """Return the JSON object in *body*, or why there is none."""
    try:
        data = json.loads(body)
    except RecursionError:
        return NotAnObject("is JSON nested too deeply")
    except ValueError:  # also UnicodeDecodeError, and integers of more than 4,300 digits
        return NotAnObject("is not valid JSON")
    return data if isinstance(data, dict) else NotAnObject("is not a JSON object")


def json_object_fields(body: bytes | str) -> Mapping[str, Any]:
    """Return the fields of the JSON object in *body*, none if it is anything else."""
    found = parse_json_object(body)
    return {} if isinstance(found, NotAnObject) else found


def is_web_page(body: bytes) -> bool:
    """Whether *body* begins like a web page."""
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:20].lower().startswith(_PAGE)


def response_status_line(response: HttpAnswer) -> str:
    """Return status and reason phrase, at most 200 characters of it."""
    return f"{response.status} {response.reason[:200]}".rstrip()


def response_message(response: HttpAnswer) -> str:
    """Return the message of the response, one line of at most 2 KiB, or its status line if it has none."""
    return response_message_beyond_status(response) or f"{response.status} {response.reason}".strip()[:MAX_MESSAGE]


def response_message_beyond_status(response: HttpAnswer) -> str:
    """Return the message of the response beyond its status, one line of at most 2 KiB; empty if there is none.

    The texts of a JSON body come first, then a reason phrase that is not the standard one (PyPI, devpi), then a body of
    text or HTML without its markup.
    """
    try:
        standard = HTTPStatus(response.status).phrase.lower()
    except ValueError:
        standard = ""
    reason = "" if response.reason.strip().lower() in {standard, "ok"} else response.reason
    for text in (*_json_error_texts(response.body), reason, response_body_text(response.body)):
        words = without_repeated_clauses(" ".join(text[: 2 * MAX_MESSAGE].split()))
        if words:
            return words[:MAX_MESSAGE]
    return ""


def all_response_text(response: HttpAnswer) -> str:
    """Return every text of the response in which known phrases may be found."""
    return "\n".join(
        (response.reason[:MAX_MARKUP], *_json_error_texts(response.body), response_body_text(response.body))
    )


def response_body_text(body: bytes) -> str:
    """Return the text of a body: the visible text of a web page, other text unchanged, nothing for JSON."""
    text = body[:MAX_MARKUP].decode("utf-8", errors="replace").replace("\ufffd", "").replace("\ufeff", "")
    if text.lstrip()[:1] in {"{", "["}:
        return ""
    if "<" not in text:
        return text
    from ci_publish.model.html_scanner import visible_html_text  # noqa: PLC0415  (late: most servers answer with plain text)

    return visible_html_text(text)


def without_repeated_clauses(text: str) -> str:
    """Return *text* with each clause once.

    Warehouse checks the caveats in a token and those that it stored, and reports what fails of both: "Invalid API
    Token: X, X". A clause has at least four words, so that lists of names stay as they are.
    """
    kept: list[str] = []
    for clause in re.split(r"(?<=[,;.]) ", text):
        bare = clause.rstrip(",;.")
        repeated = any(known.rstrip(",;.") == bare or known.rstrip(",;.").endswith(f": {bare}") for known in kept)
        if not repeated or len(bare.split()) < _CLAUSE:
            kept.append(clause)
    return " ".join(kept).rstrip(",; ")


def _json_error_texts(body: bytes) -> Iterator[str]:
    """Yield the texts of an error object, the most specific first.

    PyPI: ``code`` is "400 <message>" and ``message`` says nothing; RFC 9457: ``detail``, ``title``; GitLab and Azure:
    ``message``; Artifactory: ``errors[].message``.
    """
    data = json_object_fields(body)
    code = data.get("code")
    if isinstance(code, str) and re.match(r"\d{3} ", code):
        yield code[4:]
    yield from _texts_of_json_keys(data, "detail", "message", "error_description", "error", "title")
    errors = data.get("errors")
    for error in errors[:20] if isinstance(errors, list) else ():
        if isinstance(error, dict):
            yield from _texts_of_json_keys(error, "message", "description", "detail")
        elif isinstance(error, str):
            yield error


def _texts_of_json_keys(data: Mapping[str, Any], *keys: str) -> Iterator[str]:
    return (data[key] for key in keys if isinstance(data.get(key), str))
