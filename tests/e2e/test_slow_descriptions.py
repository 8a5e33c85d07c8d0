"""A description that a renderer works on for minutes: `check` ends when asked to, and renders it once."""

import os
import signal
import time
from pathlib import Path

import pytest

from ci_publish.distributions.checks.rendering import CHILD_SECONDS
from tests.corpus.build import Wheel, metadata
from tests.e2e.harness_runs import finish, start

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.name == "nt", reason="SIGTERM is POSIX's")]

DEADLINE = 3.0
# Starting and ending a process, on a machine that is busy with other tests.
SLACK = 6.0


def make(folder: Path) -> None:
    text = metadata(fields=(("Description-Content-Type", "text/markdown"),), body=">" * 500_000)
    (folder / "dist").mkdir()
    (folder / "dist" / "demo_pkg-1.0-py3-none-any.whl").write_bytes(Wheel(metadata=text).build())


def test_it_is_rendered_once_and_then_left(tmp_path: Path) -> None:
    make(tmp_path)
    ended = finish(tmp_path, start(tmp_path, {}, "check"))
    assert ended.code == 0, ended.said
    assert "description-too-large" in ended.said
    assert ended.seconds < CHILD_SECONDS + SLACK, ended.said


def test_the_deadline_ends_it(tmp_path: Path) -> None:
    make(tmp_path)
    ended = finish(tmp_path, start(tmp_path, {}, "check", "--deadline", str(DEADLINE)))
    assert ended.code == 10, ended.said
    assert ended.seconds < DEADLINE + SLACK, ended.said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it(tmp_path: Path, number: int, code: int) -> None:
    make(tmp_path)
    process = start(tmp_path, {}, "check")
    time.sleep(2.0)
    process.send_signal(number)
    ended = finish(tmp_path, process)
    assert ended.code == code, ended.said
    assert ended.seconds < SLACK, ended.said
