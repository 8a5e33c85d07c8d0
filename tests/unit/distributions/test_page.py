import re
from pathlib import Path

import pytest

from ci_publish.distributions.checks import FAMILIES, REGISTRY, Family
from ci_publish.distributions.checks.page import page
from ci_publish.distributions.checks.rules import Registry, Rule

PAGE = Path(__file__).parents[3] / "docs" / "checks.md"


def test_the_page_is_what_the_register_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_rule_has_one_section_with_its_id_as_the_anchor() -> None:
    anchors = re.findall(r"^### .* \{ #([a-z0-9-]+) \}$", page(), re.MULTILINE)
    assert sorted(anchors) == sorted(REGISTRY.rules)


@pytest.mark.parametrize("rule", REGISTRY.rules.values(), ids=lambda rule: rule.id)
def test_every_rule_says_cause_source_example_and_cure(rule: Rule) -> None:
    assert rule.cause.endswith(".")
    assert rule.source.endswith(".")
    assert rule.example
    assert rule.cure.endswith((".", "increase"))


def test_every_family_has_rules() -> None:
    assert {rule.family for rule in REGISTRY.rules.values()} == set(Family)
    assert len(FAMILIES) == len(Family)


def test_an_id_is_taken_once() -> None:
    registry = Registry(dict(REGISTRY.rules))
    with pytest.raises(ValueError, match="registered twice"):
        registry.add(next(iter(REGISTRY.rules.values())))
