import io
import subprocess
import sys

import pytest

from ci_publish.model.events import Noted, Step, StepStarted
from ci_publish.model.identity import Secret
from ci_publish.reports.console import Clocks, PlainConsole, open_console
from ci_publish.reports.masking import Masker
from tests.unit.reports.recorded_runs import (
    a_conflict,
    every_event,
)


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TERM": "dumb"}, {"TERM": "unknown"}])
def test_plain_lines_where_nothing_can_be_drawn(environ: dict[str, str]) -> None:
    assert isinstance(open_console(FakeTerminal(), environ), PlainConsole)


def test_rich_is_not_imported_where_nothing_is_drawn() -> None:
    code = (
        "import io, sys; from ci_publish.reports.console import open_console; open_console(io.StringIO(), {});"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_stream_without_the_letters_gets_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    report = open_console(stream, {})
    for event in a_conflict():
        report(event)
    assert b"exit code 8 \\xb7 content-conflict" in raw.getvalue()


def test_secrets_are_taken_out_even_where_they_are_cut_or_split() -> None:
    stream, masker = io.StringIO(), Masker(io.StringIO(), on=False)
    secret = "s3cr3t-" * 20
    masker.mask(Secret(secret))
    report = open_console(stream, {}, redact=masker.redact, verbose=True)
    for event in every_event("y" * 450 + secret):
        report(event)
    assert "s3cr3t" not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_a_log_says_what_it_waits_for() -> None:
    stream, seconds = io.StringIO(), [0.0]
    report = open_console(stream, {}, clocks=Clocks(lambda: seconds[0], lambda: 1_800_000_000.0 + seconds[0]))
    assert isinstance(report, PlainConsole)
    report(StepStarted(Step.CONFIRM, "pypi"))
    report.report_waiting()
    assert stream.getvalue() == ""
    seconds[0] = 10.0
    report.report_waiting()
    report.report_waiting()
    report.close()
    assert stream.getvalue() == "wait      waiting for pypi to list the files (10.0 s)\n"


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"GITHUB_ACTIONS": "true"}, True),
        ({"GITLAB_CI": "true"}, True),
    ],
)
def test_logs_that_show_colours_have_them(environ: dict[str, str], coloured: bool) -> None:
    stream = io.StringIO()
    report = open_console(stream, environ)
    report(Noted(slug="x", message="careful"))
    report.close()
    assert ("\x1b[33mwarning   careful\x1b[0m\n" in stream.getvalue()) == coloured
