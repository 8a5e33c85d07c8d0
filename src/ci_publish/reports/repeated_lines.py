"""Limits repeated lines: the first few of a kind are shown, the others are counted (pure)."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING

from ci_publish.reports.console_lines import Line, step_line

if TYPE_CHECKING:
    from ci_publish.reports.tones import Tone

FEW = 10
"""So many files are named; of more, their number is said."""


class RepeatedLines:
    """Passes on the first few lines of a kind, and counts the others until the number is requested."""

    def __init__(self, *, unlimited: bool = False) -> None:
        self._unlimited = unlimited
        self._said: Counter[Hashable] = Counter()
        self._kept: dict[Hashable, tuple[str, str, Tone]] = {}

    def limit_repeated_lines(self, kind: Hashable, lines: Iterable[Line], more: str, step: str) -> Iterator[Line]:
        """Yield *lines* unless there were a few of this *kind* before; *more* is what the others have in common."""
        said = list(lines)
        self._said[kind] += 1
        if self._unlimited or self._said[kind] <= FEW:
            yield from said
        else:
            self._kept[kind] = (step, more, said[0].tone)

    def take_omitted_line_counts(self) -> Iterator[Line]:
        """Yield how many lines of each kind were left out, and begin again."""
        for kind, (step, more, tone) in self._kept.items():
            yield step_line(step, f"{self._said[kind] - FEW} more files: {more}", tone)
        self._kept.clear()
        self._said.clear()
