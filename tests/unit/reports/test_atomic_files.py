"""Files that are written whole or not at all."""

import stat
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
