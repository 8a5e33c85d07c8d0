"""The pages for people: everything is shown, nothing is executed, nothing comes from elsewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ci_publish.model.byte_counts import format_size
from tests.unit.rehearsal.served_index import ServedIndex, served_index

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


class Page(HTMLParser):
    """Reads a page: its tags, its links, its text. Fails on tags that are not closed in order."""

    VOID = frozenset({"meta", "link", "br", "img", "hr", "input"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def links(self) -> list[str | None]:
        return [attributes.get("href") for tag, attributes in self.tags if tag == "a"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


def page(world: ServedIndex, path: str = "/project/demo/") -> Page:
    answer = world.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    return Page(answer.text)


def test_a_project_shows_what_pypi_would(world: ServedIndex) -> None:
    wheel, sdist = world.wheel(), world.sdist()
    fields: dict[str, Any] = {
        "description": "# Words\n\n| a |\n|---|\n| 1 |\n",
        "description_content_type": "text/markdown",
        "project_urls": ["Docs, https://example.org/docs"],
        "author_email": "Ann <ann@example.org>",
        "license_expression": "Apache-2.0",
        "classifiers": ["Typing :: Typed"],
        "requires_dist": ["packaging>=24"],
    }
    for path in (wheel, sdist):
        world.upload(path, headers={"User-Agent": "tests/1.0"}, **fields)

    shown = page(world)

    for text in (
        "demo 1.0",
        "Made by a test",
        "Words",
        "Ann <ann@example.org>",
        "Apache-2.0",
        "Typed",
        "packaging>=24",
        ">=3.9",
        "No attestations.",
        "Wheel for py3",
        *(f"· {format_size(world.index.files[path.name].size)} ·" for path in (wheel, sdist)),
        "Source distribution",
        "uploaded 2026-11-18 11:06:40 UTC by tests/1.0",
        "pip install --no-deps --index-url http://localhost/simple/ demo==1.0",
        *(getattr(world.index.files[path.name], name) for path in (wheel, sdist) for name in ("sha256", "md5")),
    ):
        assert text in shown.text
    assert "https://example.org/docs" in shown.links()
    assert ("table", {}) in shown.tags


@pytest.mark.parametrize("path", ["/project/demo/", "/project/demo/1.0/", "/", "/project/empty/"])
def test_nothing_but_the_own_stylesheet_may_be_loaded(world: ServedIndex, path: str) -> None:
    world.upload()
    world.index.create_project("empty")

    answer = world.get(path)

    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; ")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    tags = Page(answer.text).tags
    assert [attributes["href"] for tag, attributes in tags if tag == "link"] == ["/style.css"]
    assert not [tag for tag, _ in tags if tag in {"script", "style", "iframe", "form"}]
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in tags


def test_the_stylesheet_is_ours_alone_and_knows_the_dark(world: ServedIndex) -> None:
    answer = world.get("/style.css")

    assert answer.mimetype == "text/css"
    assert "prefers-color-scheme: dark" in answer.text
    assert not re.search(r"url\(|@import|https?:", answer.text)


@pytest.mark.parametrize("kind", ["text/markdown", "text/plain", "text/x-rst"])
def test_hostile_text_is_only_text(world: ServedIndex, kind: str) -> None:
    fields: dict[str, Any] = dict.fromkeys(("summary", "author", "license", "keywords", "description"), HOSTILE)
    answer = world.upload(headers={"User-Agent": HOSTILE}, description_content_type=kind, **fields)
    assert answer.status_code == 200

    for path in ("/", "/project/demo/"):
        tags = page(world, path).tags
        assert not [tag for tag, _ in tags if tag == "script"]
        assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//example.org", "https://[x"])
def test_only_web_addresses_become_links(tmp_path: Path, url: str) -> None:
    from ci_publish.rehearsal import project_page  # noqa: PLC0415 - only here
    from ci_publish.rehearsal.index_records import StoredProject, StoredRelease  # noqa: PLC0415

    release = StoredRelease(version="1.0", created=0.0, fields=(("project_urls", f"Evil, {url}"),))
    shown = Page(
        str(
            project_page.project_html_page(
                StoredProject(name="demo", created=0.0, serial=1, releases={"1": release}), release, "http://x"
            )
        )
    )

    assert url not in shown.links()
    assert f"Evil: {url}" in shown.text


def test_a_description_that_does_not_render_is_shown_as_text(world: ServedIndex) -> None:
    world.upload(description="x" * 10, description_content_type="text/plain")

    assert "x" * 10 in page(world).text
    assert ("pre", {}) in page(world).tags


def test_a_release_without_description(world: ServedIndex) -> None:
    world.upload(summary=None)

    assert "This release has no description." in page(world).text
    assert "No summary." in page(world).text


@pytest.mark.parametrize(
    ("status", "words"), [("archived", "This project is archived"), ("deprecated", "This project is deprecated")]
)
def test_a_status_is_said_aloud(world: ServedIndex, status: str, words: str) -> None:
    world.upload()
    world.index.set_status("demo", status)
    world.index.yank("demo", "1.0", "It was broken.")

    assert words in page(world).text
    assert "This release has been yanked. It was broken." in page(world).text


def test_every_release_has_its_page(world: ServedIndex) -> None:
    for version in ("1.0", "2.0"):
        world.upload(world.wheel(version=version))
    world.index.yank("demo", "1.0")

    assert "demo 2.0" in page(world).text
    assert "demo 1.0" in page(world, "/project/demo/1.0/").text
    assert {"/project/demo/1.0/", "/project/demo/2.0/"} <= set(page(world).links())
    assert "1.0 (yanked)" in page(world).text
    assert world.get("/project/demo/3.0/").status_code == 404
    assert world.get("/project/demo/x/").status_code == 404


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/project/Demo/", "/project/demo/"),
        ("/project/demo", "/project/demo/"),
        ("/project/Demo/1.0/", "/project/demo/1.0/"),
    ],
)
def test_other_spellings_are_redirected(world: ServedIndex, path: str, location: str) -> None:
    world.upload()

    answer = world.get(path)

    assert (answer.status_code, answer.headers["Location"]) == (301, f"http://localhost{location}")


def test_the_list_of_projects(world: ServedIndex) -> None:
    assert "Nothing has been published here yet." in page(world, "/").text
    world.upload()
    world.index.create_project("empty")

    shown = page(world, "/")

    assert shown.links() == ["/", "/project/demo/", "/project/empty/"]
    assert "Made by a test" in shown.text


def test_what_is_dead_on_pypi_is_listed_with_its_line(world: ServedIndex) -> None:
    fields: dict[str, Any] = {
        "description": "# Words\n\n![a](docs/a.png)\n",
        "description_content_type": "text/markdown",
    }
    world.upload(world.wheel(), **fields)
    assert "Write these in full: line 3: image docs/a.png" in page(world).text


def test_an_address_without_a_page_leads_back(world: ServedIndex) -> None:
    answer = world.get("/project/nothing/", Accept="text/html")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "/" in Page(answer.text).links()
