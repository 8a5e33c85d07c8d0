"""Content negotiation, caching and errors of the index."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.rehearsal.served_index import SIMPLE_JSON, ServedIndex, served_index

SIMPLE = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "text/html; charset=UTF-8"),
        ("*/*", "text/html; charset=UTF-8"),
        ("application/x-nothing", "text/html; charset=UTF-8"),
        (SIMPLE, SIMPLE),
        ("application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+html"),
        (f"{SIMPLE}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01", SIMPLE),
        (f"text/html, {SIMPLE}; q=0.5", "text/html; charset=UTF-8"),
    ],
)
@pytest.mark.parametrize("path", ["/simple/", "/simple/demo/"])
def test_the_content_type_is_negotiated(world: ServedIndex, path: str, accept: str | None, content_type: str) -> None:
    world.upload()

    answer = world.get(path, **({} if accept is None else {"Accept": accept}))

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)


@pytest.mark.parametrize("path", ["/simple/demo/", "/simple/", "/pypi/demo/json"])
def test_what_was_seen_is_not_sent_again(world: ServedIndex, path: str) -> None:
    world.upload()
    first = world.get(path, **SIMPLE_JSON)

    again = world.get(path, **SIMPLE_JSON, **{"If-None-Match": first.headers["ETag"]})
    world.upload(world.sdist())
    changed = world.get(path, **SIMPLE_JSON, **{"If-None-Match": first.headers["ETag"]})

    assert [first.status_code, again.status_code, changed.status_code] == [200, 304, 200]
    assert again.data == b""
    assert int(changed.headers["X-PyPI-Last-Serial"]) > int(first.headers["X-PyPI-Last-Serial"])
    seconds = 900 if path.startswith("/pypi/") else 600
    assert first.headers["Cache-Control"] == f"max-age={seconds}, public"
    assert first.headers["Vary"] == "Accept, Accept-Encoding"
    # PyPI allows every origin; here, pages of other origins must not read what lies on this machine.
    assert "Access-Control-Allow-Origin" not in first.headers


def test_pages_are_not_sent_again_as_html_either(world: ServedIndex) -> None:
    world.upload()
    first = world.get("/simple/demo/")

    assert world.get("/simple/demo/", **{"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_a_project_that_the_simple_api_does_not_have(world: ServedIndex) -> None:
    answer = world.get("/simple/other/", **SIMPLE_JSON)

    assert (answer.status_code, answer.mimetype, answer.text) == (404, "text/plain", "404 Not Found")
