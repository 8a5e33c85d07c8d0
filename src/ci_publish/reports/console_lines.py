"""Lines of the console, with a tone; each begins with the step that it belongs to (pure)."""

from collections.abc import Iterable, Iterator

from ci_publish.model.frozen import frozen
from ci_publish.model.receipt import Redact
from ci_publish.reports.neutral import neutral_block
from ci_publish.reports.tones import Tone

_COLUMN = 8
INDENT = _COLUMN + 2
"""Where the text of a line begins, after its step."""


@frozen
class Line:
    """One line of the console, neutral and without a line break."""

    text: str
    tone: Tone = Tone.PLAIN


def step_line(step: str, text: str, tone: Tone = Tone.PLAIN) -> Line:
    """Return a line of *step*; one that continues another has none."""
    return Line(f"{step:<{_COLUMN}}  {text}".rstrip(), tone)


def console_hint_lines(hints: Iterable[str], redact: Redact) -> Iterator[Line]:
    """Yield what to do about a note or a finding, below it."""
    return (step_line("", text) for text in bulleted_hints(hints, redact))


def bulleted_hints(hints: Iterable[str], redact: Redact) -> Iterator[str]:
    """Yield the lines of *hints* as a list, neutral."""
    for hint in hints:
        first, *rest = neutral_block(redact(hint)).split("\n")
        yield f"- {first}"
        yield from (f"  {line}" for line in rest)
