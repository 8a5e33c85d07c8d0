"""Killed, interrupted, half-published, raced: the next run finishes, and every file has its attestation.

Ten runs are killed in ``make test``, a hundred with CI_PUBLISH_STRESS=1.
"""

import contextlib
import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from ci_publish.rehearsal.world import RehearsalWorld
from tests.e2e.harness_runs import STRESS, Ended, Release, Traffic, clear, dice, finish, in_worlds, killer, run
from tests.e2e.harness_runs import start as start_run

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX's")]

KILLS = 100 if STRESS else 10
TAGS = ("py3", "py2", "cp311", "cp312", "cp313")
# What a run of these six files asks: see the assertion of `test_what_an_undisturbed_run_asks`.
REQUESTS = 28
# So long after its start a run is somewhere in its imports.
STARTING = 0.5


def published_completely(world: RehearsalWorld, release: Release, ended: Ended, seed: str) -> None:
    """Check that the index holds the wanted set and nothing else, attested, and that ``dist`` is as it was."""
    assert ended.code == 0, f"{seed}: {ended.said}"
    assert release.published(world) == release.content, f"{seed}: {ended.said}"
    assert release.unattested(world) == set(), f"{seed}: {ended.said}"
    assert release.dist == release.content, f"{seed}: something was left behind in dist"
    assert ended.receipt is not None, seed
    assert set(ended.statuses) == set(release.content), seed
    assert set(ended.statuses.values()) <= {"uploaded", "already-published"}, f"{seed}: {ended.statuses}"
    assert all(file["listed"] for file in ended.receipt["files"]), f"{seed}: {ended.said}"


def test_what_an_undisturbed_run_asks(tmp_path: Path) -> None:
    release = Release.make(tmp_path, "undisturbed", TAGS)
    with RehearsalWorld() as world, Traffic().of(world) as traffic:
        ended = run(tmp_path, world.environment(), "publish")
        published_completely(world, release, ended, "no seed")
        assert len(traffic.seen) == REQUESTS, traffic.seen
        assert Counter(traffic.seen)["mint"] == Counter(traffic.seen)["burn"] == 1, traffic.seen
    assert list((tmp_path / "tmp").iterdir()) == []


def test_killed_anywhere_the_next_run_finishes(tmp_path: Path) -> None:
    """By SIGKILL, in every stage: before, between and after requests, with their effects done or not."""
    kills = in_worlds(range(KILLS), partial(kill_and_run_again, tmp_path))
    stages = Counter(stage for stages in kills for stage in stages)
    assert sum(stages.values()) >= KILLS * 0.9, f"too few runs were killed: {stages}"
    wanted = {"mint", "sign", "first upload", "upload", "provenance"} if STRESS else {"sign", "upload"}
    assert wanted <= stages.keys(), stages


def kill_and_run_again(folder: Path, world: RehearsalWorld, number: int) -> list[str]:
    """Kill a run (every fifth time, the second one, too) and run again; return the stages in which runs were killed."""
    seed = f"kill-{number}"
    chance = dice("kill", number)
    release = Release.make(folder / seed, seed, TAGS)
    stages = []
    for again in range(2 if number % 5 == 4 else 1):
        # the points of all runs lie evenly over a run; one of them before its first request
        point = int((number + chance.random()) * (REQUESTS + 1) / KILLS) - 1 - 4 * again
        when = chance.choice(("arrives", "handled", chance.uniform(0.0, 0.1)))
        traffic = Traffic(at=point, when=when, slow=chance.uniform(0.0, 0.05))
        if stage := kill_one(world, release, traffic, chance.uniform(0.0, STARTING)):
            stages.append(stage)
        assert release.dist == release.content, f"{seed}: something was left behind in dist"
        assert not release.unattested(world), seed
    before = set((release.folder / "tmp").iterdir())
    ended = run(release.folder, world.environment(), "publish")
    published_completely(world, release, ended, f"{seed}, killed at {stages}")
    assert set((release.folder / "tmp").iterdir()) <= before, f"{seed}: something was left behind in TMPDIR"
    clear(release.folder)
    return stages


def kill_one(world: RehearsalWorld, release: Release, traffic: Traffic, later: float) -> str | None:
    processes, traffic.hit = killer()
    with traffic.of(world):
        process = start_run(release.folder, world.environment(), "publish")
        processes.append(process)
        if traffic.at < 0:
            time.sleep(later)
            traffic.was_hit_at = "before"
            process.kill()
        ended = finish(release.folder, process)
    assert ended.code in {0, -9}, ended.said
    return traffic.was_hit_at if ended.code == -9 else None


def test_the_upload_token_of_a_killed_run_is_burned(tmp_path: Path) -> None:
    """By the process that watches the run: the run itself can do nothing any more."""
    release = Release.make(tmp_path, "killed")
    processes, kill = killer()

    def kill_at_the_upload(environ: dict[str, Any]) -> Response | None:
        if environ["PATH_INFO"] != "/legacy/":
            return None
        kill()
        raise ConnectionResetError("the client is gone")

    with RehearsalWorld() as world:
        world.index.hooks.interpose = kill_at_the_upload
        processes.append(start_run(release.folder, world.environment(), "publish", "--attestations", "off"))
        ended = finish(release.folder, processes[0])
        assert ended.code == -9, ended.said
        ends = time.monotonic() + 30
        while not all(token.burnt for token in world.index.mint_log) and time.monotonic() < ends:
            time.sleep(0.05)
        assert [token.burnt for token in world.index.mint_log] == [True]


def test_two_runs_at_once_with_equal_bytes_both_end_well(tmp_path: Path) -> None:
    """Both want the same files on the same index at the same time, in one project after the other."""
    with RehearsalWorld() as world, ThreadPoolExecutor(2) as pool:
        for number in range(10 if STRESS else 2):
            seed = f"race-{number}"
            one, other = (Release.make(tmp_path / f"{seed}-{side}", seed, TAGS[:3]) for side in "ab")
            assert one.content == other.content
            meeting = threading.Barrier(2)
            world.index.hooks.interpose = partial(meet_at, "/legacy/" if number % 2 else "/simple/", meeting)
            options = [("publish",), ("publish", "--attestations", "off")][number % 2]
            runs = [pool.submit(run, side.folder, world.environment(), *options) for side in (one, other)]
            ends = [future.result() for future in runs]
            assert [ended.code for ended in ends] == [0, 0], f"{seed}: {ends[0].said}{ends[1].said}"
            assert one.published(world) == one.content, seed
            assert all(token.burnt for token in world.index.mint_log), seed
            statuses = [Counter(ended.statuses.values()) for ended in ends]
            assert sum(count["uploaded"] for count in statuses) >= len(one.content), statuses
            for ended in ends:
                assert ended.receipt is not None
                assert all(file["listed"] for file in ended.receipt["files"]), seed
        assert world.failures == ()


def meet_at(prefix: str, meeting: threading.Barrier, environ: dict[str, Any]) -> Response | None:
    """Let the first request of both runs to *prefix* go on together."""
    if environ["PATH_INFO"].startswith(prefix) and not meeting.broken:
        with contextlib.suppress(threading.BrokenBarrierError):
            meeting.wait(10)
        meeting.abort()
    return None


def test_a_release_that_somebody_published_in_part_is_finished(tmp_path: Path) -> None:
    release = Release.make(tmp_path, "half", TAGS)
    with RehearsalWorld() as world:
        names = sorted(release.content)
        for name in names[3:]:
            (tmp_path / "dist" / name).rename(tmp_path / name)
        assert run(tmp_path, world.environment(), "publish").code == 0
        for name in names[3:]:
            (tmp_path / name).rename(tmp_path / "dist" / name)
        with Traffic().of(world) as traffic:
            ended = run(tmp_path, world.environment(), "publish")
        published_completely(world, release, ended, "no seed")
        assert Counter(ended.statuses.values()) == {"already-published": 3, "uploaded": 3}
        assert traffic.seen.count("first upload") + traffic.seen.count("upload") == 3, traffic.seen


def test_a_token_is_renewed_across_four_lifetimes(tmp_path: Path) -> None:
    """Uploads that take longer than four upload tokens live: each token is replaced in time, used, and burnt."""
    release = Release.make(tmp_path, "renewed", (*TAGS, "cp314", "cp315", "cp316", "cp317", "cp318", "cp319"))
    with RehearsalWorld(token_lifetime=3.0) as world:
        world.index.hooks.after = slow_uploads
        ended = run(tmp_path, world.environment(), "publish", "--jobs", "1", "--attestations", "off")
        assert ended.code == 0, ended.said
        assert release.published(world) == release.content
        assert 4 <= len(world.index.mint_log) <= 8, ended.said
        assert all(token.burnt for token in world.index.mint_log), ended.said
        exchanged = [token.jti for token in world.index.mint_log]
        assert len(set(exchanged)) == len(exchanged)


def slow_uploads(environ: dict[str, Any], _: Response) -> Response | None:
    if environ["PATH_INFO"] == "/legacy/":
        time.sleep(0.8)
    return None


def test_a_token_that_the_index_calls_expired_too_early_is_replaced_once(tmp_path: Path) -> None:
    """Its clock may be wrong, or its tokens may end early: a 403 that says so costs one more exchange."""
    release = Release.make(tmp_path, "replaced", TAGS[:1])
    with RehearsalWorld() as world:
        refused = threading.Event()

        def expire_once(environ: dict[str, Any]) -> Response | None:
            if environ["PATH_INFO"] != "/legacy/" or refused.is_set():
                return None
            refused.set()
            reason = "Invalid or non-existent authentication information: token is expired"
            return Response(reason, status=f"403 {reason}", content_type="text/plain")

        world.index.hooks.interpose = expire_once
        ended = run(tmp_path, world.environment(), "publish", "--attestations", "off")
        assert ended.code == 0, ended.said
        assert release.published(world) == release.content
        assert [token.burnt for token in world.index.mint_log] == [True, True]
