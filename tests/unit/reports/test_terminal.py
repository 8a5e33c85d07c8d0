"""The console on a terminal: colours, bars and a table."""

import io
import re

import pytest

from ci_publish.model.events import (
    Event,
    FileFinished,
    FileListed,
    FileStatus,
    Noted,
    Outcome,
    RunFinished,
    Signed,
    Step,
    StepStarted,
    UploadProgressed,
    UploadStarted,
)
from ci_publish.model.identity import Secret
from ci_publish.model.index import Upload
from ci_publish.reports.console import Clocks, open_console
from ci_publish.reports.masking import Masker
from ci_publish.reports.terminal import Terminal
from tests.unit.reports.recorded_runs import (
    BEGIN,
    SDIST,
    WHEEL,
    a_good_run,
    attestation,
    beginning,
    distribution,
    every_event,
    planned,
    published_file,
    uploaded,
)


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(events: list[Event], environ: dict[str, str]) -> str:
    stream = FakeTerminal()
    report = open_console(stream, {"TERM": "xterm-256color", **environ})
    assert isinstance(report, Terminal)
    for event in events:
        report(event)
    report.close()
    return stream.getvalue()


def test_a_terminal_has_colours_bars_and_a_table() -> None:
    text = drawn(
        [*a_good_run()[:-8], UploadProgressed(index="pypi", filename="?", sent=1, total=2), *a_good_run()[-8:]],
        {"CI": "false"},
    )
    assert "\x1b[32m" in text
    assert "sha256" not in text
    assert "demo-1.0-py3-none-any.whl  uploaded" in text
    assert text.rindex("\x1b[?25h") > text.index("\x1b[?25l")


def test_no_color_takes_the_colours_but_not_the_bars() -> None:
    text = drawn(a_good_run(), {"NO_COLOR": "1"})
    assert "\x1b[32m" not in text
    assert "/1.5 MB" in text


def test_a_wide_terminal_shows_digests_and_log_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    text = drawn(a_good_run(), {"NO_COLOR": "1"})
    assert f"{WHEEL.sha256[:12]}…" in text
    assert "log index 123456" in text


def test_a_long_table_is_cut_and_a_plan_has_none() -> None:
    files = [distribution(f"demo-{number}.tar.gz") for number in range(205)]
    plan = planned(*(Upload(file) for file in files))
    done = RunFinished(outcome=Outcome.PUBLISHED, exit_code=0, time=BEGIN)
    assert "and 5 more files" in drawn([*beginning(*files), *plan, done], {})
    assert "more files" not in drawn(
        [*beginning(*files), *plan, RunFinished(outcome=Outcome.PLANNED, exit_code=0, time=BEGIN)], {}
    )
    assert "more files" not in drawn([RunFinished(outcome=Outcome.READY, exit_code=0, time=BEGIN)], {})


def test_the_bar_of_all_files_moves_with_each() -> None:
    stream = FakeTerminal()
    report = open_console(stream, {"TERM": "xterm"})
    events = [
        *beginning(SDIST, WHEEL),
        *planned(Upload(SDIST), Upload(WHEEL)),
        UploadStarted(index="pypi", filename=WHEEL.filename, size=WHEEL.size),
        UploadProgressed(index="pypi", filename=WHEEL.filename, sent=WHEEL.size // 2, total=WHEEL.size),
        UploadStarted(index="pypi", filename=WHEEL.filename, size=WHEEL.size, attempt=2),
        UploadProgressed(index="pypi", filename=WHEEL.filename, sent=WHEEL.size, total=WHEEL.size),
        FileFinished(index="pypi", distribution=WHEEL, status=FileStatus.UPLOADED, attempts=2),
        FileFinished(index="pypi", distribution=WHEEL, status=FileStatus.UPLOADED, attempts=2),
    ]
    for event in events:
        report(event)
    assert "all 2 files" in stream.getvalue()
    assert isinstance(report, Terminal)
    report.close()
    report.close()


def test_secrets_are_taken_out_on_a_terminal_too() -> None:
    stream, masker = FakeTerminal(), Masker(io.StringIO(), on=False)
    masker.mask(Secret("s3cr3t-token"))
    report = open_console(stream, {"TERM": "xterm"}, redact=masker.redact)
    for event in every_event("s3cr3t-token"):
        report(event)
    report.close()
    assert "s3cr3t" not in stream.getvalue()


def test_a_wait_that_lasts_is_a_live_line() -> None:
    stream, seconds = FakeTerminal(), [0.0]
    report = open_console(stream, {"TERM": "xterm"}, clocks=Clocks(lambda: seconds[0], lambda: 1_800_000_000.0))
    assert isinstance(report, Terminal)
    report(StepStarted(Step.CONFIRM, "pypi"))
    report.draw_waiting_status()
    assert "waiting" not in stream.getvalue()
    seconds[0] = 12.0
    report.draw_waiting_status()
    report.draw_waiting_status()
    report(Noted(slug="x", message="it is there"))
    report.close()
    text = stream.getvalue()
    assert "waiting for pypi to list the files (12.0 s)" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "the cursor is back"


@pytest.mark.parametrize(
    ("columns", "headings"),
    [
        (70, "file result"),
        (80, "file result size"),
        (100, "file result size attestation"),
        (120, "file index result size sha256 attestation"),
    ],
)
def test_the_table_has_the_columns_that_leave_filenames_whole(
    columns: int, headings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    wheel = distribution("sampledemo-1.0-cp313-cp313-manylinux_2_28_x86_64.whl")
    listed = FileListed(index="pypi", filename=wheel.filename, listed=True, published=published_file(wheel))
    finished = RunFinished(outcome=Outcome.PUBLISHED, exit_code=0, time=BEGIN)
    sent = [*planned(Upload(wheel)), Signed(attestation(wheel)), *uploaded(wheel)]
    text = drawn([*beginning(wheel), *sent, listed, finished], {"NO_COLOR": "1"})
    table = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", text).rpartition("\nfile ")
    lines = "".join(table[1:]).strip().splitlines()
    assert lines[0].split() == headings.split()
    assert lines[1].split()[0] == wheel.filename
    assert max(len(line) for line in lines) <= columns


@pytest.mark.parametrize("columns", [80, 120])
def test_no_word_is_broken_and_no_bar_is_longer_than_a_line(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    long = " ".join(f"word{number}" for number in range(60))
    text = drawn([*a_good_run()[:-1], Noted(slug="x", message=long), a_good_run()[-1]], {"NO_COLOR": "1"})
    plain = [re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", part) for part in re.split("[\r\n]", text)]
    assert [part for part in plain if len(part) > columns] == []
    assert set(long.split()) <= set(" ".join(plain).split())
