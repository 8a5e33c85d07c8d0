"""What the probe wrote, and what it says about a file: each failure by its rule, in one sentence."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish.model.distribution import Distribution
from ci_publish.rehearsal.installation.probe_facts import (
    ProbeAttempt,
    ProbeFacts,
    installed_file_faults,
    missing_outside_modules,
    parse_probe_facts,
    split_off_failures_cured_by_extras,
)
from tests.installable import wheel
from tests.unit.rehearsal.installation.test_interpreter_matching import read

PYTHON = "Python 3.12"
FACTS = ProbeFacts(
    version="1.0", modules=("demo",), files=("demo/__init__.py",), suffixes=(".cpython-312.so", ".so"), ended=True
)


@pytest.fixture
def file(tmp_path: Path) -> Distribution:
    return read(wheel(tmp_path, metadata=["Requires-Dist: known>=1; python_version < '3'"]))


def test_lines_are_read_and_strange_ones_left_out() -> None:
    lines = [
        {"version": "1.0", "modules": ["demo"], "files": ["demo.py"], "suffixes": [".so"]},
        {"import": "demo", "begun": True},
        {"import": "demo", "passed": True},
        {"script": "run", "value": "demo:main", "begun": True},
        {"ended": True},
    ]
    text = "\n".join([*map(json.dumps, lines), "no json", "[1]", "[" * 100_000, '{"ended": "true"}'])

    assert parse_probe_facts(text, "it crashed") == ProbeFacts(
        version="1.0",
        modules=("demo",),
        files=("demo.py",),
        suffixes=(".so",),
        attempts=(
            ProbeAttempt(name="demo"),
            ProbeAttempt(name="demo:main", script="run", error="crash", message="it crashed"),
        ),
        ended=True,
    )


def test_nothing_written_is_nothing_known() -> None:
    assert parse_probe_facts("", "it crashed") == ProbeFacts()
    assert parse_probe_facts('{"version": 1, "modules": "x"}', "it crashed") == ProbeFacts(version="1")


@pytest.mark.parametrize(
    ("version", "rules"),
    [("1.0", []), ("1.0.0", []), ("0.0.0", ["install-wrong-version"]), ("", ["install-wrong-version"])],
)
def test_the_version_is_the_file_s(file: Distribution, version: str, rules: list[str]) -> None:
    assert [fault.rule for fault in installed_file_faults(file, replace(FACTS, version=version), PYTHON)] == rules


FAILS = f"`import demo` fails on {PYTHON}"
FAILED = ProbeAttempt(name="demo", error="ModuleNotFoundError")
CASES = [
    (
        replace(FAILED, message="No module named 'requests'", missing="requests"),
        "install-import",
        "`import demo` fails on Python 3.12: No module named 'requests' (not in Requires-Dist)",
    ),
    (
        replace(FAILED, message="No module named 'known'", missing="known"),
        "install-import",
        "`import demo` fails on Python 3.12: No module named 'known' (Requires-Dist: known>=1; python_version < '3')",
    ),
    (
        replace(FAILED, message="No module named 'demo.part'", missing="demo.part"),
        "install-import",
        "`import demo` fails on Python 3.12: No module named 'demo.part' (it is not in the file)",
    ),
    (
        replace(FAILED, error="ValueError", message="bad\nworse"),
        "install-import",
        "`import demo` fails on Python 3.12: ValueError: bad",
    ),
    (replace(FAILED, error="KeyError", message=""), "install-import", "`import demo` fails on Python 3.12: KeyError"),
    (
        ProbeAttempt(name="demo:main", script="run", error="AttributeError", message="no main"),
        "install-script",
        "The console script run (demo:main) fails on Python 3.12: AttributeError: no main",
    ),
    (
        ProbeAttempt(
            name="demo.cli:main", script="run", error="ModuleNotFoundError", message="No demo.cli", missing="demo.cli"
        ),
        "install-script",
        "The console script run (demo.cli:main) fails on Python 3.12: No demo.cli",
    ),
    (
        ProbeAttempt(
            name="demo.cli:main", script="run", error="ModuleNotFoundError", message="No click", missing="click"
        ),
        "install-import",
        "`import demo.cli` fails on Python 3.12: No click (not in Requires-Dist)",
    ),
    (
        replace(FAILED, error="SyntaxError", message="invalid syntax", file="/env/lib/demo/__init__.py"),
        "install-tag",
        f"{FAILS}: SyntaxError: invalid syntax (its tags and Requires-Python claim this Python)",
    ),
    (
        replace(FAILED, error="SyntaxError", message="invalid syntax", file="/env/lib/other/__init__.py"),
        "install-import",
        "`import demo` fails on Python 3.12: SyntaxError: invalid syntax",
    ),
    (
        replace(FAILED, error="ImportError", message="version `GLIBC_2.38' not found"),
        "install-tag",
        f"{FAILS}: ImportError: version `GLIBC_2.38' not found (its tags claim this platform)",
    ),
]


@pytest.mark.parametrize(("attempt", "rule", "said"), CASES)
def test_a_failure_has_its_rule_and_its_cause(file: Distribution, attempt: ProbeAttempt, rule: str, said: str) -> None:
    (fault,) = installed_file_faults(file, replace(FACTS, attempts=(attempt, attempt)), PYTHON)

    assert (fault.rule, fault.message) == (rule, said)


@pytest.mark.parametrize(
    ("library", "rule"),
    [
        ("demo/_fast.cpython-312.so", "install-import"),
        ("demo/_fast.cpython-313.so", "install-tag"),
        ("demo/_fast.cp312-win_amd64.pyd", "install-tag"),
    ],
)
@pytest.mark.parametrize(
    "attempt",
    [
        replace(FAILED, message="No module named 'demo._fast'", missing="demo._fast"),
        replace(FAILED, error="ImportError", message="cannot import name '_fast' from 'demo' (/env/demo/__init__.py)"),
    ],
)
def test_a_library_for_another_interpreter(file: Distribution, attempt: ProbeAttempt, library: str, rule: str) -> None:
    facts = replace(FACTS, files=("demo/__init__.py", library), attempts=(attempt,))
    (fault,) = installed_file_faults(file, facts, PYTHON)

    assert fault.rule == rule


def test_extras_cure_missing_modules_of_others_and_nothing_else() -> None:
    plots = replace(FAILED, name="plots", message="no plt", missing="plt")
    own = replace(FAILED, name="own", message="no demo.x", missing="demo.x")
    still = replace(FAILED, name="still", message="no gone", missing="gone")
    before = replace(FACTS, attempts=(plots, own, still))
    after = replace(FACTS, attempts=(replace(plots, error=""), replace(own, error=""), still))

    assert missing_outside_modules(before) == {"plt", "gone"}
    assert split_off_failures_cured_by_extras(before, after) == (replace(before, attempts=(own, still)), [plots])
