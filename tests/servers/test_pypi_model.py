"""Uploads of one release to a model of PyPI's database, on a real PostgreSQL (``benchmarks.pypi_model``)."""

import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks import postgres
from benchmarks.index_server import BenchIndex, Ledger
from benchmarks.pypi_model import Database, Durations
from ci_publish.distributions.local import LocalDistributions
from ci_publish.http.transport import HttpTransport
from ci_publish.index.client import HttpIndex
from ci_publish.index.endpoints import resolve_endpoints
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Event, UploadsCollided
from ci_publish.model.index import Accepted, UploadOutcome
from ci_publish.publishing.interruption import Interruption
from ci_publish.publishing.upload_concurrency import ConcurrencyLimit, ReleaseCompletions, run_in_parallel
from ci_publish.rehearsal.loopback_tls import LoopbackTls, make_loopback_tls
from tests.distributions import make_wheel
from tests.e2e.conftest import Cli, cli, served

__all__ = ["cli", "served"]

pytestmark = [pytest.mark.servers, pytest.mark.postgres]


@pytest.fixture(scope="module")
def connection() -> Iterator[str]:
    if postgres.binaries() is None:
        pytest.skip(postgres.MISSING)
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> LoopbackTls:
    return make_loopback_tls(tmp_path_factory.mktemp("tls"), dt.datetime.now(dt.UTC))


@dataclass
class Model:
    """The model as an index over TLS, on a database of its own."""

    connection: str
    tls: LoopbackTls
    durations: Durations
    ledger: Ledger = field(default_factory=Ledger)

    def __enter__(self) -> str:
        self.database = Database(self.connection, self.durations)
        self.serving = BenchIndex(self.tls.context, self.ledger, self.database).running()
        return f"https://127.0.0.1:{self.serving.__enter__().port}"

    def __exit__(self, *error: object) -> None:
        self.serving.__exit__(None, None, None)
        self.database.close()


def release(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    return [make_wheel(folder, tag=f"cp3{number}-cp3{number}-win_amd64") for number in range(10, 10 + count)]


def at_once(uploads: int, files: int, database: Database, version: str) -> None:
    assert database.store("demo", version, "first", "0") == 200
    threads = [
        threading.Thread(
            target=lambda: [database.store("demo", version, f"{threading.get_ident()}-{n}", "0") for n in range(files)]
        )
        for _ in range(uploads)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_model_has_the_fault_that_the_schedule_is_for(connection: str) -> None:
    database = Database(connection, Durations(work=0.0, storing=0.02))
    for number in range(100):  # the first one shows it on an idle machine
        at_once(6, 5, database, f"1.{number}")
        if database.deadlocks:
            break
    database.close()
    assert database.deadlocks > 0


def test_a_release_of_many_files_gets_no_500(cli: Cli, connection: str, tls: LoopbackTls) -> None:
    files = release(cli.folder / "wheels", 40)
    model = Model(connection, tls, Durations(work=0.02, storing=0.02))
    with model as url:
        done = cli(
            *("publish", *files, "--repository-url", f"{url}/legacy/", "--index-url", f"{url}/simple/"),
            *("--index-profile", "pypi", "--attestations", "off", "--jobs", "8"),
            CI_PUBLISH_PASSWORD="pypi-test",
            SSL_CERT_FILE=str(tls.authority_file),
        )
    assert done.code == 0, done.stdout + done.stderr
    assert set(done.statuses.values()) == {"uploaded"}
    assert model.ledger.failed == 0
    assert model.ledger.uploads == 40
    assert model.ledger.most_in_flight > 2, "what is not completed at once is sent at once all the same"


def eight_at_once(distributions: Sequence[Distribution], model: Model) -> tuple[list[Event], list[UploadOutcome]]:
    """Upload with eight completions at once; return the events and the outcomes."""
    events: list[Event] = []
    outcomes: list[UploadOutcome] = []
    waiting = Interruption(120)
    with model as url:
        transport = HttpTransport(
            waiting=waiting, emit=events.append, environ={"SSL_CERT_FILE": str(model.tls.authority_file)}
        )
        index = HttpIndex(
            endpoints=resolve_endpoints(f"{url}/legacy/", f"{url}/simple/", "pypi"),
            transport=transport,
            emit=events.append,
            waiting=waiting,
        )
        completions = ReleaseCompletions(lambda: waiting.stopped, 8)

        def send(file: Distribution) -> None:
            outcomes.append(index.upload(file, (), None, lambda: None, completions.new_turn()))

        send(distributions[0])
        run_in_parallel(distributions[1:], send, ConcurrencyLimit(8), lambda: True)
        transport.close()
    return events, outcomes


def test_a_collision_costs_no_attempt_and_the_release_goes_on_one_at_a_time(
    tmp_path: Path, connection: str, tls: LoopbackTls
) -> None:
    """Eight completions at once collide sooner or later, which is why the schedule allows fewer."""
    distributions = LocalDistributions().collect([str(path) for path in release(tmp_path / "wheels", 24)]).distributions
    for _ in range(10):
        model = Model(connection, tls, Durations(work=0.0, storing=0.02))
        events, outcomes = eight_at_once(distributions, model)
        collided = [event for event in events if isinstance(event, UploadsCollided)]
        assert outcomes == [Accepted(1, "200 OK")] * 24
        assert model.ledger.failed == len(collided) < 8
        assert model.ledger.files.keys() == {file.filename for file in distributions}
        if collided:
            return
    pytest.fail("ten releases, and no two uploads collided: the model has lost the fault")
