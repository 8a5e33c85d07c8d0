"""A run whose main thread is stuck, in Python or in C: it ends in time all the same, and no upload token is left.

A few cases are tested in ``make test``, all with CI_PUBLISH_STRESS=1: when each of its steps gets stuck.
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
from tests.e2e.harness_runs import STRESS, WORKERS, Release, in_worlds

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.name == "nt", reason="SIGTERM and shared sockets are POSIX's")]

KINDS = ("python", "releasing", "holding")
# What is called before and after there is an upload token; the second in a thread that uploads.
BEFORE = ("prepare_command", "LocalDistributions.collect", "make_plan", "schedule_uploads")
AFTER = ("Confirmation.wait_until_listed", "HttpIndex.upload")
# How long a machine that is busy with others may take for what an idle one does in a second.
SLACK = 30.0
# Between the file that says so and the call that gets stuck a signal is still handled.
SETTLED = 1.0
# A run that does not get to its stage before its deadline is given a later one: a busy machine is not a fault.
DEADLINES = (6.0, 30.0, 90.0)


def in_a_container(*command: str) -> list[str]:
    """Return *command* as the first process of a PID namespace, as a container's entry point is."""
    return ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child", *command]


def may_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(in_a_container("true"), check=False, capture_output=True).returncode == 0


ALL = tuple((stage, kind, how) for how in ("deadline", "signal") for stage in (*BEFORE, *AFTER) for kind in KINDS)
CONTAINER = (("LocalDistributions.collect", "holding", "container"),) if may_unshare() else ()
EVERYDAY = (
    *(() if CONTAINER else (("LocalDistributions.collect", "holding", "deadline"),)),
    ("Confirmation.wait_until_listed", "python", "signal"),
    ("Confirmation.wait_until_listed", "releasing", "signal"),
    ("Confirmation.wait_until_listed", "holding", "signal"),
    ("Confirmation.wait_until_listed", "releasing", "deadline"),
)
CASES = (*CONTAINER, *(ALL if STRESS else EVERYDAY))


def run_stuck(
    folder: Path, world: RehearsalWorld, kind: str, stage: str, arguments: tuple[str, ...]
) -> "tuple[subprocess.Popen[str], Path, bool]":
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
    ends = time.monotonic() + 180
    while not started.exists() and process.poll() is None:
        assert time.monotonic() < ends
        time.sleep(0.05)
    return process, receipt, started.exists()


def judge(world: RehearsalWorld, earlier: int, stage: str, where: str) -> None:
    """No token is left; after there was one, it was burned. *earlier*: the tokens of other runs in this world."""
    ends = time.monotonic() + SLACK
    while not all(token.burnt for token in world.index.mint_log) and time.monotonic() < ends:
        time.sleep(0.1)
    burnt = [token.burnt for token in world.index.mint_log[earlier:]]
    assert burnt == ([True] if stage in AFTER else []), where


def stop(folder: Path, world: RehearsalWorld, number: int) -> None:
    stage, kind, how = CASES[number]
    if how == "container":
        stop_first_process(folder / f"container-{number}")
        return
    output = ""
    for deadline in DEADLINES if how == "deadline" else (0.0,):
        release = Release.make(folder / f"{number}-{deadline:g}", f"stuck-{number}")
        arguments = ("--deadline", str(deadline)) if deadline else ()
        earlier = len(world.index.mint_log)
        process, receipt, started = run_stuck(release.folder, world, kind, stage, arguments)
        if started:
            judge_end(world, earlier, process, receipt, (stage, kind, deadline))
            return
        output, _ = process.communicate()
        assert deadline, f"it ended before {stage}: {output}"
    pytest.fail(f"no run came to {stage} in {DEADLINES[-1]} s: {output}")


def judge_end(
    world: RehearsalWorld,
    earlier: int,
    process: "subprocess.Popen[str]",
    receipt: Path,
    case: tuple[str, str, float],
) -> None:
    """End a run that is stuck now: by a signal, where it has no deadline."""
    stage, kind, deadline = case
    time.sleep(SETTLED)
    began = time.monotonic()
    if not deadline:
        process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=deadline + 2 * SLACK)
    seconds = time.monotonic() - began
    where = f"{kind} at {stage}, deadline {deadline}, after {seconds:.1f} s: {output}"
    judge(world, earlier, stage, where)
    if kind == "holding":
        assert process.returncode == -signal.SIGKILL, where
        burned = "Its upload tokens were burned" if stage in AFTER else "There was no upload token to burn"
        assert burned in output, where
        assert seconds < (deadline + OUTLIVED_BY if deadline else UNREAD_FOR) + SLACK, where
        return
    left_alone = stage == "LocalDistributions.collect" and kind == "python"  # a step that ends at once
    assert process.returncode == (10 if deadline else 143), where
    assert seconds < deadline + (0.0 if left_alone else LEAVE_AFTER) + SLACK, where
    if stage != "prepare_command":  # the settings say where the receipt goes
        assert json.loads(receipt.read_text())["exit_code"] == process.returncode, where


def stop_first_process(folder: Path) -> None:
    """No signal of a process in a container ends its first one, SIGKILL neither: the kernel's CPU limit does."""
    Release.make(folder, "stuck")
    program = str(Path(__file__).with_name("stuck.py"))
    for deadline in DEADLINES:
        arguments = ("holding", "LocalDistributions.collect", "started", "check", "--deadline", str(deadline))
        began = time.monotonic()
        done = subprocess.run(
            in_a_container(sys.executable, program, *arguments),
            cwd=folder,
            env={**clean_environment(), "HOME": str(folder)},
            capture_output=True,
            text=True,
            timeout=deadline + OUTLIVED_BY + 2 * SLACK,
            check=False,
        )
        if not (folder / "started").exists():
            continue
        assert "it did not stop at its deadline. There was no upload token to burn" in done.stderr
        assert time.monotonic() - began > deadline + OUTLIVED_BY
        assert done.returncode != 0
        return
    pytest.fail(f"no run came to its stage in {DEADLINES[-1]} s")


def test_stuck_runs_end_and_leave_no_token(tmp_path: Path) -> None:
    """All at once: they wait for most of their time."""
    in_worlds(range(len(CASES)), partial(stop, tmp_path), workers=WORKERS if STRESS else len(CASES))


@pytest.mark.skipif(not may_unshare(), reason="no right to make a PID namespace here")
def test_the_first_process_of_a_container_is_among_them() -> None:
    assert CONTAINER


@pytest.mark.parametrize("stage", [*BEFORE, *AFTER])
def test_each_stage_is_a_function_of_ours(stage: str) -> None:
    """A renamed function would make the tests above wait for a run that is never stuck."""
    name = stage.rpartition(".")[2]
    sources = (Path(__file__).parents[2] / "src" / "ci_publish").rglob("*.py")
    assert any(f"def {name}(" in path.read_text(encoding="utf-8") for path in sources)
