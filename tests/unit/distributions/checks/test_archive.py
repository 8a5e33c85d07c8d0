"""Rules of the family archive, by the files of the corpus."""

from pathlib import Path

import pytest

from ci_publish.distributions.checks.table import Family
from tests.corpus.cases import Case
from tests.unit.distributions.checks.corpus_cases import cases_of, expect_response, expect_rule


@pytest.mark.parametrize("case", cases_of(Family.ARCHIVE), ids=lambda case: case.id)
def test_the_rule_reports_what_breaks_it_and_nothing_else(case: Case, tmp_path: Path) -> None:
    expect_rule(case, tmp_path)


@pytest.mark.parametrize("case", cases_of(Family.ARCHIVE), ids=lambda case: case.id)
def test_the_server_would_answer_as_the_corpus_says(case: Case, tmp_path: Path) -> None:
    expect_response(case, tmp_path)
