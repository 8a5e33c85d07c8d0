"""The upload API: a distribution → the form to post; the answer → what it means (pure).

Sources: docs.pypi.org/api/upload; pypi/warehouse forklift/legacy.py and forms.py; RFC 7578 (multipart/form-data).
"""

import json
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from ci_publish.http.messages import HttpAnswer
from ci_publish.http.retries import (
    THROTTLING_STATUSES,
    FailedAttempt,
    SingleRetry,
    asked_wait,
    exhausted_quota,
    is_transient_status,
)
from ci_publish.http.urls import host_of, same_origin, shown
from ci_publish.index.duplicates import looks_duplicate
from ci_publish.index.refusals import BY_STATUS, Meaning, Refusal, find
from ci_publish.model.attestation import Attestation
from ci_publish.model.core_metadata_form import form_fields
from ci_publish.model.distribution import Distribution, Kind
from ci_publish.model.frozen import frozen
from ci_publish.model.index import Accepted, AlreadyThere, CredentialRefused, Refused

HEADERS = {"Accept": "application/json"}
MAX_MESSAGE = 2048
MAX_MARKUP = 64 * 1024

Field = tuple[str, str]

# PyPI says 200; GitLab and Gitea say 201, others 202 or 204. Whatever else begins with 2 says nothing about a file.
_SUCCESS = frozenset({200, 201, 202, 204})
# No index answers an upload with a web page (we ask for JSON); captive portals and login pages of proxies do.
_PAGE = (b"<!doctype html", b"<html")
_PYPI_HOSTS = frozenset({"upload.pypi.org", "test.pypi.org"})


@frozen
class Framing:
    """What stands before and after the file's bytes in the form."""

    head: bytes
    tail: bytes
    content_type: str


@frozen
class Later:
    """No clear yes or no. ``throttled``: the index is too busy. ``unclear``: it may have stored the file.

    ``status`` is what the index answered, 0 where it was no error. ``page``: a web page came with a status of success.
    """

    trouble: FailedAttempt
    throttled: bool = False
    unclear: bool = False
    status: int = 0
    page: bool = False


@frozen
class MissingSlash:
    """The index takes uploads at the same address with a slash at its end."""

    url: str


Verdict = Accepted | AlreadyThere | Refused | CredentialRefused | Later


def fields(
    distribution: Distribution, attestations: Sequence[Attestation] = (), *, md5: str | None = None
) -> tuple[Field, ...]:
    """Return the form's fields in order, all but the file itself.

    *md5* is sent where an index still wants one. Attestations become one JSON list, left out when there are none.
    """
    return (
        (":action", "file_upload"),
        ("protocol_version", "1"),
        *form_fields(distribution.metadata),
        ("filetype", "sdist" if distribution.kind is Kind.SDIST else "bdist_wheel"),
        ("pyversion", distribution.python_tag),
        ("sha256_digest", distribution.sha256),
        *((("md5_digest", md5),) if md5 else ()),
        *((("attestations", _json_list(attestations)),) if attestations else ()),
    )


def framing(form: Sequence[Field], filename: str, boundary: str) -> Framing:
    """Return the multipart form around a file; *boundary* must not occur in any value or in the file."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
        for name, value in form
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{_quoted(filename)}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return Framing(
        head="".join(parts).encode("utf-8", errors="replace"),
        tail=f"\r\n--{boundary}--\r\n".encode(),
        content_type=f"multipart/form-data; boundary={boundary}",
    )


def understand(answer: HttpAnswer, url: str, attempts: int, now: float) -> Verdict | MissingSlash:
    """Return what the answer to an upload to *url* means; *now* in seconds since the epoch."""
    if answer.status in _SUCCESS and _is_page(answer.body):
        return _page_instead(answer)
    if answer.status in _SUCCESS:
        return Accepted(attempts, message_of(answer))
    if 300 <= answer.status <= 399:  # noqa: PLR2004  (the class of redirects)
        return _redirected(answer, url, attempts)
    if is_transient_status(answer.status):
        return _later(answer, now)
    if 400 <= answer.status <= 499:  # noqa: PLR2004  (the class of client errors)
        return _refused(answer, url, attempts, now)
    trouble = FailedAttempt(
        f"the index answered with status {answer.status}, which says nothing about the file",
        once=SingleRetry.MALFORMED_ANSWER,
    )
    return Later(trouble, unclear=True)


def _is_page(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:20].lower().startswith(_PAGE)


def _page_instead(answer: HttpAnswer) -> Later:
    words = " ".join(_from_text(answer).replace("\ufeff", "").split())[:200]
    reason = (
        f"a web page came with status {answer.status} instead of an index's answer, maybe from a login page or a proxy "
        "of this network"
    )
    return Later(
        FailedAttempt(f"{reason}: {words}" if words else reason, once=SingleRetry.MALFORMED_ANSWER),
        unclear=True,
        page=True,
    )


def _later(answer: HttpAnswer, now: float) -> Later:
    known = find(answer.status, _all_text(answer))
    reason = f"the index answered {answer.status}: {message_of(answer)}"
    quota = exhausted_quota(answer.headers)
    limit = "" if quota is None else f" (the limit is {quota})"
    advice = "" if known is None else f" {' '.join(known.advice)}"
    return Later(
        FailedAttempt(f"{reason}{limit}{advice}", asked=asked_wait(answer.headers, now)),
        throttled=answer.status in THROTTLING_STATUSES,
        unclear=answer.status >= 500,  # noqa: PLR2004  (the class of server errors)
        status=answer.status,
    )


def _refused(answer: HttpAnswer, url: str, attempts: int, now: float) -> Verdict:
    text = _all_text(answer)
    if looks_duplicate(answer.status, text):
        return AlreadyThere(attempts, message_of(answer))
    known = find(answer.status, text)
    if known is None and answer.status == 403 and _is_page(answer.body):  # noqa: PLR2004
        return _page_refused(answer, url, attempts)
    if known is None:
        return _refused_by_status(answer, attempts)
    return _refused_as(known, answer, attempts, now)


def _page_refused(answer: HttpAnswer, url: str, attempts: int) -> CredentialRefused | Later:
    """Return what a web page with status 403 means: PyPI says in its own words what it refuses, others may not."""
    words = " ".join(_from_text(answer).split())[:200]
    if host_of(url) in _PYPI_HOSTS:
        reason = "a web page came with status 403 instead of an index's answer, maybe from a firewall or a proxy"
        return Later(
            FailedAttempt(f"{reason}: {words}" if words else reason, once=SingleRetry.MALFORMED_ANSWER), status=403
        )
    return CredentialRefused(
        attempts,
        answer.status,
        words or message_of(answer),
        advice=(
            "Check user, password or token, and that they may upload to this index.",
            "Or a firewall or proxy between this job and the index answered with this page: ask who runs it.",
        ),
    )


def _refused_by_status(answer: HttpAnswer, attempts: int) -> Refused | CredentialRefused:
    if answer.status in {401, 403}:
        return CredentialRefused(
            attempts,
            answer.status,
            message_of(answer),
            advice=("Check user, password or token, and that they may upload to this index.",),
        )
    return Refused(attempts, answer.status, message_of(answer), BY_STATUS.get(answer.status, ()))


def _refused_as(known: Refusal, answer: HttpAnswer, attempts: int, now: float) -> Verdict:
    message = message_of(answer)
    if known.meaning is Meaning.LATER or known.once is not None:
        reason = f"the index answered {answer.status}: {message}"
        return Later(FailedAttempt(reason, asked=asked_wait(answer.headers, now), once=known.once))
    if known.meaning is Meaning.FILE:
        return Refused(attempts, answer.status, message, known.advice)
    return CredentialRefused(
        attempts, answer.status, message, expired=known.meaning is Meaning.EXPIRED, advice=known.advice
    )


def advice_for(reason: str) -> tuple[str, ...]:
    """Return what to do about words of an index that are known, nothing for others."""
    known = find(0, reason)
    return () if known is None else known.advice


def _redirected(answer: HttpAnswer, url: str, attempts: int) -> Refused | MissingSlash:
    target = answer.headers.get("location", "")
    with_slash = f"{url}/"
    if answer.status in {307, 308} and not url.endswith("/"):
        absolute = target if "://" in target or target.startswith("//") else ""
        path = with_slash.split("/", 3)[3]
        if target == f"/{path}" or (absolute == with_slash and same_origin(absolute, url)):
            return MissingSlash(with_slash)
    where = f" to {shown(target)[:300]}" if target else ""
    return Refused(
        attempts,
        answer.status,
        f"the index redirects uploads{where}; files and credentials are never sent on",
        ("Set repository-url to the address that takes uploads, in full, with https and its trailing slash.",),
    )


# --- what the index says


# A repeated clause of so many words is told once.
_CLAUSE = 4


def message_of(answer: HttpAnswer) -> str:
    """Return the answer's own words, one line of at most 2 KiB; untrusted text.

    A JSON body speaks first, then a reason phrase that is not the standard one (PyPI, devpi), then a body of text or
    HTML without its markup, then the status.
    """
    for text in (*_from_json(answer.body), _own_reason(answer), _from_text(answer)):
        words = without_repeats(" ".join(text[: 2 * MAX_MESSAGE].split()))
        if words:
            return words[:MAX_MESSAGE]
    return f"{answer.status} {answer.reason}".strip()[:MAX_MESSAGE]


def without_repeats(text: str) -> str:
    """Return *text* with each clause once.

    Warehouse checks the caveats in a token and those that it stored, and says what fails of both: "Invalid API Token:
    X, X". A clause has at least four words, so that lists of names stay as they are.
    """
    kept: list[str] = []
    for clause in re.split(r"(?<=[,;.]) ", text):
        bare = clause.rstrip(",;.")
        told = any(known.rstrip(",;.") == bare or known.rstrip(",;.").endswith(f": {bare}") for known in kept)
        if not told or len(bare.split()) < _CLAUSE:
            kept.append(clause)
    return " ".join(kept).rstrip(",; ")


def _all_text(answer: HttpAnswer) -> str:
    """Return all that may hold words to be recognised."""
    return "\n".join((answer.reason[:MAX_MARKUP], *_from_json(answer.body), _from_text(answer)))


def _own_reason(answer: HttpAnswer) -> str:
    try:
        standard = HTTPStatus(answer.status).phrase
    except ValueError:
        standard = ""
    return "" if answer.reason.strip().lower() in {standard.lower(), "ok"} else answer.reason


def _from_json(body: bytes) -> tuple[str, ...]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    return tuple(_speaking(data)) if isinstance(data, dict) else ()


def _speaking(data: dict[str, Any]) -> Iterator[str]:
    """Yield the texts of an error object, the most telling first.

    PyPI: ``code`` is "400 <message>" and ``message`` says nothing; RFC 9457: ``detail``, ``title``; GitLab and Azure:
    ``message``; Artifactory: ``errors[].message``.
    """
    code = data.get("code")
    if isinstance(code, str) and re.match(r"\d{3} ", code):
        yield code[4:]
    yield from (
        data[key] for key in ("detail", "message", "error_description", "error", "title") if _is_text(data, key)
    )
    errors = data.get("errors")
    for error in errors[:20] if isinstance(errors, list) else ():
        if isinstance(error, dict):
            yield from (error[key] for key in ("message", "description", "detail") if _is_text(error, key))
        elif isinstance(error, str):
            yield error


def _is_text(data: dict[str, Any], key: str) -> bool:
    return isinstance(data.get(key), str)


def _from_text(answer: HttpAnswer) -> str:
    text = answer.body[:MAX_MARKUP].decode("utf-8", errors="replace").replace("\ufffd", "")
    if text.lstrip()[:1] in {"{", "["}:
        return ""
    if "<" not in text:
        return text
    from ci_publish.model.markup import words_of  # noqa: PLC0415  (late: most indexes answer with plain words)

    return words_of(text)


# --- the form


def _json_list(attestations: Sequence[Attestation]) -> str:
    return f"[{','.join(attestation.json for attestation in attestations)}]"


def _quoted(value: str) -> str:
    """Escape a parameter of Content-Disposition as browsers do (HTML standard, multipart/form-data encoding)."""
    return value.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
