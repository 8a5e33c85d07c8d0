"""Stopped by SIGTERM or SIGINT anywhere: in time, with a receipt that is true, and with no token left.

Twenty runs are stopped in ``make test``, two hundred with CI_PUBLISH_STRESS=1.
"""

import math
import os
import re
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import Popen

import pytest

from ci_publish.rehearsal.hooks import drop, only, times
from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.world import RehearsalWorld
from tests.e2e.harness_runs import (
    STRESS,
    Ended,
    Release,
    Traffic,
    clear,
    dice,
    finish,
    in_worlds,
    run,
    sending,
    start,
)

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.name == "nt", reason="SIGTERM is POSIX's")]

STOPPED = 200 if STRESS else 20
EACH = 2  # runs that are stopped, before one is left alone
ENDS = {signal.SIGTERM: (143, "terminated"), signal.SIGINT: (130, "interrupted")}
# GitHub kills 10 s after its first signal.
IN_TIME = 10.0
TAGS = ("py3", "py2")
REQUESTS = {"auto": 19, "off": 10}
STARTING = 0.8


@dataclass(frozen=True)
class Stopped:
    """How one run that was sent a signal ended: where it was, with which code, how long after the signal."""

    seed: str
    stage: str | None
    signal: signal.Signals
    ended: Ended
    seconds: float


def test_stopped_anywhere(tmp_path: Path) -> None:
    """Whatever a run was doing: it ends in time, says what it did, and the next run finishes."""
    stops = [
        stop for chain in in_worlds(range(STOPPED // EACH), partial(stop_and_run_again, tmp_path)) for stop in chain
    ]
    assert len(stops) == STOPPED
    stages = Counter(stop.stage for stop in stops if stop.ended.code)
    assert sum(stages.values()) >= STOPPED * 0.5, f"too few runs were stopped: {stages}"
    wanted = {"before", "look", "mint", "sign", "first upload", "upload"} if STRESS else {"before"}
    assert wanted <= stages.keys(), stages


def stop_and_run_again(folder: Path, world: RehearsalWorld, number: int) -> list[Stopped]:
    chance = dice("stop", number)
    release = Release.make(folder / f"stop-{number}", f"stop-{number}", TAGS)
    stops = []
    for again in range(EACH):
        # the points of all runs lie evenly over a run; some lie before its first request, and some after its last
        place = (number * EACH + again + chance.random()) / STOPPED
        stops.append(stop_one(world, release, place, f"stop-{number}.{again}"))
    attestations = "auto" if any(name in release.published(world) for name in release.content) else "off"
    ended = run(release.folder, world.environment(), "publish", "--attestations", attestations)
    where = f"stop-{number}, stopped at {[stop.stage for stop in stops]}: {ended.said}"
    assert ended.code == 0, where
    assert release.published(world) == release.content, where
    assert release.dist == release.content, where
    assert set(ended.statuses.values()) <= {"uploaded", "already-published"}, where
    clear(release.folder)
    return stops


def stop_one(world: RehearsalWorld, release: Release, place: float, seed: str) -> Stopped:
    chance = dice("stop", int(place * 1e6))
    kind = chance.choice(tuple(ENDS))
    attestations = chance.choice(tuple(REQUESTS))
    point = int(place * (REQUESTS[attestations] + 3)) - 2
    traffic = Traffic(at=point, when=chance.choice(("handled", chance.uniform(0.0, 0.1))), slow=chance.uniform(0, 0.05))
    processes, send = sending(kind)
    moments: list[float] = []

    def hit() -> None:
        moments.append(time.monotonic())
        send()

    traffic.hit = hit
    before, entries = len(world.index.mint_log), len(world.sigstore.entries)
    had = set(release.published(world))
    with traffic.of(world):
        process = start(release.folder, world.environment(), "publish", "--attestations", attestations)
        processes.append(process)
        if point < 0:
            wait_until_it_minds_signals(process)
            time.sleep(chance.uniform(0.0, STARTING))
            traffic.was_hit_at = "before"
            hit()
        ended = finish(release.folder, process)
    stopped = Stopped(seed, traffic.was_hit_at, kind, ended, time.monotonic() - moments[0] if moments else 0.0)
    judge(stopped, traffic)
    judge_receipt(stopped, release, had, world)
    judge_world(stopped, world, before)
    assert attestations == "auto" or len(world.sigstore.entries) == entries, seed
    assert release.dist == release.content, seed
    return stopped


def wait_until_it_minds_signals(process: Popen[str]) -> None:
    """Wait until the process has a handler for SIGTERM; before that it is Python that starts, and not yet we."""
    status = Path(f"/proc/{process.pid}/status")
    while status.exists() and process.poll() is None:
        caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status.read_text(), re.MULTILINE)
        if caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.002)


def judge(stopped: Stopped, traffic: Traffic) -> None:
    where = f"{stopped.seed}, {stopped.signal.name} at {stopped.stage}: {stopped.ended.said}"
    code, slug = ENDS[stopped.signal]
    assert stopped.ended.code in {0, code}, where
    assert stopped.seconds <= IN_TIME, f"{stopped.seconds:.1f} s after the signal; {where}"
    receipt = stopped.ended.receipt
    if receipt is None:
        assert traffic.seen == [], f"requests without a receipt; {where}"
        return
    assert receipt["exit_code"] == stopped.ended.code, where
    if stopped.ended.code:
        assert receipt["outcome"] == "interrupted", where
        assert receipt["error"]["slug"] == slug, where


PRESENT = {"uploaded", "uploaded-not-confirmed", "already-published"}


def judge_receipt(stopped: Stopped, release: Release, had: set[str], world: RehearsalWorld) -> None:
    """Check that the receipt tells the state of every file, and that what it tells is true."""
    where = f"{stopped.seed}, {stopped.signal.name} at {stopped.stage}: {stopped.ended.said}"
    has, statuses = set(release.published(world)), stopped.ended.statuses
    if stopped.ended.receipt is None:
        assert has == had, where
        return
    if "check" in stopped.ended.receipt["timings"]:  # all files were found by then
        assert set(statuses) == set(release.content), where
    told = {name for name, status in statuses.items() if status in PRESENT}
    untouched = {name for name, status in statuses.items() if status == "not-attempted"}
    assert told <= has, where
    assert stopped.ended.code or has == release.content.keys(), f"done before the signal, but not all; {where}"
    assert not untouched & (has - had), where
    assert has <= release.content.keys(), where


def judge_world(stopped: Stopped, world: RehearsalWorld, before: int) -> None:
    """Check what the servers know: one exchange at most, each identity used once, nothing unburnt."""
    where = f"{stopped.seed}, {stopped.signal.name} at {stopped.stage}: {stopped.ended.said}"
    log = world.index.mint_log
    assert len(log) - before <= 1, where
    assert [token.id for token in log if not token.burnt] == [], where
    exchanged = [token.jti for token in log]
    assert len(exchanged) == len(set(exchanged)), where


def test_a_second_signal_cuts_at_once(tmp_path: Path) -> None:
    """Ctrl-C twice: what is in flight is cut, the token is burnt all the same."""
    release = Release.make(tmp_path, "twice")
    with RehearsalWorld() as world:
        processes, send = sending(signal.SIGINT)
        over = threading.Event()

        def stall(environ: dict[str, object]) -> None:
            if environ["PATH_INFO"] == "/legacy/":
                send()
                time.sleep(0.2)
                send()
                over.wait(30)

        world.index.hooks.interpose = stall
        processes.append(start(tmp_path, world.environment(), "publish", "--attestations", "off"))
        ended = finish(tmp_path, processes[0])
        over.set()
        assert ended.code == 130, ended.said
        assert ended.seconds < 8, ended.said
        assert all(token.burnt for token in world.index.mint_log), ended.said
        assert set(ended.statuses) == set(release.content)


# The first look is made while the files are still read: after so many seconds, a run waits for nothing else.
SETTLED = 1.0
STALLED = ("/legacy/", "/_/oidc/mint-token", "/_/oidc/burn-token", "/simple/", "/api/", "/idtoken")


def test_servers_that_answer_nothing_delay_no_end(tmp_path: Path) -> None:
    """Five seconds of grace, a little more for a mint: within ten seconds, a run is over whatever it waits for."""
    ends = in_worlds(range(len(STALLED)), partial(stop_while_stalled, tmp_path), workers=len(STALLED))
    assert sorted(code for code, _ in ends) == [0, *[143] * (len(STALLED) - 1)]


def stop_while_stalled(folder: Path, world: RehearsalWorld, number: int) -> tuple[int, float]:
    stalled, moments = STALLED[number], list[float]()
    release = Release.make(folder / f"stalled-{number}", f"stalled-{number}")
    processes, send = sending(signal.SIGTERM)
    over = threading.Event()

    def stall(environ: dict[str, object]) -> None:
        if str(environ["PATH_INFO"]).startswith(stalled):
            if not moments:
                moments.append(math.inf)
                time.sleep(SETTLED)
                moments[0] = time.monotonic()
                send()
            over.wait(30)

    for part in (world.index, world.sigstore, world.identity_provider):
        part.hooks.interpose = stall
    processes.append(start(release.folder, world.environment(), "publish"))
    ended = finish(release.folder, processes[0])
    seconds = time.monotonic() - moments[0]
    over.set()
    where = f"{stalled}, {seconds:.1f} s: {ended.said}"
    assert seconds <= IN_TIME, where
    # whoever is stopped while its token is being burnt has published everything
    assert ended.code == (0 if stalled == "/_/oidc/burn-token" else 143), where
    assert ended.receipt is not None, where
    assert set(ended.statuses) == set(release.content), where
    return ended.code, seconds


def test_nothing_is_signed_for_a_refused_identity(tmp_path: Path) -> None:
    """The index is asked before anything is written into a public log that cannot forget."""
    Release.make(tmp_path, "refused")
    with RehearsalWorld(registrations=[]) as world, Traffic().of(world) as traffic:
        ended = run(tmp_path, world.environment(), "publish")
        assert ended.code == 6, ended.said
        assert "invalid-publisher" in ended.said
        assert "sign" not in traffic.seen, traffic.seen
        assert "first upload" not in traffic.seen, traffic.seen
        assert world.sigstore.entries == ()
        assert world.index.mint_log == ()


def test_no_identity_is_sent_twice_when_the_exchange_fails(tmp_path: Path) -> None:
    """Every attempt to mint takes a fresh identity token: what was lost may have been used."""
    Release.make(tmp_path, "again")
    with RehearsalWorld() as world:
        world.index.hooks.interpose = only("/_/oidc/mint-token", times(2, drop))
        ended = run(tmp_path, world.environment(), "publish", "--attestations", "off")
        assert ended.code == 0, ended.said
        assert len(issued(world.identity_provider)) == 3
        assert len(set(issued(world.identity_provider))) == 3
        assert [token.burnt for token in world.index.mint_log] == [True]


def issued(provider: RehearsalIdentityProvider) -> list[object]:
    return [token.jti for token in provider.issued]
