"""Signing: 50 files at 150 ms a request, our way and the libraries' own way, against the least that is possible.

    python -m benchmarks.sign_bench [--files N] [--delay SECONDS] [--runs N]

Everything runs on loopback against the rehearsal's identity provider and Sigstore. The *step* is what signing takes in
a process that has everything imported, and a trust root and an identity token at hand: one certificate, then the files.
The *process* is everything from the interpreter's start on: imports, the identity token, the certificate, the log
entries and the files that are written.

With build provenance, two attestations of each file are made: the publish attestation and SLSA's, with one certificate
and as many requests at once.

The libraries' way is what pypi-attestations' command line does: one file after the other. It would ask a timestamp
authority for each file, too, which PEP 740 has no use for; the rehearsal has none, so that is not counted here.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1
from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.sigstore import RehearsalSigstore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from wsgiref.types import WSGIApplication

WORKERS = 8
MOST_TIMES_FLOOR = 1.25
# Publish attestations and build provenance together, beside publish attestations alone.
MOST_TIMES_ONE_TYPE = 2.0

BOTH = f"{PUBLISH_V1},{SLSA_PROVENANCE_V1}"

# What a job would run with the libraries alone: detect the identity, one certificate, one file after the other.
_LIBRARIES = """
import sys, time
from pathlib import Path
import id
from pypi_attestations import Attestation, Distribution
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
trust, out, *files = map(Path, sys.argv[1:])
config = ClientTrustConfig.from_json(trust.read_text())
token = IdentityToken(id.detect_credential("sigstore"))
began = time.perf_counter()
with SigningContext.from_trust_config(config).signer(token) as signer:
    for file in files:
        attestation = Attestation.sign(signer, Distribution.from_file(file))
        (out / f"{file.name}.publish.attestation").write_text(attestation.model_dump_json())
print(time.perf_counter() - began)
"""

# Our signing step by itself, in a process that has imported everything.
_OURS = """
import os, sys, time
from pathlib import Path
from ci_publish.attestations import authority
from ci_publish.attestations.signing_run import SigningContext
from ci_publish.attestations.sigstore_signer import SigstoreSigner
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.distributions.local import LocalDistributions
from ci_publish.identity.ambient_identity import AmbientIdentity
from ci_publish.identity.ci_environment import CiEnvironment
from ci_publish.publishing.interruption import Interruption
trust, *files = map(Path, sys.argv[2:])
distributions = LocalDistributions().collect([str(file) for file in files]).distributions
waiting = Interruption(600.0)
emit = lambda event: None
identity = AmbientIdentity(
    job=CiEnvironment(os.environ), mask=lambda *secrets: None, waiting=waiting, emit=emit
)
source = TrustSource(emit=emit, config=trust.read_text())
source.get()

class InHand:
    repeatable = False
    held = identity.token("sigstore")
    def token(self, audience):
        return self.held

signer = SigstoreSigner(identity=InHand(), trust=source, context=SigningContext(emit=emit, waiting=waiting))
began = time.perf_counter()
types = sys.argv[1].split(",")
result = signer.sign(distributions, types)
print(time.perf_counter() - began)
assert [len(made) for made in result.attestations.values()] == [len(types)] * len(files), result.failures
"""


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@dataclass(frozen=True)
class Bench:
    """A world with a delay, files to sign, and a job's environment."""

    folder: Path
    files: tuple[Path, ...]
    trust: Path
    environment: dict[str, str]
    sigstore: RehearsalSigstore

    def child(self, *command: str | Path) -> tuple[float, str]:
        """Run a Python program as a CI job would; return its seconds and its output."""
        began = time.perf_counter()
        arguments = [sys.executable, *map(str, command)]
        result = subprocess.run(
            arguments, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False, timeout=300
        )
        seconds = time.perf_counter() - began
        assert result.returncode == 0, result.stdout + result.stderr
        return seconds, result.stdout

    @contextlib.contextmanager
    def counted(self, entries: int) -> Iterator[Path]:
        """Give an empty folder for attestations, and insist on so many new log entries."""
        before = len(self.sigstore.entries)
        with tempfile.TemporaryDirectory(dir=self.folder) as out:
            yield Path(out)
        assert len(self.sigstore.entries) - before == entries


@contextlib.contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """Serve an application on loopback."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def bench(count: int, delay: float) -> Iterator[Bench]:
    """Set everything up: *delay* seconds on each request to the identity provider and to Sigstore."""
    provider = RehearsalIdentityProvider()
    sigstore = RehearsalSigstore(identity_provider=provider)
    provider.hooks.delay = sigstore.hooks.delay = delay
    with tempfile.TemporaryDirectory() as name, served(provider.app) as identity, served(sigstore.app) as url:
        folder = Path(name)
        trust = folder / "trust.json"
        trust.write_text(sigstore.trust_config(url))
        environment = {**_child_environment(folder), **provider.github_environment(identity)}
        yield Bench(folder, wheels(folder / "dist", count), trust, environment, sigstore)


def _child_environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
    if "PYTHONPATH" in kept:
        kept["PYTHONPATH"] = os.pathsep.join(str(Path(part).resolve()) for part in kept["PYTHONPATH"].split(os.pathsep))
    return {**kept, "HOME": str(folder)}


def wheels(folder: Path, count: int) -> tuple[Path, ...]:
    """Make *count* small, valid wheels of one release."""
    folder.mkdir()
    return tuple(_wheel(folder, number) for number in range(1, count + 1))


def _wheel(folder: Path, number: int) -> Path:
    path = folder / f"demo-1.0-{number}-py3-none-any.whl"
    contents = {
        "demo/__init__.py": f"number = {number}\n",
        "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nSummary: demo\n",
        "demo-1.0.dist-info/WHEEL": (
            f"Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\nBuild: {number}\n"
        ),
    }
    record = [f"{name},sha256={_digest(text)},{len(text)}" for name, text in contents.items()]
    contents["demo-1.0.dist-info/RECORD"] = "\n".join([*record, "demo-1.0.dist-info/RECORD,,", ""])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
    return path


def _digest(text: str) -> str:
    import base64  # noqa: PLC0415  (only here)

    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Row:
    """One line of the table; times in seconds."""

    what: str
    way: str
    seconds: tuple[float, ...]
    floor: float | None = None

    @property
    def best(self) -> float:
        """The fastest run: the least disturbed by whatever else the machine did."""
        return min(self.seconds)


def measure(world: Bench, runs: int, delay: float) -> Iterator[Row]:
    """Measure each way *runs* times, alternating, so that a busy moment hits all alike."""
    count = len(world.files)
    times: dict[str, list[float]] = {}

    def took(what: str, seconds: float) -> None:
        times.setdefault(what, []).append(seconds)

    for _ in range(runs):
        for types in (PUBLISH_V1, BOTH):
            with world.counted(count * len(types.split(","))):
                took(types, float(world.child("-c", _OURS, types, world.trust, *world.files)[1]))
        with world.counted(count) as out:
            seconds, output = world.child("-c", _LIBRARIES, world.trust, out, *world.files)
            took("their process", seconds)
            took("their step", float(output))
        for options in ((), ("--build", "--with-publish")):
            made = count * (1 + len(options) // 2)
            with world.counted(made) as out:
                where = ("--sigstore-trust-config", world.trust, "--output-dir", out)
                took(" ".join(options), world.child("-m", "ci_publish", "attest", *options, *where, "dist")[0])
                assert len(list(out.iterdir())) == made
                assert len({_certificate(path) for path in out.iterdir()}) == 1
    rounds, both = (delay * (1 + math.ceil(number / WORKERS)) for number in (count, 2 * count))
    yield Row("signing step", "ci-publish", tuple(times[PUBLISH_V1]), rounds)
    yield Row("signing step", "ci-publish, with build provenance", tuple(times[BOTH]), both)
    yield Row("signing step", "libraries, one by one", tuple(times["their step"]), (1 + count) * delay)
    yield Row("whole process", "ci-publish attest", tuple(times[""]))
    yield Row("whole process", "ci-publish attest --build --with-publish", tuple(times["--build --with-publish"]))
    yield Row("whole process", "libraries, one by one", tuple(times["their process"]))


def _certificate(attestation: Path) -> str:
    return str(json.loads(attestation.read_text(encoding="utf-8"))["verification_material"]["certificate"])


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | way | best (s) | median (s) | floor (s) | x floor |", "|---|---|---:|---:|---:|---:|"]
    for row in rows:
        floor = ("", "") if row.floor is None else (f"{row.floor:.2f}", f"{row.best / row.floor:.2f}")
        figures = (f"{row.best:.2f}", f"{statistics.median(row.seconds):.2f}", *floor)
        lines.append(f"| {row.what} | {row.way} | {' | '.join(figures)} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; return 1 when our signing step takes more than it may, or both types more than twice as much."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--delay", type=float, default=0.15, metavar="SECONDS")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    options = parser.parse_args(argv)
    with bench(options.files, options.delay) as world:
        rows = list(measure(world, options.runs, options.delay))
    print(f"{options.files} files, {options.delay * 1000:.0f} ms a request, {WORKERS} workers, {options.runs} runs\n")
    print(table(rows))
    if options.json is not None:
        options.json.write_text(json.dumps([{**vars_of(row), "best": row.best} for row in rows], indent=2))
    one, both = rows[:2]
    assert one.floor is not None
    times = both.best / one.best
    print(f"\nboth types take {times:.2f} x the time of one (at most {MOST_TIMES_ONE_TYPE:g}), with one certificate")
    return 0 if one.best <= MOST_TIMES_FLOOR * one.floor and times <= MOST_TIMES_ONE_TYPE else 1


def vars_of(row: Row) -> dict[str, object]:
    """Return a row's figures."""
    return {"what": row.what, "way": row.way, "seconds": row.seconds, "floor": row.floor}


if __name__ == "__main__":
    sys.exit(main())
