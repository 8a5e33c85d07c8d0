"""A timer thread: reports are called for events only, and no event is emitted during a wait."""

import threading
from collections.abc import Callable
from typing import Final

TICK: Final = 1.0


class ConsoleTicker:
    """Calls *tick* every second, in a thread of its own, until it is stopped."""

    def __init__(self, tick: Callable[[], None], seconds: float = TICK) -> None:
        self._tick = tick
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._tick_until_stopped, name="console", daemon=True)
        self._started = False

    def start(self) -> None:
        """Begin, unless that is done."""
        if not self._started:
            self._started = True
            self._thread.start()

    def stop(self) -> None:
        """End; no tick begins after this."""
        self._stopped.set()

    def _tick_until_stopped(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._tick()
