"""What the checks found, as lines: what is equal in many files is said once (pure)."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from ci_publish.model.problem import Problem, Severity, group_alike_problems
from ci_publish.model.receipt import Redact
from ci_publish.reports import wording
from ci_publish.reports.console_lines import Line, step_line
from ci_publish.reports.neutral import neutral_block, neutral_line
from ci_publish.reports.tones import SEVERITY, Tone

_KINDS_SHOWN = 3


def problem_lines(problems: Sequence[Problem], redact: Redact, *, verbose: bool) -> Iterator[Line]:
    """Yield the problems, errors first, and how many there are.

    What several files have in common is said once, with their number; *verbose* adds their names.
    """
    groups = sorted(group_alike_problems(problems), key=_problem_sort_key)
    for _, kinds in groupby(groups, key=_problem_sort_key):
        yield from _problem_lines_of_rule(list(kinds), redact, verbose=verbose)
    tone = Tone.BAD if any(each.severity is Severity.ERROR for each in problems) else Tone.PLAIN
    yield step_line("check", wording.count_problems_by_severity(problems), tone)


def _problem_sort_key(group: Sequence[Problem]) -> tuple[int, str]:
    return list(Severity).index(group[0].severity), group[0].rule


def _problem_lines_of_rule(groups: Sequence[Sequence[Problem]], redact: Redact, *, verbose: bool) -> Iterator[Line]:
    """Yield problems of one rule: the first few kinds of them, and how many more there are."""
    shown = groups if verbose else groups[:_KINDS_SHOWN]
    for problems in shown:
        yield from _equal_problem_lines(problems, redact, verbose=verbose)
    if rest := sum(map(len, groups[len(shown) :])):
        yield step_line("check", f"{rest} more of {neutral_line(groups[0][0].rule)}: see them with verbose", Tone.QUIET)


def _equal_problem_lines(problems: Sequence[Problem], redact: Redact, *, verbose: bool) -> Iterator[Line]:
    first = problems[0]
    where = _files_with_problem(problems, redact)
    yield step_line("check", f"{first.severity}: {where}: {neutral_line(first.rule)}", SEVERITY[first.severity])
    for text in filter(str.strip, (first.message, first.advice)):
        yield from (step_line("", f"  {line}") for line in neutral_block(redact(text)).split("\n"))
    if verbose and len(problems) > 1:
        yield from (step_line("", f"  {neutral_line(redact(each.filename or ''))}", Tone.QUIET) for each in problems)
    yield step_line("", f"  {neutral_line(redact(first.docs))}", Tone.QUIET)


def _files_with_problem(problems: Sequence[Problem], redact: Redact) -> str:
    if len(problems) > 1:
        return wording.pluralise(len(problems), "file")
    return neutral_line(redact(problems[0].filename)) if problems[0].filename else "all files"
