"""What `make mutants` samples, and what it says of mutants that survive."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from scripts.mutants import EXPLAINED, Survivor, explained, patterns, report, results, survivor

DIFF = """\
# ci_publish.http.retries.x_wait__mutmut_3: survived
--- src/ci_publish/http/retries.py
+++ src/ci_publish/http/retries.py
@@ -1,2 +1,2 @@
-    return min(a, b)
+    return min(a, None)
"""
NAME = "ci_publish.http.retries.x_wait__mutmut_3"
SURVIVOR = Survivor("ci_publish.http.retries.wait", "return min(a, None)")


def test_a_sample_is_seeded_and_as_large_as_asked_for() -> None:
    assert patterns(5, 0) == patterns(5, 0) != patterns(5, 1)
    assert len(set(patterns(5, 7))) == 5
    assert patterns(10, 3) == [f"*__mutmut_*{digit}" for digit in range(10)]


@pytest.mark.parametrize(
    ("name", "function"),
    [
        (NAME, "ci_publish.http.retries.wait"),
        (
            "ci_publish.publishing.planning.xǁConflictRulesǁof__mutmut_1",
            "ci_publish.publishing.planning.ConflictRules.of",
        ),
        ("ci_publish.index.endpoints.x__is_pypi__mutmut_12", "ci_publish.index.endpoints._is_pypi"),
    ],
)
def test_a_survivor_is_told_by_its_function_and_its_line(name: str, function: str) -> None:
    assert survivor(name, DIFF) == Survivor(function, "return min(a, None)")


def test_a_mutant_that_only_removes_is_told_by_what_it_removes() -> None:
    removed = "".join(line for line in DIFF.splitlines(keepends=True) if not line.startswith("+ "))
    assert survivor(NAME, removed).line == "without return min(a, b)"


def test_only_mutants_that_were_tried_count(tmp_path: Path) -> None:
    (tmp_path / "a.py.meta").write_text(json.dumps({"exit_code_by_key": {"a": 1, "b": None}}), encoding="utf-8")
    assert results(tmp_path) == {"a": 1}


def test_an_unexplained_survivor_and_too_few_kills_are_failures() -> None:
    killed = {f"m.x_f__mutmut_{number}": 1 for number in range(19)}
    last = "m.x_f__mutmut_19"
    lines = list(report({**killed, last: 0}, {last: SURVIVOR}, {SURVIVOR: "The same value."}))
    assert lines == [
        "m: 19 of 20 killed",
        "survived: ci_publish.http.retries.wait: return min(a, None)",
        "    The same value.",
        "19 of 20 mutants killed: 95.0%; with 0, the tests did not end in time",
    ]
    assert "FAILED: survivors.toml does not explain it." in report({**killed, last: 0}, {last: SURVIVOR}, {})
    assert list(report({last: 0}, {}, {}))[-1] == "FAILED: fewer than 95%."


@pytest.mark.parametrize(
    ("code", "words"), [(-24, "did not end in time, twice"), (33, "no test calls it"), (0, "survived")]
)
def test_only_a_failing_test_kills(code: int, words: str) -> None:
    lines = list(report({NAME: code}, {NAME: SURVIVOR}, {}))
    assert lines[0] == "ci_publish.http.retries: 0 of 1 killed"
    assert lines[1].startswith(f"{words}: ci_publish.http.retries.wait: ")
    assert f"with {int(code == -24)}, the tests did not end in time" in lines[3]


def test_what_is_mutated_and_which_tests_are_asked_exists() -> None:
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    named = [*settings["only_mutate"], *settings["pytest_add_cli_args_test_selection"], *settings["also_copy"]]
    assert len(named) > 20
    assert [each for each in named if not Path(each.partition("::")[0]).exists()] == []


def test_every_explanation_names_a_function_that_exists() -> None:
    reasons = explained(EXPLAINED.read_text(encoding="utf-8"))
    for each, reason in reasons.items():
        module, _, function = each.function.rpartition(".")
        path = Path("src", *module.split("."))
        path = path if path.with_suffix(".py").is_file() else path.parent
        assert re.search(rf"def {function}\b", path.with_suffix(".py").read_text(encoding="utf-8")), each
        assert len(reason) > 20
