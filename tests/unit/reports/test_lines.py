"""Lines begin with their step."""

from ci_publish.reports.lines import Line, of_hints, of_step
from ci_publish.reports.tones import Tone


def test_a_line_begins_with_its_step() -> None:
    assert of_step("plan", "x", Tone.GOOD) == Line("plan      x", Tone.GOOD)
    assert of_step("", "") == Line("")


def test_a_hint_keeps_its_lines() -> None:
    assert [line.text for line in of_hints(["do:\n  a: b"], str)] == ["          - do:", "              a: b"]
