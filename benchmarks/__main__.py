"""Side by side with twine, uv and a raw floor: ``make bench``, or ``python -m benchmarks [--runs N] [--only w1,sign]``.

Whole processes, one client after the other in turns, over TLS, behind a relay that adds 20 ms each way and a rate of
100 Mbit/s, against two indexes: one that does 300 ms of work for each upload, all side by side (w1 to w5), and a model
of PyPI's database on a real PostgreSQL (p1 to p3, and the tables of ``schedule_bench``). Prints one table for each
workload: medians, ratios to twine and to the floor, CPU and peak memory. Everything is on loopback.
"""

import argparse
import datetime as dt
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import check_bench, postgres, schedule_bench, sign_bench
from benchmarks.clients import CLIENTS, PYPI, Target
from benchmarks.index_server import BenchIndex, Ledger, SideBySide
from benchmarks.measure import FailedError, Launcher, Sample, launcher
from benchmarks.pypi_model import Database, Durations
from benchmarks.relay import Relay
from benchmarks.workloads import WORKLOADS, Workload
from ci_publish.rehearsal.loopback_tls import LoopbackTls, make_loopback_tls

KEYS = "w1 to w5, p1 to p4, collisions, schedule, jobs, train, check, sign"
PYPI_NAMES = ("pypi.org", "upload.pypi.org", "pypi.python.org", "files.pythonhosted.org")

# 50 wheels of 2 MB at 100 Mbit/s, and what the database does one after the other.
LIMIT_OF_P2 = 1.1 * 50 * 2e6 / 12.5e6 + 50 * Durations().storing

# What the table must show.
MUST: dict[str, Callable[[dict[str, float]], list[tuple[str, bool]]]] = {
    "w1": lambda t: [
        ("≤ 1.05 x twine", t["ci-publish"] <= 1.05 * t["twine"]),
        ("≤ floor + 0.6 s", t["ci-publish"] <= t["floor"] + 0.6),
    ],
    "w2": lambda t: [
        ("≤ 0.45 x twine", t["ci-publish"] <= 0.45 * t["twine"]),
        ("≤ 1.10 x floor + 0.6 s", t["ci-publish"] <= 1.1 * t["floor"] + 0.6),
    ],
    "w4": lambda t: [
        ("≤ 0.18 x twine", t["ci-publish"] <= 0.18 * t["twine"]),
        ("≤ 1.10 x floor + 1.6 s", t["ci-publish"] <= 1.1 * t["floor"] + 1.6),
    ],
    "w5": lambda t: [("≤ 1.0 x twine", t["ci-publish"] <= t["twine"])],
    "w3": lambda t: [("≤ 1.6 x twine", t["ci-publish"] <= 1.6 * t["twine"])],
    "p1": lambda t: [("≤ 0.65 x twine", t["ci-publish"] <= 0.65 * t["twine"])],
    "p2": lambda t: [
        (f"≤ 1.1 x the line's limit + the serialised work ({LIMIT_OF_P2:.1f} s)", t["ci-publish"] <= LIMIT_OF_P2)
    ],
    "p3": lambda t: [("≤ 0.3 x twine", t["ci-publish"] <= 0.3 * t["twine"])],
    "p4": lambda t: [("≤ 0.5 x twine", t["ci-publish"] <= 0.5 * t["twine"])],
}


def main(arguments: Sequence[str]) -> int:
    """Measure and print; return 1 when something that must be reached was not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each client, after one warm-up")
    parser.add_argument("--only", default="", help=f"{KEYS}, separated by commas")
    parser.add_argument("--clients", default=",".join(CLIENTS))
    options = parser.parse_args(arguments)
    wanted = [workload for workload in WORKLOADS if _chosen(workload.key, options.only)]
    now = dt.datetime.now(dt.UTC)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    print(f"{now:%Y-%m-%d}, Python {platform.python_version()}, {machine}\n")
    missed = 0
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory())
        small = stack.enter_context(launcher(Path(name)))
        database = _database(stack, [*(w.key for w in wanted if w.on_pypi), *_tables(options.only)])
        tls = make_loopback_tls(Path(name), now, PYPI_NAMES)
        bench = Bench(Path(name), tls, small, options.runs, database)
        for workload in wanted:
            if database is not None or not workload.on_pypi:
                missed += _measure(bench, workload, options.clients.split(","))
        if database is not None:
            missed += sum(_table(bench, key, database) for key in _tables(options.only))
    for key, other in {"check": check_bench.main, "sign": sign_bench.main}.items():
        if _chosen(key, options.only):
            missed += other([])
    if database is None:
        print(postgres.MISSING)
    return 1 if missed else 0


def _tables(only: str) -> list[str]:
    return [key for key in ("collisions", "schedule", "jobs", "train") if _chosen(key, only)]


def _database(stack: ExitStack, keys: Sequence[str]) -> str | None:
    """Start PostgreSQL where one of *keys* needs it; None where it is missing."""
    if not keys:
        return ""
    if postgres.binaries() is None:
        return None
    return stack.enter_context(postgres.running())


def _table(bench: "Bench", key: str, database: str) -> int:
    if key == "collisions":
        return schedule_bench.collisions(database)
    if key == "schedule":
        return schedule_bench.schedule(database, bench.tls, bench.launcher, bench.folder)
    if key == "train":
        return schedule_bench.train(database, bench.tls, bench.launcher, bench.folder)
    workloads = [workload for workload in WORKLOADS if workload.on_pypi]
    return schedule_bench.jobs(database, bench.tls, bench.launcher, workloads, bench.folder)


def _chosen(key: str, only: str) -> bool:
    return not only or key in only.split(",")


@dataclass(frozen=True)
class Bench:
    """What all measurements share. ``runs`` are counted, after one warm-up."""

    folder: Path
    tls: LoopbackTls
    launcher: Launcher
    runs: int
    database: str | None


def _measure(bench: Bench, workload: Workload, clients: Sequence[str]) -> int:
    files = workload.make(bench.folder / workload.key)
    samples: dict[str, list[Sample]] = {client: [] for client in _of(workload, clients)}
    notes: dict[str, str] = {}
    for turn in range(bench.runs + 1):
        for client in _of(workload, clients):
            ledger = workload.ledger(files)
            sample = _run(bench, workload, ledger, client, files)
            notes[client] = f"{ledger.uploads} | {ledger.looks} | {ledger.most_in_flight} | {ledger.failed}"
            if turn or not bench.runs:
                samples[client].append(sample)
    return _report(workload, samples, notes)


def _of(workload: Workload, clients: Sequence[str]) -> list[str]:
    """Return who takes part: the floor knows no schedule, and PyPI's model would fail it."""
    return [client for client in clients if client != "floor" or not workload.on_pypi]


def _run(bench: Bench, workload: Workload, ledger: Ledger, client: str, files: Sequence[Path]) -> Sample:
    with _served(bench, workload, ledger) as target:
        job = CLIENTS[client](target, files, workload.project)
        try:
            sample = bench.launcher.run(job.command, job.environment, job.stdin)
        except FailedError as error:
            sys.exit(f"{client}, {workload.title}: {error}")
    if not ledger.files.keys() >= {path.name for path in files}:
        sys.exit(f"{client}, {workload.title}: not all files arrived")
    return sample


@contextmanager
def _served(bench: Bench, workload: Workload, ledger: Ledger) -> Iterator[Target]:
    authority = str(bench.tls.authority_file)
    with ExitStack() as stack:
        if workload.on_pypi:
            database = Database(bench.database or "", Durations())
            stack.callback(database.close)
            yield stack.enter_context(schedule_bench.serving(database, bench.tls, ledger, relayed=workload.relayed))
            return
        store = SideBySide(0.3 if workload.relayed else 0.0)
        index = stack.enter_context(BenchIndex(bench.tls.context, ledger, store).running())
        relay = stack.enter_context(Relay(index.port).running()) if workload.relayed else None
        if workload.published and relay is not None:
            yield Target(PYPI, "https://pypi.org/simple/", authority, relay.port)
        else:
            base = f"https://127.0.0.1:{relay.port if relay else index.port}"
            yield Target(f"{base}/legacy/", f"{base}/simple/", authority)


def _report(workload: Workload, samples: dict[str, list[Sample]], notes: dict[str, str]) -> int:
    walls = {client: statistics.median(sample.wall for sample in found) for client, found in samples.items()}
    print(f"### {workload.title}\n")
    print(
        "| client | wall s median (min-max) | x twine | x floor | CPU s | peak MB | uploads | looks | at once | 500s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for client, found in samples.items():
        spread = f"{walls[client]:.2f} ({min(s.wall for s in found):.2f}-{max(s.wall for s in found):.2f})"
        ratios = " | ".join(
            f"{walls[client] / walls[other]:.2f}" if other in walls else "" for other in ("twine", "floor")
        )
        cpu, memory = statistics.median(s.cpu for s in found), max(s.megabytes for s in found)
        print(f"| {client} | {spread} | {ratios} | {cpu:.2f} | {memory:.0f} | {notes[client]} |")
    judged = MUST[workload.key](walls) if {"ci-publish", "twine"} <= walls.keys() else []
    if workload.on_pypi and "ci-publish" in notes:
        judged.append(("no answer 500", notes["ci-publish"].endswith("| 0")))
    if workload.key == "w3" and "ci-publish" in samples:
        judged.append(("≤ 60 MB", max(s.megabytes for s in samples["ci-publish"]) <= 60))
    print()
    for promise, kept in judged:
        print(f"- {promise}: {'reached' if kept else 'NOT REACHED'}")
    print(flush=True)
    return sum(not kept for _, kept in judged)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
