"""Distributions that lie deeper than the folders that were named: a release is complete or not done."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ci_publish.distributions.release_guesses import guess_releases_of_paths
from ci_publish.distributions.subfolders import Subfolders
from ci_publish.model.distribution import Collection
from ci_publish.model.problem import Problem, Severity
from tests.unit.distributions.checked_folders import LINUX, collected, place

RULE = "distributions-in-subfolders"


MACOS = "demo_pkg-1.0-cp312-cp312-macosx_11_0_arm64.whl"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(collection: Collection) -> list[str]:
    return sorted(file.path.as_posix() for file in collection.distributions)


def severities(problems: Sequence[Problem]) -> list[tuple[str, Severity]]:
    return [(problem.rule, problem.severity) for problem in problems]


@pytest.fixture
def downloaded(here: Path) -> Path:
    """Make what download-artifact does: the sdist's folder is merged, each platform's wheels have one."""
    place("dist/demo_pkg-1.0.tar.gz")
    place(f"dist/wheels-linux/{LINUX}")
    place(f"dist/wheels/macos/{MACOS}")
    return here


@pytest.mark.parametrize("path", ["dist", "dist/", "./dist", "{here}/dist"])
def test_a_release_with_wheels_in_subfolders_is_not_published_without_them(downloaded: Path, path: str) -> None:
    argument = path.format(here=downloaded)
    collection, problems = collected(argument)
    assert [Path(name).name for name in names(collection)] == ["demo_pkg-1.0.tar.gz"]
    assert severities(problems) == [(RULE, Severity.ERROR)]
    assert problems[0].filename is None
    assert LINUX in problems[0].message
    assert MACOS in problems[0].message
    assert f"`{Path(argument)}/**`" in problems[0].advice


def test_recursive_takes_them(downloaded: Path) -> None:
    collection, problems = collected(subfolders=Subfolders.TAKE, strict=True)
    expected = ["dist/demo_pkg-1.0.tar.gz", f"dist/wheels-linux/{LINUX}", f"dist/wheels/macos/{MACOS}"]
    assert names(collection) == expected
    assert problems == ()
    assert guess_releases_of_paths(["dist"], recursive=True) == (("demo-pkg", "1.0"),)


def test_recursive_takes_their_attestations_and_nothing_else(downloaded: Path) -> None:
    place(f"dist/wheels-linux/{LINUX}.publish.attestation", b"{}")
    place("dist/wheels-linux/notes.txt", b"x")
    collection, problems = collected(subfolders=Subfolders.TAKE, strict=True)
    assert [found.distribution for found in collection.attestations] == [LINUX]
    assert problems == ()


def test_ignoring_subfolders_leaves_them(downloaded: Path) -> None:
    collection, problems = collected(subfolders=Subfolders.IGNORE, strict=True)
    assert names(collection) == ["dist/demo_pkg-1.0.tar.gz"]
    assert problems == ()


@pytest.mark.parametrize(
    "paths", [("dist/**",), ("dist", "dist/**"), ("dist", "dist/wheels-linux", "dist/wheels/macos")]
)
def test_files_that_are_named_too_are_not_left_behind(downloaded: Path, paths: tuple[str, ...]) -> None:
    collection, problems = collected(*paths, strict=True)
    assert len(collection.distributions) == 3
    assert problems == ()


@pytest.mark.parametrize("path", [".", "./", "{here}"])
def test_below_the_working_directory_it_is_a_warning(downloaded: Path, path: str) -> None:
    place("demo_pkg-1.0-py3-none-any.whl")
    _, problems = collected(path.format(here=downloaded))
    assert (RULE, Severity.WARNING) in severities(problems)
    assert (RULE, Severity.ERROR) not in severities(problems)
    assert "dist/**`" in next(problem.advice for problem in problems if problem.rule == RULE)


@pytest.mark.parametrize("mark", ["pyproject.toml", ".git"])
def test_below_a_project_it_is_a_warning(here: Path, mark: str) -> None:
    place("demo/demo_pkg-1.0.tar.gz")
    place(f"demo/dist/{LINUX}")
    place(f"demo/{mark}", b"x")
    _, problems = collected("demo")
    assert [(each.rule, each.severity) for each in problems if each.rule == RULE] == [(RULE, Severity.WARNING)]


def test_below_a_folder_that_a_pattern_matched_it_is_a_warning(downloaded: Path) -> None:
    collection, problems = collected("dist/*")
    assert names(collection) == ["dist/demo_pkg-1.0.tar.gz"]
    assert severities(problems) == [(RULE, Severity.WARNING)] * 2
    assert "`dist/wheels/**`" in problems[0].advice + problems[1].advice


def test_what_is_named_and_matched_is_an_error_once(downloaded: Path) -> None:
    for paths in (("dist", "dist/*"), ("dist/*", "dist"), (".", "dist")):
        assert severities(collected(*paths)[1]) == [(RULE, Severity.ERROR)]


@pytest.mark.parametrize(
    "path",
    [
        f"dist/.cache/{LINUX}",
        f"dist/node_modules/{LINUX}",
        f"dist/wheels/site-packages/{LINUX}",
        f"dist/a/b/c/{LINUX}",
        "dist/docs/site.tar.gz",
        "dist/docs/demo_pkg-1.0.zip",
    ],
)
def test_where_and_what_is_not_searched(here: Path, path: str) -> None:
    place("dist/demo_pkg-1.0.tar.gz")
    place(path, b"x")
    _, problems = collected()
    assert severities(problems) == [("file-stray" if "/." not in path else "file-companion", problems[0].severity)]
    assert len(collected(subfolders=Subfolders.TAKE)[0].distributions) == 1


@pytest.mark.parametrize("mark", ["pyproject.toml", ".git"])
def test_other_projects_are_not_searched(here: Path, mark: str) -> None:
    place("dist/demo_pkg-1.0.tar.gz")
    place(f"dist/other/{LINUX}")
    place(f"dist/other/{mark}", b"x")
    assert severities(collected()[1]) == [("file-stray", Severity.WARNING)]


def test_links_to_folders_are_not_followed(here: Path) -> None:
    place("dist/demo_pkg-1.0.tar.gz")
    place(f"elsewhere/{LINUX}")
    Path("dist/link").symlink_to(here / "elsewhere")
    assert severities(collected()[1]) == [("file-stray", Severity.WARNING)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_passed_over(here: Path) -> None:
    place("dist/demo_pkg-1.0.tar.gz")
    place(f"dist/closed/{LINUX}").parent.chmod(0)
    assert severities(collected()[1]) == [("file-stray", Severity.WARNING)]
    Path("dist/closed").chmod(0o700)


def test_the_same_file_in_two_folders_is_one_file(here: Path) -> None:
    place(f"dist/a/{LINUX}")
    place(f"dist/b/{LINUX}")
    collection, problems = collected(subfolders=Subfolders.TAKE)
    assert len(collection.distributions) == 1
    assert [problem.rule for problem in problems] == ["same-name-again"]
