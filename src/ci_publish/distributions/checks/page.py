"""The documentation page about the rules, made from the table.

python -m ci_publish.distributions.checks.page > docs/checks.md
"""

from collections.abc import Iterator
from typing import Final

from ci_publish.distributions.checks.rules import Rule
from ci_publish.distributions.checks.table import FAMILIES, RULES, Family
from ci_publish.model.problem import Severity

_INTRODUCTION: Final = """\
# Checks

`ci-publish check`, and the check step of every run, looks at all files before any of them leaves the machine, and says
everything at once. An **error** is what PyPI is known to refuse, for ever, or what would break installers; it ends the
run with exit code 4. A **warning** is what the index decides (classifiers, platform tags and metadata versions newer
than this program, limits that differ by project) or what PyPI accepts although it should not; `--strict` makes
warnings errors. A **note** only informs. Other indexes (profile `generic`) take more than PyPI does: there PyPI's own
rules are warnings, and what such an index welcomes (none) is not mentioned.

Archives are never extracted, and every read has a cap: no file takes more than 64 MiB of memory, or about 2 s for each
100 MiB. Archives that unpack to more than 64 MiB and twice their own size are looked at up to there, which a note says.

Places in the server's source are those of pypi/warehouse at commit 6b62157124ab (August 2026).

<!-- This page is made by `python -m ci_publish.distributions.checks.page`: change the rules, not the page. -->
"""


def page() -> str:
    """Return the page: a table of all rules, then a section for each, by family."""
    return "\n".join([_INTRODUCTION, *_table(), *_sections()])


def _table() -> Iterator[str]:
    """Yield the table of all rules."""
    yield "| rule | PyPI | other indexes |\n|---|---|---|"
    for rule in RULES.values():
        yield f"| [`{rule.id}`](#{rule.id}) | {_severity(rule.pypi)} | {_severity(rule.generic)} |"
    yield ""


def _sections() -> Iterator[str]:
    """Yield the sections about the rules."""
    for family in Family:
        yield f"## {family.capitalize()}\n"
        yield from map(_section, FAMILIES[family])


def _section(rule: Rule) -> str:
    """Return the section about one rule, with its id as the anchor."""
    severities = f"{_severity(rule.pypi)} for PyPI, {_severity(rule.generic)} elsewhere"
    return (
        f"### {rule.id} {{ #{rule.id} }}\n\n{rule.cause}\n\n"
        f"- Weight: {severities}\n- Example: {rule.example}\n- Cure: {rule.cure}\n- Source: {rule.source}\n"
    )


def _severity(severity: Severity | None) -> str:
    return "none" if severity is None else str(severity)


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - printing is what it is for
