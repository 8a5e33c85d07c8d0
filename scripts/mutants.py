"""Mutation testing with mutmut: how many small changes of the decisive modules the tests notice.

    make mutants              half of the mutants, always the same ones; within an hour on two cores
    make mutants SEED=7       another half
    make mutants SAMPLE=10    all of them (ten tenths), as the scheduled workflow does

pyproject.toml says which modules are mutated and which tests are asked. Exits 1 when fewer than 95 % of the mutants are
killed, or when one is alive that tests/assets/survivors.toml does not explain. Only a failing test kills a mutant: one
whose tests did not end in time is tried again by itself, because the machine may have been busy, and lives if they do
not end then. A mutant is told by its function and the line that it makes, not by its number, which changes with every
edit.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
EXPLAINED: Final = ROOT / "tests" / "assets" / "survivors.toml"
WANTED: Final = 0.95
TENTHS: Final = 10

# mutmut's exit codes (mutmut/stats.py): a test failed, or the interpreter crashed; the time was up; no test calls it.
KILLED: Final = frozenset({1, 3, -11})
TIMED_OUT: Final = frozenset({-24, 24, 36, 152, 255, -9})
NO_TEST: Final = frozenset({5, 33})


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test kills: the function, and the line that it puts in another's place."""

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
    changed = [line for line in diff.splitlines() if line[:1] in {"+", "-"} and line[:3] not in {"+++", "---"}]
    added = [line[1:].strip() for line in changed if line[0] == "+"] or [
        "without",
        *(line[1:].strip() for line in changed),
    ]
    function = name.rpartition("__mutmut_")[0].replace("xǁ", "").replace("ǁ", ".").replace(".x_", ".")
    return Survivor(function, " ".join(added))


def explained(text: str) -> dict[Survivor, str]:
    """Return the reason for each survivor that the file explains."""
    entries = tomllib.loads(text).get("survivor", [])
    return {Survivor(entry["function"], entry["line"]): entry["reason"] for entry in entries}


def report(
    codes: Mapping[str, int], survivors: Mapping[str, Survivor], reasons: Mapping[Survivor, str]
) -> Iterator[str]:
    """Yield what is to be said; the lines about what is wrong begin with FAILED."""
    killed = {name for name, code in codes.items() if code in KILLED}
    modules = Counter(module_of(name) for name in codes)
    dead = Counter(module_of(name) for name in killed)
    for module, count in sorted(modules.items()):
        yield f"{module}: {dead[module]} of {count} killed"
    for name, each in survivors.items():
        yield f"{fate(codes[name])}: {each.function}: {each.line}"
        reason = reasons.get(each)
        yield f"    {reason}" if reason else f"FAILED: {EXPLAINED.name} does not explain it."
    endless = sum(code in TIMED_OUT for code in codes.values())
    share = len(killed) / len(codes) if codes else 0.0
    yield f"{len(killed)} of {len(codes)} mutants killed: {share:.1%}; with {endless}, the tests did not end in time"
    if share < WANTED:
        yield f"FAILED: fewer than {WANTED:.0%}."


def module_of(name: str) -> str:
    """Return the module of the mutant *name*."""
    return name.rpartition("__mutmut_")[0].rpartition(".")[0]


def fate(code: int) -> str:
    """Return the result for a mutant that survived."""
    if code in TIMED_OUT:
        return "did not end in time, twice"
    return "no test calls it" if code in NO_TEST else "survived"


def mutmut(*arguments: str) -> int:
    """Run mutmut, its output at the end of .mutmut.log: it draws a line for each mutant. Return its exit code."""
    with (ROOT / ".mutmut.log").open("ab") as log:
        command = ["mutmut", "run", *arguments]
        return subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False).returncode


def main() -> int:
    """Run mutmut over a sample, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, choices=range(1, TENTHS + 1), default=5, metavar="TENTHS")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folder = ROOT / "mutants"
    shutil.rmtree(folder, ignore_errors=True)
    (ROOT / ".mutmut.log").unlink(missing_ok=True)
    began = time.monotonic()
    code = mutmut("--max-children", "2", *patterns(arguments.sample, arguments.seed))
    late = [name for name, result in results(folder).items() if result in TIMED_OUT]
    if late and not code:
        print(f"The tests of {len(late)} mutants did not end in time; each is tried again by itself.", flush=True)
        code = mutmut("--max-children", "1", *late)
    codes = results(folder)
    if code or not codes:
        print(f"FAILED: mutmut ended with exit code {code} after {len(codes)} mutants; .mutmut.log has its output.")
        return 1
    alive = {name: survivor(name, shown(name)) for name, result in codes.items() if result not in KILLED}
    lines = list(report(codes, alive, explained(EXPLAINED.read_text(encoding="utf-8"))))
    lines.append(f"{(time.monotonic() - began) / 60:.0f} minutes")
    print("\n".join(lines))
    return 1 if any(line.startswith("FAILED") for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
