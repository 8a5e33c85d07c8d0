"""The upload API: the form for a distribution, and the meaning of the response (pure).

Sources: docs.pypi.org/api/upload; pypi/warehouse forklift/legacy.py and forms.py; RFC 7578 (multipart/form-data).
"""

import re
from collections.abc import Sequence
from http import HTTPStatus

from ci_publish.hints import Hint, option
from ci_publish.http.messages import HttpAnswer
from ci_publish.http.rate_limits import exhausted_rate_limit_quota, parse_rate_limits
from ci_publish.http.response_texts import all_response_text, is_web_page, response_body_text, response_message
from ci_publish.http.retries import (
    THROTTLING_STATUSES,
    FailedAttempt,
    SingleRetry,
    is_transient_status,
    server_requested_wait,
)
from ci_publish.http.urls import have_same_origin, redacted_url, split_url, url_host
from ci_publish.index.duplicates import says_already_exists
from ci_publish.index.upload_refusals import (
    BY_STATUS,
    GITLAB_NOT_FOUND,
    KnownUploadRefusal,
    Meaning,
    find_known_upload_refusal,
)
from ci_publish.model.attestation import Attestation
from ci_publish.model.core_metadata_form import core_metadata_form_fields
from ci_publish.model.distribution import Distribution, Kind
from ci_publish.model.frozen import frozen
from ci_publish.model.index import Accepted, AlreadyThere, CredentialRefused, NewProjectLimit, Refused

HEADERS = {"Accept": "application/json"}
Field = tuple[str, str]

# PyPI returns 200; GitLab and Gitea 201, others 202 or 204. Other 2xx statuses say nothing about a file.
_SUCCESS = frozenset({200, 201, 202, 204})
# GitLab's package registry of a project or a group.
_GITLAB = re.compile(r".*/api/v4/(?:projects|groups)/[^/]+/(?:-/)?packages/pypi")
_NEW_PROJECTS = "project.create."
_PYPI_HOSTS = frozenset({"upload.pypi.org", "test.pypi.org"})


@frozen
class Framing:
    """The parts of the form before and after the file's bytes."""

    head: bytes
    tail: bytes
    content_type: str


@frozen(kw_only=True)
class Later:
    """No clear result. ``throttled``: the index is too busy. ``unclear``: it may have stored the file.

    ``status`` is that of the response, 0 where it was not an error. ``page``: a web page came with a status of success.
    """

    failure: FailedAttempt
    throttled: bool = False
    unclear: bool = False
    status: int = 0
    page: bool = False


@frozen
class MissingSlash:
    """The index accepts uploads at the same address with a slash at its end."""

    url: str


ServerResponse = Accepted | AlreadyThere | Refused | CredentialRefused | NewProjectLimit | Later


def upload_form_fields(
    distribution: Distribution, attestations: Sequence[Attestation] = (), *, md5: str | None = None
) -> tuple[Field, ...]:
    """Return the form's fields in order, all but the file itself.

    *md5* is sent to indexes that require one. Attestations become one JSON list, omitted when there are none.
    """
    return (
        (":action", "file_upload"),
        ("protocol_version", "1"),
        *core_metadata_form_fields(distribution.metadata),
        ("filetype", "sdist" if distribution.kind is Kind.SDIST else "bdist_wheel"),
        ("pyversion", distribution.python_tag),
        ("sha256_digest", distribution.sha256),
        *((("md5_digest", md5),) if md5 else ()),
        *((("attestations", f"[{','.join(each.json for each in attestations)}]"),) if attestations else ()),
    )


def multipart_framing(form: Sequence[Field], filename: str, boundary: str) -> Framing:
    """Return the multipart form around a file; *boundary* must not occur in any value or in the file."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_escape_form_parameter(name)}"\r\n\r\n{value}\r\n'
        for name, value in form
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="content"; '
        f'filename="{_escape_form_parameter(filename)}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return Framing(
        head="".join(parts).encode("utf-8", errors="replace"),
        tail=f"\r\n--{boundary}--\r\n".encode(),
        content_type=f"multipart/form-data; boundary={boundary}",
    )


def interpret_upload_response(answer: HttpAnswer, url: str, attempts: int, now: float) -> ServerResponse | MissingSlash:
    """Return what the response to an upload to *url* means; *now* in seconds since the epoch."""
    if answer.status in _SUCCESS and is_web_page(answer.body):
        failure = _web_page_failure(answer, "a login page or a proxy of this network")
        return Later(failure=failure, unclear=True, page=True)
    if answer.status in _SUCCESS:
        return Accepted(attempts, response_message(answer))
    if 300 <= answer.status <= 399:  # noqa: PLR2004  (the class of redirects)
        return _outcome_of_redirected_upload(answer, url, attempts)
    if 400 <= answer.status <= 499:  # noqa: PLR2004  (the class of client errors)
        return _outcome_of_refused_upload(answer, url, attempts, now)
    if is_transient_status(answer.status):
        return _later_from_response(answer, now)
    failure = FailedAttempt(
        f"the index responded with status {answer.status}, which does not say what happened to the file",
        once=SingleRetry.MALFORMED_ANSWER,
    )
    return Later(failure=failure, unclear=True)


def _web_page_failure(answer: HttpAnswer, sender: str) -> FailedAttempt:
    """Return the failed attempt that got a web page, with its first words and who may have sent it."""
    words = " ".join(response_body_text(answer.body).split())[:200]
    reason = f"the response was a web page (status {answer.status}), perhaps from {sender}"
    return FailedAttempt(f"{reason}: {words}" if words else reason, once=SingleRetry.MALFORMED_ANSWER)


def _exhausted_quota_text(answer: HttpAnswer) -> str:
    quota = exhausted_rate_limit_quota(answer.headers)
    return "" if quota is None else f" (the limit is {quota})"


def _later_from_response(answer: HttpAnswer, now: float) -> Later:
    known = find_known_upload_refusal(answer.status, all_response_text(answer))
    reason = f"the index responded with {answer.status}: {response_message(answer)}"
    advice = "" if known is None else f" {' '.join(known.advice)}"
    text = f"{reason}{_exhausted_quota_text(answer)}{advice}"
    return Later(
        failure=FailedAttempt(text, asked=server_requested_wait(answer.headers, now)),
        throttled=answer.status in THROTTLING_STATUSES,
        unclear=answer.status >= 500,  # noqa: PLR2004  (the class of server errors)
        status=answer.status,
    )


def _outcome_of_refused_upload(answer: HttpAnswer, url: str, attempts: int, now: float) -> ServerResponse:
    text = all_response_text(answer)
    known = find_known_upload_refusal(answer.status, text)
    too_many_projects = known is not None and known.meaning is Meaning.NEW_PROJECTS
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:  # PyPI names the policies
        exhausted = [each.policy for each in parse_rate_limits(answer.headers) if each.remaining in {0, None}]
        too_many_projects = too_many_projects or any(name.startswith(_NEW_PROJECTS) for name in exhausted)
    if too_many_projects:
        message = f"{response_message(answer)}{_exhausted_quota_text(answer)}"
        return NewProjectLimit(attempts=attempts, message=message, wait=server_requested_wait(answer.headers, now))
    if is_transient_status(answer.status):
        return _later_from_response(answer, now)
    if says_already_exists(answer.status, text):
        return AlreadyThere(attempts, response_message(answer))
    if known is None:
        return _outcome_of_unknown_upload_refusal(answer, url, attempts)
    return _outcome_of_known_upload_refusal(known, answer, attempts, now)


def _outcome_of_unknown_upload_refusal(
    answer: HttpAnswer, url: str, attempts: int
) -> Refused | CredentialRefused | Later:
    message = response_message(answer)
    advice: tuple[str, ...] = ("Check the user and the password or token, and that they may upload to this index.",)
    if answer.status == HTTPStatus.FORBIDDEN and is_web_page(answer.body):
        if url_host(url) in _PYPI_HOSTS:  # it explains its refusals in text
            return Later(failure=_web_page_failure(answer, "a firewall or a proxy"), status=answer.status)
        message = " ".join(response_body_text(answer.body).split())[:200] or message
        advice += ("Or a firewall or proxy between this job and the index sent this page: ask its operators.",)
    if answer.status in {401, 403}:
        return CredentialRefused(attempts=attempts, status=answer.status, message=message, advice=advice)
    if answer.status == HTTPStatus.NOT_FOUND and _GITLAB.match(split_url(url).path):
        return CredentialRefused(attempts=attempts, status=answer.status, message=message, advice=GITLAB_NOT_FOUND)
    return Refused(attempts=attempts, status=answer.status, message=message, advice=BY_STATUS.get(answer.status, ()))


def _outcome_of_known_upload_refusal(
    known: KnownUploadRefusal, answer: HttpAnswer, attempts: int, now: float
) -> ServerResponse:
    message = response_message(answer)
    if known.meaning is Meaning.LATER or known.once is not None:
        reason = f"the index responded with {answer.status}: {message}"
        return Later(failure=FailedAttempt(reason, asked=server_requested_wait(answer.headers, now), once=known.once))
    if known.meaning in {Meaning.FILE, Meaning.PROJECT}:
        return Refused(
            attempts=attempts,
            status=answer.status,
            message=message,
            advice=known.advice,
            whole_project=known.meaning is Meaning.PROJECT,
        )
    return CredentialRefused(
        attempts=attempts,
        status=answer.status,
        message=message,
        expired=known.meaning is Meaning.EXPIRED,
        one_project=known.meaning is Meaning.PERMISSION,
        advice=known.advice,
    )


def advice_for_upload_refusal(message: str) -> tuple[str, ...]:
    """Return the advice for a known message of an index; empty for others."""
    known = find_known_upload_refusal(0, message)
    return () if known is None else known.advice


def _outcome_of_redirected_upload(answer: HttpAnswer, url: str, attempts: int) -> Refused | MissingSlash:
    target = answer.headers.get("location", "")
    with_slash = f"{url}/"
    if answer.status in {307, 308} and not url.endswith("/"):
        absolute = target if "://" in target or target.startswith("//") else ""
        path = with_slash.split("/", 3)[3]
        if target == f"/{path}" or (absolute == with_slash and have_same_origin(absolute, url)):
            return MissingSlash(with_slash)
    where = f" to {redacted_url(target)[:300]}" if target else ""
    return Refused(
        attempts=attempts,
        status=answer.status,
        message=f"the index redirects uploads{where}; files and credentials never follow redirects",
        advice=(
            Hint(
                "Set ",
                option("repository_url"),
                " to the address that accepts uploads, in full, with https and its trailing slash.",
            ),
        ),
    )


def _escape_form_parameter(value: str) -> str:
    """Escape a parameter of Content-Disposition as browsers do (HTML standard, multipart/form-data encoding)."""
    return value.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
