"""What uploads of one release do to each other on the model of PyPI's database, and what our schedule makes of it.

    python -m benchmarks --only collisions,schedule,jobs,train

``collisions``: so many uploads at once, straight to the database, without any schedule. ``schedule``: whole runs of
ci-publish over loopback, with `--jobs 1` and with the default, which must get no answer 500 and lose no time. ``jobs``:
how the default of `--jobs` was chosen. ``train``: many projects in one wave beside one project with as many files.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.clients import Target, ours
from benchmarks.index_server import BenchIndex, Ledger
from benchmarks.measure import FailedError, Launcher, Sample
from benchmarks.pypi_model import Database, Durations
from benchmarks.relay import Relay
from benchmarks.workloads import Workload
from ci_publish.rehearsal.loopback_tls import LoopbackTls

FILES = (60, 150, 500)
STORING = (0.0, 0.1, 0.5)
# As on a server whose storage is a local folder: what Warehouse does between insert and commit takes time, too.
STORING_LOCALLY = 0.02
JOBS = (1, 2, 3, 4, 6, 8)
WORK = 0.04
# A database that answers so many 500s will not be done in reasonable time; nor are longer rows waited for.
HOPELESS = 60
LONGEST = 80.0


@contextmanager
def serving(database: Database, tls: LoopbackTls, ledger: Ledger, *, relayed: bool) -> Iterator[Target]:
    """Serve the model over TLS, behind the relay or straight."""
    with ExitStack() as stack:
        port = stack.enter_context(BenchIndex(tls.context, ledger, database).running()).port
        if relayed:
            port = stack.enter_context(Relay(port).running()).port
        base = f"https://127.0.0.1:{port}"
        yield Target(f"{base}/legacy/", f"{base}/simple/", str(tls.authority_file), profile="pypi")


def collisions(connection: str) -> int:
    """Print seconds and answers 500 for so many uploads at once without a schedule."""
    print("### Uploads of one release at once, straight to the database: seconds (answers 500)\n")
    print(f"| files | storing ms | {' | '.join(map(str, JOBS))} |\n|---|---|{'---|' * len(JOBS)}")
    for files in FILES:
        for storing in sorted((*STORING, STORING_LOCALLY)):
            if files * (storing + WORK) > LONGEST:
                continue
            cells = [_collide(connection, files, Durations(WORK, storing), jobs) for jobs in JOBS]
            print(f"| {files} | {storing * 1000:.0f} | {' | '.join(cells)} |", flush=True)
    print()
    return 0


def _collide(connection: str, files: int, durations: Durations, jobs: int) -> str:
    database = Database(connection, durations)
    _require(database.store("bench", "1.0", "first", "0") == 200)
    names = iter([f"file-{number}" for number in range(files - 1)])
    lock = threading.Lock()

    def upload() -> None:
        while True:
            with lock:
                name = next(names, None)
            if name is None:
                return
            while database.deadlocks < HOPELESS and database.store("bench", "1.0", name, "0") != 200:
                pass

    began = time.monotonic()
    threads = [threading.Thread(target=upload) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    database.close()
    return f"- (over {HOPELESS})" if database.deadlocks >= HOPELESS else f"{seconds:.1f} ({database.deadlocks})"


def schedule(connection: str, tls: LoopbackTls, launcher: Launcher, folder: Path) -> int:
    """Print whole runs over loopback beside sequential ones; return how many promises were not kept."""
    print("### ci-publish over loopback, files of one release: seconds (answers 500)\n")
    print("| files | storing ms | `--jobs 1` | default | ratio |\n|---|---|---|---|---|")
    missed = 0
    for count in FILES:
        files = Workload(f"s{count}", "", count, 20_000).make(folder / f"s{count}")
        for storing in STORING:
            durations = Durations(WORK, storing)
            alone, _ = run(connection, tls, launcher, files, durations, jobs=1)
            both, failed = run(connection, tls, launcher, files, durations)
            missed += failed > 0 or both.wall > 1.05 * alone.wall
            ratio = both.wall / alone.wall
            print(f"| {count} | {storing * 1000:.0f} | {alone.wall:.1f} | {both.wall:.1f} ({failed}) | {ratio:.2f} |")
    print(f"\n- no answer 500, never slower than 1.05 x `--jobs 1`: {'reached' if not missed else 'NOT REACHED'}\n")
    return missed


def train(connection: str, tls: LoopbackTls, launcher: Launcher, folder: Path) -> int:
    """Print 300 files of 30 projects in one wave beside as many of one project; return whether they take too long."""
    print("### 300 wheels of 20 KB at 40 ms and 100 Mbit/s: seconds (answers 500)\n")
    print("| files of | seconds | x one project |\n|---|---|---|")
    one = Workload("t1", "one project, a new release", 300, 20_000)
    many = Workload("t30", "30 projects, new releases", 10, 20_000, projects=30)
    new = Workload("t30n", "30 new projects", 10, 20_000, projects=30, new=True)
    walls, bad = [], 0
    for workload in (one, many, new):
        files = workload.make(folder / workload.key)
        ledger = workload.ledger()
        sample, failed = run(connection, tls, launcher, files, Durations(), ledger=ledger, relayed=True)
        walls.append(sample.wall)
        bad += failed
        print(f"| {workload.title} | {sample.wall:.1f} ({failed}) | {sample.wall / walls[0]:.2f} |", flush=True)
    missed = bad > 0 or max(walls) > 1.15 * walls[0]
    print(f"\n- no answer 500, 30 projects ≤ 1.15 x one: {'NOT REACHED' if missed else 'reached'}\n")
    return int(missed)


def jobs(connection: str, tls: LoopbackTls, launcher: Launcher, workloads: Sequence[Workload], folder: Path) -> int:
    """Print how long the workloads of PyPI's model take with so many jobs, behind the relay."""
    counts = (1, 2, 4, 8, 16)
    print("### `--jobs` at 40 ms and 100 Mbit/s: seconds (answers 500)\n")
    print(f"| workload | {' | '.join(map(str, counts))} |\n|---|{'---|' * len(counts)}")
    for workload in workloads:
        files = workload.make(folder / f"jobs-{workload.key}")
        cells = []
        for count in counts:
            ledger = workload.ledger()
            sample, failed = run(connection, tls, launcher, files, Durations(), jobs=count, ledger=ledger, relayed=True)
            cells.append(f"{sample.wall:.1f} ({failed})")
        print(f"| {workload.title} | {' | '.join(cells)} |", flush=True)
    print()
    return 0


def run(  # noqa: PLR0913  (one measurement, everything that varies by name)
    connection: str,
    tls: LoopbackTls,
    launcher: Launcher,
    files: Sequence[Path],
    durations: Durations,
    *,
    jobs: int | None = None,
    ledger: Ledger | None = None,
    relayed: bool = False,
) -> tuple[Sample, int]:
    """Run ci-publish once against an empty database; return what it took, and how many answers were 500."""
    ledger = ledger or Ledger()
    database = Database(connection, durations)
    try:
        with serving(database, tls, ledger, relayed=relayed) as target:
            job = ours(target, files, "", jobs)
            sample = launcher.run(job.command, job.environment, job.stdin)
    except FailedError as error:
        message = f"ci-publish, {len(files)} files: {error}"
        raise SystemExit(message) from error
    finally:
        database.close()
    _require(all(path.name in ledger.files for path in files))
    return sample, ledger.failed


def _require(condition: bool) -> None:  # noqa: FBT001  (an assertion that survives -O)
    if not condition:
        raise SystemExit("a precondition of the measurement does not hold")
