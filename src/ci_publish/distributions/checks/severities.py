"""The severity of each rule in a run: from the rule, the user's settings and ``strict`` (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from ci_publish.about import DOCS_URL
from ci_publish.distributions.checks.rules import Rule
from ci_publish.distributions.checks.table import RULES
from ci_publish.errors import ConfigurationError
from ci_publish.model.frozen import frozen
from ci_publish.model.problem import Problem, Severity

_LONGEST_ID: Final = 60
OFF: Final = "off"
_LEVELS: Final = (OFF, Severity.NOTE.value, Severity.WARNING.value, Severity.ERROR.value)


@frozen
class RuleSeverities:
    """The user's settings of rules, by id: ``off`` or a severity. ``strict`` makes warnings errors."""

    overrides: Mapping[str, str]
    strict: bool = False

    def apply_to_problems(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Return *problems* with their effective severities, without those that are off; the worst first."""
        found = []
        for problem in problems:
            level, override = problem.severity.value, self.overrides.get(problem.rule)
            if override and (RULES[problem.rule].adjustable or _LEVELS.index(override) > _LEVELS.index(level)):
                level = override
            if level == Severity.WARNING and self.strict:
                level = Severity.ERROR.value
            if level != OFF:
                found.append(replace(problem, severity=Severity(level)))
        return tuple(sorted(found, key=lambda each: list(Severity).index(each.severity)))


def parse_rule_severities(entries: Sequence[str], *, strict: bool = False, source: str = "rules") -> RuleSeverities:
    """Return the severities that ``RULE=SEVERITY`` entries set; *source* is the user's name for their place.

    Raises ConfigurationError for an unknown rule or severity, and for weakening a rule that is not adjustable.
    """
    overrides: dict[str, str] = {}
    for entry in entries:
        name, _, level = (part.strip() for part in entry.partition("="))
        overrides[name] = level.lower()
        rule = RULES.get(name)
        if rule is None:
            # the work of get_close_matches grows with the square of a name's length
            close = get_close_matches(name, RULES, 1) if len(name) <= _LONGEST_ID else []
            raise _rules_setting_error(
                source,
                f"unknown rule {name!r}",
                "The entry would have no effect.",
                f"Did you mean {close[0]}?" if close else f"All rules: {DOCS_URL}/checks/",
                f"Correct {source}.",
            )
        if overrides[name] not in _LEVELS:
            example = f'{name} = "error"' if source.startswith("[") else f"{name}=error"
            raise _rules_setting_error(
                source,
                f"{level!r} is not a severity of {name}",
                f"The severities are {', '.join(reversed(_LEVELS))}.",
                f"Correct {source}, for example: {example}",
            )
        if _weakens_rule(rule, overrides[name]) and not rule.adjustable:
            raise _rules_setting_error(
                source,
                f"{name} cannot be weaker than {rule.pypi}",
                f"The rule {rule.ground}.",
                f"Remove the entry from {source}, or make the rule stricter. Rules that may be weakened are marked"
                f" `adjustable`: {Problem(filename=None, rule=name, severity=rule.pypi, message='').docs}",
            )
    return RuleSeverities(overrides, strict)


def weakens_any_rule(entries: Sequence[str]) -> bool:
    """Whether one of the entries makes a rule weaker than it is."""
    return any(_weakens_rule(RULES[name], level) for name, level in parse_rule_severities(entries).overrides.items())


def _weakens_rule(rule: Rule, level: str) -> bool:
    return _LEVELS.index(level) < _LEVELS.index(rule.pypi)


def _rules_setting_error(source: str, what: str, why: str, *hints: str) -> ConfigurationError:
    return ConfigurationError(f"Invalid setting in {source}: {what}.", detail=why, hints=hints)
