import json
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path

import pytest

from ci_publish.http.messages import HttpAnswer
from ci_publish.http.retries import SingleRetry
from ci_publish.index.upload_api import (
    Later,
    MissingSlash,
    advice_for_upload_refusal,
    interpret_upload_response,
    multipart_framing,
    upload_form_fields,
)
from ci_publish.model.attestation import PUBLISH_V1, Attestation
from ci_publish.model.distribution import Kind
from ci_publish.model.index import Accepted, AlreadyThere, CredentialRefused, NewProjectLimit, Refused
from tests.unit.index.scripted_index import FILENAME, NOW, answer, make_file

URL = "https://index.example/legacy/"
INVALID = "Invalid attestations supplied during upload"
ATTESTATION = Attestation(filename=FILENAME, predicate_type=PUBLISH_V1, json='{"version": 1}')


def understood(given: HttpAnswer, url: str = URL) -> object:
    return interpret_upload_response(given, url, 2, NOW)


# the form


def test_the_fields_stand_in_order(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    assert upload_form_fields(file) == (
        (":action", "file_upload"),
        ("protocol_version", "1"),
        ("metadata_version", "2.1"),
        ("name", "Demo"),
        ("version", "1.0"),
        ("requires_python", ""),
        ("summary", "Caf\u00e9"),
        ("classifiers", "Typing :: Typed"),
        ("classifiers", "Topic :: Utilities"),
        ("filetype", "bdist_wheel"),
        ("pyversion", "py3"),
        ("sha256_digest", file.sha256),
    )


def test_an_sdist_an_md5_and_attestations(tmp_path: Path) -> None:
    file = make_file(tmp_path, filename="demo-1.0.tar.gz", kind=Kind.SDIST)
    form = dict(upload_form_fields(file, (ATTESTATION, ATTESTATION), md5="0" * 32))
    assert (form["filetype"], form["pyversion"], form["md5_digest"]) == ("sdist", "source", "0" * 32)
    assert json.loads(form["attestations"]) == [{"version": 1}, {"version": 1}]


def test_the_form_is_read_as_it_was_meant(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    made = multipart_framing(upload_form_fields(file, (ATTESTATION,)), 'a"b\r\nc.whl', "BOUNDARY")
    whole = f"Content-Type: {made.content_type}\r\n\r\n".encode() + made.head + b"\x00\r\n--x" + made.tail
    parts = list(BytesParser(policy=HTTP).parsebytes(whole).iter_parts())
    names = [part.get_param("name", header="content-disposition") for part in parts]
    assert names == [name for name, _ in upload_form_fields(file, (ATTESTATION,))] + ["content"]
    assert parts[6].get_payload(decode=True) == "Caf\u00e9".encode()
    assert parts[-1].get_payload(decode=True) == b"\x00\r\n--x"
    assert parts[-1].get_content_type() == "application/octet-stream"
    assert b'filename="a%22b%0D%0Ac.whl"' in made.head


# what the answer means


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_successes(status: int) -> None:
    assert understood(answer(status, reason="OK")) == Accepted(2, f"{status} OK")


def test_devpi_says_in_its_reason_that_it_has_these_bytes() -> None:
    reason = "Upload of identical file to non volatile index."
    assert understood(answer(200, reason=reason)) == Accepted(2, reason)


@pytest.mark.parametrize("body", ["", "OK", "200 OK", "{}", "null", "Upload done. <html> is a word", "<p>OK</p>"])
def test_what_real_indexes_say_is_a_success(body: str) -> None:
    assert isinstance(understood(answer(200, body)), Accepted)


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("body", ["<html>Log <b>in</b></html>", "\ufeff\r\n <!DOCTYPE HTML>\n<html>Log in"])
def test_a_web_page_is_no_answer_of_an_index(status: int, body: str) -> None:
    verdict = understood(answer(status, body))
    assert isinstance(verdict, Later)
    assert (verdict.unclear, verdict.throttled, verdict.failure.once) == (True, False, SingleRetry.MALFORMED_ANSWER)
    assert str(status) in verdict.failure.reason
    assert verdict.failure.reason.endswith(": Log in")


def test_a_web_page_without_words() -> None:
    verdict = understood(answer(200, "<html>"))
    assert isinstance(verdict, Later)
    assert verdict.failure.reason.endswith("of this network")


@pytest.mark.parametrize("status", [101, 203, 206, 299, 600])
def test_statuses_that_say_nothing(status: int) -> None:
    verdict = understood(answer(status))
    assert isinstance(verdict, Later)
    assert verdict.unclear
    assert verdict.failure.once is SingleRetry.MALFORMED_ANSWER


def test_later() -> None:
    verdict = understood(answer(503, "busy", retry_after="9"))
    assert isinstance(verdict, Later)
    assert (verdict.failure.asked, verdict.throttled, verdict.unclear) == (9.0, True, True)
    assert verdict.failure.reason == "the index responded with 503: busy"


USER = '"project.create.user";q=4;w=86400;pk=:user:'


@pytest.mark.parametrize(
    ("state", "policy", "words", "wait", "limit"),
    [
        ("", "", "Too many new projects created", None, ""),
        ('"p";r=0;t=60', "", "Too many new projects created", 60.0, ""),
        ('"project.create.user";r=0;t=3600', USER, "slow down", 3600.0, " (the limit is 4 in 24 hours)"),
        ('"project.create.ip";r=0;t=60, "project.create.user";r=0;t=3600', "", "slow down", 3600.0, ""),
        ("", USER, "slow down", None, ""),
    ],
)
def test_too_many_new_projects_are_a_limit_that_is_not_asked_again(
    state: str, policy: str, words: str, wait: float | None, limit: str
) -> None:
    answered = understood(answer(429, reason=words, ratelimit=state, ratelimit_policy=policy))
    assert answered == NewProjectLimit(attempts=2, message=f"{words}{limit}", wait=wait)


def test_the_words_alone_are_enough_whatever_the_status_and_other_limits_are_waited_for() -> None:
    assert isinstance(understood(answer(403, reason="Too many new projects created")), NewProjectLimit)
    for state in ('"uploads";r=0;t=60', '"project.create.user";r=3;t=9, "uploads";r=0;t=60'):
        other = understood(answer(429, reason="slow down", ratelimit=state, ratelimit_policy='"uploads";q=9;w=3600'))
        assert isinstance(other, Later)
        assert (other.failure.asked, other.throttled, other.unclear) == (60.0, True, False)
        assert "(the limit is 9 in 1 hour)" in other.failure.reason


def test_duplicates_are_asked_about() -> None:
    text = "File already exists ('demo', with blake2_256 hash '0')."
    assert understood(answer(400, reason=text)) == AlreadyThere(2, text)


@pytest.mark.parametrize(
    ("reason", "once"),
    [
        ("The digest supplied does not match a digest calculated from the uploaded file.", SingleRetry.DIGEST_MISMATCH),
        ("Invalid distribution file. ZIP archive not accepted: Trailing data", SingleRetry.DAMAGED_TRANSFER),
        ("Invalid distribution file. None", SingleRetry.DAMAGED_TRANSFER),
        (
            f"{INVALID}: Unknown error while trying to verify included attestations: x",
            SingleRetry.ATTESTATION_ERROR,
        ),
    ],
)
def test_some_refusals_may_be_accidents(reason: str, once: SingleRetry) -> None:
    verdict = understood(answer(400, reason=reason))
    assert isinstance(verdict, Later)
    assert verdict.failure.once is once
    assert advice_for_upload_refusal(verdict.failure.reason)


@pytest.mark.parametrize("status", [401, 403])
def test_an_unknown_refusal_of_the_credential(status: int) -> None:
    verdict = understood(answer(status, "go away"))
    assert isinstance(verdict, CredentialRefused)
    assert verdict.message == "go away"
    assert verdict.advice


def test_gitlab_answers_404_to_a_credential_that_may_not_publish() -> None:
    url = "https://gitlab.com/api/v4/projects/7/packages/pypi"
    verdict = interpret_upload_response(answer(404, '{"message": "404 Project Not Found"}'), url, 1, 0.0)
    assert isinstance(verdict, CredentialRefused)
    assert verdict.message == "404 Project Not Found"
    assert "write_package_registry" in verdict.advice[0]


def test_an_unknown_refusal() -> None:
    assert understood(answer(418, "short and stout")) == Refused(attempts=2, status=418, message="short and stout")
    refused = understood(answer(405))
    assert isinstance(refused, Refused)
    assert "repository-url" in refused.advice[0]


# redirects


@pytest.mark.parametrize(
    ("status", "location", "added"),
    [
        (308, "/up/", True),
        (307, "/up/", True),
        (308, "https://index.example/up/", True),
        (301, "/up/", False),
        (308, "/other/", False),
        (308, "https://elsewhere.example/up/", False),
        (308, "http://index.example/up/", False),
        (308, "//elsewhere.example/up/", False),
        (308, "", False),
    ],
)
def test_only_the_missing_slash_is_added(status: int, location: str, *, added: bool) -> None:
    verdict = understood(answer(status, location=location), "https://index.example/up")
    if added:
        assert verdict == MissingSlash("https://index.example/up/")
    else:
        assert isinstance(verdict, Refused)


def test_no_slash_is_added_twice() -> None:
    verdict = understood(answer(308, location="/legacy//"))
    assert isinstance(verdict, Refused)
    assert "/legacy//" in verdict.message


def test_a_secret_in_a_location_is_not_shown() -> None:
    verdict = understood(answer(302, location="https://u:hunter2@x/?token=hunter2"))
    assert "hunter2" not in repr(verdict)


# the index's own words


PAGE = "<!DOCTYPE html><html><body><h1>Access denied</h1></body></html>"


@pytest.mark.parametrize("url", ["https://upload.pypi.org/legacy/", "https://test.pypi.org/legacy/"])
def test_a_page_with_403_is_not_a_refusal_of_pypi(url: str) -> None:
    verdict = interpret_upload_response(answer(403, PAGE), url, 1, 0.0)
    assert isinstance(verdict, Later)
    assert "Access denied" in verdict.failure.reason
    own_words = PAGE.replace("Access denied", "Invalid or non-existent authentication information.")
    assert isinstance(interpret_upload_response(answer(403, own_words), url, 1, 0.0), CredentialRefused)
    assert isinstance(interpret_upload_response(answer(403, "<html></html>"), url, 1, 0.0), Later)


def test_a_page_with_403_elsewhere_names_both_causes() -> None:
    verdict = interpret_upload_response(answer(403, PAGE), "https://index.example/", 1, 0.0)
    assert isinstance(verdict, CredentialRefused)
    assert verdict.message == "Access denied"
    assert "token" in verdict.advice[0]
    assert "firewall or proxy" in verdict.advice[1]
