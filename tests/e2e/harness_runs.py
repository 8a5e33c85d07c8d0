"""The command line in a process of its own, against a world in the test's process whose every request is seen.

Runs are told apart by what is known of the worlds they meet: each worker has a world of its own, and plays one run at
a time in it. What a run meets, and when it is hit, is drawn from a seed that every message names.
"""

import contextlib
import json
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import jsonschema
from werkzeug.wrappers import Response

from ci_publish.rehearsal.hooks import After, Interpose
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_sdist, make_wheel
from tests.e2e.conftest import clean_environment

STRESS = os.environ.get("CI_PUBLISH_STRESS") == "1"
# A run waits for the worlds' answers half of its time: a little more of them than there are processors.
WORKERS = (os.cpu_count() or 2) + 1
# For a run that never ends. One of a family took 53 s on two processors for which 24 processes waited; how long a run
# may take is for the tests of stuck servers.
LONGEST = 600.0

T = TypeVar("T")


def dice(test: str, number: int) -> random.Random:
    """Return the dice of run *number* of a test: the same in every session, on every machine."""
    return random.Random(f"{test}-{number}")  # noqa: S311  (a test's dice)


# distributions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Release:
    """A release in the folder ``dist`` of a folder of its own, as it was made."""

    folder: Path
    project: str
    content: Mapping[str, bytes]

    @classmethod
    def make(cls, folder: Path, project: str, tags: Iterable[str] = ("py3",)) -> "Release":
        """Make an sdist, and a wheel for each of *tags*."""
        paths = [make_sdist(folder / "dist", project)]
        paths += [make_wheel(folder / "dist", project, tag=f"{tag}-none-any") for tag in tags]
        (folder / "tmp").mkdir(exist_ok=True)
        return cls(folder, project, {path.name: path.read_bytes() for path in paths})

    @classmethod
    def of_bytes(cls, folder: Path, project: str, size: int) -> "Release":
        """Make an sdist that is about so many bytes long."""
        path = make_sdist(folder / "dist", project, payload=random.Random(size).randbytes(size))  # noqa: S311
        return cls(folder, project, {path.name: path.read_bytes()})

    @property
    def dist(self) -> dict[str, bytes]:
        """What lies in ``dist`` now."""
        return {path.name: path.read_bytes() for path in (self.folder / "dist").iterdir()}

    def published(self, world: RehearsalWorld) -> dict[str, bytes]:
        """Return what the index has of this project."""
        project = world.index.state.project(self.project)
        names = list(project.files) if project else []
        return {name: world.index.path_of(name).read_bytes() for name in names}

    def unattested(self, world: RehearsalWorld) -> set[str]:
        """Return the published files for which the index serves no provenance."""
        return {name for name in self.published(world) if not world.index.files[name].provenance}


# runs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """What a run left behind."""

    code: int
    stdout: str
    stderr: str
    receipt: dict[str, Any] | None
    seconds: float

    @property
    def said(self) -> str:
        return f"exit code {self.code}\n{self.stdout}\n{self.stderr}"

    @property
    def statuses(self) -> dict[str, str]:
        return {file["filename"]: file["status"] for file in (self.receipt or {"files": []})["files"]}


def start(
    folder: Path, environ: Mapping[str, str], *arguments: str, stdin: str | None = None
) -> "subprocess.Popen[str]":
    """Start ``ci-publish`` in *folder*, with a receipt there, and with *environ* beside what a process needs."""
    (folder / "tmp").mkdir(exist_ok=True)
    (folder / "receipt.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "ci_publish", *arguments, "--receipt", "receipt.json"]
    own = {"HOME": str(folder), "TMPDIR": str(folder / "tmp")}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**clean_environment(), **own, **environ},
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if stdin is not None:
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.flush()
    return process


def finish(
    folder: Path, process: "subprocess.Popen[str]", seconds: float = LONGEST, *, debugging: bool = False
) -> Ended:
    """Wait for the end of a run, and check what holds for every end: a valid receipt, a traceback only if wanted."""
    began = time.monotonic()
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        raise AssertionError(f"still running after {seconds} s:\n{stdout}\n{stderr}") from None
    path = folder / "receipt.json"
    receipt = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    ended = Ended(process.returncode, stdout, stderr, receipt, time.monotonic() - began)
    assert debugging or "Traceback (most recent call last)" not in stdout + stderr, ended.said
    if receipt is not None:
        jsonschema.validate(receipt, schema())
    return ended


def run(folder: Path, environ: Mapping[str, str], *arguments: str) -> Ended:
    """Run ``ci-publish`` to its end."""
    return finish(folder, start(folder, environ, *arguments))


@cache
def schema() -> Any:  # noqa: ANN401  (JSON)
    return json.loads((Path(__file__).parents[2] / "docs" / "receipt-2.schema.json").read_text(encoding="utf-8"))


# worlds -----------------------------------------------------------------------------------------------------------


def in_worlds(
    numbers: Iterable[int],
    play: Callable[[RehearsalWorld, int], T],
    world: Callable[[], RehearsalWorld] = RehearsalWorld,
    workers: int = WORKERS,
) -> list[T]:
    """Play each of *numbers*, in several worlds at once, one run at a time in each; return what ``play`` returned."""
    left: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in numbers:
        left.put(number)

    failures: list[Exception] = []

    def work() -> list[T]:
        results = []
        with world() as opened:
            while (number := _next(left)) is not None:
                try:
                    results.append(play(opened, number))
                except Exception as failure:  # noqa: BLE001  (raised below, with all others)
                    failures.append(failure)
            assert opened.failures == ()
        return results

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work) for _ in range(workers)]
        results = [result for future in futures for result in future.result()]
    if failures:
        raise ExceptionGroup("runs that did not end as they must", failures)
    return results


def _next(left: "queue.SimpleQueue[int]") -> int | None:
    try:
        return left.get_nowait()
    except queue.Empty:
        return None


STAGES = (
    ("/idtoken", "identity"),
    ("/_/oidc/audience", "audience"),
    ("/_/oidc/mint-token", "mint"),
    ("/_/oidc/burn-token", "burn"),
    ("/api/", "sign"),
    ("/integrity/", "provenance"),
)


@dataclass
class Traffic:
    """Every request to a world while it is watched, by stage, in the order of arrival.

    At request number ``at`` (counted from 0), ``hit`` is called: when it ``arrives`` (and then it is not handled), when
    it was ``handled`` (and its answer is lost), or so many seconds after it was answered.
    """

    at: int = -1
    when: str | float = "handled"
    hit: Callable[[], None] = field(default=lambda: None)
    slow: float = 0.0
    seen: list[str] = field(default_factory=list)
    was_hit_at: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def of(self, world: RehearsalWorld) -> Any:  # noqa: ANN401  (an iterator of self)
        """Watch *world* for as long as the block runs."""
        parts = (world.index.hooks, world.sigstore.hooks, world.identity_provider.hooks)
        before = [(hooks.interpose, hooks.after) for hooks in parts]
        for hooks, (interpose, after) in zip(parts, before, strict=True):
            hooks.interpose, hooks.after = self._arrives(interpose), self._handled(after)
        try:
            yield self
        finally:
            for hooks, (interpose, after) in zip(parts, before, strict=True):
                hooks.interpose, hooks.after = interpose, after

    def _arrives(self, then: "Interpose | None") -> Interpose:
        def interpose(environ: dict[str, Any]) -> Response | None:
            with self._lock:
                number, stage = len(self.seen), self._stage(environ)
                self.seen.append(stage)
            environ["tests.number"] = number
            time.sleep(self.slow)
            if number == self.at and self.when == "arrives":
                self._hit(stage)
                raise ConnectionResetError("the client is gone")
            return then(environ) if then else None

        return interpose

    def _handled(self, then: "After | None") -> After:
        def after(environ: dict[str, Any], response: Response) -> Response | None:
            if environ["tests.number"] == self.at:
                stage = self.seen[self.at]
                if isinstance(self.when, float):
                    threading.Timer(self.when, self._hit, (stage,)).start()
                elif self.when == "handled":
                    self._hit(stage)
            return then(environ, response) if then else None

        return after

    def _hit(self, stage: str) -> None:
        self.was_hit_at = stage
        self.hit()

    def _stage(self, environ: Mapping[str, Any]) -> str:
        path = environ["PATH_INFO"]
        if path == "/legacy/":
            return "upload" if "first upload" in self.seen else "first upload"
        if path.startswith("/simple/"):
            return "listing" if "first upload" in self.seen else "look"
        return next((stage for prefix, stage in STAGES if path.startswith(prefix)), "other")


def sending(number: int) -> "tuple[list[subprocess.Popen[str]], Callable[[], None]]":
    """Return a list for one process, and what sends it signal *number*; a process that has ended is left alone."""
    processes: list[subprocess.Popen[str]] = []

    def send() -> None:
        with contextlib.suppress(ProcessLookupError, IndexError):
            processes[0].send_signal(number)

    return processes, send


def killer() -> "tuple[list[subprocess.Popen[str]], Callable[[], None]]":
    return sending(signal.SIGKILL)


def clear(folder: Path) -> None:
    """Remove what a run no longer needs: a thousand runs leave a thousand folders."""
    shutil.rmtree(folder, ignore_errors=True)
