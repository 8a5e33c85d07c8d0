"""Opening files: what is refused, and in which words."""

import errno
import glob
from pathlib import Path

import pytest

from ci_publish.distributions.file_access import (
    FileRefused,
    FoundFile,
    entries_beside_files,
    file_size_or_zero,
    open_regular_file,
    search_paths,
)


def test_a_folder_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="a folder") as caught, open_regular_file(tmp_path):
        pass
    assert caught.value.rule == "file-not-regular"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with (
        pytest.raises(FileRefused, match="replaced by a symbolic link") as caught,
        open_regular_file(tmp_path / "link"),
    ):
        pass
    assert caught.value.rule == "file-outside-link"


def test_a_disk_that_fails_is_said_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(FileRefused, match="Input/output error") as caught,
        open_regular_file(tmp_path / "file"),
    ):
        raise OSError(errno.EIO, "Input/output error")
    assert caught.value.rule == "file-unreadable"


def test_a_path_that_cannot_be_listed_is_told_apart_from_one_without_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    found = search_paths([str(tmp_path / "file"), str(tmp_path / "gone"), str(tmp_path / "*.whl")])
    assert [each.path.name for each in found.files] == ["file"]
    assert found.missing == (str(tmp_path / "gone"),)
    assert found.empty == (str(tmp_path / "*.whl"),)


def test_a_folder_that_is_gone_holds_nothing_beside(tmp_path: Path) -> None:
    file = FoundFile(tmp_path / "gone" / "demo-1.0.tar.gz", named=True)
    assert entries_beside_files([file], ".attestation") == []


def test_the_size_of_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "here").write_bytes(b"12345")
    assert file_size_or_zero(tmp_path / "here") == 5
    assert file_size_or_zero(tmp_path / "gone") == 0


@pytest.mark.parametrize(
    "pattern", ["**", "**/*.whl", "**/b/*", "*/**", "a/**/**/*.whl", "**/.hidden/*", "**/missing/**", "[a]/**"]
)
def test_patterns_match_what_glob_matches(tmp_path: Path, pattern: str) -> None:
    for name in (
        "x.whl",
        "a/x.whl",
        "a/b/y.whl",
        "a/b/c/z.whl",
        "b/x.whl",
        "a/.hidden/x.whl",
        ".dot.whl",
        "a/[1]/w.whl",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    argument = str(tmp_path / pattern)
    found = [each.path for each in search_paths([argument]).files]
    expected = {Path(match) for match in glob.glob(argument, recursive=True)}  # noqa: PTH207 - the reference
    folders = {path for path in expected if path.is_dir()}
    assert set(found) - folders == expected - folders


def test_links_to_folders_above_are_entered_once(tmp_path: Path) -> None:
    (tmp_path / "dist" / "a").mkdir(parents=True)
    (tmp_path / "dist" / "a" / "x.whl").write_text("x")
    for number in range(8):
        (tmp_path / "dist" / f"link{number}").symlink_to(".")
        (tmp_path / "dist" / "a" / f"up{number}").symlink_to("..")
    found = search_paths([str(tmp_path / "dist" / "**" / "*.whl")]).files
    assert [each.path for each in found] == [tmp_path / "dist" / "a" / "x.whl"]


def test_a_linked_folder_is_entered(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.whl").write_text("x")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "linux").symlink_to("../out")
    found = search_paths([str(tmp_path / "dist" / "**")]).files
    assert tmp_path / "dist" / "linux" / "x.whl" in [each.path for each in found]
