"""All check rules as one table, and what is computed from it (pure).

The order within a stage is the order in which PyPI's server checks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from ci_publish.distributions.checks import (
    archive,
    filename,
    installing,
    metadata,
    relative_links,
    sdist,
    sets,
    sizes,
    tags,
    wheel,
)
from ci_publish.distributions.checks.comparison import metadata_rules, stated_rules, version_rules, wheel_rules
from ci_publish.distributions.checks.comparison.stated import Stated
from ci_publish.distributions.checks.rules import CheckedFile, Rule
from ci_publish.distributions.faults import Fault, ServerRefusal
from ci_publish.model.distribution import Collection
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.release import Comparison

MOST_FOR_ONE_RULE: Final = 5


class Family(StrEnum):
    """The families of rules, one file each."""

    FILENAME = "filename"
    TAGS = "platform tags"
    ARCHIVE = "archives"
    WHEEL = "wheels"
    SDIST = "sdists"
    METADATA = "core metadata"
    SET = "the set of files"
    SIZES = "sizes"
    STATED = "stated expectations"
    DIFFERENCES = "differences from the previous release"
    INSTALLATION = "installation"


FAMILIES: Final[Mapping[Family, tuple[Rule, ...]]] = {
    Family.ARCHIVE: archive.RULES,
    Family.DIFFERENCES: (*wheel_rules.RULES, *version_rules.RULES, *metadata_rules.RULES),
    Family.FILENAME: filename.RULES,
    Family.METADATA: (*metadata.RULES, *relative_links.RULES),
    Family.SDIST: sdist.RULES,
    Family.SET: sets.RULES,
    Family.SIZES: sizes.RULES,
    Family.STATED: stated_rules.RULES,
    Family.TAGS: tags.RULES,
    Family.WHEEL: wheel.RULES,
    Family.INSTALLATION: installing.RULES,
}
RULES: Final[Mapping[str, Rule]] = {rule.id: rule for rules in FAMILIES.values() for rule in rules}


def problem_of_rule_fault(fault: Fault, filename: str | None, severity: Severity) -> Problem:
    """Return the problem for a fault, with its own advice, or else its rule's."""
    return Problem(
        filename=filename,
        rule=fault.rule,
        severity=severity,
        message=fault.message,
        advice=fault.advice or RULES[fault.rule].fix,
    )


def file_faults(file: CheckedFile, *, metadata: bool = True) -> list[Fault]:
    """Apply every rule to a single file; without *metadata*, all families but that one."""
    families = [rules for family, rules in FAMILIES.items() if metadata or family is not Family.METADATA]
    faults = [_limit_faults_of_rule(rule.faults_of_file(file)) for rules in families for rule in rules]
    return [fault for some in faults for fault in some]


def set_faults(collection: Collection) -> list[Fault]:
    """Apply every rule about the files of a run together."""
    checks = [rule.check_set for rule in sets.RULES if rule.check_set is not None]
    return [fault for check in checks for fault in _limit_faults_of_rule(check(collection))]


def release_faults(comparison: Comparison, stated: Stated, *, differences: bool = True) -> list[Fault]:
    """Apply every rule about a release; without *differences*, those that need no release before it."""
    families = (Family.STATED, Family.SIZES, *((Family.DIFFERENCES,) if differences else ()))
    compare = [rule.compare for family in families for rule in FAMILIES[family] if rule.compare is not None]
    return [fault for each in compare for fault in _limit_faults_of_rule(each(comparison, stated))]


def _limit_faults_of_rule(faults: Iterable[Fault]) -> list[Fault]:
    """Return the first few faults of a rule; the last one says how many more there are."""
    everything = list(faults)
    shown = everything[:MOST_FOR_ONE_RULE]
    if len(everything) > len(shown):
        more = len(everything) - len(shown)
        shown[-1] = replace(shown[-1], message=f"{shown[-1].message} (and {more} more like this)")
    return shown


def first_server_refusal(faults: Iterable[Fault]) -> ServerRefusal | None:
    """Return the server's answer to a file with these faults: that of the first check that fails there."""
    refusing = [(RULES[fault.rule].stage, fault.refusal) for fault in faults if fault.refusal is not None]
    return min(refusing, key=lambda pair: pair[0])[1] if refusing else None
