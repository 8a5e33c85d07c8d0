"""However a run ends: every upload token is burnt, no identity is exchanged twice, and no secret is left anywhere.

Run by `make test-stress`, with CI_PUBLISH_STRESS=1: 200 runs are stopped and 500 fail. `make test` has
tests/e2e/test_signals.py and tests/e2e/test_secrets.py for this.
"""

import base64
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.wrappers import Response

from ci_publish.rehearsal.hooks import Interpose, answer, drop, only, times
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release

pytestmark = [pytest.mark.faults, pytest.mark.stress, pytest.mark.skipif(os.name == "nt", reason="SIGTERM is POSIX's")]

STRESS = os.environ.get("CI_PUBLISH_STRESS") == "1"
STOPPED_RUNS = 200 if STRESS else 20
FAILING_RUNS = 500 if STRESS else 40
SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as opened:
        yield opened
        assert opened.failures == ()


def release(folder: Path, number: int) -> None:
    """Make a new release: an index takes no name again that it has had."""
    shutil.rmtree(folder / "dist", ignore_errors=True)
    make_release(folder / "dist", version=f"1.{number}")


def start(folder: Path, environ: Mapping[str, str], *options: str) -> "subprocess.Popen[str]":
    files = {name: str(folder / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        Path(path).write_text("")
    command = [sys.executable, "-m", "ci_publish", "publish", "--receipt", str(folder / "receipt.json")]
    return subprocess.Popen(
        [*command, *options],
        cwd=folder,
        env={**environ, **files, "PATH": os.defpath, "PYTHONPATH": str(SOURCE), "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_no_token_is_left_unburnt_by_runs_that_are_stopped_anywhere(world: RehearsalWorld, tmp_path: Path) -> None:
    chance = random.Random(20261120)  # noqa: S311  (points in time, not secrets)
    world.index.hooks.delay = 0.05
    codes = []
    for number in range(STOPPED_RUNS):
        release(tmp_path, number)
        environ = world.environment("github")
        requests = stopping_at(world, chance.randint(1, 9), chance.uniform(0.0, 0.1))
        process = start(tmp_path, environ, "--attestations", "off", "--verbose")
        requests.append(process)
        _, said = process.communicate(timeout=60)
        codes.append(process.returncode)
        assert process.returncode in {0, 143, -signal.SIGTERM}, said  # the last: before the handlers, or after the end
        assert [token.id for token in world.index.mint_log if not token.burnt] == [], said
    exchanged = [token.jti for token in world.index.mint_log]
    assert len(exchanged) == len(set(exchanged))
    assert len(exchanged) >= STOPPED_RUNS / 4
    assert codes.count(143) >= STOPPED_RUNS / 4


def stopping_at(world: RehearsalWorld, number: int, later: float) -> "list[subprocess.Popen[str]]":
    """Send SIGTERM to the process in the returned list, *later* seconds after its request of this *number* came in."""
    processes: list[subprocess.Popen[str]] = []
    left = iter(range(number))

    def stop() -> None:
        with contextlib.suppress(ProcessLookupError):
            processes[0].send_signal(signal.SIGTERM)

    def count(_environ: object) -> None:
        if next(left, None) == number - 1:
            threading.Timer(later, stop).start()

    world.index.hooks.interpose = count
    return processes


def failing() -> list[tuple[Interpose, dict[str, str], tuple[str, ...]]]:
    """Return ways to fail: what the index does, variables, options."""
    api_token = {"CI_PUBLISH_PASSWORD": "pypi-" + "AgEIcmVoZWFyc2FsCANARY+/=" * 4}
    password = {"CI_PUBLISH_USER": "alice", "CI_PUBLISH_PASSWORD": "hunter2 CANARY+/&%=é"}
    no_attestations = ("--attestations", "off")
    return [
        (only("/_/oidc/mint-token", answer(422, "no")), {}, no_attestations),
        (only("/_/oidc/mint-token", answer(400, "::error::no")), {}, no_attestations),
        (only("/legacy/", answer(403, "no")), {}, no_attestations),
        (only("/legacy/", echo), {}, no_attestations),
        (only("/_/oidc/burn-token", times(1, answer(400, "no"))), {}, ("--attestations", "off", "--verbose")),
        (only("/legacy/", answer(403, "no")), api_token, ()),
        (only("/legacy/", echo), api_token, ("--verbose",)),
        (only("/legacy/", drop), api_token, ("--verbose",)),
        (only("/legacy/", answer(403, "no")), password, ()),
        (only("/simple/", answer(500, "no")), {}, no_attestations),
    ]


def echo(environ: dict[str, Any]) -> Response | None:
    """Say back what the client authorizes itself with, as a hostile or chatty index may."""
    given = str(environ.get("HTTP_AUTHORIZATION", ""))
    raw = base64.b64decode(given.partition(" ")[2]).decode()
    return answer(400, f"you sent {given} which is {raw} or {quote(raw)}")(environ)


def forms(secret: str) -> set[str]:
    """Return the ways in which *secret* may be written."""
    pairs = {secret, *(f"{user}:{secret}" for user in ("__token__", "alice"))}
    encoded = {base64.b64encode(text.encode()).decode() for text in pairs}
    return {form for text in pairs for form in (text, quote(text, safe=""), quote(text))} | encoded


def without_masks(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("::add-mask::"))


def test_no_secret_is_left_by_runs_that_fail(world: RehearsalWorld, tmp_path: Path) -> None:
    ways = failing()
    for number in range(FAILING_RUNS):
        release(tmp_path, number)
        interpose, variables, options = ways[number % len(ways)]
        seen: list[str] = []
        world.index.hooks.interpose = watched(interpose, seen)
        environ = {**world.environment("github"), **variables}
        process = start(tmp_path, environ, "--deadline", "3", "--verify-timeout", "1", *options)
        stdout, stderr = process.communicate(timeout=60)
        secrets = {variables.get("CI_PUBLISH_PASSWORD", ""), environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], *seen} - {""}
        written = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
        places = {"stdout": without_masks(stdout), "stderr": stderr, **written}
        hidden = {form for secret in secrets for form in forms(secret)}
        found = {(place, form) for form in hidden for place, text in places.items() if form in text}
        assert found == set(), f"run {number}: {options}"
        assert not re.search(r"eyJ[A-Za-z0-9_-]{20}", "".join(places.values()))
        assert process.returncode in {5, 6, 8, 9, 10, 11, 0}, stdout + stderr
        assert process.returncode or number % len(ways) == 4


def watched(interpose: Interpose, seen: list[str]) -> Interpose:
    """Note every upload token and password that reaches the index."""

    def note(environ: dict[str, Any]) -> Response | None:
        given = str(environ.get("HTTP_AUTHORIZATION", ""))
        if given.startswith("Basic "):
            seen.append(base64.b64decode(given[6:]).decode().partition(":")[2])
        return interpose(environ)

    return note
