"""What repeats is counted."""

from ci_publish.reports.console_lines import Line
from ci_publish.reports.repeated_lines import FEW, RepeatedLines
from ci_publish.reports.tones import Tone


def said(repetition: RepeatedLines, times: int) -> list[str]:
    lines = [
        list(repetition.limit_repeated_lines("k", [Line(f"x {each}", Tone.WARN)], "x", "note")) for each in range(times)
    ]
    return [line.text for each in lines for line in each]


def test_the_first_few_pass_and_the_rest_are_counted() -> None:
    repetition = RepeatedLines()
    assert len(said(repetition, FEW + 3)) == FEW
    assert list(repetition.take_omitted_line_counts()) == [Line("note      3 more files: x", Tone.WARN)]
    assert list(repetition.take_omitted_line_counts()) == []
    assert len(said(repetition, 1)) == 1


def test_without_a_limit_all_pass() -> None:
    repetition = RepeatedLines(unlimited=True)
    assert len(said(repetition, FEW + 3)) == FEW + 3
    assert list(repetition.take_omitted_line_counts()) == []
