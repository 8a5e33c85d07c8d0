"""A report in sections, each of lines: it can be cut between any two lines and is still well-formed (pure)."""

from collections.abc import Sequence
from typing import Final

from ci_publish.model.frozen import frozen

_CUT: Final = "\n\n*Truncated: a summary can have at most 1 MiB. The log and the receipt are complete.*\n"


@frozen
class Section:
    """A part of the summary: its lines can be left out one by one from the end, its head and foot only together."""

    head: str
    lines: tuple[str, ...] = ()
    foot: str = ""


def fit_summary_sections(sections: Sequence[Section], limit: int) -> str:
    """Return *sections* as one document of at most *limit* bytes, cut between two lines with a note."""
    out: list[str] = []
    left = limit - len(_CUT.encode())
    for section in sections:
        left -= _count_summary_bytes(section.head) + _count_summary_bytes(section.foot)
        if left < 0:
            return "".join((*out, _CUT)) if limit >= len(_CUT.encode()) else ""
        out.append(section.head)
        for line in section.lines:
            left -= _count_summary_bytes(line)
            if left < 0:
                return "".join((*out, section.foot, _CUT))
            out.append(line)
        out.append(section.foot)
    return "".join(out)


def _count_summary_bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
