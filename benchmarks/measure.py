"""Whole processes, as the operating system accounts for them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """One run: wall and CPU seconds, peak resident memory in megabytes (10^6 bytes)."""

    wall: float
    cpu: float
    megabytes: float


class FailedError(Exception):
    """The command did not end with 0."""


class Launcher:
    """A small process that starts the commands (``launcher.py``); *folder* takes their input and output."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._stdin = folder / "stdin"
        self._log = folder / "log"

    def run(self, command: Sequence[str], environment: Mapping[str, str], stdin: str = "") -> Sample:
        """Run a command to its end. Raises FailedError, with the end of what it said."""
        self._stdin.write_text(stdin, encoding="utf-8")
        job = {"command": list(command), "environment": dict(environment)}
        answer = self._ask(job | {"stdin": str(self._stdin), "log": str(self._log)})
        code = int(answer.pop("code"))
        if code:
            said = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            message = f"{' '.join(command[:4])} … ended with {code}:\n{said}"
            raise FailedError(message)
        return Sample(**answer)

    def _ask(self, job: Mapping[str, object]) -> dict[str, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def launcher(folder: Path) -> Iterator[Launcher]:
    """Start the launcher, and end it with the block. Commands run in an empty folder, as in a job without checkout."""
    command = [sys.executable, "-I", "-S", str(Path(__file__).resolve().with_name("launcher.py"))]
    empty = folder / "empty"
    empty.mkdir()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=empty) as process:
        yield Launcher(process, folder)
        assert process.stdin is not None
        process.stdin.close()
