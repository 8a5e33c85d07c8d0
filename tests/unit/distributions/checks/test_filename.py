"""Rules about filenames."""

from pathlib import Path

import pytest

from ci_publish.distributions.checks.table import Family
from ci_publish.distributions.local import LocalDistributions
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Severity
from tests.corpus.cases import Case
from tests.distributions import make_wheel
from tests.unit.distributions.checks.corpus_cases import cases_of, expect_response, expect_rule


def test_a_local_version_is_told_also_where_the_metadata_rules_are_off(tmp_path: Path) -> None:
    make_wheel(tmp_path, version="1.0+cu12")
    for verify_metadata in (True, False):
        local = LocalDistributions(verify_metadata=verify_metadata)
        problems = local.check(local.collect([str(tmp_path)]), [IndexProfile.PYPI])
        assert [each.rule for each in problems if each.severity is Severity.ERROR] == ["filename-local-version"]
        elsewhere = local.check(local.collect([str(tmp_path)]), [IndexProfile.GENERIC])
        assert not [each for each in elsewhere if each.severity is Severity.ERROR]


@pytest.mark.parametrize("case", cases_of(Family.FILENAME), ids=lambda case: case.id)
def test_the_rule_reports_what_breaks_it_and_nothing_else(case: Case, tmp_path: Path) -> None:
    expect_rule(case, tmp_path)


@pytest.mark.parametrize("case", cases_of(Family.FILENAME), ids=lambda case: case.id)
def test_the_server_would_answer_as_the_corpus_says(case: Case, tmp_path: Path) -> None:
    expect_response(case, tmp_path)
