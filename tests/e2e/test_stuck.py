"""A run whose main thread is stuck, in Python or in C: it ends in time all the same, and no upload token is left.

One stage is tested in ``make test``, all stages with CI_PUBLISH_STRESS=1.
"""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from ci_publish.app.token_guard import OUTLIVED_BY, UNREAD_FOR
from ci_publish.cli.watcher import LEAVE_AFTER
from ci_publish.rehearsal.world import RehearsalWorld
from tests.e2e.conftest import clean_environment
from tests.e2e.harness_runs import STRESS, Release, in_worlds

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.name == "nt", reason="SIGTERM and shared sockets are POSIX's")]

KINDS = ("python", "releasing", "holding")
# What the main thread calls: before and after there is an upload token.
BEFORE = ("LocalDistributions.collect", "make_plan", "schedule")
AFTER = ("Listing.wait_for",)
STAGES = (*BEFORE, *AFTER) if STRESS else AFTER
# Starting the guard's HTTP client, on a machine that is busy with three such runs.
SLACK = 12.0
DEADLINE = 6.0


def run_stuck(
    folder: Path, world: RehearsalWorld, kind: str, stage: str, arguments: tuple[str, ...]
) -> "tuple[subprocess.Popen[str], Path]":
    started, receipt = folder / "started", folder / "receipt.json"
    program = Path(__file__).with_name("stuck.py")
    command = [sys.executable, str(program), kind, stage, str(started), "publish", "--attestations", "off", *arguments]
    environ = {**clean_environment(), "HOME": str(folder), "TMPDIR": str(folder), **world.environment()}
    process = subprocess.Popen(
        [*command, "--receipt", str(receipt)],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    ends = time.monotonic() + 90
    while not started.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < ends
        time.sleep(0.05)
    return process, receipt


def judge(world: RehearsalWorld, stage: str, where: str) -> None:
    """No token is left; after there was one, it was burned."""
    ends = time.monotonic() + SLACK
    while not all(token.burnt for token in world.index.mint_log) and time.monotonic() < ends:
        time.sleep(0.1)
    assert [token.burnt for token in world.index.mint_log] == ([True] if stage in AFTER else []), where


def stop(folder: Path, world: RehearsalWorld, number: int, *, how: str) -> None:
    stage, kind = STAGES[number // len(KINDS)], KINDS[number % len(KINDS)]
    where = f"{kind} at {stage}, {how}"
    release = Release.make(folder / f"{how}-{number}", f"stuck-{number}")
    arguments = ("--deadline", str(DEADLINE)) if how == "deadline" else ()
    process, receipt = run_stuck(release.folder, world, kind, stage, arguments)
    began = time.monotonic()
    if how == "signal":
        process.send_signal(signal.SIGTERM)
    if kind == "holding" and stage in BEFORE:
        # No token, no guard: nothing in this process can end it, and nothing is left to burn.
        process.kill()
        process.communicate()
        judge(world, stage, where)
        return
    output, _ = process.communicate(timeout=DEADLINE + 60)
    seconds = time.monotonic() - began
    judge(world, stage, f"{where}: {output}")
    if kind == "holding":
        assert process.returncode == -signal.SIGKILL, where
        assert "Its upload tokens were burned" in output, where
        assert seconds < (UNREAD_FOR if how == "signal" else DEADLINE + OUTLIVED_BY) + SLACK, where
        return
    left_alone = stage == "LocalDistributions.collect" and kind == "python"
    longest = 0.0 if left_alone else LEAVE_AFTER
    assert process.returncode == (143 if how == "signal" else 10), f"{where}: {output}"
    assert seconds < (DEADLINE if how == "deadline" else 0.0) + longest + SLACK, f"{where}: {seconds}"
    assert json.loads(receipt.read_text())["exit_code"] == process.returncode, f"{where}: {output}"


@pytest.mark.parametrize("how", ["signal", "deadline"])
def test_a_stuck_run_ends_and_leaves_no_token(tmp_path: Path, how: str) -> None:
    in_worlds(range(len(STAGES) * len(KINDS)), partial(stop, tmp_path, how=how))
