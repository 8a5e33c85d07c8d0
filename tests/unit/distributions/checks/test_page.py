import re

import pytest

from ci_publish.distributions.checks.page import checks_page
from ci_publish.distributions.checks.rules import Rule
from ci_publish.distributions.checks.table import FAMILIES, RULES, Family


def test_every_rule_has_one_section_with_its_id_as_the_anchor() -> None:
    anchors = re.findall(r"^### .* \{ #([a-z0-9-]+) \}$", checks_page(), re.MULTILINE)
    assert sorted(anchors) == sorted(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_says_cause_source_example_and_cure(rule: Rule) -> None:
    assert rule.cause.endswith(".")
    assert rule.source.endswith(".")
    assert rule.example
    assert rule.fix.endswith((".", "increase"))
    for text in (rule.cause, rule.source, rule.example, str(rule.fix)):
        assert text.isprintable()  # a control character is written as its escape: a line break would end the list item


def test_every_family_has_rules_and_an_id_is_used_once() -> None:
    assert set(FAMILIES) == set(Family)
    assert all(FAMILIES.values())
    assert len(RULES) == sum(map(len, FAMILIES.values()))
