"""Mutation testing with mutmut: how many small changes of the decisive modules the tests notice.

    make mutants              half of the mutants, always the same ones; within an hour on two cores
    make mutants SEED=7       another half
    make mutants SAMPLE=10    all of them (ten tenths), as the scheduled workflow does

pyproject.toml says which modules are mutated and which tests are asked. Exits 1 when fewer than 95 % of the mutants are
killed, or when one survives that tests/assets/survivors.toml does not explain. A survivor is told by its function and
the line that it makes, not by its number, which changes with every edit.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
EXPLAINED: Final = ROOT / "tests" / "assets" / "survivors.toml"
WANTED: Final = 0.95
TENTHS: Final = 10

# mutmut's exit codes (mutmut/stats.py): a test failed, or the tests crashed or did not end.
KILLED: Final = frozenset({1, 3, -24, 24, 36, 152, 255, -11, -9})


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test noticed: the function, and the line that it puts in another's place."""

    function: str
    line: str


def patterns(tenths: int, seed: int) -> list[str]:
    """Return what selects *tenths* of the mutants: those whose number ends with one of so many digits."""
    digits = sorted(random.Random(seed).sample(range(TENTHS), tenths))  # noqa: S311  (a sample, no secret)
    return [f"*__mutmut_*{digit}" for digit in digits]


def results(folder: Path) -> dict[str, int]:
    """Return the exit code of each mutant that was tried."""
    codes: dict[str, int] = {}
    for path in sorted(folder.rglob("*.meta")):
        tried = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        codes |= {name: code for name, code in tried.items() if code is not None}
    return codes


def shown(name: str) -> str:
    """Return the difference that the mutant *name* makes, as mutmut shows it."""
    return subprocess.run(["mutmut", "show", name], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def survivor(name: str, diff: str) -> Survivor:
    """Return what the mutant *name* changes, by the *diff* that mutmut shows."""
    added = [line[1:].strip() for line in diff.splitlines() if line.startswith("+") and not line.startswith("+++")]
    function = name.rpartition("__mutmut_")[0].replace("xǁ", "").replace("ǁ", ".").replace(".x_", ".")
    return Survivor(function, " ".join(added))


def explained(text: str) -> dict[Survivor, str]:
    """Return the reason for each survivor that the file explains."""
    entries = tomllib.loads(text).get("survivor", [])
    return {Survivor(entry["function"], entry["line"]): entry["reason"] for entry in entries}


def report(codes: Mapping[str, int], survivors: Iterable[Survivor], reasons: Mapping[Survivor, str]) -> Iterator[str]:
    """Yield what is to be said; the lines about what is wrong begin with FAILED."""
    killed = sum(code in KILLED for code in codes.values())
    share = killed / len(codes) if codes else 0.0
    per_module = Counter(name.rpartition("__mutmut_")[0].rpartition(".")[0] for name in codes)
    for module, count in sorted(per_module.items()):
        dead = sum(code in KILLED for name, code in codes.items() if name.startswith(f"{module}."))
        yield f"{module}: {dead} of {count} killed"
    for each in survivors:
        yield f"survived: {each.function}: {each.line}"
        reason = reasons.get(each)
        yield f"    {reason}" if reason else f"FAILED: no test notices it, and {EXPLAINED.name} does not explain it."
    yield f"{killed} of {len(codes)} mutants killed: {share:.1%}"
    if share < WANTED:
        yield f"FAILED: fewer than {WANTED:.0%}."


def main() -> int:
    """Run mutmut over a sample, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, choices=range(1, TENTHS + 1), default=5, metavar="TENTHS")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folder = ROOT / "mutants"
    shutil.rmtree(folder, ignore_errors=True)
    command = ["mutmut", "run", "--max-children", "2", *patterns(arguments.sample, arguments.seed)]
    with (ROOT / ".mutmut.log").open("wb") as log:  # it draws a line for each mutant
        code = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
    codes = results(folder)
    if code or not codes:
        print(f"FAILED: mutmut ended with exit code {code} after {len(codes)} mutants; .mutmut.log has its output.")
        return 1
    alive = [name for name, result in codes.items() if result not in KILLED]
    survivors = [survivor(name, shown(name)) for name in alive]
    lines = list(report(codes, survivors, explained(EXPLAINED.read_text(encoding="utf-8"))))
    print("\n".join(lines))
    return 1 if any(line.startswith("FAILED") for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
