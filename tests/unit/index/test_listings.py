"""Listings: what an index has of a project, from its Simple API and from PyPI's JSON API."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ci_publish.http.messages import HttpAnswer, NoAnswer, NoAnswerReason
from ci_publish.model.distribution import Distribution
from ci_publish.model.index import (
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    ProjectListing,
)
from tests.unit.index.scripted_index import (
    AUTHORIZATION,
    FILENAME,
    JSON,
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
    assert "https://index.example/simple/ does not respond as one" in state.reason


def test_both_pages_of_a_look_share_its_patience() -> None:
    played = Played(looks=[answer(500), answer(404), answer(500)])
    assert played.index.fetch_listing("demo", "1.0", patience=1.0) == NoSuchProject("demo")
    assert played.waiting.waits == [0.75, 0.25]
    assert len(played.transport.requests) == 4


def test_an_untrusted_certificate_fails_the_look_at_once() -> None:
    played = Played(looks=[NoAnswer(NoAnswerReason.UNTRUSTED_CERTIFICATE, "not trusted")])
    assert isinstance(played.index.fetch_listing("demo"), ListingUnavailable)
    assert len(played.transport.requests) == 1


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
    assert played.transport.limits == [32 * 1024 * 1024] * 2


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


def test_an_index_without_tls_keeps_its_scheme() -> None:
    looks: list[Scripted] = [answer(302, location="http://127.0.0.1:8/root/demo/"), answer(401)]
    state = Played(looks=looks, url="http://127.0.0.1:9/api/pypi/x", profile="generic").index.fetch_listing("demo")
    assert isinstance(state, NotVisible)
    assert state.index_url == "http://127.0.0.1:8/root/"
