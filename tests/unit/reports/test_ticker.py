"""The thread that ticks ends when it is asked to."""

import threading

from ci_publish.reports.ticker import ConsoleTicker


def test_it_ticks_until_it_is_stopped() -> None:
    ticked = threading.Event()
    ticker = ConsoleTicker(ticked.set, seconds=0.001)
    ticker.start()
    ticker.start()
    assert ticked.wait(5.0)
    ticker.stop()


def test_one_that_never_began_can_be_stopped() -> None:
    ConsoleTicker(lambda: None).stop()
