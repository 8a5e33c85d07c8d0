"""What a run without distributions says about the paths that it searched."""

import os
import zipfile
from pathlib import Path

import pytest

from ci_publish.distributions.subfolders import Subfolders
from ci_publish.errors import NothingToPublish
from tests.unit.distributions.checked_folders import LINUX, collected, place


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("subfolders", [Subfolders.REFUSE, Subfolders.IGNORE])
def test_files_that_all_lie_deeper_are_named_with_their_pattern(here: Path, subfolders: Subfolders) -> None:
    place(f"dist/wheels-linux/{LINUX}")
    with pytest.raises(NothingToPublish) as caught:
        collected(subfolders=subfolders)
    assert f"dist/wheels-linux/{LINUX}" in caught.value.detail
    assert "`dist/**`" in caught.value.hints[0]
    assert "python -m build" not in "".join(caught.value.hints)


def test_files_below_the_working_directory_are_named_with_the_pattern_of_their_folder(here: Path) -> None:
    place(f"dist/{LINUX}")
    place("pyproject.toml", b"")
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
    place(f"dist/{name}", b"x")
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
    place("dist/docs.zip", content)
    with pytest.raises(NothingToPublish) as caught:
        collected()
    assert caught.value.detail == "Found: 'docs.zip'."
    assert "Build first" in caught.value.hints[0]


@pytest.mark.skipif(os.sep == "\\", reason="there they separate folders")
@pytest.mark.parametrize(
    ("path", "slashes"), [("dist\\*", "dist/*"), ("dist\\x.whl", "dist/x.whl"), (".\\dist", "./dist")]
)
def test_backslashes_do_not_separate_folders(here: Path, path: str, slashes: str) -> None:
    place(f"dist/{LINUX}")
    with pytest.raises(NothingToPublish) as caught:
        collected(path)
    assert f"'{path}' has backslashes" in caught.value.detail
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
        place(f"dist/notes-{number:02}.txt", b"x")
    with pytest.raises(NothingToPublish) as caught:
        collected()
    assert caught.value.detail.endswith("'notes-09.txt' and 2 more.")
