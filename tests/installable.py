"""Distributions with any content, and a rehearsal in which they are installed and tried."""

import base64
import gzip
import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from ci_publish.app.installing import install_rehearsed_files
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.distributions.local import LocalDistributions
from ci_publish.errors import InstallationFailed
from ci_publish.model.events import Event, Tried
from ci_publish.model.problem import Problem
from ci_publish.rehearsal.overlay import UpstreamOverlay
from ci_publish.rehearsal.upstream import DistributionFolder
from ci_publish.rehearsal.world import RehearsalWorld
from tests.unit.rehearsal.served_index import form_of

# A build backend within the sdist: it puts `src/` into a wheel with the version that {version} stands for.
BACKEND = """
import base64, hashlib, os, zipfile
VERSION = {version!r}
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
{before}
    info = "{name}-" + VERSION + ".dist-info"
    members = {{}}
    for folder, _, names in os.walk("src"):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                members[os.path.relpath(path, "src").replace(os.sep, "/")] = file.read()
    members[info + "/METADATA"] = ("Metadata-Version: 2.4\\nName: {name}\\nVersion: " + VERSION + "\\n").encode()
    members[info + "/WHEEL"] = b"Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    members[info + "/RECORD"] = "".join(name + ",,\\n" for name in [*members, info + "/RECORD"]).encode()
    filename = "{name}-" + VERSION + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, filename), "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return filename
"""


def wheel(  # noqa: PLR0913  (what tests vary, by name)
    folder: Path,
    name: str = "demo",
    version: str = "1.0",
    *,
    tag: str = "py3-none-any",
    files: Mapping[str, str | bytes] | None = None,
    metadata: Sequence[str] = (),
    scripts: Mapping[str, str] | None = None,
) -> Path:
    """Write a wheel with *files*, these lines of *metadata* and these console scripts."""
    folder.mkdir(parents=True, exist_ok=True)
    escaped = name.replace("-", "_")
    info = f"{escaped}-{version}.dist-info"
    head = "".join(f"{line}\n" for line in ("Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *metadata))
    members = {path: _bytes(data) for path, data in (files or {f"{escaped}/__init__.py": "x = 1\n"}).items()}
    members[f"{info}/METADATA"] = head.encode()
    members[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    if scripts:
        lines = "".join(f"{script} = {value}\n" for script, value in scripts.items())
        members[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}".encode()
    record = "".join(f"{path},{_digest(data)},{len(data)}\n" for path, data in members.items())
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = folder / f"{escaped}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0)), data)
    return path


def sdist(  # noqa: PLR0913  (see above)
    folder: Path,
    name: str = "demo",
    version: str = "1.0",
    *,
    builds: str | None = None,
    before: str = "    pass",
    requires: Sequence[str] = (),
) -> Path:
    """Write an sdist that builds itself, as the version *builds*; *before* is code that its backend runs first."""
    folder.mkdir(parents=True, exist_ok=True)
    escaped = name.replace("-", "_")
    top = f"{escaped}-{version}"
    system = f'[build-system]\nrequires = {list(requires)!r}\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    members = {
        "PKG-INFO": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": system,
        "backend.py": BACKEND.format(name=escaped, version=builds or version, before=before),
        f"src/{escaped}/__init__.py": "x = 1\n",
    }
    path = folder / f"{top}.tar.gz"
    with (
        path.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member, text in members.items():
            entry = tarfile.TarInfo(f"{top}/{member}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@dataclass
class Result:
    """What came of trying some files: every event, and the error that the run would end with."""

    events: list[Event] = field(default_factory=list)
    error: InstallationFailed | None = None

    @property
    def trials(self) -> list[Tried]:
        return [event for event in self.events if isinstance(event, Tried)]

    @property
    def problems(self) -> list[Problem]:
        return [problem for trial in self.trials for problem in trial.problems]

    @property
    def rules(self) -> list[str]:
        return sorted({problem.rule for problem in self.problems})


@contextmanager
def rehearsed(upstream: Path, *paths: Path) -> Iterator[RehearsalWorld]:
    """A world that has the files at *paths*, unchecked, over a folder of wheels."""
    upstream.mkdir(exist_ok=True)
    names = [path.name.split("-")[0] for path in paths]
    with (
        RehearsalWorld(
            overlay=UpstreamOverlay(DistributionFolder(upstream), names), validate_file=lambda *_: None
        ) as world,
        httpx.Client(auth=("__token__", world.issue_api_token())) as client,
    ):
        for path in paths:
            files = {"content": (path.name, path.read_bytes(), "application/octet-stream")}
            answer = client.post(world.repository_url, data=form_of(path.name, path.read_bytes()), files=files)
            assert answer.status_code == 200, answer.text
        yield world
        assert world.failures == ()


def tried(upstream: Path, *paths: Path, environ: Mapping[str, str] | None = None, **options: object) -> Result:
    """Install and try the files at *paths*; dependencies come from the folder *upstream*."""
    result = Result()
    context = RuntimeContext(environ={"PATH": os.environ["PATH"], **(environ or {})}, emit=result.events.append)
    files = LocalDistributions().collect([str(path) for path in paths]).distributions
    assert len(files) == len(paths)
    with rehearsed(upstream, *paths) as world:
        try:
            install_rehearsed_files(world, files, Settings(install=True, **options), context, lambda: None)  # type: ignore[arg-type]
        except InstallationFailed as error:
            result.error = error
    return result
