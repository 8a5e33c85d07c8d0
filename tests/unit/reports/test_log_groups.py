"""A step has a group when something is said about it."""

import io

from ci_publish.model.events import (
    Event,
    FileFinished,
    FileStatus,
    Noted,
    Outcome,
    RequestTraced,
    RunFinished,
    Step,
    StepFinished,
    StepStarted,
)
from ci_publish.reports.ci_outputs import CiReportOptions
from ci_publish.reports.dispatcher import Dispatcher
from ci_publish.reports.log_groups import LogGroupReport
from tests.unit.reports.recorded_runs import WHEEL

NOTE = Noted(slug="x", message="m")


class Said(LogGroupReport):
    """Notes when groups open and close, and when the result is written."""

    def __init__(self) -> None:
        super().__init__(stream=io.StringIO(), emit=lambda _: None, options=CiReportOptions())
        self.said: list[str] = []

    def open_group(self, _step: StepStarted, title: str) -> None:
        self.said.append(f"+{title}")

    def close_group(self) -> None:
        self.said.append("-")

    def write_result(self) -> None:
        self.said.append("result")


def groups(*events: Event) -> list[str]:
    report = Said()
    for event in events:
        report(event)
        report.said.append(type(event).__name__)
    report.close()
    return report.said


def test_a_step_about_which_nothing_is_said_has_no_group() -> None:
    silent = (
        RequestTraced(method="GET", url="x", result="200", seconds=0.1),
        FileFinished(index="pypi", distribution=WHEEL, status=FileStatus.ALREADY_PUBLISHED),
    )
    assert "+authenticate" not in groups(StepStarted(Step.AUTHENTICATE), *silent, StepFinished(Step.AUTHENTICATE, 1.0))


def test_the_end_of_a_step_is_in_its_group_and_what_follows_is_not() -> None:
    assert groups(NOTE, StepStarted(Step.PLAN), NOTE, NOTE, StepFinished(Step.PLAN, 1.0), NOTE) == [
        "Noted",
        "StepStarted",
        "+plan",
        "Noted",
        "Noted",
        "StepFinished",
        "-",
        "Noted",
        "result",
    ]


def test_a_group_ends_with_the_run() -> None:
    end = RunFinished(outcome=Outcome.FAILED, exit_code=1, time=0.0)
    assert groups(StepStarted(Step.SIGN), NOTE, end) == ["StepStarted", "+sign", "Noted", "-", "result", "RunFinished"]
    assert groups(StepStarted(Step.SIGN), NOTE)[-2:] == ["-", "result"]


class BrokenLog(Said):
    """Cannot write to its log."""

    def open_group(self, step: StepStarted, title: str) -> None:
        super().open_group(step, title)
        raise OSError

    def close_group(self) -> None:
        super().close_group()
        raise OSError


def test_a_log_that_cannot_be_written_to_takes_no_event_and_not_the_result() -> None:
    report = BrokenLog()
    events = (StepStarted(Step.SIGN), NOTE, RunFinished(outcome=Outcome.FAILED, exit_code=1, time=0.0))
    reports = Dispatcher([report])
    for event in events:
        reports(event)
    reports.close()
    assert [event for event in report.history.events if event in events] == list(events)
    assert report.said == ["+sign", "-", "result"]


def test_a_group_names_the_index_of_its_step() -> None:
    assert groups(StepStarted(Step.PLAN, index="pypi"), NOTE)[1] == "+plan at pypi"
