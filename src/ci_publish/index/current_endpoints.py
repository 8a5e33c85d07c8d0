"""What the parts of one index client share: the addresses known so far, a clock and a random source."""

import random
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from ci_publish.model.frozen import frozen
from ci_publish.model.index import Endpoints


def _random_multipart_boundary() -> str:
    return f"ci-publish-{secrets.token_hex(16)}"


@frozen(kw_only=True)
class Sources:
    """Where a client gets the time (seconds since the epoch), numbers in [0, 1) and the boundaries of its forms."""

    clock: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    boundary: Callable[[], str] = _random_multipart_boundary


class CurrentEndpoints:
    """The addresses of one index, corrected by what its responses prove. Thread-safe."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._now = endpoints
        self._lock = Lock()

    @property
    def now(self) -> Endpoints:
        """The addresses as they are known now."""
        return self._now

    def correct(self, **changes: str | tuple[str, ...]) -> bool:
        """Use *changes* (fields of ``Endpoints``) from now on; return whether they are new."""
        with self._lock:
            before, self._now = self._now, replace(self._now, **changes)  # type: ignore[arg-type]
            return self._now != before
