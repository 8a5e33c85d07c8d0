"""Uploads with their retries, against a scripted index."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish.http.messages import HttpAnswer, HttpRequest, NoAnswer, NoAnswerReason
from ci_publish.index.endpoints import Profile
from ci_publish.model.completion import Unscheduled
from ci_publish.model.distribution import Digests, Distribution
from ci_publish.model.events import Noted, Retrying, UploadProgressed, UploadsCollided, UploadStarted
from ci_publish.model.index import (
    Accepted,
    AlreadyThere,
    Cancelled,
    CredentialRefused,
    FileChanged,
    Refused,
    Unavailable,
)
from tests.unit.index.scripted_index import (
    AUTHORIZATION,
    FILENAME,
    LOST,
    UNREACHABLE,
    Played,
    Scripted,
    answer,
    listed,
    listing,
    make_file,
)


@pytest.fixture
def file(tmp_path: Path) -> Distribution:
    return make_file(tmp_path)


def test_an_upload(file: Distribution) -> None:
    played = Played(answer(200, "OK"))
    assert played.upload(file) == Accepted(1, "OK")
    request = played.transport.requests[0]
    assert (request.method, request.url) == ("POST", "https://index.example/legacy/")
    assert request.headers["Accept"] == "application/json"
    assert request.authorization is AUTHORIZATION
    body = played.transport.bodies[0]
    assert file.path.read_bytes() in body
    assert played.events == [
        UploadStarted(index="index.example", filename=FILENAME, size=file.size, attempt=1),
        UploadProgressed(index="index.example", filename=FILENAME, sent=len(body), total=len(body)),
    ]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (answer(400, "File already exists"), AlreadyThere),
        (answer(400, "no"), Refused),
        (answer(403, "no"), CredentialRefused),
    ],
)
def test_clear_answers_end_it(file: Distribution, given: HttpAnswer, kind: type) -> None:
    played = Played(given)
    assert isinstance(played.upload(file), kind)
    assert len(played.transport.requests) == 1


def test_retries_are_seen_and_counted(file: Distribution) -> None:
    played = Played(answer(503, "busy", retry_after="2"), UNREACHABLE, answer(200, "OK"))
    assert played.upload(file) == Accepted(3, "OK")
    assert played.waiting.waits == [2.0, 1.5]
    assert played.throttled == 1
    assert played.of(Retrying) == [
        Retrying(
            what=FILENAME, attempt=1, reason="the index responded with 503: busy", wait=2.0, index="index.example"
        ),
        Retrying(what=FILENAME, attempt=2, reason="cannot connect", wait=1.5, index="index.example"),
    ]
    assert [event.attempt for event in played.of(UploadStarted)] == [1, 2, 3]


class ColliderTurn(Unscheduled):
    """A turn that takes an answer 500 for a collision *collisions* times."""

    def __init__(self, collisions: int) -> None:
        self.collisions = collisions
        self.ended = 0

    def end(self) -> None:
        self.ended += 1

    def may_have_collided(self) -> bool:
        self.collisions -= 1
        return self.collisions >= 0


def test_a_500_of_our_own_making_is_no_attempt(file: Distribution) -> None:
    played, turn = Played(answer(500), answer(500), answer(200, "OK")), ColliderTurn(1)
    assert played.index.upload(file, (), AUTHORIZATION, played.throttle, turn) == Accepted(2, "OK")
    assert played.of(UploadsCollided) == [
        UploadsCollided(index="index.example", filename=FILENAME, project="demo", version="1.0")
    ]
    assert [event.attempt for event in played.of(UploadStarted)] == [1, 1, 2]
    assert played.waiting.waits == [0.75], "sent again at once the first time"
    assert turn.ended == 3
    assert played.throttled == 0


@pytest.mark.parametrize("status", [502, 503, 429])
def test_only_a_500_can_be_a_collision(file: Distribution, status: int) -> None:
    played, turn = Played(answer(status), answer(200, "OK")), ColliderTurn(1)
    assert played.index.upload(file, (), AUTHORIZATION, played.throttle, turn) == Accepted(2, "OK")
    assert turn.collisions == 1


@pytest.mark.parametrize(("profile", "throttled"), [("generic", 1), ("pypi", 0)])
def test_a_server_error_lowers_the_pace_of_indexes_without_a_schedule(
    file: Distribution, profile: Profile, throttled: int
) -> None:
    played = Played(answer(500), answer(200, "OK"), profile=profile)
    played.upload(file)
    assert played.throttled == throttled


def test_what_can_never_work_is_not_tried_again(file: Distribution) -> None:
    untrusted = NoAnswer(NoAnswerReason.UNTRUSTED_CERTIFICATE, "not trusted")
    assert Played(untrusted).upload(file) == Unavailable(attempts=1, message="not trusted", untrusted=True)
    expired = NoAnswer(NoAnswerReason.INVALID_CERTIFICATE, "expired")
    assert Played(expired).upload(file) == Unavailable(attempts=1, message="expired")


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("The digest supplied does not match a digest calculated", "proxy"),
        ("Invalid distribution file. None", "proxy"),
        ("Unknown error while trying to verify included attestations: x", "status.sigstore.dev"),
    ],
)
def test_accidents_are_tried_once_more(file: Distribution, reason: str, advice: str) -> None:
    played = Played(answer(400, reason=reason))
    outcome = played.upload(file)
    assert isinstance(outcome, Refused)
    assert (outcome.attempts, outcome.status) == (2, 400)
    assert reason in outcome.message
    assert advice in " ".join(outcome.advice)


def test_a_lost_answer_is_looked_for_on_the_index(file: Distribution) -> None:
    played = Played(LOST, looks=[listing(listed(sha256=file.sha256))])
    outcome = played.upload(file)
    assert isinstance(outcome, Accepted)
    assert outcome.attempts == 1
    assert played.waiting.waits == []
    assert played.transport.requests[1].headers["Cache-Control"] == "no-cache, max-age=0"


@pytest.mark.parametrize(
    "look",
    [
        answer(404),
        listing(),
        listing(listed(sha256="1" * 64)),
        listing(listed("demo-1.0-other-none-any.whl")),
        UNREACHABLE,
    ],
)
def test_a_file_that_is_not_found_is_sent_again(file: Distribution, look: Scripted) -> None:
    played = Played(LOST, answer(200, "OK"), looks=[look])
    assert played.upload(file) == Accepted(2, "OK")


def test_an_inherited_file_is_not_ours(file: Distribution) -> None:
    inherited = listed(sha256=file.sha256) | {"url": "https://files.pythonhosted.org/x/y.whl"}
    played = Played(LOST, answer(200, "OK"), looks=[listing(inherited)], profile="generic")
    assert played.upload(file) == Accepted(2, "OK")


def test_before_giving_up_the_index_is_asked(file: Distribution) -> None:
    played = Played(answer(502), looks=[listing(listed(sha256=file.sha256))])
    outcome = played.upload(file)
    assert isinstance(outcome, Accepted)
    assert outcome.attempts == 5


def test_giving_up(file: Distribution) -> None:
    assert Played(answer(500, "x")).upload(file) == Unavailable(
        attempts=5, message="the index responded with 500: x (after 5 attempts)", unclear=True
    )
    assert Played(UNREACHABLE).upload(file) == Unavailable(
        attempts=5, message="cannot connect (after 5 attempts)", unclear=False
    )


def test_a_status_that_says_nothing_has_the_index_asked_at_once(file: Distribution) -> None:
    assert isinstance(Played(answer(206), looks=[listing(listed(sha256=file.sha256))]).upload(file), Accepted)
    outcome = Played(answer(206)).upload(file)
    assert isinstance(outcome, Unavailable)
    assert (outcome.attempts, outcome.unclear) == (2, True)


PORTAL = answer(200, "<!DOCTYPE html><html>Log in to our WiFi</html>", content_type="text/html")


def test_a_web_page_has_the_index_asked_at_once(file: Distribution) -> None:
    played = Played(PORTAL, looks=[listing(listed(sha256=file.sha256))], profile="generic")
    outcome = played.upload(file)
    assert isinstance(outcome, Accepted)
    assert (outcome.attempts, played.waiting.waits) == (1, [])


def test_a_web_page_is_no_success(file: Distribution) -> None:
    outcome = Played(PORTAL, looks=[PORTAL], profile="generic").upload(file)
    assert isinstance(outcome, Accepted)
    assert outcome.attempts == 2
    assert "web page" in outcome.doubt
    assert Played(PORTAL, answer(200, "OK")).upload(file) == Accepted(2, "OK")


def test_malformed_http_is_tried_once_more(file: Distribution) -> None:
    outcome = Played(NoAnswer(NoAnswerReason.PROTOCOL, "not HTTP", sent=True)).upload(file)
    assert outcome == Unavailable(attempts=2, message="not HTTP", unclear=True)


def test_a_missing_slash_is_added_and_kept(file: Distribution) -> None:
    moved = answer(308, location="/up/")
    played = Played(moved, answer(500), answer(200, "OK"), url="https://index.example/up")
    assert played.upload(file) == Accepted(2, "OK")
    assert [url for url in played.transport.urls if "simple" not in url] == [
        "https://index.example/up",
        "https://index.example/up/",
        "https://index.example/up/",
    ]
    assert played.upload(file) == Accepted(1, "OK")
    assert played.transport.urls[-1] == "https://index.example/up/"
    [note] = played.of(Noted)
    assert (note.slug, note.hints) == ("missing-slash", ("Set it in full: repository-url: https://index.example/up/",))


def test_slashes_are_not_added_for_ever(file: Distribution) -> None:
    def more(request: HttpRequest) -> HttpAnswer:
        return answer(308, location=f"{request.url.removeprefix('https://index.example')}/")

    outcome = Played(more, url="https://index.example/up").upload(file)
    assert isinstance(outcome, Refused)
    assert outcome.status == 308


def test_a_changed_file_is_not_published(file: Distribution) -> None:
    file.path.write_bytes(b"other bytes, which nobody signed")
    outcome = Played(answer(200)).upload(file)
    assert isinstance(outcome, FileChanged)
    assert outcome.attempts == 1


def test_a_stopped_run(file: Distribution) -> None:
    played = Played(answer(500), stop_after=1)
    assert played.upload(file) == Cancelled(1, "the run was stopped before this file was finished", unclear=True)
    assert played.upload(file) == Cancelled(0, "the run was stopped before this file was finished")
    assert Played(NoAnswer(NoAnswerReason.CANCELLED, "cut")).upload(file) == Cancelled(1, "cut")
    assert Played(NoAnswer(NoAnswerReason.CANCELLED, "cut", sent=True)).upload(file) == Cancelled(
        1, "cut", unclear=True
    )


@pytest.mark.parametrize("known", [None, "0" * 32])
def test_artifactory_gets_an_md5(file: Distribution, known: str | None) -> None:
    file = replace(file, digests=Digests(file.sha256, known))
    played = Played(answer(200), url="https://a.example/artifactory/api/pypi/local")
    played.upload(file)
    md5 = known or hashlib.md5(file.path.read_bytes()).hexdigest()  # noqa: S324  (what Artifactory asks for)
    assert b'name="md5_digest"' in played.transport.bodies[0]
    assert md5.encode() in played.transport.bodies[0]


def test_artifactory_gets_no_changed_file(file: Distribution) -> None:
    file.path.unlink()
    played = Played(answer(200), url="https://a.example/artifactory/api/pypi/local")
    assert isinstance(played.upload(file), FileChanged)
    assert played.transport.requests == []


@pytest.mark.parametrize("shown", ["same", "other", "changed"])
def test_a_lost_answer_is_looked_for_by_md5_where_there_is_nothing_better(file: Distribution, shown: str) -> None:
    md5 = "0" * 32 if shown == "other" else hashlib.md5(file.path.read_bytes(), usedforsecurity=False).hexdigest()

    def look(_: HttpRequest) -> HttpAnswer:
        if shown == "changed":
            file.path.write_bytes(b"written to meanwhile, and longer")
        return listing({**listed(), "hashes": {"md5": md5}})

    outcome = Played(LOST, answer(200, "OK"), looks=[look]).upload(file)
    assert isinstance(outcome, FileChanged if shown == "changed" else Accepted)
    assert outcome.attempts == (1 if shown == "same" else 2)
