import threading
from pathlib import Path

import pytest

from ci_publish.distributions.collecting import map_in_threads, zip_member_names
from ci_publish.distributions.limits import WORTH_THREADS
from tests.corpus.build import Wheel


@pytest.mark.parametrize(
    ("count", "size", "threads"),
    [(1, 10 * WORTH_THREADS, False), (5, WORTH_THREADS - 1, False), (5, WORTH_THREADS, True), (0, 0, False)],
)
def test_threads_where_there_is_much_to_do(count: int, size: int, *, threads: bool) -> None:
    where = set()

    def work(item: int) -> int:
        where.add(threading.current_thread())
        return item + 1

    assert map_in_threads(work, range(count), size, 2) == list(range(1, count + 1))
    assert (threading.current_thread() in where) == (count > 0 and not threads)


def test_the_names_of_members_are_none_where_an_archive_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "demo.zip").write_bytes(Wheel(members=(("demo/a.txt", b""),)).build())
    assert "demo/a.txt" in zip_member_names(tmp_path / "demo.zip")
    (tmp_path / "text.zip").write_bytes(b"no archive")
    assert zip_member_names(tmp_path / "text.zip") == []
    assert zip_member_names(tmp_path / "missing.zip") == []
