"""Lines begin with their step."""

from ci_publish.reports.console_lines import Line, console_hint_lines, step_line
from ci_publish.reports.tones import Tone


def test_a_line_begins_with_its_step() -> None:
    assert step_line("plan", "x", Tone.GOOD) == Line("plan      x", Tone.GOOD)
    assert step_line("", "") == Line("")


def test_a_hint_keeps_its_lines() -> None:
    assert [line.text for line in console_hint_lines(["do:\n  a: b"], str)] == ["          - do:", "              a: b"]
