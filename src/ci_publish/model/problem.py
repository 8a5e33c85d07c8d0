"""The findings of checks about a file or a set of files."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from enum import StrEnum

from ci_publish.errors import docs_url_for_rule
from ci_publish.model.frozen import frozen

# Rules that warn because PyPI may or may not accept what they find: it did not when this version was released.
UNDECIDED_RULES = frozenset(
    {"metadata-charset-spelling", "metadata-classifier-unknown", "metadata-version-unknown", "platform-tag-unknown"}
)


class Severity(StrEnum):
    """How serious a problem is: an error stops the run, a warning does not, a note only informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@frozen(kw_only=True)
class Problem:
    """One finding of one check rule.

    ``message`` says what is wrong and why it matters, ``advice`` what to do. ``filename`` is None for problems of the
    whole set. Texts may hold characters from outside; reports neutralise them.
    """

    filename: str | None
    rule: str
    severity: Severity
    message: str
    advice: str = ""

    @property
    def docs(self) -> str:
        """The section about this rule."""
        return docs_url_for_rule(self.rule)


def blocking_problems(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems that stop a file from being published."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def published_problems_as_notes(problems: Iterable[Problem], filenames: Container[str]) -> tuple[Problem, ...]:
    """Return *problems* with those of *filenames*, files that are already published as they are, as notes only."""
    return tuple(
        replace(problem, severity=Severity.NOTE) if problem.filename in filenames else problem for problem in problems
    )


def group_alike_problems(problems: Iterable[Problem]) -> tuple[tuple[Problem, ...], ...]:
    """Return *problems* in groups that say the same about their files, in the order of each group's first."""
    groups: dict[tuple[str, Severity, str, str, bool], list[Problem]] = {}
    for each in problems:
        message = each.message if each.filename is None else each.message.replace(each.filename, "")
        key = (each.rule, each.severity, message, each.advice, each.filename is None)
        groups.setdefault(key, []).append(each)
    return tuple(tuple(group) for group in groups.values())


def undecided_problems_by_file(problems: Iterable[Problem]) -> Mapping[str, frozenset[str]]:
    """Return, by filename, what is found in files that PyPI may reject; equal texts are decided by one upload."""
    found: dict[str, frozenset[str]] = {}
    for problem in problems:
        if problem.filename is not None and problem.rule in UNDECIDED_RULES:
            found[problem.filename] = found.get(problem.filename, frozenset()) | {problem.message}
    return found
