"""Rules about installations: rows that no check of a file ever reports by itself."""

import pytest

from ci_publish.distributions.checks.installing import RULES
from ci_publish.distributions.checks.rules import CheckedFile, Rule
from ci_publish.distributions.checks.table import problem_of_rule_fault
from ci_publish.distributions.faults import Fault
from ci_publish.model.distribution import Kind
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Severity

NOTES = {"install-extra-module", "install-not-tried"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_an_index_has_no_say_in_what_can_be_installed(rule: Rule) -> None:
    expected = Severity.NOTE if rule.id in NOTES else Severity.ERROR

    assert {rule.severity_for_profiles((profile,)) for profile in IndexProfile} == {expected}
    assert rule.id.startswith("install-")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_checking_a_file_finds_none_of_them(rule: Rule) -> None:
    file = CheckedFile(filename="demo-1.0.tar.gz", kind=Kind.SDIST, size=1, form={})

    assert list(rule.faults_of_file(file)) == []


def test_a_fault_brings_the_advice_of_its_rule() -> None:
    found = problem_of_rule_fault(Fault(rule="install-script", message="no main"), "demo-1.0.tar.gz", Severity.ERROR)

    assert found.advice == "Correct the entry point, or add the function."
    assert found.docs.endswith("/checks/#install-script")
