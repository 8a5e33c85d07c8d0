"""The documentation page about the rules, generated from the table; `make generate` writes it to `docs/checks.md`."""

from typing import Final

from ci_publish.distributions.checks.rules import Rule
from ci_publish.distributions.checks.table import FAMILIES, RULES, Family
from ci_publish.model.problem import Severity

_INTRODUCTION: Final = """\
# Checks

`ci-publish check`, and the check stage of every run, checks all files before anything is uploaded, and reports all
problems at once. An **error** is something that PyPI is known to refuse permanently, or that would break installers;
the run then exits with code 4. A **warning** is something that only the index can decide (classifiers, platform tags
and metadata versions newer than this version of ci-publish, limits that differ by project), or that PyPI accepts
although it should not; `--strict` turns warnings into errors. A **note** is only for information. Other indexes
(profile `generic`) accept more than PyPI does: for them, PyPI's own rules are warnings, and rules marked "none" are not
applied.

The table `[tool.ci-publish.rules]` in pyproject.toml changes the severity of individual rules. Any rule may be made
stricter. An *adjustable* rule may also be made weaker or turned `off`. The other rules reflect a refusal by the index,
protect the machine, or ensure that the run does what was requested; weakening one of them is an error (exit code 2).
`--strict` is applied after this table.

```toml
[tool.ci-publish.rules]
wheel-lost = "error"
platform-floor-raised = "note"
```

The families "Stated expectations" and "Differences from the previous release" compare the release with what you state
about it and with [the previous release](release-diff.md).

Archives are never extracted, and every read has a cap: no file takes more than 64 MiB of memory, or more than about 2 s
per 100 MiB. If an archive unpacks to more than 64 MiB and twice its own size, only that much is read, and a note says
so.

Each section below begins with what its rule requires or reports.

Line numbers in the server's source refer to pypi/warehouse at commit 6b62157124ab (August 2026).

<!-- Written by `make generate` from src/ci_publish/distributions/checks: change the rules, not the page. -->
"""


def checks_page() -> str:
    """Return the page: a table of all rules, then a section for each, by family."""
    lines = [_INTRODUCTION, "| rule | PyPI | other indexes | adjustable |\n|---|---|---|---|"]
    for rule in RULES.values():
        severities = f"{_severity_text(rule.pypi)} | {_severity_text(rule.severity_elsewhere)}"
        lines.append(f"| [`{rule.id}`](#{rule.id}) | {severities} | {'yes' if rule.adjustable else 'no'} |")
    lines.append("")
    for family in Family:
        lines += [f"## {family.capitalize()}\n", *map(_rule_section, FAMILIES[family])]
    return "\n".join(lines)


def _rule_section(rule: Rule) -> str:
    """Return the section about one rule, with its id as the anchor."""
    severities = f"{_severity_text(rule.pypi)} for PyPI, {_severity_text(rule.severity_elsewhere)} for other indexes"
    adjustable = "yes" if rule.adjustable else f"no, it {rule.ground}"
    return (
        f"### {rule.id} {{ #{rule.id} }}\n\n{rule.cause}\n\n"
        f"- Severity: {severities}\n- Adjustable: {adjustable}\n"
        f"- Example: {rule.example}\n- Fix: {rule.fix}\n- Source: {rule.source}\n"
    )


def _severity_text(severity: Severity | None) -> str:
    return "none" if severity is None else str(severity)
