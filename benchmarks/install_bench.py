"""Twenty wheels for one interpreter: ``rehearse --install`` beside a shell loop over the same index.

    .venv/bin/python -m benchmarks.install_bench

The loop does for each wheel what people write by hand: ``uv venv``, ``uv pip install`` and an import. Both take the
wheels from a served rehearsal over a folder with one dependency, and both begin with an empty cache of uv.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.installable import wheel

WHEELS = 20
ROUNDS = 5
PROGRAM = [sys.executable, "-m", "ci_publish", "rehearse", "dist", "--upstream", "upstream"]
LOOP = """
set -e
for name in $NAMES; do
  uv venv --quiet --no-config --python "$PYTHON" "$SCRATCH/$name"
  uv pip install --quiet --no-config --python "$SCRATCH/$name/bin/python" --default-index "$INDEX" "$name"
  "$SCRATCH/$name/bin/python" -c "import $name"
done
"""


def environment(folder: Path) -> dict[str, str]:
    """Return an environment with uv on PATH, and a home of its own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}


def loop(folder: Path, names: list[str]) -> float:
    """Return the seconds that the shell loop takes."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        subprocess.Popen(
            [*PROGRAM, "--serve", "--output", "json"],
            cwd=folder,
            env=environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as served,
    ):
        assert served.stdout is not None
        index = json.loads(served.stdout.readline())["index_url"]
        given = {"NAMES": " ".join(names), "INDEX": index, "SCRATCH": scratch, "PYTHON": sys.executable}
        given["UV_CACHE_DIR"] = f"{scratch}/cache"
        began = time.perf_counter()
        subprocess.run(["/bin/sh", "-c", LOOP], env={**environment(folder), **given}, check=True)
        seconds = time.perf_counter() - began
        served.send_signal(signal.SIGINT)
    return seconds


def ours(folder: Path) -> tuple[float, float]:
    """Return the seconds of the installations, and those of the whole command."""
    began = time.perf_counter()
    subprocess.run(
        [*PROGRAM, "--install", "--receipt", "receipt.json"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    whole = time.perf_counter() - began
    receipt = json.loads((folder / "receipt.json").read_text())
    assert [file["tried"][0]["result"] for file in receipt["files"]] == ["passed"] * WHEELS
    return receipt["timings"]["install"], whole


def main() -> None:
    """Measure both in turn, and print medians."""
    names = [f"project{number:02}" for number in range(WHEELS)]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        wheel(folder / "upstream", "dep")
        for name in names:
            source = {f"{name}/__init__.py": "import dep\n"}
            wheel(folder / "dist", name, files=source, metadata=["Requires-Dist: dep"])
        loops, installs, wholes = [], [], []
        for _ in range(ROUNDS):
            loops.append(loop(folder, names))
            install, whole = ours(folder)
            installs.append(install)
            wholes.append(whole)
    by_hand = statistics.median(loops)
    print(f"| shell loop of uv venv, uv pip install, import | {by_hand:.2f} s | |")
    for what, seconds in (("rehearse --install: the installations", installs), ("the whole rehearsal", wholes)):
        median = statistics.median(seconds)
        print(f"| {what} | {median:.2f} s | {median / by_hand:.2f} x |")


if __name__ == "__main__":
    main()
