"""The Simple API and the JSON API, page by page."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.rehearsal.served_index import SIMPLE_JSON, ServedIndex, served_index


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


class TestSimpleDetail:
    def test_all_fields_are_there(self, world: ServedIndex) -> None:
        wheel, sdist = world.wheel(), world.sdist()
        for path in (wheel, sdist):
            world.upload(path)

        detail = world.detail()

        stored = world.index.files[wheel.name]
        metadata = world.client.get(f"/packages/{stored.path}.metadata", buffered=True).data
        assert b"Name: demo" in metadata
        digest = {"sha256": hashlib.sha256(metadata).hexdigest()}
        assert detail == {
            "meta": {"api-version": "1.4", "_last-serial": 4},
            "name": "demo",
            "project-status": {"status": "active"},
            "versions": ["1.0"],
            "files": [
                {
                    "filename": wheel.name,
                    "url": f"http://localhost/packages/{stored.path}",
                    "hashes": {"sha256": stored.sha256},
                    "requires-python": ">=3.9",
                    "size": wheel.stat().st_size,
                    "upload-time": "2026-11-18T11:06:40.000000Z",
                    "yanked": False,
                    "data-dist-info-metadata": digest,
                    "core-metadata": digest,
                    "provenance": None,
                },
                {
                    "filename": sdist.name,
                    "url": f"http://localhost/packages/{world.index.files[sdist.name].path}",
                    "hashes": {"sha256": world.index.files[sdist.name].sha256},
                    "requires-python": ">=3.9",
                    "size": sdist.stat().st_size,
                    "upload-time": "2026-11-18T11:06:40.000000Z",
                    "yanked": False,
                    "data-dist-info-metadata": False,
                    "core-metadata": False,
                    "provenance": None,
                },
            ],
        }

    def test_html_says_the_same(self, world: ServedIndex) -> None:
        world.upload(requires_python='<3.13,>="3.9"'.replace('"', ""))
        world.index.yank("demo", "1.0", 'broken "badly"')

        answer = world.get("/simple/demo/")

        assert answer.content_type == "text/html; charset=UTF-8"
        file = world.detail()["files"][0]
        assert f'<a href="{file["url"]}#sha256={file["hashes"]["sha256"]}"' in answer.text
        assert 'data-requires-python="&lt;3.13,&gt;=3.9"' in answer.text
        assert 'data-yanked="broken &quot;badly&quot;"' in answer.text
        assert f'data-core-metadata="sha256={file["core-metadata"]["sha256"]}"' in answer.text
        assert '<meta name="pypi:repository-version" content="1.4">' in answer.text
        assert '<meta name="pypi:project-status" content="active">' in answer.text
        assert answer.text.endswith("<!--SERIAL 4-->\n")

    def test_html_says_nothing_of_what_is_not_there(self, world: ServedIndex) -> None:
        world.upload(world.sdist(), requires_python=None)

        page = world.get("/simple/demo/").text

        assert "demo-1.0.tar.gz#sha256=" in page
        assert "data-" not in page

    @pytest.mark.parametrize(("reason", "json_value", "html_value"), [("", True, ""), ("why", "why", "why")])
    def test_a_yanked_release_says_why(
        self, world: ServedIndex, reason: str, json_value: str | bool, html_value: str
    ) -> None:
        world.upload()
        world.index.yank("demo", "1.0", reason)

        assert world.detail()["files"][0]["yanked"] == json_value
        assert f'data-yanked="{html_value}"' in world.get("/simple/demo/").text
        world.index.yank("demo", "1.0", yanked=False)
        assert world.detail()["files"][0]["yanked"] is False

    @pytest.mark.parametrize("status", ["archived", "deprecated", "quarantined"])
    def test_the_status_is_shown_and_quarantine_hides_the_files(self, world: ServedIndex, status: str) -> None:
        world.upload()
        world.index.set_status("Demo", status)

        detail = world.detail()

        assert detail["project-status"] == {"status": status}
        assert len(detail["files"]) == (0 if status == "quarantined" else 1)

    def test_files_and_versions_come_in_order(self, world: ServedIndex) -> None:
        for version in ("1.10", "1.9", "1.9rc1"):
            world.upload(world.wheel(version=version))
            world.clock.now += 1

        detail = world.detail()

        assert detail["versions"] == ["1.9rc1", "1.9", "1.10"]
        assert [file["filename"].split("-")[1] for file in detail["files"]] == ["1.9rc1", "1.9", "1.10"]

    @pytest.mark.parametrize("name", ["Demo_Project", "demo.project", "demo-project/.."])
    def test_other_spellings_are_redirected(self, world: ServedIndex, name: str) -> None:
        world.index.create_project("Demo.Project")

        answer = world.get(f"/simple/{name}/")

        if name.endswith(".."):
            assert answer.status_code == 404
        else:
            assert (answer.status_code, answer.headers["Location"]) == (301, "http://localhost/simple/demo-project/")

    def test_a_missing_slash_is_added(self, world: ServedIndex) -> None:
        world.index.create_project("demo")

        answer = world.get("/simple/demo")

        assert (answer.status_code, answer.headers["Location"]) == (301, "http://localhost/simple/demo/")

    def test_an_unknown_project_is_not_found(self, world: ServedIndex) -> None:
        assert world.get("/simple/demo/").status_code == 404


def test_the_list_of_projects(world: ServedIndex) -> None:
    for name in ("Zebra", "an.ant", "hidden"):
        world.index.create_project(name)
    world.index.set_status("hidden", "quarantined")

    content = world.get("/simple/", **SIMPLE_JSON).json
    page = world.get("/simple/").text

    assert content == {
        "meta": {"api-version": "1.4", "_last-serial": 4},
        "projects": [{"name": "an.ant", "_last-serial": 2}, {"name": "Zebra", "_last-serial": 1}],
    }
    assert '<a href="/simple/an-ant/">an.ant</a>' in page
    assert "hidden" not in page


class TestJsonApi:
    def get(self, world: ServedIndex, path: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(world.get(path).data)
        return content

    def test_the_project_and_its_release(self, world: ServedIndex) -> None:
        wheel = world.wheel()
        world.upload(
            wheel,
            classifiers=["Typing :: Typed", "Environment :: Console"],
            project_urls=["Home, https://example.org/", "Docs, https://example.org/docs,x"],
            requires_dist="packaging>=24",
            license_file="LICENSE",
            keywords="a,b",
        )

        project, release = self.get(world, "/pypi/demo/json"), self.get(world, "/pypi/demo/1.0/json")

        assert release == {key: value for key, value in project.items() if key != "releases"}
        assert project["releases"] == {"1.0": project["urls"]}
        (file,) = project["urls"]
        stored = world.index.files[wheel.name]
        assert file["digests"] == {"md5": stored.md5, "sha256": stored.sha256, "blake2b_256": stored.blake2_256}
        assert (file["packagetype"], file["python_version"]) == ("bdist_wheel", "py3")
        assert (file["upload_time"], file["upload_time_iso_8601"]) == (
            "2026-11-18T11:06:40",
            "2026-11-18T11:06:40.000000Z",
        )
        info = project["info"]
        assert info["classifiers"] == ["Environment :: Console", "Typing :: Typed"]
        assert info["project_urls"] == {"Home": "https://example.org/", "Docs": "https://example.org/docs,x"}
        assert (info["requires_dist"], info["license_files"]) == (["packaging>=24"], ["LICENSE"])
        assert (info["keywords"], info["requires_python"], info["author"]) == ("a,b", ">=3.9", None)
        assert info["release_url"] == "http://localhost/project/demo/1.0/"

    def test_the_latest_release_is_final_and_not_yanked(self, world: ServedIndex) -> None:
        for version in ("1.0", "2.0", "3.0rc1"):
            world.upload(world.wheel(version=version))
        before = self.get(world, "/pypi/demo/json")["info"]["version"]
        world.index.yank("demo", "2.0")
        after = self.get(world, "/pypi/demo/json")["info"]["version"]

        assert (before, after) == ("2.0", "1.0")

    @pytest.mark.parametrize("version", ["1", "1.0", "v1.0.0"])
    def test_a_version_may_be_spelled_otherwise(self, world: ServedIndex, version: str) -> None:
        world.upload()

        assert self.get(world, f"/pypi/demo/{version}/json")["info"]["version"] == "1.0"

    @pytest.mark.parametrize(
        "path", ["/pypi/other/json", "/pypi/demo/2.0/json", "/pypi/empty/json", "/pypi/demo/x/json"]
    )
    def test_what_is_not_there(self, world: ServedIndex, path: str) -> None:
        world.upload()
        world.index.create_project("empty")

        answer = world.get(path)

        assert (answer.status_code, answer.mimetype, answer.json) == (
            404,
            "application/json",
            {"message": "Not Found"},
        )

    def test_quarantine_hides_everything(self, world: ServedIndex) -> None:
        world.upload()
        world.index.set_status("demo", "quarantined")

        assert [world.get(path).status_code for path in ("/pypi/demo/json", "/project/demo/")] == [404, 404]

    @pytest.mark.parametrize(
        ("path", "location"),
        [("/pypi/Demo/json", "/pypi/demo/json"), ("/pypi/Demo/1.0/json", "/pypi/demo/1.0/json")],
    )
    def test_other_spellings_are_redirected(self, world: ServedIndex, path: str, location: str) -> None:
        world.upload()

        answer = world.get(path)

        assert (answer.status_code, answer.headers["Location"]) == (301, f"http://localhost{location}")
