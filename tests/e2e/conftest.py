"""The command line as a subprocess, against a rehearsal world in another one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

# What a developer's own shell or CI may have set must not reach the tests.
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "SYSTEMROOT",
    "TMPDIR",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "COVERAGE_PROCESS_START",
)


def clean_environment() -> dict[str, str]:
    """Return what a run needs of this environment; without colours, so that every ESC in an output is a fault."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {"NO_COLOR": "1"}


@dataclass(frozen=True)
class Result:
    """What a run of the command line left behind."""

    code: int
    stdout: str
    stderr: str
    receipt: dict[str, Any] = field(default_factory=dict)

    @property
    def statuses(self) -> dict[str, str]:
        return {file["filename"]: file["status"] for file in self.receipt["files"]}


@dataclass
class Cli:
    """Runs ``python -m ci_publish`` in a folder of its own."""

    folder: Path
    environment: dict[str, str]

    def __call__(self, *arguments: object, **environment: str) -> Result:
        process = self.start(*arguments, **environment)
        stdout, stderr = process.communicate(timeout=120)
        return self.result(process.returncode, stdout, stderr)

    def start(self, *arguments: object, **environment: str) -> "subprocess.Popen[str]":
        self.receipt_path.unlink(missing_ok=True)
        command = [sys.executable, "-m", "ci_publish", *map(str, arguments)]
        if arguments and arguments[0] != "settings" and "--receipt" not in arguments and "--help" not in arguments:
            command += ["--receipt", str(self.receipt_path)]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def result(self, code: int, stdout: str, stderr: str) -> Result:
        assert "Traceback (most recent call last)" not in stdout + stderr, stdout + stderr
        receipt = json.loads(self.receipt_path.read_text()) if self.receipt_path.exists() else {}
        return Result(code, stdout, stderr, receipt)

    @property
    def receipt_path(self) -> Path:
        return self.folder / "receipt.json"

    def with_environment(self, environment: Mapping[str, str]) -> "Cli":
        return Cli(self.folder, {**self.environment, **environment})


@dataclass(frozen=True)
class Served:
    """A rehearsal world that is up in another process."""

    repository_url: str
    index_url: str
    api_token: str
    web: str
    install: str
    sigstore_trust_config: str
    environment: dict[str, str]


def serve(*arguments: str) -> "tuple[subprocess.Popen[str], Served]":
    process = subprocess.Popen(
        [sys.executable, "-m", "ci_publish", "rehearse", "--serve", "--as-ci", "--output", "json", *arguments],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, Served(**json.loads(process.stdout.readline()))


def stop(process: "subprocess.Popen[str]") -> int:
    if os.name == "nt":
        process.terminate()
    else:
        process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    process, world = serve()
    yield world
    assert stop(process) == 0


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The command line without any CI around it."""
    return Cli(tmp_path, clean_environment())


@pytest.fixture
def in_ci(cli: Cli, served: Served) -> Cli:
    """The command line in the rehearsal's GitHub job."""
    return cli.with_environment(served.environment)
