import threading
from collections.abc import Callable

import pytest

from ci_publish.index.listing_prefetch import PrefetchedListings, PrefetchEmitter, PrefetchWaiting
from ci_publish.model.events import Event, Noted
from ci_publish.model.index import IndexState, NoSuchProject
from ci_publish.publishing.interruption import Interruption


class Asked:
    """Remembers what it was asked for, and by whom."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self.looks: list[tuple[str, str | None, str]] = []
        self._tell = tell

    def fetch(self, project: str, version: str | None) -> IndexState:
        self.looks.append((project, version, threading.current_thread().name))
        if project == "broken":
            raise RuntimeError(project)
        self._tell(Noted(slug="asked", message=project))
        return NoSuchProject(project)


def begun(*releases: tuple[str, str]) -> tuple[PrefetchedListings, Asked, list[Event]]:
    heard: list[Event] = []
    emitter = PrefetchEmitter(heard.append)
    asked = Asked(emitter)
    listings = PrefetchedListings(asked.fetch)
    listings.begin_prefetch(releases, emitter)
    return listings, asked, heard


def test_a_look_is_made_once_and_in_the_background() -> None:
    listings, asked, heard = begun(("demo", "1.0"), ("other", "2.0"))
    assert listings.take_listing("other", "2.0") == NoSuchProject("other")
    assert listings.take_listing("demo", "1.0") == NoSuchProject("demo")
    assert listings.take_listing("demo", "1.0") is None
    assert sorted(asked.looks) == [("demo", "1.0", "ci-publish-prefetch"), ("other", "2.0", "ci-publish-prefetch")]
    assert [event.message for event in heard if isinstance(event, Noted)] == ["other", "demo"]


def test_what_nobody_asks_for_is_never_told() -> None:
    listings, asked, heard = begun(("demo", "1.0"), ("other", "2.0"))
    listings.take_listing("other", "2.0")
    listings.finish_prefetch()
    assert len(asked.looks) == 2
    assert [event.message for event in heard if isinstance(event, Noted)] == ["other"]


def test_what_happens_after_it_was_asked_for_is_told_at_once() -> None:
    """Who waits for retries wants to see them, in their order."""
    heard: list[Event] = []
    told = PrefetchEmitter(heard.append)
    asked_for, heard_first = threading.Event(), threading.Event()

    class Retrying(Asked):
        def fetch(self, project: str, version: str | None) -> IndexState:
            self._tell(Noted(slug="retry", message="first"))
            heard_first.set()
            assert asked_for.wait(10)
            self._tell(Noted(slug="retry", message="second"))
            before_the_end.append([event.message for event in heard if isinstance(event, Noted)])
            return super().fetch(project, version)

    before_the_end: list[list[str]] = []
    listings = PrefetchedListings(Retrying(told).fetch)
    listings.begin_prefetch([("demo", "1.0")], told)
    assert heard_first.wait(10)
    assert heard == []
    threading.Timer(0.1, asked_for.set).start()
    assert listings.take_listing("demo", "1.0") == NoSuchProject("demo")
    assert before_the_end == [["first", "second"]]


def test_another_listing_than_those_begun_is_not_there() -> None:
    listings, asked, _ = begun(("demo", "1.0"))
    assert listings.take_listing("demo", None) is None
    assert listings.take_listing("other", "1.0") is None
    listings.finish_prefetch()
    assert len(asked.looks) == 1


def test_a_bug_shows_where_the_look_is_asked_for() -> None:
    listings, _, _ = begun(("broken", "1.0"), ("demo", "1.0"))
    with pytest.raises(RuntimeError, match="broken"):
        listings.take_listing("broken", "1.0")
    assert listings.take_listing("demo", "1.0") == NoSuchProject("demo")


def test_finishing_waits_for_what_was_begun() -> None:
    listings, asked, _ = begun()
    listings.finish_prefetch()
    listings, asked, _ = begun(*((f"demo{number}", "1.0") for number in range(50)))
    listings.finish_prefetch()
    assert len(asked.looks) == 50


def test_a_wait_ends_when_nobody_waits_any_more() -> None:
    waiting = PrefetchWaiting(Interruption(60.0))
    assert not waiting.stopped
    assert not waiting.cut
    assert not waiting.wait(0.01)
    assert 0 < waiting.left() <= 60.0
    threading.Timer(0.05, waiting.close).start()
    assert waiting.wait(30.0)
    assert waiting.stopped
    assert waiting.cut
    assert waiting.left() == 0.0


def test_a_wait_ends_with_the_run() -> None:
    run = Interruption(60.0)
    waiting = PrefetchWaiting(run)
    run.request_stop(2)
    run.request_stop(2)
    assert waiting.stopped
    assert waiting.cut
    assert waiting.wait(30.0)
