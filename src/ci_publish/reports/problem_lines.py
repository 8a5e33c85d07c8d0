"""What the checks found, as lines: what is equal in many files is said once (pure)."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from ci_publish.model.problem import Problem, Severity, alike
from ci_publish.model.receipt import Redact
from ci_publish.reports import wording
from ci_publish.reports.lines import Line, of_step
from ci_publish.reports.neutral import block, one_line
from ci_publish.reports.tones import SEVERITY, Tone

_KINDS_SHOWN = 3


def problem_lines(problems: Sequence[Problem], redact: Redact, *, verbose: bool) -> Iterator[Line]:
    """Yield the problems, errors first, and how many there are.

    What several files have in common is said once, with their number; *verbose* adds their names.
    """
    groups = sorted(alike(problems), key=_kind)
    for _, kinds in groupby(groups, key=_kind):
        yield from _kinds(list(kinds), redact, verbose=verbose)
    tone = Tone.BAD if any(each.severity is Severity.ERROR for each in problems) else Tone.PLAIN
    yield of_step("check", wording.findings(problems), tone)


def _kind(group: Sequence[Problem]) -> tuple[int, str]:
    return list(Severity).index(group[0].severity), group[0].rule


def _kinds(groups: Sequence[Sequence[Problem]], redact: Redact, *, verbose: bool) -> Iterator[Line]:
    """Yield problems of one rule: the first few kinds of them, and how many more there are."""
    shown = groups if verbose else groups[:_KINDS_SHOWN]
    for problems in shown:
        yield from _problem(problems, redact, verbose=verbose)
    if rest := sum(map(len, groups[len(shown) :])):
        yield of_step("check", f"{rest} more of {one_line(groups[0][0].rule)}: see them with verbose", Tone.QUIET)


def _problem(problems: Sequence[Problem], redact: Redact, *, verbose: bool) -> Iterator[Line]:
    first = problems[0]
    where = _where(problems, redact)
    yield of_step("check", f"{first.severity}: {where}: {one_line(first.rule)}", SEVERITY[first.severity])
    for text in filter(str.strip, (first.message, first.advice)):
        yield from (of_step("", f"  {line}") for line in block(redact(text)).split("\n"))
    if verbose and len(problems) > 1:
        yield from (of_step("", f"  {one_line(redact(each.filename or ''))}", Tone.QUIET) for each in problems)
    yield of_step("", f"  {one_line(redact(first.docs))}", Tone.QUIET)


def _where(problems: Sequence[Problem], redact: Redact) -> str:
    if len(problems) > 1:
        return wording.count(len(problems), "file")
    return one_line(redact(problems[0].filename)) if problems[0].filename else "all files"
