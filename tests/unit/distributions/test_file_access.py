"""Opening files: what is refused, and in which words."""

import errno
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
