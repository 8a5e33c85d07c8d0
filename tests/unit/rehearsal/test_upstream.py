"""Other people's projects: from a folder, or passed on from an index whose credential stays here."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Request, Response

from ci_publish.http.messages import BasicAuthorization
from ci_publish.http.transport import HttpTransport
from ci_publish.model.events import Event
from ci_publish.model.identity import Secret
from ci_publish.rehearsal.loopback_server import RehearsalServer
from ci_publish.rehearsal.message_responses import RefusedError
from ci_publish.rehearsal.upstream import DistributionFolder, ForwardedIndex, RedirectedIndex, url_holds_no_credential
from tests.distributions import make_wheel
from tests.unit.index.scripted_index import Waits

PASSWORD = "canary-of-the-upstream"
JSON = "application/vnd.pypi.simple.v1+json"
BASE = "http://127.0.0.1:1"
CONTENT = b"wheel" * 50_000


@pytest.mark.parametrize(
    ("url", "open_to_all"),
    [
        ("https://pypi.org/simple/", True),
        ("https://mirror.example/pypi/web/simple", True),
        ("http://127.0.0.1:3141/root/pypi/+simple/", True),
        ("https://user:secret@index.example/simple/", False),
        ("https://token@index.example/simple/", False),
        ("https://index.example/simple/?key=abc", False),
        ("https://dl.example/aB3dE5fG7hJ9kL1mN3pQ/org/python/simple/", False),
    ],
)
def test_an_address_that_may_hold_a_credential_is_known(url: str, *, open_to_all: bool) -> None:
    assert url_holds_no_credential(url) is open_to_all


def test_a_redirected_index_needs_no_slash() -> None:
    assert RedirectedIndex("https://a.example/simple").project_page_location("dep") == "https://a.example/simple/dep/"


class TestFolder:
    def test_a_changed_file_has_its_new_digest(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "dep")
        folder = DistributionFolder(tmp_path)
        before = folder.listing_entries("dep", BASE)[0]
        make_wheel(tmp_path, "dep", payload=b"y = 2\n" * 10)
        after = folder.listing_entries("dep", BASE)[0]

        assert before["url"] == after["url"] == f"{BASE}/upstream/dep/{path.name}"
        assert after["hashes"] == {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()} != before["hashes"]

    def test_only_distributions_of_the_project_are_listed(self, tmp_path: Path) -> None:
        make_wheel(tmp_path, "dep-two")
        (tmp_path / "dep.txt").write_text("")
        (tmp_path / "dep-1.0.tar.gz").mkdir()

        with pytest.raises(NotFound):
            DistributionFolder(tmp_path).listing_entries("dep", BASE)
        with pytest.raises(NotFound):
            DistributionFolder(tmp_path / "absent").listing_entries("dep", BASE)


@dataclass
class PrivateIndex:
    """An index that wants a password for its pages and files, and says on which requests it got one."""

    pages: dict[str, Response | str] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def app(self, environ: Any, start_response: Any) -> Any:  # noqa: ANN401  (WSGI)
        request = Request(environ)
        password = request.authorization.password if request.authorization else None
        self.asked.append((request.path, password))
        found = self.pages.get(request.path)
        if found is None:
            response = Response("", 404)
        elif isinstance(found, Response):
            response = found
        elif request.path.startswith("/files/"):
            response = Response(CONTENT, content_type="application/octet-stream", headers={"ETag": '"1"'})
            response.make_conditional(request, accept_ranges=True, complete_length=len(CONTENT))
        else:
            response = Response(found, content_type=JSON if found.startswith("{") else "text/html")
        return response(environ, start_response)


@contextmanager
def private_index(
    events: list[Event] | None = None, *, everything: bool = False
) -> Iterator[tuple[PrivateIndex, ForwardedIndex]]:
    index = PrivateIndex()
    transport = HttpTransport(waiting=Waits(), emit=([] if events is None else events).append, environ={})
    with RehearsalServer(app=index.app) as server:
        index.url = server.base_url
        authorization = BasicAuthorization("user", Secret(PASSWORD))
        root = f"{server.base_url}/simple"
        yield (
            index,
            ForwardedIndex(url=root, authorization=authorization, transport=transport, everything=everything),
        )
        transport.close()
    assert server.failures == ()


def page(*files: Mapping[str, object]) -> str:
    return json.dumps({"meta": {"api-version": "1.0"}, "name": "dep", "files": files})


def served(upstream: ForwardedIndex, filename: str, **headers: str) -> Response:
    request = Request(EnvironBuilder(path="/", headers=list(headers.items())).get_environ())
    return upstream.serve_file(request, "dep", filename)


WHEEL = "dep-1.0-py3-none-any.whl"


class TestForwarded:
    def test_a_page_keeps_what_installers_need_and_loses_what_they_must_not_have(self) -> None:
        entry = {
            "filename": WHEEL,
            "url": f"../../files/{WHEEL}",
            "hashes": {"sha256": "0" * 64},
            "requires-python": ">=3.9",
            "yanked": "broken",
            "core-metadata": {"sha256": "1" * 64},
            "provenance": "https://private.example/p",
        }
        events: list[Event] = []
        with private_index(events) as (index, upstream):
            index.pages["/simple/dep/"] = page(entry, {"filename": "demo-9.0.tar.gz", "url": "x"}, {"url": "y"})
            entries = upstream.listing_entries("dep", BASE)

        kept = {name: entry[name] for name in ("filename", "hashes", "requires-python", "yanked", "core-metadata")}
        assert entries == [{**kept, "url": f"{BASE}/upstream/dep/{WHEEL}"}]
        assert index.asked == [("/simple/dep/", PASSWORD)]
        assert PASSWORD not in repr(events) + repr(entries)

    def test_a_page_of_html_says_the_same(self) -> None:
        with private_index() as (index, upstream):
            index.pages["/simple/dep/"] = (
                f'<!DOCTYPE html><html><body><a href="/files/{WHEEL}#sha256={"0" * 64}" data-requires-python="&gt;=3.9"'
                f' data-yanked="" data-dist-info-metadata="sha256={"1" * 64}">x</a>'
                f'<a href="https://cdn.example/dep-2.0.tar.gz" data-core-metadata="true">x</a></body></html>'
            )
            entries = upstream.listing_entries("dep", BASE)

        assert entries == [
            {
                "filename": WHEEL,
                "hashes": {"sha256": "0" * 64},
                "requires-python": ">=3.9",
                "yanked": True,
                "core-metadata": {"sha256": "1" * 64},
                "url": f"{BASE}/upstream/dep/{WHEEL}",
            },
            {
                "filename": "dep-2.0.tar.gz",
                "hashes": {},
                "yanked": False,
                "core-metadata": True,
                "url": "https://cdn.example/dep-2.0.tar.gz",
            },
        ]

    def test_all_files_can_be_made_to_come_from_here(self) -> None:
        with private_index(everything=True) as (index, upstream):
            index.pages["/simple/dep/"] = page({"filename": WHEEL, "url": "https://cdn.example/x"})
            assert upstream.listing_entries("dep", BASE)[0]["url"] == f"{BASE}/upstream/dep/{WHEEL}"

    def test_a_file_is_passed_on_with_its_metadata_and_in_parts(self) -> None:
        with private_index() as (index, upstream):
            index.pages["/simple/dep/"] = page({"filename": WHEEL, "url": f"{index.url}/files/{WHEEL}"})
            index.pages[f"/files/{WHEEL}"] = index.pages[f"/files/{WHEEL}.metadata"] = "here"
            whole, metadata = served(upstream, WHEEL), served(upstream, f"{WHEEL}.metadata")
            part = served(upstream, WHEEL, Range="bytes=5-9")
            bodies = [response.get_data() for response in (whole, metadata, part)]
            for response in (whole, metadata, part):
                response.close()

        assert bodies == [CONTENT, CONTENT, CONTENT[5:10]]
        assert (whole.status_code, whole.headers["Content-Length"]) == (200, str(len(CONTENT)))
        assert (part.status_code, part.headers["Content-Range"]) == (206, f"bytes 5-9/{len(CONTENT)}")
        assert {password for _, password in index.asked} == {PASSWORD}

    def test_a_redirect_to_another_host_gets_no_credential(self) -> None:
        with private_index() as (index, upstream), private_index() as (storage, _):
            target = f"{storage.url}/files/{WHEEL}?signature=x"
            index.pages["/simple/dep/"] = page({"filename": WHEEL, "url": f"{index.url}/files/{WHEEL}"})
            index.pages[f"/files/{WHEEL}"] = Response("", 302, headers={"Location": target})
            storage.pages[f"/files/{WHEEL}"] = "here"
            response = served(upstream, WHEEL)
            content = response.get_data()
            response.close()

        assert content == CONTENT
        assert storage.asked == [(f"/files/{WHEEL}", None)]

    def test_a_page_may_have_moved(self) -> None:
        with private_index() as (index, upstream):
            index.pages["/simple/dep/"] = Response("", 301, headers={"Location": "/new/dep/"})
            index.pages["/new/dep/"] = page({"filename": WHEEL, "url": f"../../files/{WHEEL}"})
            index.pages[f"/files/{WHEEL}"] = "here"
            assert [entry["filename"] for entry in upstream.listing_entries("dep", BASE)] == [WHEEL]
            index.pages["/new/dep/"] = page({"filename": WHEEL, "url": f"x/{WHEEL}"})
            index.pages[f"/new/dep/x/{WHEEL}"] = Response(CONTENT)
            upstream.listing_entries("dep", BASE)
            response = served(upstream, WHEEL)
            assert response.get_data() == CONTENT
            response.close()

    @pytest.mark.parametrize("answer", [Response("", 404), Response("", 410)])
    def test_what_is_not_there_is_not_found(self, answer: Response) -> None:
        with private_index() as (index, upstream):
            index.pages["/simple/dep/"] = answer
            with pytest.raises(NotFound):
                upstream.listing_entries("dep", BASE)

    @pytest.mark.parametrize(
        "answer",
        [
            Response("", 403),
            Response("", 500),
            Response("", 302, headers={"Location": "/simple/dep/"}),
            "{}",
            '{"files": 3}',
            "{" * 2_000_000,
        ],
    )
    def test_what_cannot_be_read_is_an_error_of_the_upstream(self, answer: Response | str) -> None:
        with private_index() as (index, upstream):
            index.pages["/simple/dep/"] = answer
            with pytest.raises(RefusedError) as refused:
                upstream.listing_entries("dep", BASE)

        assert refused.value.status == 502
        assert PASSWORD not in refused.value.message

    def test_a_file_that_is_not_listed_or_not_there_is_not_found(self) -> None:
        with private_index() as (index, upstream):
            index.pages["/simple/dep/"] = page({"filename": WHEEL, "url": f"{index.url}/files/{WHEEL}"})
            with pytest.raises(NotFound):
                served(upstream, "dep-3.0.tar.gz")
            with pytest.raises(NotFound):
                served(upstream, WHEEL)

    def test_a_file_that_redirects_for_ever_is_refused(self) -> None:
        with private_index() as (index, upstream):
            index.pages["/simple/dep/"] = page({"filename": WHEEL, "url": f"{index.url}/files/{WHEEL}"})
            index.pages[f"/files/{WHEEL}"] = Response("", 302, headers={"Location": "?again"})
            with pytest.raises(RefusedError, match="too often"):
                served(upstream, WHEEL)

    def test_an_upstream_that_is_gone_is_named(self) -> None:
        with private_index() as (index, upstream):
            index.pages["/simple/dep/"] = page({"filename": WHEEL, "url": f"{index.url}/files/{WHEEL}"})
            upstream.listing_entries("dep", BASE)
        with pytest.raises(RefusedError, match="cannot be reached"):
            upstream.listing_entries("dep", BASE)
        with pytest.raises(RefusedError, match="cannot be reached"):
            served(upstream, WHEEL)


def test_memory_does_not_grow_with_a_file_that_is_passed_on() -> None:
    """The first block arrives while the upstream still holds back the rest."""
    release = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield CONTENT
        release.wait(20)
        yield b"last"

    with private_index() as (index, upstream):
        index.pages["/simple/dep/"] = page({"filename": WHEEL, "url": f"{index.url}/files/{WHEEL}"})
        index.pages[f"/files/{WHEEL}"] = Response(slowly(), headers={"Content-Length": str(len(CONTENT) + 4)})
        response = served(upstream, WHEEL)
        blocks = iter(response.iter_encoded())
        first = next(blocks)
        release.set()
        rest = b"".join(blocks)
        response.close()

    assert first
    assert first + rest == CONTENT + b"last"


def test_a_broken_file_cuts_the_connection() -> None:
    def broken() -> Iterator[bytes]:
        yield b"first"
        raise ConnectionResetError

    with private_index() as (index, upstream):
        index.pages["/simple/dep/"] = page({"filename": WHEEL, "url": f"{index.url}/files/{WHEEL}"})
        index.pages[f"/files/{WHEEL}"] = Response(broken(), headers={"Content-Length": "9"})
        answer = Client(served(upstream, WHEEL)).get("/")
        with pytest.raises(OSError, match="broke off"):
            answer.get_data()
        answer.close()
