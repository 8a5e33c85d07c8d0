"""The thread that ticks ends when it is asked to."""

import threading

from ci_publish.reports.ticker import Ticker


def test_it_ticks_until_it_is_stopped() -> None:
    ticked = threading.Event()
    ticker = Ticker(ticked.set, seconds=0.001)
    ticker.start()
    ticker.start()
    assert ticked.wait(5.0)
    ticker.stop()


def test_one_that_never_began_can_be_stopped() -> None:
    Ticker(lambda: None).stop()
