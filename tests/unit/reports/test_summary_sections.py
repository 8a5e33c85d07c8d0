"""A report in sections is cut between two lines."""

import pytest

from ci_publish.reports.summary_sections import Section, fit_summary_sections

NOTE = "*Truncated: a summary can have at most 1 MiB. The log and the receipt are complete.*"


def test_a_section_without_room_is_left_out_as_a_whole() -> None:
    assert "head" not in fit_summary_sections([Section("head" * 99, ("line\n",), "foot\n")], 300)


@pytest.mark.parametrize(("room", "lines"), [(0, 0), (4, 0), (5, 1), (14, 2), (15, 3), (99, 3)])
def test_lines_are_left_out_from_the_end(room: int, lines: int) -> None:
    note = len(f"\n\n{NOTE}\n")
    text = fit_summary_sections([Section("a\n", ("line\n",) * 3, "b\n")], note + 4 + room)
    assert text.count("line") == lines
    assert text.startswith("a\n")
    assert (NOTE in text) == (lines < 3)


def test_without_room_for_the_note_there_is_nothing() -> None:
    assert fit_summary_sections([Section("a" * 99)], 10) == ""
