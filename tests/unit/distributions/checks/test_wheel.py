"""Rules of the family wheel, by the files of the corpus."""

from pathlib import Path

import pytest

from ci_publish.distributions.checks.rules import CheckedFile
from ci_publish.distributions.checks.table import Family
from ci_publish.distributions.checks.wheel import RULES
from ci_publish.distributions.local import LocalDistributions
from ci_publish.distributions.wheel_reading import ZipContents
from ci_publish.model.distribution import Kind
from ci_publish.model.index import IndexProfile
from tests.corpus.cases import Case
from tests.distributions import make_wheel
from tests.unit.distributions.checks.corpus_cases import cases_of, expect_response, expect_rule


@pytest.mark.parametrize("case", cases_of(Family.WHEEL), ids=lambda case: case.id)
def test_the_rule_reports_what_breaks_it_and_nothing_else(case: Case, tmp_path: Path) -> None:
    expect_rule(case, tmp_path)


@pytest.mark.parametrize("case", cases_of(Family.WHEEL), ids=lambda case: case.id)
def test_the_server_would_answer_as_the_corpus_says(case: Case, tmp_path: Path) -> None:
    expect_response(case, tmp_path)


@pytest.mark.parametrize(
    ("filename", "missing"),
    [
        ("demo-x_y-py3-none-any.whl", 0),
        ("demo.whl", 0),
        ("demo-1.0-py3-none-any.whl", 3),
        ("demo-1.0-py3-none-a(1).whl", 3),
    ],
)
def test_nothing_is_missing_in_a_folder_that_the_name_does_not_say(filename: str, missing: int) -> None:
    contents = ZipContents(info_folder="demo-1.0.dist-info", names=frozenset({"demo/__init__.py"}))
    file = CheckedFile(filename=filename, kind=Kind.WHEEL, size=1, form={}, wheel=contents)
    found = [fault for rule in RULES if "missing" in rule.id and rule.check for fault in rule.check(file)]
    assert len(found) == missing


def test_a_wheel_name_that_cannot_be_parsed_is_the_only_fault(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo").rename(tmp_path / "demo-x_y-py3-none-any.whl")
    distributions = LocalDistributions(max_workers=1)
    collection = distributions.collect([str(wheel)])
    problems = distributions.check(collection, [IndexProfile.PYPI])
    assert [found.rule for found in problems if found.severity == "error"] == ["filename-wheel"]
