"""A step of a GitHub job as a report sees it: its log, its files and the events that it emits."""

import io
from collections.abc import Callable
from pathlib import Path

from ci_publish.model.events import (
    Event,
)
from ci_publish.reports.ci_outputs import CiReportOptions
from ci_publish.reports.dispatcher import Dispatcher
from ci_publish.reports.github import GitHubReport
from tests.unit.reports.runner import Command, commands, file_commands


class Job:
    """A runner's step: its log, its files and the warnings that a report emitted."""

    def __init__(self, folder: Path) -> None:
        self.log = io.StringIO()
        self.environ = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
        self.warnings: list[Event] = []

    def run(self, events: list[Event], *, delimiter: Callable[[], str] | None = None, **options: object) -> None:
        own = {} if delimiter is None else {"delimiter": delimiter}
        fanout = Dispatcher()
        report = GitHubReport(
            stream=self.log,
            environ=self.environ,
            emit=fanout,
            options=CiReportOptions(**options),  # type: ignore[arg-type]
            **own,
        )
        fanout.add_report(report)
        for event in events:
            fanout(event)
        fanout.close()
        assert fanout.report_failures == ()

    @property
    def commands(self) -> list[Command]:
        return list(dict.fromkeys(commands(self.log.getvalue())))

    def annotations(self, kind: str) -> list[Command]:
        return [command for command in self.commands if command.name == kind]

    @property
    def outputs(self) -> dict[str, str]:
        return file_commands(Path(self.environ["GITHUB_OUTPUT"]).read_text(encoding="utf-8"))

    @property
    def summary(self) -> str:
        return Path(self.environ["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
