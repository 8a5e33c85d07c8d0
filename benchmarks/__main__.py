"""Side by side with twine, uv and a raw floor: ``make bench``, or ``python -m benchmarks [--runs N] [--only w1,sign]``.

Whole processes, one client after the other in turns, against one fast index over TLS with 300 ms of work for an upload,
behind a relay that adds 20 ms each way and a rate of 100 Mbit/s. Prints one table for each workload: medians, ratios to
twine and to the floor, CPU and peak memory. Everything is on loopback.
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

from benchmarks import check_bench, sign_bench
from benchmarks.clients import CLIENTS, PYPI, Target, digest
from benchmarks.index_server import BenchIndex, Ledger, SideBySide
from benchmarks.measure import FailedError, Launcher, Sample, launcher
from benchmarks.relay import Relay
from benchmarks.workloads import WORKLOADS, Workload
from ci_publish.rehearsal.tls import LoopbackTls, make_loopback_tls

PYPI_NAMES = ("pypi.org", "upload.pypi.org", "pypi.python.org", "files.pythonhosted.org")

# What the table must show; None: nothing was promised.
MUST: dict[str, Callable[[dict[str, float]], list[tuple[str, bool]]]] = {
    "w1": lambda t: [
        ("≤ 1.0 x twine", t["ci-publish"] <= t["twine"]),
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
}


def main(arguments: Sequence[str]) -> int:
    """Measure and print; return 1 when something that must be reached was not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each client, after one warm-up")
    parser.add_argument("--only", default="", help="w1 to w5, check and sign, separated by commas")
    parser.add_argument("--clients", default=",".join(CLIENTS))
    options = parser.parse_args(arguments)
    wanted = [workload for workload in WORKLOADS if _chosen(workload.key, options.only)]
    now = dt.datetime.now(dt.UTC)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    print(f"{now:%Y-%m-%d}, Python {platform.python_version()}, {machine}\n")
    missed = 0
    with tempfile.TemporaryDirectory() as name, launcher(Path(name)) as small:
        bench = Bench(Path(name), make_loopback_tls(Path(name), now, PYPI_NAMES), small, options.runs)
        for workload in wanted:
            missed += _measure(bench, workload, options.clients.split(","))
    for key, other in {"check": check_bench.main, "sign": sign_bench.main}.items():
        if _chosen(key, options.only):
            missed += other([])
    return 1 if missed else 0


def _chosen(key: str, only: str) -> bool:
    return not only or key in only.split(",")


@dataclass(frozen=True)
class Bench:
    """What all measurements share. ``runs`` are counted, after one warm-up."""

    folder: Path
    tls: LoopbackTls
    launcher: Launcher
    runs: int


def _measure(bench: Bench, workload: Workload, clients: Sequence[str]) -> int:
    files = workload.make(bench.folder / workload.key)
    samples: dict[str, list[Sample]] = {client: [] for client in clients}
    notes: dict[str, str] = {}
    for turn in range(bench.runs + 1):
        for client in clients:
            ledger = _ledger(workload, files)
            sample = _run(bench, workload, ledger, client, files)
            notes[client] = f"{ledger.uploads} | {ledger.looks} | {ledger.most_in_flight} | {ledger.failed}"
            if turn:
                samples[client].append(sample)
    return _report(workload, samples, notes)


def _run(bench: Bench, workload: Workload, ledger: Ledger, client: str, files: Sequence[Path]) -> Sample:
    with _served(workload, ledger, bench.tls) as target:
        job = CLIENTS[client](target, files, workload.project)
        try:
            sample = bench.launcher.run(job.command, job.environment, job.stdin)
        except FailedError as error:
            sys.exit(f"{client}, {workload.title}: {error}")
    if len(ledger.files) != len(files):
        sys.exit(f"{client}, {workload.title}: {len(ledger.files)} of {len(files)} files arrived")
    return sample


def _ledger(workload: Workload, files: Sequence[Path]) -> Ledger:
    there = {path.name: digest(path) for path in files} if workload.published else {}
    return Ledger(there)


@contextmanager
def _served(workload: Workload, ledger: Ledger, tls: LoopbackTls) -> Iterator[Target]:
    authority = str(tls.authority_file)
    with ExitStack() as stack:
        index = stack.enter_context(BenchIndex(tls.context, ledger, SideBySide(workload.work)).running())
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
    judged = MUST[workload.key](walls) if {"ci-publish", "twine", "floor"} <= walls.keys() else []
    if workload.key == "w3" and "ci-publish" in samples:
        judged.append(("≤ 60 MB", max(s.megabytes for s in samples["ci-publish"]) <= 60))
    print()
    for promise, kept in judged:
        print(f"- {promise}: {'reached' if kept else 'NOT REACHED'}")
    print(flush=True)
    return sum(not kept for _, kept in judged)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
