"""A command line that gets stuck: ``python stuck.py KIND FUNCTION STARTED ARGUMENTS…``.

When any thread calls FUNCTION (a qualified name) for the first time, a profile function keeps it: with Python that
never ends, with a C call that releases the interpreter lock, or with one that holds it and asks for no signals. STARTED
is a file that is made just before.
"""

import collections
import hashlib
import itertools
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType


def python() -> None:
    while True:
        pass


def releasing() -> None:
    yield_to_others()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)


def holding() -> None:
    yield_to_others()
    collections.deque(itertools.repeat(None), maxlen=0)


def yield_to_others() -> None:
    """Let other threads and processes go first: a thread that is busy for nothing makes every other test slow."""
    os.nice(10)


KINDS: dict[str, Callable[[], None]] = {"python": python, "releasing": releasing, "holding": holding}


def main() -> None:
    kind, function, started = sys.argv[1:4]

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_qualname == function:
            sys.setprofile(None)
            threading.setprofile(None)
            Path(started).touch()
            KINDS[kind]()

    sys.argv[1:] = sys.argv[4:]
    sys.setprofile(profile)
    threading.setprofile(profile)
    from ci_publish.__main__ import entry  # noqa: PLC0415  (profiled from its first import on)

    entry()


if __name__ == "__main__":
    main()
