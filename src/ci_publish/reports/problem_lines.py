"""The results of the checks as lines; a problem of several files is shown once (pure)."""

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
    for _, of_rule in groupby(groups, key=_problem_sort_key):
        alike = list(of_rule)
        shown = alike if verbose else alike[:_KINDS_SHOWN]
        for group in shown:
            yield from _alike_problem_lines(group, redact, verbose=verbose)
        if rest := sum(map(len, alike[len(shown) :])):
            rule = neutral_line(alike[0][0].rule)
            yield step_line("check", f"{rest} more of {rule}: see them with verbose", Tone.QUIET)
    tone = Tone.BAD if any(each.severity is Severity.ERROR for each in problems) else Tone.PLAIN
    yield step_line("check", wording.count_problems_by_severity(problems), tone)


def _problem_sort_key(group: Sequence[Problem]) -> tuple[int, str]:
    return list(Severity).index(group[0].severity), group[0].rule


def _alike_problem_lines(problems: Sequence[Problem], redact: Redact, *, verbose: bool) -> Iterator[Line]:
    first = problems[0]
    where = neutral_line(redact(first.filename)) if first.filename else "all files"
    if len(problems) > 1:
        where = wording.pluralise(len(problems), "file")
    yield step_line("check", f"{first.severity}: {where}: {neutral_line(first.rule)}", SEVERITY[first.severity])
    for text in filter(str.strip, (first.message, first.advice)):
        yield from (step_line("", f"  {line}") for line in neutral_block(redact(text)).split("\n"))
    if verbose and len(problems) > 1:
        yield from (step_line("", f"  {neutral_line(redact(each.filename or ''))}", Tone.QUIET) for each in problems)
    yield step_line("", f"  {neutral_line(redact(first.docs))}", Tone.QUIET)
