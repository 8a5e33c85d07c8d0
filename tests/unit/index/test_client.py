import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from ci_publish.errors import FileChangedDuringRun, IndexUnavailable
from ci_publish.http.messages import BasicAuthorization, HttpAnswer, HttpRequest, NoAnswer, NoAnswerReason
from ci_publish.index.client import HttpIndex
from ci_publish.index.endpoints import REHEARSAL_HEADER, Profile, resolve
from ci_publish.model.completion import Unscheduled
from ci_publish.model.distribution import Digests, Distribution
from ci_publish.model.events import Event, Noted, Retrying, UploadProgressed, UploadsCollided, UploadStarted
from ci_publish.model.identity import Secret
from ci_publish.model.index import (
    Accepted,
    AlreadyThere,
    Cancelled,
    CredentialRefused,
    FileChanged,
    IndexProfile,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    ProjectListing,
    PublishedFile,
    Refused,
    Unavailable,
)
from tests.unit.index.scripted_index import (
    FILENAME,
    JSON,
    LOST,
    NOW,
    UNREACHABLE,
    Scripted,
    ScriptedTransport,
    Waits,
    answer,
    listed,
    listing,
    make_file,
)

T = TypeVar("T")
AUTHORIZATION = BasicAuthorization("u", Secret("password"))


class Played:
    """An index client over a scripted transport, and what it did."""

    def __init__(
        self,
        *uploads: Scripted,
        looks: list[Scripted] | None = None,
        url: str = "https://index.example/legacy/",
        profile: Profile = "pypi",
        stop_after: int | None = None,
        clock: Callable[[], float] = lambda: NOW,
    ) -> None:
        self.transport = ScriptedTransport(list(uploads), [answer(404)] if looks is None else looks)
        self.events: list[Event] = []
        self.waiting = Waits(stop_after=stop_after)
        self.throttled = 0
        self.index = HttpIndex(
            resolve(url, profile=profile),
            self.transport,
            emit=self.events.append,
            waiting=self.waiting,
            look_authorization=AUTHORIZATION,
            random=lambda: 0.5,
            clock=clock,
            boundary=lambda: "BOUNDARY",
        )

    def upload(self, file: Distribution) -> object:
        return self.index.upload(file, (), AUTHORIZATION, self.throttle)

    def throttle(self) -> None:
        self.throttled += 1

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def file(tmp_path: Path) -> Distribution:
    return make_file(tmp_path)


# upload


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
        UploadStarted("index.example", FILENAME, file.size, 1),
        UploadProgressed("index.example", FILENAME, len(body), len(body)),
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
        Retrying(FILENAME, 1, "the index answered 503: busy", 2.0, "index.example"),
        Retrying(FILENAME, 2, "cannot connect", 1.5, "index.example"),
    ]
    assert [event.attempt for event in played.of(UploadStarted)] == [1, 2, 3]


class ColliderTurn(Unscheduled):
    """A turn that takes an answer 500 for a collision *collisions* times."""

    def __init__(self, collisions: int) -> None:
        self.collisions = collisions
        self.ended = 0

    def end(self) -> None:
        self.ended += 1

    def collided(self) -> bool:
        self.collisions -= 1
        return self.collisions >= 0


def test_a_500_of_our_own_making_is_no_attempt(file: Distribution) -> None:
    played, turn = Played(answer(500), answer(500), answer(200, "OK")), ColliderTurn(1)
    assert played.index.upload(file, (), AUTHORIZATION, played.throttle, turn) == Accepted(2, "OK")
    assert played.of(UploadsCollided) == [UploadsCollided("index.example", FILENAME, "demo", "1.0")]
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
    assert Played(untrusted).upload(file) == Unavailable(1, "not trusted", untrusted=True)
    expired = NoAnswer(NoAnswerReason.INVALID_CERTIFICATE, "expired")
    assert Played(expired).upload(file) == Unavailable(1, "expired")


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
        5, "the index answered 500: x (after 5 attempts)", unclear=True
    )
    assert Played(UNREACHABLE).upload(file) == Unavailable(5, "cannot connect (after 5 attempts)", unclear=False)


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
    assert outcome == Unavailable(2, "not HTTP", unclear=True)


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
    assert (note.slug, note.hints) == ("missing-slash", ("Set repository-url to https://index.example/up/",))


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
    assert played.upload(file) == Cancelled(1, "the run was stopped before this file was done", unclear=True)
    assert played.upload(file) == Cancelled(0, "the run was stopped before this file was done")
    assert Played(NoAnswer(NoAnswerReason.CANCELLED, "cut")).upload(file) == Cancelled(1, "cut")
    assert Played(NoAnswer(NoAnswerReason.CANCELLED, "cut", sent=True)).upload(file) == Cancelled(
        1, "cut", unclear=True
    )


# md5, for Artifactory


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


# look


def test_a_look() -> None:
    played = Played(looks=[listing(listed(), serial=4)])
    state = played.index.fetch_listing("demo")
    assert isinstance(state, ProjectListing)
    assert (list(state.files), state.serial) == ([FILENAME], 4)
    request = played.transport.requests[0]
    assert request.url == "https://index.example/simple/demo/"
    assert request.headers["Accept"].startswith("application/vnd.pypi.simple.v1+json")
    assert request.authorization is AUTHORIZATION
    assert (played.transport.limits[0] or 0) > 1_000_000


def test_credentials_stay_on_their_origin() -> None:
    played = Played(looks=[listing()], url="https://python.cloudsmith.io/o/r/", profile="generic")
    played.index.fetch_listing("demo")
    assert played.transport.urls == ["https://dl.cloudsmith.io/basic/o/r/python/simple/demo/"]
    assert played.transport.requests[0].authorization is None


def test_an_unchanged_listing_is_not_sent_again() -> None:
    played = Played(looks=[listing(listed(), etag='"1"'), answer(304)])
    assert played.index.fetch_listing("demo") == played.index.fetch_listing("demo")
    assert played.transport.requests[1].headers["If-None-Match"] == '"1"'


def test_a_fresh_look_passes_by_all_caches() -> None:
    played = Played(looks=[listing(listed(), etag='"1"'), listing()])
    played.index.fetch_listing("demo")
    state = played.index.fetch_listing("demo", fresh=True)
    assert isinstance(state, ProjectListing)
    assert state.files == {}
    assert played.transport.requests[1].headers["Cache-Control"] == "no-cache, max-age=0"
    played.index.fetch_listing("demo")
    assert "If-None-Match" not in played.transport.requests[2].headers


def test_a_fresh_look_asks_only_for_what_changed() -> None:
    old, new = listing(listed(), etag='"1"'), listing(listed(), listed("demo-1.0.tar.gz"), etag='"2"')
    played = Played(looks=[old, answer(304), new, answer(304)], profile="generic")
    files = [len(played.index.fetch_listing("demo", "1.0", fresh=fresh).files) for fresh in (False, True, True, True)]  # type: ignore[union-attr]
    assert files == [1, 1, 2, 2]
    headers = [request.headers for request in played.transport.requests]
    assert [sent.get("If-None-Match") for sent in headers] == [None, '"1"', '"1"', '"2"']
    assert all(sent["Cache-Control"] == "no-cache, max-age=0" for sent in headers[1:])


@pytest.mark.parametrize("fresh", [False, True])
def test_an_unchanged_nothing_says_nothing(*, fresh: bool) -> None:
    played = Played(looks=[listing(listed()), answer(304)])
    played.index.fetch_listing("demo")
    assert isinstance(played.index.fetch_listing("demo", fresh=fresh), ListingUnavailable)


@pytest.mark.parametrize(
    ("given", "pypi", "generic"),
    [
        (answer(404), NoSuchProject, NotVisible),
        (answer(410), NoSuchProject, NotVisible),
        (answer(401), ListingUnavailable, NotVisible),
        (answer(403), ListingUnavailable, NotVisible),
        (answer(400), ListingUnavailable, NotVisible),
        (answer(304), ListingUnavailable, NotVisible),
        (answer(500), ListingUnavailable, ListingUnavailable),
        (UNREACHABLE, ListingUnavailable, ListingUnavailable),
        (answer(200, "<html>Welcome <a href='/'>home</a>"), ListingUnavailable, NotVisible),
        (answer(200, '{"files": [', truncated=True), ListingUnavailable, ListingUnavailable),
        (answer(302, location="https://pypi.org/simple/demo/"), ListingUnavailable, ListingUnavailable),
        (answer(302, location="http://index.example/simple/demo/"), ListingUnavailable, NotVisible),
        (NoAnswer(NoAnswerReason.REFUSED_LOCALLY, "plain http"), ListingUnavailable, NotVisible),
        (answer(301, location="/simple/demo/"), ListingUnavailable, ListingUnavailable),
        (answer(302), ListingUnavailable, ListingUnavailable),
        (answer(302, location="http://["), ListingUnavailable, ListingUnavailable),
    ],
)
def test_what_answers_mean(given: Scripted, pypi: type, generic: type) -> None:
    assert isinstance(Played(looks=[given]).index.fetch_listing("demo"), pypi)
    assert isinstance(Played(looks=[given], profile="generic").index.fetch_listing("demo"), generic)


def test_where_nothing_can_be_seen_the_reason_names_the_option() -> None:
    played = Played(url="https://h.example/one", profile="generic")
    state = played.index.fetch_listing("demo")
    assert isinstance(state, NotVisible)
    assert "index-url" in state.reason
    assert played.transport.requests == []


GITLAB = "https://gitlab.example/api/v4/projects/7/packages/pypi"


def test_a_forwarded_listing_is_read_without_the_credential_and_its_files_are_not_ours() -> None:
    theirs = {**listed(), "url": f"https://files.pythonhosted.org/{FILENAME}"}
    played = Played(
        looks=[answer(302, location="https://pypi.org/simple/demo/"), listing(theirs)], url=GITLAB, profile="generic"
    )
    state = played.index.fetch_listing("demo")
    assert isinstance(state, ProjectListing)
    assert [file.inherited for file in state.files.values()] == [True]
    assert [request.authorization for request in played.transport.requests] == [AUTHORIZATION, None]


def test_a_forwarded_project_that_is_nowhere_is_not_there() -> None:
    looks: list[Scripted] = [answer(302, location="https://pypi.org/simple/demo/"), answer(404)]
    assert isinstance(Played(looks=looks, url=GITLAB, profile="generic").index.fetch_listing("demo"), NoSuchProject)


def test_a_redirect_from_https_to_http_is_not_followed() -> None:
    played = Played(looks=[answer(302, location="http://other.example/simple/demo/")], url=GITLAB, profile="generic")
    state = played.index.fetch_listing("demo")
    assert isinstance(state, NotVisible)
    assert "http://other.example/simple/demo/, which is not followed" in state.reason
    assert len(played.transport.requests) == 1


# addresses that are only guessed

ROOT = answer(200, json.dumps({"meta": {"api-version": "1.1"}, "projects": []}), content_type=JSON)
BEHIND_PROXY = "https://index.example/tools/pypi/"


def pages(roots: Mapping[str, HttpAnswer]) -> Scripted:
    """Answer with the page that an address has, else 404."""
    return lambda request: roots.get(request.url.removeprefix("https://index.example"), answer(404))


def test_a_guessed_address_that_answers_404_says_nothing() -> None:
    played = Played(url=BEHIND_PROXY, profile="generic")
    state = played.index.fetch_listing("demo")
    assert isinstance(state, NotVisible)
    assert (
        "neither https://index.example/tools/pypi/+simple/ nor https://index.example/tools/pypi/simple/" in state.reason
    )
    assert "index-url" in state.reason
    assert isinstance(played.index.fetch_listing("demo"), NotVisible)
    assert [url.removeprefix(BEHIND_PROXY) for url in played.transport.urls] == [
        "+simple/demo/", "+simple/", "simple/demo/", "simple/", "+simple/demo/", "simple/demo/",
    ]  # fmt: skip


def test_a_guessed_address_proves_itself_by_its_root() -> None:
    played = Played(looks=[pages({"/tools/pypi/simple/": ROOT})], url=BEHIND_PROXY, profile="generic")
    assert isinstance(played.index.fetch_listing("demo"), NoSuchProject)
    assert played.index.endpoints.simple == f"{BEHIND_PROXY}simple/"
    assert isinstance(played.index.fetch_listing("demo"), NoSuchProject)
    assert played.transport.urls[-1] == f"{BEHIND_PROXY}simple/demo/"


def test_a_guessed_address_proves_itself_by_a_listing() -> None:
    played = Played(
        looks=[pages({"/tools/pypi/+simple/demo/": listing(listed())})], url=BEHIND_PROXY, profile="generic"
    )
    assert isinstance(played.index.fetch_listing("demo"), ProjectListing)
    assert len(played.transport.requests) == 1
    assert played.index.endpoints.simple_guesses == ()


def test_a_guessed_address_that_fails_is_an_outage() -> None:
    assert isinstance(
        Played(looks=[UNREACHABLE], url=BEHIND_PROXY, profile="generic").index.fetch_listing("demo"), ListingUnavailable
    )


def test_an_address_with_one_guess_says_which_it_was() -> None:
    state = Played(url="https://index.example/", profile="generic").index.fetch_listing("demo")
    assert isinstance(state, NotVisible)
    assert "https://index.example/simple/ does not answer as one" in state.reason


def test_redirects_on_the_same_origin_are_followed_by_hand() -> None:
    played = Played(looks=[answer(301, location="/simple/de-mo/"), listing(listed())])
    assert isinstance(played.index.fetch_listing("demo"), ProjectListing)
    assert played.transport.urls[1] == "https://index.example/simple/de-mo/"
    assert played.transport.requests[1].authorization is AUTHORIZATION


def test_redirects_are_not_followed_for_ever() -> None:
    played = Played(looks=[lambda request: answer(302, location=f"{request.url}x/")])
    assert isinstance(played.index.fetch_listing("demo"), ListingUnavailable)
    assert len(played.transport.requests) == 4


def test_the_look_is_retried() -> None:
    malformed = NoAnswer(NoAnswerReason.PROTOCOL, "not HTTP")
    played = Played(looks=[answer(503, retry_after="3"), malformed, listing()])
    assert isinstance(played.index.fetch_listing("demo"), ProjectListing)
    assert played.waiting.waits == [3.0, 1.5]
    assert played.of(Retrying)[0].what == "demo"


def test_the_look_is_not_retried_for_ever_nor_in_a_stopped_run() -> None:
    played = Played(looks=[answer(500)])
    played.index.fetch_listing("demo")
    assert len(played.transport.requests) == 5
    stopped = Played(looks=[answer(500)], stop_after=1)
    stopped.index.fetch_listing("demo")
    assert len(stopped.transport.requests) == 2


@pytest.mark.parametrize(
    ("patience", "waits"),
    [(0.0, []), (-1.0, []), (0.5, [0.5]), (2.0, [0.75, 1.25]), (None, [0.75, 1.5, 3.0, 6.0])],
)
def test_retries_of_a_look_wait_no_longer_than_its_patience(patience: float | None, waits: list[float]) -> None:
    played = Played(looks=[answer(500)])
    assert isinstance(played.index.fetch_listing("demo", fresh=True, patience=patience), ListingUnavailable)
    assert played.waiting.waits == waits
    assert len(played.transport.requests) == len(waits) + 1


def test_a_wait_that_is_asked_for_is_not_begun_beyond_the_patience() -> None:
    played = Played(looks=[answer(503, retry_after="3"), listing()])
    assert isinstance(played.index.fetch_listing("demo", patience=2.0), ListingUnavailable)
    assert played.waiting.waits == []
    assert isinstance(played.index.fetch_listing("demo", patience=0.0), ProjectListing)


def test_both_pages_of_a_look_share_its_patience() -> None:
    played = Played(looks=[answer(500), answer(404), answer(500)])
    assert played.index.fetch_listing("demo", "1.0", patience=1.0) == NoSuchProject("demo")
    assert played.waiting.waits == [0.75, 0.25]
    assert len(played.transport.requests) == 4


def test_patience_ends_while_the_index_is_slow() -> None:
    now = [NOW]

    def slow(_: HttpRequest) -> HttpAnswer:
        now[0] += 20
        return answer(500)

    played = Played(looks=[slow], clock=lambda: now[0])
    played.index.fetch_listing("demo", patience=30.0)
    assert len(played.transport.requests) == 2


def test_an_untrusted_certificate_fails_the_look_at_once() -> None:
    played = Played(looks=[NoAnswer(NoAnswerReason.UNTRUSTED_CERTIFICATE, "not trusted")])
    assert isinstance(played.index.fetch_listing("demo"), ListingUnavailable)
    assert len(played.transport.requests) == 1


# the second look


def release(*files: dict[str, object], serial: int = 9) -> HttpAnswer:
    entries = [{**file, "digests": file["hashes"]} for file in files]
    return answer(200, json.dumps({"info": {"version": "1.0"}, "last_serial": serial, "urls": entries}))


@pytest.mark.parametrize("first", [answer(404), listing(listed("demo-0.9.tar.gz"))])
def test_what_the_listing_lacks_is_looked_for_on_the_release_page(first: HttpAnswer) -> None:
    played = Played(looks=[first, release(listed())])
    state = played.index.fetch_listing("demo", "1.0")
    assert isinstance(state, ProjectListing)
    assert FILENAME in state.files
    assert played.transport.urls[1] == "https://index.example/pypi/demo/1.0/json"


def test_a_fresh_look_at_an_absent_project_asks_the_projects_own_page() -> None:
    played = Played(looks=[answer(404), release(listed())])
    assert isinstance(played.index.fetch_listing("demo", fresh=True), ProjectListing)
    assert played.transport.urls[1] == "https://index.example/pypi/demo/json"


@pytest.mark.parametrize("second", [answer(404), answer(200, "no"), answer(200, "{}", truncated=True), UNREACHABLE])
def test_a_second_look_without_result_changes_nothing(second: Scripted) -> None:
    assert Played(looks=[answer(404), second]).index.fetch_listing("demo", "1.0") == NoSuchProject("demo")


@pytest.mark.parametrize("first", [listing(listed()), answer(403)])
def test_a_second_look_where_it_is_not_needed(first: HttpAnswer) -> None:
    played = Played(looks=[first])
    played.index.fetch_listing("demo", "1.0")
    assert len(played.transport.requests) == 1


def test_no_second_look_elsewhere_or_without_a_version() -> None:
    for played, version in ((Played(url=GITLAB, profile="generic"), "1.0"), (Played(), None)):
        played.index.fetch_listing("demo", version)
        assert len(played.transport.requests) == 1


def test_a_fresh_look_at_an_unchanged_listing_is_doubted() -> None:
    other = listed("demo-1.0.tar.gz")
    played = Played(looks=[listing(other, serial=4), listing(other, serial=4), release(listed())])
    played.index.fetch_listing("demo", "1.0")
    state = played.index.fetch_listing("demo", "1.0", fresh=True)
    assert isinstance(state, ProjectListing)
    assert set(state.files) == {"demo-1.0.tar.gz", FILENAME}
    assert state.serial == 9


@pytest.mark.parametrize("serial", [4, None])
def test_a_fresh_look_that_finds_the_listing_unchanged_is_doubted(serial: int | None) -> None:
    other = listed("demo-1.0.tar.gz")
    played = Played(looks=[listing(other, serial=serial, etag='"1"'), answer(304), release(listed()), answer(304)])
    played.index.fetch_listing("demo", "1.0")
    state = played.index.fetch_listing("demo", "1.0", fresh=True)
    assert isinstance(state, ProjectListing)
    assert set(state.files) == {"demo-1.0.tar.gz", FILENAME}
    assert played.transport.urls[2] == "https://index.example/pypi/demo/1.0/json"
    assert played.transport.requests[1].headers["If-None-Match"] == '"1"'


def test_an_unchanged_listing_is_not_doubted_before_anything_was_uploaded() -> None:
    played = Played(looks=[listing(listed(), serial=4, etag='"1"'), answer(304)])
    assert played.index.fetch_listing("demo", "1.0") == played.index.fetch_listing("demo", "1.0")
    assert len(played.transport.requests) == 2


def test_a_fresh_look_at_a_changed_listing_is_not_doubted() -> None:
    played = Played(looks=[listing(listed(), serial=4), listing(listed(), serial=5)])
    played.index.fetch_listing("demo", "1.0")
    played.index.fetch_listing("demo", "1.0", fresh=True)
    assert len(played.transport.requests) == 2


# provenance


def test_provenance() -> None:
    played = Played(looks=[answer(200, "{}")])
    assert played.index.provenance("demo", "1.0", FILENAME) == b"{}"
    assert played.transport.urls == [f"https://index.example/integrity/demo/1.0/{FILENAME}/provenance"]
    assert played.transport.requests[0].headers["Accept"] == "application/vnd.pypi.integrity.v1+json"


@pytest.mark.parametrize("given", [answer(404), answer(403), answer(406)])
def test_no_provenance(given: HttpAnswer) -> None:
    assert Played(looks=[given]).index.provenance("demo", "1.0", FILENAME) is None


@pytest.mark.parametrize("given", [answer(500, reason="Oops"), answer(200, "{", truncated=True), UNREACHABLE])
def test_provenance_that_cannot_be_fetched(given: Scripted) -> None:
    with pytest.raises(IndexUnavailable) as caught:
        Played(looks=[given]).index.provenance("demo", "1.0", FILENAME)
    assert caught.value.detail


def test_provenance_where_only_the_listing_knows_it() -> None:
    played = Played(looks=[listing(listed(provenance="/p/x")), answer(200, "{}")], profile="generic")
    assert played.index.provenance("demo", "1.0", FILENAME) is None
    played.index.fetch_listing("demo")
    assert played.index.provenance("demo", "1.0", "other.whl") is None
    assert played.index.provenance("demo", "1.0", FILENAME) == b"{}"
    assert played.transport.urls[-1] == "https://index.example/p/x"


# rehearsals


def announcing(value: str) -> HttpAnswer:
    return HttpAnswer(200, "OK", {REHEARSAL_HEADER.lower(): value}, b"")


@pytest.mark.parametrize(
    ("url", "profile", "given", "recognised"),
    [
        ("http://127.0.0.1:9/legacy/", "auto", announcing("1"), True),
        ("http://127.0.0.1:9/legacy/", "auto", announcing("2"), False),
        ("http://127.0.0.1:9/legacy/", "auto", answer(200), False),
        ("http://127.0.0.1:9/legacy/", "auto", UNREACHABLE, False),
        ("http://127.0.0.1:9/legacy/", "generic", announcing("1"), False),
        ("https://index.example/legacy/", "auto", announcing("1"), False),
    ],
)
def test_a_rehearsal_is_recognised(url: str, profile: Profile, given: Scripted, *, recognised: bool) -> None:
    played = Played(looks=[given], url=url, profile=profile)
    played.index.recognise(profile)
    expected = IndexProfile.PYPI if recognised else IndexProfile.GENERIC
    assert played.index.endpoints.profile is expected
    assert all(request.authorization is None for request in played.transport.requests)


def test_the_defaults_are_real(file: Distribution) -> None:
    transport = ScriptedTransport([answer(500), answer(200)])
    waiting = Waits()
    events: list[Event] = []
    index = HttpIndex(resolve("https://h.example/legacy/"), transport, emit=events.append, waiting=waiting)
    assert isinstance(index.upload(file, (), None, lambda: None), Accepted)
    assert 0.5 <= waiting.waits[0] <= 1.0
    boundaries = {body.split(b"\r\n")[0] for body in transport.bodies if body}
    assert len(boundaries) == 2


def test_the_md5_of_a_file(file: Distribution) -> None:
    content = file.path.read_bytes()
    assert Played().index.md5(file) == hashlib.md5(content, usedforsecurity=False).hexdigest()
    file.path.write_bytes(b"other bytes, which nobody signed")
    with pytest.raises(FileChangedDuringRun):
        Played().index.md5(file)


def test_the_content_of_a_listed_file(file: Distribution) -> None:
    shown = PublishedFile(file.filename, f"https://index.example/files/{file.filename}", None)
    whole = Played(looks=[answer(200, file.path.read_bytes())])
    assert whole.index.download_sha256(shown, file.size) == file.sha256
    assert whole.transport.requests[0].url == shown.url
    for given in (answer(404), replace(answer(200, "x"), truncated=True), UNREACHABLE):
        assert Played(looks=[given]).index.download_sha256(shown, 10) is None


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


@pytest.mark.parametrize(
    ("url", "look", "named"),
    [
        (
            "https://index.example/simple/",
            answer(301, location="http://index.example/simple/demo/"),
            None,
        ),
        (
            "https://index.example/api/pypi/x",
            answer(301, location="http://packages.example/root/demo"),
            "https://packages.example/root/",
        ),
        (
            "https://index.example/a/b/",
            answer(301, location="http://packages.example/root/demo/"),
            "https://packages.example/root/",
        ),
        ("https://index.example/api/pypi/x", answer(301, location="http://packages.example/login"), None),
        ("https://index.example/api/pypi/x", answer(301, location="http://u:p@packages.example/root/demo/"), None),
    ],
)
def test_a_redirect_names_the_simple_api_to_set(url: str, look: HttpAnswer, named: str | None) -> None:
    state = Played(looks=[look], url=url, profile="generic").index.fetch_listing("demo")
    assert isinstance(state, NotVisible)
    assert state.index_url == named
    assert "index-url" in state.reason
    assert named is None or named in state.reason


def test_a_followed_redirect_to_a_page_that_is_refused_names_the_simple_api_to_set() -> None:
    looks: list[Scripted] = [answer(302, location="https://packages.example/root/demo/"), answer(401)]
    state = Played(looks=looks, url="https://index.example/api/pypi/x", profile="generic").index.fetch_listing("demo")
    assert isinstance(state, NotVisible)
    assert state.index_url == "https://packages.example/root/"
