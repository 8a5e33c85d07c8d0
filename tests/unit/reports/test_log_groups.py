"""A step has a group when something is said about it."""

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
from ci_publish.reports.log_groups import StepLogGroups
from tests.unit.reports.recorded_runs import WHEEL

NOTE = Noted(slug="x", message="m")


def groups(*events: Event) -> list[str]:
    said: list[str] = []
    found = StepLogGroups(lambda event: said.append(f"+{event.step}"), lambda: said.append("-"))
    for event in events:
        found.open_or_close_group_for(event)
        said.append(type(event).__name__)
    found.close_group()
    return said


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
    ]


def test_a_group_ends_with_the_run() -> None:
    end = RunFinished(outcome=Outcome.FAILED, exit_code=1, time=0.0)
    assert groups(StepStarted(Step.SIGN), NOTE, end) == ["StepStarted", "+sign", "Noted", "-", "RunFinished"]
    assert groups(StepStarted(Step.SIGN), NOTE)[-1] == "-"
