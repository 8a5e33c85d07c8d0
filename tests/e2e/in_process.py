"""The command line within the test's own process: what a process of its own would prove no better, in a tenth of it."""

from __future__ import annotations

import contextlib
import io
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import jsonschema
from sigstore.models import ClientTrustConfig

from ci_publish.cli.main import main
from ci_publish.cli.streams import Streams
from ci_publish.rehearsal.index_server import IndexBehaviour, RehearsalIndex
from ci_publish.rehearsal.loopback_server import RehearsalServer
from ci_publish.rehearsal.storage import RehearsalStorage
from ci_publish.rehearsal.world import ANNOUNCEMENT, RehearsalWorld
from tests.e2e.conftest import Result, clean_environment
from tests.e2e.harness_runs import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

    from ci_publish.rehearsal.hooks import After, Hooks, Interpose
    from ci_publish.rehearsal.simulated_job import Provider
    from ci_publish.rehearsal.trusted_publishing import Registration


@dataclass(frozen=True)
class Shell:
    """Runs ``main`` in *folder* (which is the working directory), in an environment that holds nothing else."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: object, **environment: str) -> Result:
        path = self.folder / "receipt.json"
        path.unlink(missing_ok=True)
        out, err = io.StringIO(), io.StringIO()
        argv = [*map(str, arguments), "--receipt", str(path)]
        with environment_of({**clean_environment(), **self.environment, **environment}):
            code = main(argv, os.environ, Streams(io.StringIO(), out, err))
        receipt = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.validate(receipt, schema())
        assert receipt["exit_code"] == code
        return Result(code, out.getvalue(), err.getvalue(), receipt)

    def in_job_of(self, world: RehearsalWorld, provider: Provider = "github", **claims: object) -> Shell:
        """Return the same shell as a CI job of *world*."""
        return Shell(self.folder, world.environment(provider, **claims))


@contextlib.contextmanager
def environment_of(environ: Mapping[str, str]) -> Iterator[None]:
    """Replace this process's environment; libraries read it where ours is passed on."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def hooked(hooks: Hooks, *, interpose: Interpose | None = None, after: After | None = None) -> Iterator[None]:
    """Step between a part of the world and its clients for as long as the block runs."""
    hooks.interpose, hooks.after = interpose, after
    try:
        yield
    finally:
        hooks.interpose, hooks.after = None, None


@dataclass(frozen=True)
class SecondIndex:
    """Another index of the same world: its own origin, publishers and tokens; the same identities and Sigstore."""

    index: RehearsalIndex
    repository_url: str


@contextlib.contextmanager
def second_index(
    world: RehearsalWorld, folder: Path, registrations: Iterable[Registration] | None = None
) -> Iterator[SecondIndex]:
    """Serve a second index beside that of *world*, with its files in *folder*."""
    trusted = ClientTrustConfig.from_json(world.trust_config_path.read_text(encoding="utf-8")).trusted_root
    index = RehearsalIndex(
        storage=RehearsalStorage(folder),
        identity_provider=world.identity_provider,
        trusted_root=trusted,
        behaviour=IndexBehaviour(registrations=None if registrations is None else tuple(registrations)),
    )

    def announced(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: object) -> Callable[[bytes], object]:
            return start_response(status, [*headers, ANNOUNCEMENT], *more)  # type: ignore[arg-type]

        return index.app(environ, start)

    server = RehearsalServer(app=announced)
    with server:
        yield SecondIndex(index, f"{server.base_url}/legacy/")
        assert server.failures == ()
