"""GET requests to an index: redirects, retries and patience."""

import pytest

from ci_publish.http.messages import HttpAnswer, HttpRequest, NoAnswer, NoAnswerReason
from ci_publish.model.events import Retrying
from ci_publish.model.index import (
    ListingUnavailable,
    NotVisible,
    ProjectListing,
)
from tests.unit.index.scripted_index import (
    AUTHORIZATION,
    NOW,
    Played,
    answer,
    listed,
    listing,
)


def test_credentials_stay_on_their_origin() -> None:
    played = Played(looks=[listing()], url="https://python.cloudsmith.io/o/r/", profile="generic")
    played.index.fetch_listing("demo")
    assert played.transport.urls == ["https://dl.cloudsmith.io/basic/o/r/python/simple/demo/"]
    assert played.transport.requests[0].authorization is None


GITLAB = "https://gitlab.example/api/v4/projects/7/packages/pypi"


def test_a_redirect_from_https_to_http_is_not_followed() -> None:
    played = Played(looks=[answer(302, location="http://other.example/simple/demo/")], url=GITLAB, profile="generic")
    state = played.index.fetch_listing("demo")
    assert isinstance(state, NotVisible)
    assert "http://other.example/simple/demo/, which is not followed" in state.reason
    assert len(played.transport.requests) == 1


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


def test_patience_ends_while_the_index_is_slow() -> None:
    now = [NOW]

    def slow(_: HttpRequest) -> HttpAnswer:
        now[0] += 20
        return answer(500)

    played = Played(looks=[slow], clock=lambda: now[0])
    played.index.fetch_listing("demo", patience=30.0)
    assert len(played.transport.requests) == 2
