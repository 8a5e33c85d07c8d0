"""Signals before a run begins and after it ended, in a process of their own."""

import subprocess
import sys

import pytest


def end_of(code: str) -> tuple[int, str]:
    script = f"import os, signal\nfrom ci_publish.cli import signals\n{code}\nprint('went on')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_before_a_run_ends_the_process_without_a_traceback(name: str, code: int) -> None:
    assert end_of(f"signals.end_process_on_signal()\nos.kill(os.getpid(), signal.{name})") == (code, "")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_after_a_run_changes_nothing(name: str) -> None:
    assert end_of(f"signals.ignore_signals()\nos.kill(os.getpid(), signal.{name})") == (0, "went on\n")
