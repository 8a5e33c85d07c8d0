"""Whole processes, as the operating system accounts for them."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One run: wall and CPU seconds, peak resident memory in megabytes (10^6 bytes)."""

    wall: float
    cpu: float
    megabytes: float


class Failed(Exception):
    """The command did not end with 0."""


def run(command: Sequence[str], environment: Mapping[str, str], *, stdin: str = "", log: str) -> Sample:
    """Run a command to its end; its output goes to *log*."""
    with open(log, "wb") as output:  # noqa: PTH123  (a path for subprocess)
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT
        )
        assert process.stdin is not None
        process.stdin.write(stdin.encode())
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        with open(log, encoding="utf-8", errors="replace") as output:  # noqa: PTH123
            raise Failed(f"{' '.join(command[:4])} … ended with {process.returncode}:\n{output.read()[-2000:]}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)
