"""Distributions that lie deeper than the folders that were named: a release is complete or not done."""

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from ci_publish.distributions.local import LocalDistributions
from ci_publish.distributions.names import releases
from ci_publish.distributions.subfolders import Subfolders
from ci_publish.errors import NothingToPublish
from ci_publish.model.distribution import Collection
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Problem, Severity
from tests.corpus.build import Sdist, Wheel

RULE = "distributions-in-subfolders"
LINUX = "demo_pkg-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
MACOS = "demo_pkg-1.0-cp312-cp312-macosx_11_0_arm64.whl"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: str, content: Wheel | Sdist | bytes | None = None) -> Path:
    """Write a distribution under its own name, or other content."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        content = Sdist() if path.endswith(".tar.gz") else Wheel(file.name, members=((f"{file.name}.py", b""),))
    file.write_bytes(content if isinstance(content, bytes) else content.build())
    return file


def collected(
    *paths: str, subfolders: Subfolders = Subfolders.REFUSE, strict: bool = False
) -> tuple[Collection, tuple[Problem, ...]]:
    distributions = LocalDistributions(subfolders=subfolders, strict=strict)
    collection = distributions.collect(paths or ("dist",))
    return collection, distributions.check(collection, [IndexProfile.PYPI])


def names(collection: Collection) -> list[str]:
    return sorted(file.path.as_posix() for file in collection.distributions)


def severities(problems: Sequence[Problem]) -> list[tuple[str, Severity]]:
    return [(problem.rule, problem.severity) for problem in problems]


@pytest.fixture
def downloaded(here: Path) -> Path:
    """Make what download-artifact does: the sdist's folder is merged, each platform's wheels have one."""
    put("dist/demo_pkg-1.0.tar.gz")
    put(f"dist/wheels-linux/{LINUX}")
    put(f"dist/wheels/macos/{MACOS}")
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
    assert releases(["dist"], recursive=True) == (("demo-pkg", "1.0"),)


def test_recursive_takes_their_attestations_and_nothing_else(downloaded: Path) -> None:
    put(f"dist/wheels-linux/{LINUX}.publish.attestation", b"{}")
    put("dist/wheels-linux/notes.txt", b"x")
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
    put("demo_pkg-1.0-py3-none-any.whl")
    _, problems = collected(path.format(here=downloaded))
    assert (RULE, Severity.WARNING) in severities(problems)
    assert (RULE, Severity.ERROR) not in severities(problems)
    assert "dist/**`" in next(problem.advice for problem in problems if problem.rule == RULE)


@pytest.mark.parametrize("mark", ["pyproject.toml", ".git"])
def test_below_a_project_it_is_a_warning(here: Path, mark: str) -> None:
    put("demo/demo_pkg-1.0.tar.gz")
    put(f"demo/dist/{LINUX}")
    put(f"demo/{mark}", b"x")
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
    put("dist/demo_pkg-1.0.tar.gz")
    put(path, b"x")
    _, problems = collected()
    assert severities(problems) == [("file-stray" if "/." not in path else "file-companion", problems[0].severity)]
    assert len(collected(subfolders=Subfolders.TAKE)[0].distributions) == 1


@pytest.mark.parametrize("mark", ["pyproject.toml", ".git"])
def test_other_projects_are_not_searched(here: Path, mark: str) -> None:
    put("dist/demo_pkg-1.0.tar.gz")
    put(f"dist/other/{LINUX}")
    put(f"dist/other/{mark}", b"x")
    assert severities(collected()[1]) == [("file-stray", Severity.WARNING)]


def test_links_to_folders_are_not_followed(here: Path) -> None:
    put("dist/demo_pkg-1.0.tar.gz")
    put(f"elsewhere/{LINUX}")
    Path("dist/link").symlink_to(here / "elsewhere")
    assert severities(collected()[1]) == [("file-stray", Severity.WARNING)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_passed_over(here: Path) -> None:
    put("dist/demo_pkg-1.0.tar.gz")
    put(f"dist/closed/{LINUX}").parent.chmod(0)
    assert severities(collected()[1]) == [("file-stray", Severity.WARNING)]
    Path("dist/closed").chmod(0o700)


def test_the_same_file_in_two_folders_is_one_file(here: Path) -> None:
    put(f"dist/a/{LINUX}")
    put(f"dist/b/{LINUX}")
    collection, problems = collected(subfolders=Subfolders.TAKE)
    assert len(collection.distributions) == 1
    assert [problem.rule for problem in problems] == ["same-name-again"]


# nothing at the top


@pytest.mark.parametrize("subfolders", [Subfolders.REFUSE, Subfolders.IGNORE])
def test_files_that_all_lie_deeper_are_named_with_their_pattern(here: Path, subfolders: Subfolders) -> None:
    put(f"dist/wheels-linux/{LINUX}")
    with pytest.raises(NothingToPublish) as caught:
        collected(subfolders=subfolders)
    assert f"dist/wheels-linux/{LINUX}" in caught.value.detail
    assert "`dist/**`" in caught.value.hints[0]
    assert "python -m build" not in "".join(caught.value.hints)


def test_files_below_the_working_directory_are_named_with_the_pattern_of_their_folder(here: Path) -> None:
    put(f"dist/{LINUX}")
    put("pyproject.toml", b"")
    with pytest.raises(NothingToPublish) as caught:
        collected(".")
    assert "`dist/**`" in caught.value.hints[0]


@pytest.mark.parametrize(
    ("name", "why", "hint"),
    [
        ("demo-1.0-py3.12.egg", "Indexes no longer accept an egg: 'demo-1.0-py3.12.egg'.", "Build a wheel"),
        ("demo-1.0.tar.bz2", "Indexes no longer accept a .tar.bz2 archive: 'demo-1.0.tar.bz2'.", "Build a wheel"),
    ],
)
def test_only_files_that_no_index_accepts(here: Path, name: str, why: str, hint: str) -> None:
    put(f"dist/{name}", b"x")
    with pytest.raises(NothingToPublish) as caught:
        collected()
    assert why in caught.value.detail
    assert hint in caught.value.hints[0]
    assert "Build first" not in "".join(caught.value.hints)


@pytest.mark.parametrize("member", [LINUX, "demo_pkg-1.0.tar.gz"])
def test_only_the_archive_of_an_artifact(here: Path, member: str) -> None:
    Path("dist").mkdir()
    with zipfile.ZipFile("dist/artifact.zip", "w") as archive:
        archive.writestr(member, "x")
    with pytest.raises(NothingToPublish) as caught:
        collected()
    assert "'artifact.zip' is an archive of distributions" in caught.value.detail
    assert caught.value.hints == ("Extract it first, for example: unzip dist/artifact.zip -d dist",)


@pytest.mark.parametrize("content", [b"x", b"PK\x05\x06" + bytes(18), b""])
def test_other_archives_are_only_listed(here: Path, content: bytes) -> None:
    put("dist/docs.zip", content)
    with pytest.raises(NothingToPublish) as caught:
        collected()
    assert caught.value.detail == "Found: 'docs.zip'."
    assert "Build first" in caught.value.hints[0]


@pytest.mark.skipif(os.sep == "\\", reason="there they separate folders")
@pytest.mark.parametrize(
    ("path", "slashes"), [("dist\\*", "dist/*"), ("dist\\x.whl", "dist/x.whl"), (".\\dist", "./dist")]
)
def test_backslashes_do_not_separate_folders(here: Path, path: str, slashes: str) -> None:
    put(f"dist/{LINUX}")
    with pytest.raises(NothingToPublish) as caught:
        collected(path)
    assert repr(path) in caught.value.detail
    assert caught.value.hints == (f"Write it with slashes: {slashes!r}",)


def test_what_each_path_leads_to(here: Path) -> None:
    Path("empty").mkdir()
    with pytest.raises(NothingToPublish) as caught:
        collected("empty", "missing", "*.whl")
    assert caught.value.detail.splitlines() == [
        "'missing' does not exist.",
        "The folder 'empty' is empty.",
        "Nothing matches '*.whl'.",
    ]


def test_many_entries_are_not_all_listed(here: Path) -> None:
    for number in range(12):
        put(f"dist/notes-{number:02}.txt", b"x")
    with pytest.raises(NothingToPublish) as caught:
        collected()
    assert caught.value.detail.endswith("'notes-09.txt' and 2 more.")
