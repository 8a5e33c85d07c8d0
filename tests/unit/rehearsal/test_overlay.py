"""The rehearsed projects over an upstream: no name that is rehearsed is ever answered by the upstream."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from ci_publish.rehearsal.overlay import UpstreamOverlay
from ci_publish.rehearsal.upstream import DistributionFolder, RedirectedIndex
from tests.distributions import make_sdist, make_wheel
from tests.unit.rehearsal.served_index import SIMPLE_JSON, ServedIndex, served_index

PYPI = RedirectedIndex("https://index.example/simple")
SPELLINGS = ("my-demo", "My-Demo", "my_demo", "MY.DEMO", "my--demo", "my%2Ddemo", "%6Dy-demo", "my._-demo")


@contextmanager
def over(folder: Path, upstream: Any, rehearsed: tuple[str, ...] = ()) -> Iterator[ServedIndex]:  # noqa: ANN401
    with served_index(folder, overlay=UpstreamOverlay(upstream, rehearsed)) as index:
        yield index


class TestNamesThatAreRehearsed:
    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_none_reaches_the_upstream_before_it_is_published(self, tmp_path: Path, spelling: str) -> None:
        with over(tmp_path, PYPI, ("My.Demo",)) as index:
            answer = index.get(f"/simple/{spelling}/")

        assert (answer.status_code, answer.headers.get("Location")) == (404, None)

    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_none_reaches_the_upstream_once_it_is_published(self, tmp_path: Path, spelling: str) -> None:
        with over(tmp_path, PYPI) as index:
            index.upload(index.wheel("my-demo"))
            answer = index.get(f"/simple/{spelling}/")
            if answer.status_code == 301:
                answer = index.get(answer.headers["Location"].removeprefix("http://localhost"))
            files = index.detail("my-demo")["files"]

        assert answer.status_code == 200
        assert [file["filename"] for file in files] == ["my_demo-1.0-py3-none-any.whl"]

    @pytest.mark.parametrize("published", [True, False])
    def test_no_file_of_theirs_comes_from_the_upstream(self, tmp_path: Path, *, published: bool) -> None:
        wheel = make_wheel(tmp_path / "upstream", "demo", "9.0")
        rehearsed = () if published else ("demo",)
        with over(tmp_path, DistributionFolder(tmp_path / "upstream"), rehearsed) as index:
            if published:
                index.upload(index.wheel("demo", "1.0"))
            answers = [index.get(f"/upstream/{name}/{wheel.name}") for name in ("demo", "Demo", "DEMO")]

        assert {answer.status_code for answer in answers} == {404}


class TestOtherNames:
    def test_installers_are_redirected_to_the_normalised_name(self, tmp_path: Path) -> None:
        with over(tmp_path, PYPI, ("demo",)) as index:
            answers = [index.get(f"/simple/{name}") for name in ("some-dep/", "Some_Dep/", "some-dep")]

        assert [(answer.status_code, answer.headers["Location"]) for answer in answers] == [
            (302, "https://index.example/simple/some-dep/"),
            (301, "http://localhost/simple/some-dep/"),
            (301, "http://localhost/simple/some-dep/"),
        ]

    @pytest.mark.parametrize("name", ["..", "a%2f..%2fb", "dem%C3%B6", "-demo", "demo%0a", "a b"])
    def test_what_is_no_name_goes_nowhere(self, tmp_path: Path, name: str) -> None:
        with over(tmp_path, PYPI) as index:
            answer = index.get(f"/simple/{name}/")

        assert answer.status_code == 404
        assert "Location" not in answer.headers

    def test_without_an_overlay_they_do_not_exist(self, tmp_path: Path) -> None:
        with served_index(tmp_path) as index:
            assert [index.get(path).status_code for path in ("/simple/dep/", "/upstream/dep/dep-1.0.tar.gz")] == [
                404
            ] * 2

    def test_a_redirected_index_has_no_files_here(self, tmp_path: Path) -> None:
        with over(tmp_path, PYPI) as index:
            assert index.get("/upstream/dep/dep-1.0.tar.gz").status_code == 404

    def test_a_folder_is_served_as_json_and_html(self, tmp_path: Path) -> None:
        folder = tmp_path / "upstream"
        wheel = make_wheel(folder, "some-dep")
        sdist = make_sdist(folder / "some-dep", "some-dep")
        make_wheel(folder, "another")
        with over(tmp_path, DistributionFolder(folder)) as index:
            page = index.detail("some-dep")
            html = index.get("/simple/some-dep/", Accept="text/html").text
            with index.get(page["files"][0]["url"].removeprefix("http://localhost")) as answer:
                content = answer.data
            missing = [
                index.get(path).status_code for path in ("/simple/absent/", "/upstream/some-dep/absent-1.0.tar.gz")
            ]

        assert [file["filename"] for file in page["files"]] == [sdist.name, wheel.name]
        assert page["files"][1]["hashes"]["sha256"] in html
        assert content == sdist.read_bytes()
        assert missing == [404, 404]


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    class Upstream:
        def listing_entries(self, project: str, base: str) -> list[Mapping[str, Any]]:
            assert project == canonicalize_name(project)
            return [
                {
                    "filename": "dep-1.0.tar.gz",
                    "url": f"{base}/x?a=1&b=2",
                    "hashes": {"md5": "0" * 32},
                    "requires-python": ">=3.9,<4",
                    "yanked": 'bad "news"',
                    "core-metadata": {"sha256": "1" * 64},
                },
                {
                    "filename": "dep-2.0.tar.gz",
                    "url": "https://files.example/dep",
                    "core-metadata": True,
                    "yanked": True,
                },
            ]

    with over(tmp_path, Upstream()) as index:
        html = index.get("/simple/dep/", Accept="text/html").text
        page = json.loads(index.get("/simple/dep/", **SIMPLE_JSON).text)

    assert page["files"][0]["requires-python"] == ">=3.9,<4"
    assert f'href="http://localhost/x?a=1&amp;b=2#md5={"0" * 32}"' in html
    assert 'data-requires-python="&gt;=3.9,&lt;4"' in html
    assert 'data-yanked="bad &quot;news&quot;"' in html
    assert f'data-core-metadata="sha256={"1" * 64}"' in html
    assert 'href="https://files.example/dep" data-yanked="" data-dist-info-metadata="true"' in html
