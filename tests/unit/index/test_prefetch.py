import threading
from collections.abc import Callable

import pytest

from ci_publish.index.prefetch import BufferedEmitter, PrefetchedIndex, UntilClosed
from ci_publish.model.events import Event, Noted
from ci_publish.model.index import Endpoints, IndexProfile, IndexState, NoSuchProject
from ci_publish.publishing.interruption import Interruption

ENDPOINTS = Endpoints(name="index.example", profile=IndexProfile.GENERIC, upload="https://index.example/")


class Asked:
    """An index that remembers what it was asked, and by whom."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self.endpoints = ENDPOINTS
        self.looks: list[tuple[str, str | None, bool, str]] = []
        self.patience: float | None = None
        self._tell = tell

    def fetch_listing(
        self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
    ) -> IndexState:
        self.patience = patience
        self.looks.append((project, version, fresh, threading.current_thread().name))
        if project == "broken":
            raise RuntimeError(project)
        self._tell(Noted(slug="asked", message=project))
        return NoSuchProject(project)

    def upload(self, *arguments: object) -> object:
        return arguments

    def provenance(self, *arguments: str) -> bytes:
        return "/".join(arguments).encode()


def ahead() -> tuple[PrefetchedIndex, Asked, list[Event]]:
    heard: list[Event] = []
    told = BufferedEmitter(heard.append)
    asked = Asked(told)
    return PrefetchedIndex(asked, told), asked, heard  # type: ignore[arg-type]


def test_a_look_is_made_once_and_in_the_background() -> None:
    index, asked, heard = ahead()
    index.begin([("demo", "1.0"), ("other", "2.0")])
    assert index.fetch_listing("other", "2.0") == NoSuchProject("other")
    assert index.fetch_listing("demo", "1.0") == NoSuchProject("demo")
    assert sorted((project, version, name) for project, version, _, name in asked.looks) == [
        ("demo", "1.0", "ci-publish-prefetch"),
        ("other", "2.0", "ci-publish-prefetch"),
    ]
    assert [event.message for event in heard if isinstance(event, Noted)] == ["other", "demo"]


def test_patience_is_passed_on() -> None:
    index, asked, _ = ahead()
    index.fetch_listing("demo", "1.0", fresh=True, patience=7.5)
    assert asked.patience == 7.5


def test_what_nobody_asks_for_is_never_told() -> None:
    index, asked, heard = ahead()
    index.begin([("demo", "1.0"), ("other", "2.0")])
    index.fetch_listing("other", "2.0")
    assert len(asked.looks) == 2
    assert [event.message for event in heard if isinstance(event, Noted)] == ["other"]


def test_what_happens_after_it_was_asked_for_is_told_at_once() -> None:
    """Who waits for retries wants to see them, in their order."""
    heard: list[Event] = []
    told = BufferedEmitter(heard.append)
    asked_for, heard_first = threading.Event(), threading.Event()

    class Retrying(Asked):
        def fetch_listing(
            self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
        ) -> IndexState:
            self._tell(Noted(slug="retry", message="first"))
            heard_first.set()
            assert asked_for.wait(10)
            self._tell(Noted(slug="retry", message="second"))
            before_the_end.append([event.message for event in heard if isinstance(event, Noted)])
            return super().fetch_listing(project, version, fresh=fresh, patience=patience)

    before_the_end: list[list[str]] = []
    index = PrefetchedIndex(Retrying(told), told)  # type: ignore[arg-type]
    index.begin([("demo", "1.0")])
    assert heard_first.wait(10)
    assert heard == []
    threading.Timer(0.1, asked_for.set).start()
    assert index.fetch_listing("demo", "1.0") == NoSuchProject("demo")
    assert before_the_end == [["first", "second"]]


def test_a_second_look_a_fresh_one_and_another_are_made_when_they_are_asked_for() -> None:
    index, asked, heard = ahead()
    index.begin([("demo", "1.0")])
    index.fetch_listing("demo", "1.0", fresh=True)
    index.fetch_listing("demo", "1.0")
    index.fetch_listing("demo", "1.0")
    index.fetch_listing("demo")
    here = threading.current_thread().name
    assert [(fresh, name == here) for _, _, fresh, name in asked.looks if name == here] == [
        (True, True),
        (False, True),
        (False, True),
    ]
    assert len(asked.looks) == 4
    assert len(heard) == 4


def test_without_a_beginning_it_is_the_index_itself() -> None:
    index, asked, heard = ahead()
    assert index.fetch_listing("demo", "1.0") == NoSuchProject("demo")
    assert len(heard) == len(asked.looks) == 1
    assert index.endpoints is ENDPOINTS
    assert index.upload("a", "b", "c", "d", "e") == tuple("abcde")  # type: ignore[arg-type, comparison-overlap]
    assert index.provenance("demo", "1.0", "file") == b"demo/1.0/file"


def test_a_bug_shows_where_the_look_is_asked_for() -> None:
    index, _, _ = ahead()
    index.begin([("broken", "1.0"), ("demo", "1.0")])
    with pytest.raises(RuntimeError, match="broken"):
        index.fetch_listing("broken", "1.0")
    assert index.fetch_listing("demo", "1.0") == NoSuchProject("demo")


def test_finishing_waits_for_what_was_begun() -> None:
    index, asked, _ = ahead()
    index.finish()
    index.begin([(f"demo{number}", "1.0") for number in range(50)])
    index.finish()
    assert len(asked.looks) == 50


def test_a_wait_ends_when_nobody_waits_any_more() -> None:
    waiting = UntilClosed(Interruption(60.0))
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
    waiting = UntilClosed(run)
    run.request(2)
    run.request(2)
    assert waiting.stopped
    assert waiting.cut
    assert waiting.wait(30.0)
