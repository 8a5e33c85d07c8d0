import threading

import pytest

from ci_publish.distributions.collecting import map_in_threads
from ci_publish.distributions.limits import WORTH_THREADS


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
