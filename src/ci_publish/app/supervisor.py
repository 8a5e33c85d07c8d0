"""A process that ends a run whose main thread is stuck, and burns the remaining upload tokens.

Started as a file and without ``site``, importing next to nothing: it costs a run a hundredth of a second on another
processor. Arguments: the inherited socket on which the run's signals arrive, and the seconds until the run's deadline.
Standard input: a line of JSON for each upload token that is kept or released (see ``app.token_guard``).
"""

import fcntl
import os
import select
import signal
import sys
import termios
import time
from contextlib import suppress
from typing import Any, Final

UNREAD_FOR: Final = 5.0
"""Seconds that a signal may wait to be read by the run's own watcher, which takes a millisecond."""

OUTLIVED_BY: Final = 10.5
"""Seconds that a run may go on after its deadline; its own watcher ends it earlier."""

_PAUSE: Final = 0.25
_BURN_DEADLINE: Final = 5.0
_NOTHING: Final = bytes(4)


class RunSupervisor:
    """Watches process *parent*, until its pipe ends or it must be ended."""

    def __init__(self, inbox: int, left: float, parent: int) -> None:
        self._inbox = inbox
        self._parent = parent
        self._ends = time.monotonic() + left + OUTLIVED_BY
        self._kept: dict[int, dict[str, Any]] = {}
        self._unread_since: float | None = None

    def run(self) -> None:
        """Wait until the run ends, its pipe closes, or it is overdue."""
        buffer = b""
        while True:
            ready, _, _ = select.select([0], [], [], _PAUSE)
            data = os.read(0, 65536) if ready else None
            if data == b"":
                self._burn_kept_upload_tokens()
                return
            *lines, buffer = (buffer + (data or b"")).split(b"\n")
            for line in lines:
                self._take_message(line)
            if reason := self._why_run_is_stuck(time.monotonic()):
                burned = self._burn_kept_upload_tokens()
                self._end_supervised_run(reason, burned)
                return

    def _take_message(self, line: bytes) -> None:
        import json  # noqa: PLC0415  (late: many runs have no upload token)

        message = json.loads(line)
        if "keep" in message:
            self._kept[message["keep"]] = message
        else:
            self._kept.pop(message["release"], None)

    def _why_run_is_stuck(self, now: float) -> str:
        """Return why the run must be ended from outside; empty if it need not."""
        if fcntl.ioctl(self._inbox, termios.FIONREAD, _NOTHING) == _NOTHING:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        if self._unread_since is not None and now - self._unread_since >= UNREAD_FOR:
            return "it did not stop when requested"
        return "it did not stop at its deadline" if now >= self._ends else ""

    def _burn_kept_upload_tokens(self) -> int:
        """Burn the kept tokens, and return their number."""
        kept = list(self._kept.values())
        self._kept.clear()
        if not kept:
            return 0
        sys.path[:] = kept[0]["path"]
        from ci_publish.app.token_guard import burn_kept_tokens  # noqa: PLC0415  (late: hardly ever needed)

        burn_kept_tokens(kept, _BURN_DEADLINE)
        return len(kept)

    def _end_supervised_run(self, reason: str, burned: int) -> None:
        if os.getppid() != self._parent:
            return
        tokens = "Its upload tokens were burned." if burned else "There was no upload token to burn."
        os.write(2, f"error: ci-publish was killed, because {reason}. {tokens}\n".encode())
        with suppress(ProcessLookupError):
            os.kill(self._parent, signal.SIGKILL)
        time.sleep(1.0)
        if os.getppid() == self._parent:
            import resource  # noqa: PLC0415  (late: hardly ever needed)

            # No signal from inside a container ends its first process; a limit of CPU time that it has used up does.
            if hasattr(resource, "prlimit"):
                with suppress(OSError):
                    resource.prlimit(self._parent, resource.RLIMIT_CPU, (1, 1))


def main() -> None:
    """Supervise the process that started this one."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    RunSupervisor(int(sys.argv[1]), float(sys.argv[2]), os.getppid()).run()
    os._exit(0)  # at once: the run waits for this process


if __name__ == "__main__":
    main()
