"""Errors as lines: what happened, why, what to do and where to read on (pure)."""

from collections.abc import Iterator, Sequence

from ci_publish.errors import CiPublishError
from ci_publish.model.events import FileFinished
from ci_publish.model.receipt import Redact
from ci_publish.reports import wording
from ci_publish.reports.console_lines import Line, bulleted_hints
from ci_publish.reports.neutral import neutral_block, neutral_line
from ci_publish.reports.tones import Tone

_KINDS_SHOWN = 5
_NAMES_SHOWN = 3


def failure_lines(error: CiPublishError, redact: Redact) -> Iterator[Line]:
    """Yield an error."""
    yield Line(f"error: {neutral_line(redact(error.summary))}", Tone.BAD)
    if error.detail.strip():
        yield from (Line(f"  {line}") for line in neutral_block(redact(error.detail)).split("\n"))
    hints = wording.hints_with_rerun(error)
    if hints:
        yield Line("What to do:", Tone.STRONG)
    yield from (Line(f"  {text}") for text in bulleted_hints(hints, redact))
    yield Line(f"More information: {error.docs}")


def file_failure_lines(failures: Sequence[tuple[FileFinished, CiPublishError]], redact: Redact) -> Iterator[Line]:
    """Yield the errors of single files; those that differ in nothing but the file, once."""
    groups: dict[tuple[str, str, str, tuple[str, ...]], list[tuple[FileFinished, CiPublishError]]] = {}
    for event, error in failures:
        summary = error.summary.replace(event.distribution.filename, "")
        groups.setdefault((event.index, error.slug, summary, error.hints), []).append((event, error))
    for group in list(groups.values())[:_KINDS_SHOWN]:
        event, error = group[0]
        names = [neutral_line(redact(each.distribution.filename)) for each, _ in group]
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        yield Line(f"{', '.join(names[:_NAMES_SHOWN])}{more}, at {neutral_line(redact(event.index))}", Tone.STRONG)
        yield from failure_lines(error, redact)
        yield Line("")
    if rest := sum(map(len, list(groups.values())[_KINDS_SHOWN:])):
        yield Line(f"{wording.pluralise(rest, 'more failure')}: see the receipt", Tone.BAD)
        yield Line("")
