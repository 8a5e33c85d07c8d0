"""Starts the measured commands, from a process that is itself as small as Python can be.

A child's peak memory begins with that of the process it was split off from, so a client must not be started by one that
has libraries loaded. Reads jobs as JSON lines from standard input; answers each with what ``wait4`` says of it.
"""

import json
import os
import sys
import time


def run(job: dict[str, object]) -> dict[str, float]:
    """Run one command to its end: ``command``, ``environment``, ``stdin`` (a file) and ``log`` (a file)."""
    command: list[str] = job["command"]  # type: ignore[assignment]
    environment: dict[str, str] = job["environment"]  # type: ignore[assignment]
    append = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [
        (os.POSIX_SPAWN_OPEN, 0, str(job["stdin"]), os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(job["log"]), append, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    began = time.perf_counter()
    child = os.posix_spawnp(command[0], command, environment, file_actions=files)
    _, status, usage = os.wait4(child, 0)
    return {
        "wall": time.perf_counter() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss * 1024 / 1e6,
        "code": os.waitstatus_to_exitcode(status),
    }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
