"""Links that take a file's place are refused, also by the check for systems without O_NOFOLLOW."""

import errno
import os
from io import FileIO
from pathlib import Path

import pytest

from ci_publish.regular_files import FLAGS, MAX_SETTINGS, open_without_following_links, read_settings_file

WITHOUT = os.O_RDONLY | getattr(os, "O_BINARY", 0)
"""The flags that Windows has."""


@pytest.mark.parametrize("flags", [FLAGS, WITHOUT])
def test_a_regular_file_is_opened(tmp_path: Path, flags: int) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with FileIO(open_without_following_links(tmp_path / "file", flags=flags)) as file:
        assert file.read() == b"content"


@pytest.mark.parametrize("flags", [FLAGS, WITHOUT])
def test_a_link_is_not_followed(tmp_path: Path, flags: int) -> None:
    (tmp_path / "real").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(OSError, match="link") as caught:
        open_without_following_links(tmp_path / "link", flags=flags)
    assert caught.value.errno in {errno.ELOOP, errno.EMLINK}


def test_a_link_that_comes_after_the_first_check_is_found_by_the_second(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    opened = []

    def swap_and_open(path: Path, flags: int) -> int:
        path.symlink_to(path.rename(path.with_name("real")))
        opened.append(os.open(path, flags))
        return opened[0]

    with pytest.raises(OSError, match="link") as caught:
        open_without_following_links(tmp_path / "file", flags=WITHOUT, opening=swap_and_open)
    assert caught.value.errno == errno.ELOOP
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(opened[0])


def test_settings_are_read_up_to_a_size(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_bytes(b"a\r\n" + b"x" * (MAX_SETTINGS - 3))
    assert read_settings_file(file) == "a\n" + "x" * (MAX_SETTINGS - 3)
    file.write_bytes(b"x" * (MAX_SETTINGS + 1))
    with pytest.raises(OSError, match="more than 1 MiB") as caught:
        read_settings_file(file)
    assert caught.value.errno == errno.EFBIG


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no file without end here")
def test_settings_without_an_end_are_refused() -> None:
    with pytest.raises(OSError, match="more than 1 MiB"):
        read_settings_file(Path("/dev/zero"))
