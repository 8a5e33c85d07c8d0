"""Files that are written whole or not at all."""

import os
import stat
import threading
from pathlib import Path

import pytest

from ci_publish.reports.atomic_files import write_report_atomically
from tests.platforms import needs_permission_bits


@needs_permission_bits
def test_other_users_can_read_the_file(tmp_path: Path) -> None:
    write_report_atomically(tmp_path / "receipt.json", "{}")
    assert stat.S_IMODE((tmp_path / "receipt.json").stat().st_mode) == 0o644


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match=r"."):
        write_report_atomically(path, "new")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_a_device_is_written_to_and_stays() -> None:
    before = os.lstat("/dev/null")
    write_report_atomically(Path("/dev/null"), "{}")
    assert (before.st_ino, before.st_mode) == (os.lstat("/dev/null").st_ino, os.lstat("/dev/null").st_mode)


def test_a_pipe_gets_the_whole_text(tmp_path: Path) -> None:
    path, text = tmp_path / "pipe", "x" * 200_000
    os.mkfifo(path)
    with os.fdopen(os.open(path, os.O_RDWR), "rb", buffering=0) as opened:
        writer = threading.Thread(target=write_report_atomically, args=(path, text))
        writer.start()
        read = b""
        while len(read) < len(text):
            read += opened.read(65_536)
        writer.join()
    assert read == text.encode()


def test_a_pipe_that_nobody_reads_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"."):
        write_report_atomically(tmp_path / "pipe", "{}")
