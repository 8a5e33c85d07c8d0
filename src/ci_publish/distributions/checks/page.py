"""The documentation page about the rules, generated from the table; `make generate` writes it to `docs/checks.md`."""

from typing import Final

from ci_publish.distributions.checks.rules import Rule
from ci_publish.distributions.checks.table import FAMILIES, RULES, Family

_INTRODUCTION: Final = """\
# Checks

`ci-publish check`, and the check stage of every run, check all files before any of them is uploaded, and report all
problems together. Archives are never extracted.

Each problem belongs to a rule with a severity:

- An **error** means that PyPI would permanently reject the file, or that installers could not use it. The run exits
  with code 4.
- A **warning** means that only the index can decide whether to accept the file, or that PyPI accepts the file although
  something is wrong with it. With `--strict`, the run exits with code 4.
- A **note** is for information only.

Other indexes (profile `generic`) accept more than PyPI, so violations of many of PyPI's own rules cause only warnings
for other indexes. Rules with the severity "none" do not apply to other indexes.

## Changing the severity of a rule

To change the severity of a rule, add the rule to the table `[tool.ci-publish.rules]` in `pyproject.toml`:

```toml
[tool.ci-publish.rules]
wheel-lost = "error"
platform-floor-raised = "note"
```

You can raise the severity of any rule. You can lower the severity of *adjustable* rules, or turn them `off`. All other
rules correspond to a rejection by the index, protect the machine, or ensure that the run does what you requested. If
you try to lower the severity of one of these rules, the run exits with code 2. `--strict` is applied after this table.

## Limits

Checking a file takes at most 64 MiB of memory, and about 2 s per 100 MiB. If an archive's extracted files are larger
than 64 MiB and more than twice the size of the archive, ci-publish reads only part of the archive and prints a note.

## All rules

The line numbers that are given as sources of rules refer to commit 6b62157124ab of pypi/warehouse (August 2026).

<!-- Written by `make generate` from src/ci_publish/distributions/checks: change the rules, not the page. -->
"""


def checks_page() -> str:
    """Return the page: a table of all rules, then a section for each, by family."""
    lines = [_INTRODUCTION, "| Rule | PyPI | Other indexes | Adjustable |\n|---|---|---|---|"]
    for rule in RULES.values():
        severities = f"{rule.pypi} | {rule.severity_elsewhere or 'none'}"
        lines.append(f"| [`{rule.id}`](#{rule.id}) | {severities} | {'yes' if rule.adjustable else 'no'} |")
    lines.append("")
    for family in Family:
        lines += [f"## {family.capitalize()}\n", *map(_rule_section, FAMILIES[family])]
    return "\n".join(lines)


def _rule_section(rule: Rule) -> str:
    """Return the section about one rule, with its id as the anchor."""
    severities = f"{rule.pypi} for PyPI, {rule.severity_elsewhere or 'none'} for other indexes"
    adjustable = "yes" if rule.adjustable else f"no (the rule {rule.ground})"
    return (
        f"### {rule.id} {{ #{rule.id} }}\n\n{rule.cause}\n\n"
        f"- Severity: {severities}\n- Adjustable: {adjustable}\n"
        f"- Example: {rule.example}\n- Fix: {rule.fix}\n- Source: {rule.source}\n"
    )
