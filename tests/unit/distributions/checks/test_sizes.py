"""Rules about sizes."""

from pathlib import Path

import pytest

from ci_publish.distributions.checks.table import Family
from ci_publish.model.problem import Severity
from tests.corpus.build import Wheel
from tests.corpus.cases import Case
from tests.unit.distributions.checked_folders import GENERIC, check, put
from tests.unit.distributions.checks.corpus_cases import cases_of, expect_response, expect_rule


def test_files_over_the_default_limit_are_a_warning(tmp_path: Path) -> None:
    members = (("a.bin", bytes(101 << 20)),)
    put(tmp_path, Wheel(members=members, method="stored"))
    found = check(tmp_path)
    assert found["size-limit"].severity is Severity.WARNING
    assert "100 MiB" in found["size-limit"].message
    assert "size-limit" not in check(tmp_path, GENERIC)


@pytest.mark.parametrize("case", cases_of(Family.SIZES), ids=lambda case: case.id)
def test_the_rule_reports_what_breaks_it_and_nothing_else(case: Case, tmp_path: Path) -> None:
    expect_rule(case, tmp_path)


@pytest.mark.parametrize("case", cases_of(Family.SIZES), ids=lambda case: case.id)
def test_the_server_would_answer_as_the_corpus_says(case: Case, tmp_path: Path) -> None:
    expect_response(case, tmp_path)
