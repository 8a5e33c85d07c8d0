"""How long `check` takes and how much memory: 200 wheels of 100 KB, one wheel of 1 GiB, and files made to hurt.

    python benchmarks/check_bench.py [--command]

Each workload runs in a process of its own, start-up included; with --command through the command line
(`python -m ci_publish check`), without through `LocalDistributions` alone. Memory is the peak resident size.
"""

import argparse
import gzip
import hashlib
import io
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

KIB, MIB = 1024, 1024 * 1024

WORKER = """
import resource, sys
from ci_publish.distributions.local import LocalDistributions
from ci_publish.model.index import IndexProfile
distributions = LocalDistributions()
try:
    problems = distributions.check(distributions.collect(sys.argv[1:]), [IndexProfile.PYPI])
except Exception as error:
    problems = [error]
"""
COMMAND = "import sys\nfrom ci_publish.cli.main import entry\nsys.argv[1:1] = ['check']\nentry()\n"


def metadata(number: int = 0) -> bytes:
    """Return core metadata that differs by *number*."""
    return (
        f"Metadata-Version: 2.4\nName: bench\nVersion: 1.0\nSummary: Number {number}\n"
        "Classifier: Programming Language :: Python :: 3\nDescription-Content-Type: text/markdown\n\n# Bench\n\nText.\n"
    ).encode()


def write_wheel(path: Path, members: dict[str, bytes], text: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
    """Write a wheel without digests in RECORD for large members that are given as zeros."""
    info = "bench-1.0.dist-info"
    members = {**members, f"{info}/METADATA": text, f"{info}/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n"}
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in members.items())
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def _digest(data: bytes) -> str:
    import base64  # noqa: PLC0415 - only here

    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def many(folder: Path) -> None:
    """200 wheels of 100 KB with ten members each."""
    noise = random.Random(1).randbytes(10 * KIB)  # noqa: S311 - noise, no secret
    for number in range(200):
        members = {f"bench/m{index}.py": noise + b"%d" % number for index in range(10)}
        write_wheel(folder / f"bench-1.0-{number}-py3-none-any.whl", members, metadata())


def large(folder: Path) -> None:
    """One wheel of 1 GiB, stored."""
    path = folder / "bench-1.0-py3-none-any.whl"
    block = random.Random(2).randbytes(MIB)  # noqa: S311
    info = "bench-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        member = zipfile.ZipInfo("bench/data.bin")
        member.file_size = 1024 * MIB
        with archive.open(member, "w") as out:
            for _ in range(1024):
                out.write(block)
        archive.writestr(f"{info}/METADATA", metadata())
        archive.writestr(f"{info}/WHEEL", b"Wheel-Version: 1.0\n")
        archive.writestr(f"{info}/RECORD", f"bench/data.bin,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


def metadata_bomb(folder: Path) -> None:
    """A wheel of 306 KB with 300 MB of METADATA."""
    write_wheel(folder / "bench-1.0-py3-none-any.whl", {}, metadata() + b" " * (300 * MIB))


def zip_bomb(folder: Path) -> None:
    """A wheel of 1 MB with 1 GiB of zeros."""
    write_wheel(folder / "bench-1.0-py3-none-any.whl", {"bench/zeros": bytes(1024 * MIB)}, metadata())


def tar_bomb(folder: Path) -> None:
    """An sdist of 1 MB with 1 GiB of zeros."""
    with gzip.open(folder / "bench-1.0.tar.gz", "wb", 6) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for name, content in (("PKG-INFO", metadata()), ("zeros", bytes(1024 * MIB))):
            info = tarfile.TarInfo(f"bench-1.0/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def crowd(folder: Path) -> None:
    """A wheel with 49,000 members."""
    write_wheel(folder / "bench-1.0-py3-none-any.whl", {f"bench/{number}": b"" for number in range(49_000)}, metadata())


def mob(folder: Path) -> None:
    """A wheel with 400,000 members."""
    with zipfile.ZipFile(folder / "bench-1.0-py3-none-any.whl", "w") as archive:
        for number in range(400_000):
            archive.writestr(f"bench/{number}", b"")


def pax_bomb(folder: Path) -> None:
    """An sdist with a pax header of 400 MB."""
    info = tarfile.TarInfo("bench-1.0/PKG-INFO")
    info.pax_headers = {"comment": "x" * (400 * MIB)}
    with gzip.open(folder / "bench-1.0.tar.gz", "wb", 1) as packed:
        packed.write(info.tobuf(tarfile.PAX_FORMAT))


WORKLOADS: tuple[Callable[[Path], None], ...] = (
    many,
    large,
    metadata_bomb,
    zip_bomb,
    tar_bomb,
    crowd,
    mob,
    pax_bomb,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run every workload and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--command", action="store_true")
    parser.add_argument("--make", type=Path, help="only write the files of a workload into this folder")
    parser.add_argument("workloads", nargs="*")
    arguments = parser.parse_args(argv)
    chosen = [each for each in WORKLOADS if not arguments.workloads or each.__name__ in arguments.workloads]
    if arguments.make is not None:
        for workload in chosen:
            workload(arguments.make)
        return 0
    print(f"{'workload':<16}{'MiB':>8}{'seconds':>10}{'peak MiB':>10}")
    for workload in chosen:
        with tempfile.TemporaryDirectory() as name:
            # A process of its own: the memory that making the files took would count as that of the next child.
            subprocess.run([sys.executable, __file__, "--make", name, workload.__name__], check=True)
            measure(workload.__name__, Path(name), COMMAND if arguments.command else WORKER)
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "empty").touch()
        measure("(nothing)", Path(name), COMMAND if arguments.command else WORKER)
    return 0


def measure(name: str, folder: Path, code: str) -> None:
    """Run *code* over *folder* in a process of its own; print its time and its peak memory."""
    size = sum(path.stat().st_size for path in folder.iterdir())
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    print(f"{name:<16}{size / MIB:>8.1f}{seconds:>10.2f}{usage.ru_maxrss / KIB:>10.0f}")


if __name__ == "__main__":
    sys.exit(main())
