"""Regenerate the hash-locked requirement files from pyproject.toml with uv.

All files are one answer: everything is resolved together into dev.txt, then each of the others is cut out of it. So
any of them can be installed into one environment, in any order. The files name no index: where a distribution comes
from is the installer's business, its digest says what it must be.
"""

import argparse
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Locked by `make lock` from pyproject.toml: do not edit.\n"

# Each file, and what uv resolves for it.
DEV = ("dev", ["pyproject.toml", "--all-extras", "--group", "dev"])
PARTS = (
    ("runtime", ["pyproject.toml"]),
    ("rehearsal", ["pyproject.toml", "--extra", "rehearsal"]),
    ("build", ["--group", "build"]),
    ("test", ["pyproject.toml", "--all-extras", "--group", "test"]),
    ("servers", ["--group", "servers"]),
    ("lint", ["--group", "lint"]),
    ("bench", ["--group", "bench"]),
    ("docs", ["--group", "docs"]),
    ("channels", ["--group", "channels"]),
    ("mutants", ["--group", "mutants"]),
    ("uv", ["requirements/uv.in"]),
)

# Every Python from 3.11 on and every platform, at once; what one machine's uv is configured to do plays no part.
UV = (
    *("uv", "pip", "compile", "--no-config", "--quiet", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
)


def lock(name: str, wanted: list[str], *options: str) -> None:
    """Write requirements/<name>.txt; raise CalledProcessError when uv finds no answer."""
    path = ROOT / "requirements" / f"{name}.txt"
    subprocess.run([*UV, *wanted, *options, "--output-file", str(path)], cwd=ROOT, check=True)
    path.write_text(HEADER + path.read_text(encoding="utf-8").removeprefix(HEADER), encoding="utf-8")
    print(f"requirements/{name}.txt")


def main() -> None:
    """Lock everything, keeping what is locked already; `--upgrade` looks for newer versions, of all or of one NAME."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--upgrade", action="store_true")
    parser.add_argument("--upgrade-package", metavar="NAME", action="append", default=[])
    arguments = parser.parse_args()
    name, wanted = DEV
    upgraded = [f"--upgrade-package={package}" for package in arguments.upgrade_package]
    lock(name, wanted, *(["--upgrade"] if arguments.upgrade else []), *upgraded)
    for part, wanted_part in PARTS:
        (ROOT / "requirements" / f"{part}.txt").unlink(missing_ok=True)
        lock(part, wanted_part, "--constraints", f"requirements/{name}.txt")


if __name__ == "__main__":
    main()
