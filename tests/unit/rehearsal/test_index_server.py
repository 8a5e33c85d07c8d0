"""What the rehearsal's index shows: Simple API, JSON API, Integrity API, files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.rehearsal.served_index import ServedIndex, served_index


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


class TestIntegrityApi:
    URL = "/integrity/demo/1.0/demo-1.0-py3-none-any.whl/provenance"

    def test_a_file_without_provenance(self, world: ServedIndex) -> None:
        world.upload()

        answer = world.get(self.URL)

        assert (answer.status_code, answer.mimetype) == (404, "application/json")
        assert answer.json == {"message": "No provenance available for demo-1.0-py3-none-any.whl"}

    def test_another_accept_is_not_acceptable(self, world: ServedIndex) -> None:
        world.upload()

        answer = world.get(self.URL, Accept="text/html")

        assert (answer.status_code, answer.json) == (406, {"message": "Request not acceptable"})

    def test_it_can_be_switched_off(self, world: ServedIndex) -> None:
        world.upload()
        world.index.rules.flags.add("disable-pep740")

        answer = world.get(self.URL)

        assert (answer.status_code, answer.json) == (403, {"message": "Attestations temporarily disabled"})

    @pytest.mark.parametrize("url", [URL.replace("1.0/", "2.0/"), URL.replace("py3", "py2"), URL.replace("o/1", "x/1")])
    def test_an_unknown_file(self, world: ServedIndex, url: str) -> None:
        world.upload()

        answer = world.get(url, Accept="*/*")

        assert (answer.status_code, answer.mimetype) == (404, "text/html")


class TestDownload:
    def test_a_file_comes_whole_or_in_parts(self, world: ServedIndex) -> None:
        wheel = world.wheel()
        world.upload(wheel)
        path = f"/packages/{world.index.files[wheel.name].path}"

        whole = world.client.get(path, buffered=True)
        part = world.client.get(path, headers={"Range": "bytes=2-5"}, buffered=True)
        end = world.client.get(path, headers={"Range": "bytes=-4"}, buffered=True)
        beyond = world.client.get(path, headers={"Range": "bytes=99999999-"}, buffered=True)

        content = wheel.read_bytes()
        assert (whole.status_code, whole.data) == (200, content)
        assert (part.status_code, part.data, part.headers["Content-Range"]) == (
            206,
            content[2:6],
            f"bytes 2-5/{len(content)}",
        )
        assert end.data == content[-4:]
        assert beyond.status_code == 416

    @pytest.mark.parametrize("path", ["/packages/x", "/packages/../journal.jsonl", "/packages/%2e%2e/journal.jsonl"])
    def test_nothing_else_can_be_had(self, world: ServedIndex, path: str) -> None:
        world.upload()

        assert world.get(path).status_code == 404


@pytest.mark.parametrize(("method", "path"), [("GET", "/_/oidc/mint-token"), ("POST", "/simple/")])
def test_other_methods_are_not_allowed(world: ServedIndex, method: str, path: str) -> None:
    assert world.client.open(path, method=method).status_code == 405


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_nothing_but_an_upload_is_found_at_the_upload_url(world: ServedIndex, method: str) -> None:
    assert world.client.open("/legacy/", method=method).status_code == 404


def test_other_paths_are_not_found(world: ServedIndex) -> None:
    assert world.get("/nothing/here").status_code == 404


def test_a_hook_can_step_in_and_lose_an_answer(world: ServedIndex) -> None:
    from werkzeug.wrappers import Response  # noqa: PLC0415 - only here

    world.index.hooks.interpose = lambda environ: Response(status=503) if environ["PATH_INFO"] == "/legacy/" else None
    refused = world.upload().status_code
    world.index.hooks.interpose = None
    world.index.hooks.after = lambda _environ, _response: Response(status=502)
    lost = world.upload().status_code

    assert (refused, lost, len(world.index.files)) == (503, 502, 1)
