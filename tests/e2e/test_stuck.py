"""A run whose main thread is stuck, in Python or in C: it ends in time all the same, and no upload token is left.

A few cases are tested in ``make test``, all with CI_PUBLISH_STRESS=1.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from ci_publish.app.supervisor import OUTLIVED_BY, UNREAD_FOR
from ci_publish.cli.watcher import LEAVE_AFTER
from ci_publish.rehearsal.world import RehearsalWorld
from tests.e2e.conftest import clean_environment
from tests.e2e.harness_runs import STRESS, Release, in_worlds

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.name == "nt", reason="SIGTERM and shared sockets are POSIX's")]

KINDS = ("python", "releasing", "holding")
# What is called before and after there is an upload token; the second in a thread that uploads.
BEFORE = ("prepared", "LocalDistributions.collect", "make_plan", "schedule")
AFTER = ("Confirmation.wait_for", "HttpIndex.upload")
ALL = tuple((stage, kind) for stage in (*BEFORE, *AFTER) for kind in KINDS)
EVERYDAY = (*(("Confirmation.wait_for", kind) for kind in KINDS), ("LocalDistributions.collect", "holding"))
CASES = ALL if STRESS else EVERYDAY
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


def judge(world: RehearsalWorld, earlier: int, stage: str, where: str) -> None:
    """No token is left; after there was one, it was burned. *earlier*: the tokens of other runs in this world."""
    ends = time.monotonic() + SLACK
    while not all(token.burnt for token in world.index.mint_log) and time.monotonic() < ends:
        time.sleep(0.1)
    burnt = [token.burnt for token in world.index.mint_log[earlier:]]
    assert burnt == ([True] if stage in AFTER else []), where


def stop(folder: Path, world: RehearsalWorld, number: int, *, how: str) -> None:
    stage, kind = CASES[number]
    where = f"{kind} at {stage}, {how}"
    release = Release.make(folder / f"{how}-{number}", f"stuck-{number}")
    arguments = ("--deadline", str(DEADLINE)) if how == "deadline" else ()
    earlier = len(world.index.mint_log)
    process, receipt = run_stuck(release.folder, world, kind, stage, arguments)
    began = time.monotonic()
    if how == "signal":
        process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=DEADLINE + 60)
    seconds = time.monotonic() - began
    judge(world, earlier, stage, f"{where}: {output}")
    if kind == "holding":
        assert process.returncode == -signal.SIGKILL, where
        burned = "Its upload tokens were burned" if stage in AFTER else "There was no upload token to burn"
        assert burned in output, where
        assert seconds < (UNREAD_FOR if how == "signal" else DEADLINE + OUTLIVED_BY) + SLACK, where
        return
    left_alone = stage == "LocalDistributions.collect" and kind == "python"  # a step that ends at once
    longest = 0.0 if left_alone else LEAVE_AFTER
    assert process.returncode == (143 if how == "signal" else 10), f"{where}: {output}"
    assert seconds < (DEADLINE if how == "deadline" else 0.0) + longest + SLACK, f"{where}: {seconds}"
    if stage == "prepared":  # the settings say where the receipt goes
        return
    assert json.loads(receipt.read_text())["exit_code"] == process.returncode, f"{where}: {output}"


@pytest.mark.parametrize("how", ["signal", "deadline"])
def test_a_stuck_run_ends_and_leaves_no_token(tmp_path: Path, how: str) -> None:
    in_worlds(range(len(CASES)), partial(stop, tmp_path, how=how))


def in_a_container(*command: str) -> list[str]:
    """Return *command* as the first process of a PID namespace, as a container's entry point is."""
    return ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child", *command]


def may_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(in_a_container("true"), check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not may_unshare(), reason="no right to make a PID namespace here")
def test_the_first_process_of_a_container_is_ended_too(tmp_path: Path) -> None:
    """No signal of a process in a container ends its first one, SIGKILL neither: the kernel's CPU limit does."""
    Release.make(tmp_path, "stuck")
    program = str(Path(__file__).with_name("stuck.py"))
    arguments = ("holding", "LocalDistributions.collect", str(tmp_path / "started"), "check", "--deadline", "1")
    began = time.monotonic()
    done = subprocess.run(
        in_a_container(sys.executable, program, *arguments),
        cwd=tmp_path,
        env={**clean_environment(), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=1.0 + OUTLIVED_BY + 2 * SLACK,
        check=False,
    )
    assert (tmp_path / "started").exists(), done.stderr
    assert "it did not end at its deadline. There was no upload token to burn" in done.stderr
    assert time.monotonic() - began > 1.0 + OUTLIVED_BY
    assert done.returncode != 0


@pytest.mark.parametrize("stage", [*BEFORE, *AFTER])
def test_each_stage_is_a_function_of_ours(stage: str) -> None:
    """A renamed function would make the tests above wait for a run that is never stuck."""
    name = stage.rpartition(".")[2]
    sources = (Path(__file__).parents[2] / "src" / "ci_publish").rglob("*.py")
    assert any(f"def {name}(" in path.read_text(encoding="utf-8") for path in sources)
