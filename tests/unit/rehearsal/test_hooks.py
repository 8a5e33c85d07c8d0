from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client, create_environ
from werkzeug.wrappers import Request, Response

from ci_publish.rehearsal import hooks

if TYPE_CHECKING:
    from collections.abc import Callable


def hello(_request: Request) -> Response:
    return Response("hello")


def test_without_knobs_a_request_is_just_handled() -> None:
    waits: list[float] = []
    answer = Client(hooks.wsgi_app_with_hooks(hello, hooks.Hooks(sleep=waits.append))).get("/")
    assert (answer.status_code, answer.text, waits) == (200, "hello", [])


def test_knobs_may_be_turned_while_it_serves() -> None:
    knobs = hooks.Hooks()
    client = Client(hooks.wsgi_app_with_hooks(hello, knobs))
    assert client.get("/").status_code == 200
    content_type = "text/html; charset=utf-8"
    knobs.interpose = hooks.answer(503, "<h1>down</h1>", content_type=content_type, retry_after="7")
    answer = client.get("/")
    assert (answer.status_code, answer.text, answer.content_type) == (503, "<h1>down</h1>", content_type)
    assert answer.headers["Retry-After"] == "7"
    knobs.interpose = None
    assert client.get("/").status_code == 200


def test_after_sees_the_answer_and_may_let_it_through() -> None:
    seen: list[int] = []
    knobs = hooks.Hooks(after=lambda _environ, response: seen.append(response.status_code))
    assert Client(hooks.wsgi_app_with_hooks(hello, knobs)).get("/").text == "hello"
    assert seen == [200]


def test_late_holds_the_answer_only() -> None:
    release = threading.Event()
    release.set()
    assert Client(hooks.wsgi_app_with_hooks(hello, hooks.Hooks(after=hooks.late(release)))).get("/").text == "hello"


@pytest.mark.parametrize(
    "knobs", [hooks.Hooks(interpose=hooks.drop), hooks.Hooks(after=hooks.lose_answer)], ids=["drop", "lose_answer"]
)
def test_a_cut_without_a_socket_is_still_no_answer(knobs: hooks.Hooks) -> None:
    with pytest.raises(ConnectionResetError):
        Client(hooks.wsgi_app_with_hooks(hello, knobs)).get("/")


@pytest.mark.parametrize(
    ("path", "method", "hit"),
    [
        ("/a", "GET", False),
        ("/b/c", "POST", True),
        ("/b/c", "GET", False),
    ],
)
def test_only_where_it_is_meant(path: str, method: str, *, hit: bool) -> None:
    fault = hooks.only("/b", hooks.answer(500), method="POST")
    assert (fault(create_environ(path, method=method)) is not None) == hit
    everywhere = hooks.only("/", hooks.answer(500))
    assert everywhere(create_environ(path, method=method)) is not None


@pytest.mark.parametrize(("after", "expected"), [(0, [1, 1, 0, 0]), (1, [0, 1, 1, 0])])
def test_times(after: int, expected: list[int]) -> None:
    fault = hooks.times(2, hooks.answer(500), after=after)
    assert [int(fault(create_environ()) is not None) for _ in range(4)] == expected


@pytest.mark.parametrize("wait", [lambda event: hooks.hang(event, at_most=0.01)])
def test_a_hang_ends(wait: Callable[[threading.Event], hooks.Interpose]) -> None:
    assert wait(threading.Event())(create_environ()) is None
