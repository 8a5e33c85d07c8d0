"""The order of projects in reports."""

from dataclasses import replace

from ci_publish.model.events import Planned, ProjectLeft
from ci_publish.model.index import Plan, PlannedFile, Upload
from ci_publish.model.train import Train
from ci_publish.reports.console_renderer import ConsoleRenderer
from ci_publish.reports.summary import SummaryInput, markdown_summary
from ci_publish.reports.wording import upload_order_lines
from tests.unit.reports.recorded_runs import WHEEL

TRAIN = Train(waves=(("core",), ("app", "cli")), requires={})


def planned(*projects: str, new: tuple[str, ...] = ()) -> Planned:
    files: tuple[PlannedFile, ...] = tuple(Upload(replace(WHEEL, project=name)) for name in projects)
    return Planned(Plan("pypi", files), TRAIN, new)


def test_each_wave_is_a_line_where_there_are_several_projects() -> None:
    assert upload_order_lines(planned("core", "app", "cli", new=("core",))) == ("core (new project)", "app, cli")
    assert upload_order_lines(planned("core")) == ()


def test_console_and_summary_show_the_order() -> None:
    event = planned("cli", "core", new=("cli",))
    lines = [line.text for line in ConsoleRenderer(clock=lambda: 0.0).render_event(event)]
    assert lines[-2:] == ["order     1. core", "order     2. cli (new project)"]
    said = markdown_summary(SummaryInput(events=[event]))
    assert "### Order of the projects\n\n1. core\n1. cli &#40;new project&#41;\n" in said
    assert "### Order" not in markdown_summary(SummaryInput(events=[planned("core")]))


def test_the_projects_that_did_not_go_out_are_a_table() -> None:
    own = ProjectLeft(index="pypi", project="core", because=("core",), reason="too large", deferred=False)
    other = ProjectLeft(index="pypi", project="app", because=("core", "cli"), reason="too large", deferred=True)
    lines = [line.text for event in (own, other) for line in ConsoleRenderer(clock=lambda: 0.0).render_event(event)]
    assert lines == ["incomplete  core: too large", "deferred  app, because of core, cli: too large"]
    said = markdown_summary(SummaryInput(events=[own, other]))
    assert "### Projects that were not completely published" in said
    assert "| core | **not published** |  | too large |\n| app | deferred | core, cli | too large |\n" in said
