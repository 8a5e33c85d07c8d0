"""Commands that run other people's code: in a process group of their own that is killed, with a deadline.

Nothing that such a command starts outlives it: its group is killed when it ends, at the deadline, and when the run is
stopped. What leaves its group becomes a child of this process (on Linux), and is killed in the end.
"""

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from ci_publish.model.frozen import frozen
from ci_publish.publishing.ports import Stopper

LAST_LINES: Final = 100
"""Lines of a command's output that are kept: the last ones."""

_KEPT_BYTES: Final = 256 * 1024
_BLOCK: Final = 64 * 1024
_PAUSE: Final = 0.2
_AFTERWARDS: Final = 2.0
_SUBREAPER: Final = 36  # PR_SET_CHILD_SUBREAPER of Linux's prctl
_DUMPABLE: Final = 4  # PR_SET_DUMPABLE
_ROUNDS: Final = 50


@frozen(kw_only=True)
class EndedCommand:
    """The result of a command: its exit code (None: it timed out), and the last lines of its output."""

    code: int | None
    output: str
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether it did not end, or not with 0."""
        return self.code != 0


class CommandProcesses:
    """Runs commands with one environment. Thread-safe; *waiting* is the run, whose end kills them."""

    def __init__(self, environ: Mapping[str, str], waiting: Stopper) -> None:
        self.environ = dict(environ)
        self._waiting = waiting

    def run(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        seconds: float,
        environ: Mapping[str, str] | None = None,
    ) -> EndedCommand:
        """Run *command* in *folder* for at most *seconds*; *environ* is added to the environment.

        Raises the error of a run that is stopped meanwhile. A command that cannot be started fails like one that ran.
        """
        began = time.monotonic()
        try:
            process = subprocess.Popen(  # noqa: S603  (what the user wants to try)
                command,
                cwd=folder,
                env={**self.environ, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return EndedCommand(code=127, output=f"{command[0]}: {error}", seconds=0.0)
        assert process.stdout is not None  # noqa: S101  (it is a pipe)
        with process.stdout:
            try:
                output, whole = self._read_output_until_end(process, process.stdout, began + seconds)
            finally:
                _kill_process_group(process)
        return EndedCommand(
            code=process.returncode if whole else None,
            output="\n".join(output.decode("utf-8", "replace").strip().splitlines()[-LAST_LINES:]),
            seconds=time.monotonic() - began,
        )

    def _read_output_until_end(
        self, process: "subprocess.Popen[bytes]", pipe: IO[bytes], end: float
    ) -> tuple[bytes, bool]:
        """Return the end of what *process* prints, and whether it has ended by itself before *end*."""
        tail = b""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while True:
                self._raise_if_stopped()
                if selector.select(_PAUSE):
                    block = os.read(pipe.fileno(), _BLOCK)
                    if not block:
                        return tail, self._wait_for_process(process, end)
                    tail = (tail + block)[-_KEPT_BYTES:]
                elif process.poll() is not None:  # something that it started keeps the pipe open
                    return tail, True
                if time.monotonic() >= end:
                    return tail, False

    def _wait_for_process(self, process: "subprocess.Popen[bytes]", end: float) -> bool:
        while (left := end - time.monotonic()) > 0:
            self._raise_if_stopped()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(min(_PAUSE, left))
                return True
        return False

    def _raise_if_stopped(self) -> None:
        if self._waiting.stopped:
            raise self._waiting.error()


def _kill_process_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of a command and of what it started, and wait for it."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_AFTERWARDS)


# --- what leaves its process group


@contextlib.contextmanager
def stray_processes_ended() -> Iterator[None]:
    """Within the block, adopt what leaves its process group; at its end, kill what is left of that (on Linux).

    Also, no process of the same user can inspect this one meanwhile, unless it may trace any process.
    """
    before = _child_process_ids()
    _set_process_adoption(adopting=True)
    try:
        yield
    finally:
        for _ in range(_ROUNDS):
            strays = _child_process_ids() - before
            if not strays:
                break
            for number in strays:
                with contextlib.suppress(OSError):
                    os.kill(number, signal.SIGKILL)
                with contextlib.suppress(OSError):
                    os.waitpid(number, 0)
        _set_process_adoption(adopting=False)


def _set_process_adoption(*, adopting: bool) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            libc = ctypes.CDLL(None)
            libc.prctl(_SUBREAPER, int(adopting), 0, 0, 0)
            libc.prctl(_DUMPABLE, int(not adopting), 0, 0, 0)


def _child_process_ids() -> frozenset[int]:
    """Return the children of this process; none where /proc does not tell."""
    found = set[int]()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # After the name, which may hold anything: state and parent.
            parent = int((folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
            if parent == os.getpid():
                found.add(int(folder.name))
    return frozenset(found)
