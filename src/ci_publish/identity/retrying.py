"""How long to wait before another attempt (pure)."""

ATTEMPTS = 5
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
LONGEST_ASKED_PAUSE = 60.0


def pause(attempt: int, chance: float, asked: float | None = None) -> float:
    """Return the seconds to wait after *attempt* (from 1) failed: doubling, with jitter, or what the server asked for.

    *chance* is a random number in [0, 1). The pause lies between half of the doubled step and the whole of it, so that
    jobs that failed together do not come back together; what a server asks for is honoured up to a minute.
    """
    step = min(FIRST_PAUSE * 2.0 ** min(attempt - 1, 16), LONGEST_PAUSE)
    own = step * (0.5 + chance / 2.0)
    return own if asked is None else max(own, min(asked, LONGEST_ASKED_PAUSE))
