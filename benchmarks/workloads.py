"""What is published in the benchmarks: wheels with a correct RECORD, made once in a temporary folder."""

import base64
import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.index_server import Ledger

_METADATA = """\
Metadata-Version: 2.4
Name: {name}
Version: 1.0
Summary: Made by a benchmark
Requires-Python: >=3.11
Classifier: Programming Language :: Python :: 3
Description-Content-Type: text/markdown

# A benchmark

It has *words*, a [link](https://example.org/) and a list:

- one
- two
"""
_WHEEL = "Wheel-Version: 1.0\nGenerator: benchmarks\nRoot-Is-Purelib: true\nTag: {tag}\n"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Workload:
    """Some files, and how the index and the line behave while they are published."""

    key: str
    title: str
    wheels: int
    size: int
    sdist: bool = False
    relayed: bool = True
    published: bool = False
    projects: int = 1
    new: bool = False
    on_pypi: bool = False

    @property
    def project(self) -> str:
        """The normalised name of the (first) project."""
        return f"bench-{self.key}"

    def ledger(self, files: Sequence[Path] = ()) -> Ledger:
        """Return what the index has before: *files*, and an older release of several projects that are not new."""
        exist = self.projects > 1 and not self.new
        older = {f"{name}-0.9-py3-none-any.whl": "0" * 64 for name in self._names()} if exist else {}
        return Ledger(older | {path.name: digest(path) for path in files if self.published})

    def make(self, folder: Path) -> list[Path]:
        """Write the files, the smallest wheel first, the sdist last."""
        folder.mkdir(parents=True)
        return [path for name in self._names() for path in self._make_release(folder, name)]

    def _names(self) -> list[str]:
        name = self.project.replace("-", "_")
        return [name, *(f"{name}_{number}" for number in range(1, self.projects))]

    def _make_release(self, folder: Path, name: str) -> list[Path]:
        tags = (
            ["py3-none-any"]
            if self.wheels == 1
            else [f"cp3{n}-cp3{n}-win_amd64" for n in range(10, 10 + self.wheels)]  # uv skips cp300, which is no tag
        )
        paths = [_wheel(folder / f"{name}-1.0-{tag}.whl", name, tag, self.size) for tag in tags]
        return [*paths, _sdist(folder, name, self.size)] if self.sdist else paths


WORKLOADS = (
    Workload("w1", "sdist + wheel, 50 KB", 1, 50_000, sdist=True),
    Workload("w2", "50 wheels of 2 MB", 50, 2_000_000),
    Workload("w4", "200 wheels of 100 KB", 200, 100_000),
    Workload("w5", "50 already published", 50, 100_000, published=True),
    Workload("w3", "one wheel of 1 GiB, loopback", 1, 1 << 30, relayed=False),
    Workload("p1", "PyPI's model, 60 wheels of 20 KB", 60, 20_000, on_pypi=True),
    Workload("p2", "PyPI's model, 50 wheels of 2 MB", 50, 2_000_000, on_pypi=True),
    Workload("p3", "PyPI's model, 30 new releases of 5 wheels of 20 KB", 5, 20_000, projects=30, on_pypi=True),
    Workload(
        "p4", "PyPI's model, 30 new projects of 5 wheels of 20 KB", 5, 20_000, projects=30, new=True, on_pypi=True
    ),
)

_DIGESTS: dict[Path, str] = {}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, computed once."""
    if path not in _DIGESTS:
        with path.open("rb") as file:
            _DIGESTS[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return _DIGESTS[path]


def _wheel(path: Path, name: str, tag: str, size: int) -> Path:
    info = f"{name}-1.0.dist-info"
    small = {f"{info}/METADATA": _METADATA.format(name=name), f"{info}/WHEEL": _WHEEL.format(tag=tag)}
    digest = hashlib.sha256()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        entry = zipfile.ZipInfo(f"{name}/data.bin", (2026, 1, 1, 0, 0, 0))
        entry.file_size = size
        with archive.open(entry, "w") as member:
            block = os.urandom(min(size, _BLOCK))
            for start in range(0, size, _BLOCK):
                part = block[: min(_BLOCK, size - start)]
                member.write(part)
                digest.update(part)
        record = _line(entry.filename, digest.digest(), size)
        for member_name, text in small.items():
            archive.writestr(zipfile.ZipInfo(member_name, (2026, 1, 1, 0, 0, 0)), text)
            record += _line(member_name, hashlib.sha256(text.encode()).digest(), len(text.encode()))
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD", (2026, 1, 1, 0, 0, 0)), f"{record}{info}/RECORD,,\n")
    return path


def _line(name: str, digest: bytes, size: int) -> str:
    return f"{name},sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()},{size}\n"


def _sdist(folder: Path, name: str, size: int) -> Path:
    path = folder / f"{name}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member, data in (("PKG-INFO", _METADATA.format(name=name).encode()), ("data.bin", os.urandom(size))):
            entry = tarfile.TarInfo(f"{name}-1.0/{member}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path
