"""What a GitHub job shows: log groups, annotations, the step's summary and its outputs.

Rules of the runner (actions/runner ``FileCommandManager.cs``, ``ActionCommandManager.cs``): a summary of more than
1 MiB is dropped as a whole, ten annotations of a kind are shown for a step, outputs of a job may have 1 MB together
(counted as UTF-16), a value of several lines stands between delimiters, which are random here.
"""

import os
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from ci_publish.model.events import Emit, Event, Noted, RunFinished, StepStarted
from ci_publish.reports.annotations import annotation_commands, annotations
from ci_publish.reports.atomic_files import report_write_error_reason
from ci_publish.reports.ci_outputs import CiReportOptions, action_outputs
from ci_publish.reports.event_history import EventHistory
from ci_publish.reports.line_writer import LineWriter
from ci_publish.reports.log_groups import StepLogGroups
from ci_publish.reports.neutral import neutral_line, workflow_command_data
from ci_publish.reports.summary import SUMMARY_LIMIT, SummaryInput, markdown_summary

_OPTIONS = CiReportOptions()


class GitHubReport:
    """Writes what the job shows. Thread-safe. It comes before the console: groups must open before their lines.

    *environ* names the runner's files (``GITHUB_OUTPUT``, ``GITHUB_STEP_SUMMARY``); one that is missing is skipped,
    one that cannot be written is a warning through *emit*. The runner reads commands on stdout and stderr.
    """

    def __init__(
        self,
        *,
        stream: TextIO,
        environ: Mapping[str, str],
        emit: Emit,
        options: CiReportOptions = _OPTIONS,
        delimiter: Callable[[], str] = lambda: f"ghadelimiter_{secrets.token_hex(16)}",
    ) -> None:
        self._lines = LineWriter(stream, options.redact)
        self._environ = environ
        self._emit = emit
        self._options = options
        self._delimiter = delimiter
        self._history = EventHistory()
        self._lock = threading.RLock()
        self._groups = StepLogGroups(self._open_log_group, self._close_log_group)
        self._finished = False

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            self._history.remember_event(event)
            self._groups.open_or_close_group_for(event)
            if isinstance(event, RunFinished):
                self.close()

    def close(self) -> None:
        """Write summary, outputs and annotations, unless that is done."""
        with self._lock:
            self._groups.close_group()
            if not self._finished:
                self._finished = True
                self._append_to_runner_file("GITHUB_STEP_SUMMARY", self._job_summary)
                self._append_to_runner_file("GITHUB_OUTPUT", self._action_output_lines)
                for line in annotation_commands(
                    annotations(self._history.events, self._path_in_repository), self._options.redact
                ):
                    self._lines.write_command(line)

    # -- groups --

    def _open_log_group(self, event: StepStarted) -> None:
        at = f" at {neutral_line(self._options.redact(event.index))}" if event.index else ""
        self._lines.write_command(f"::group::{workflow_command_data(f'{event.step}{at}')}")

    def _close_log_group(self) -> None:
        self._lines.write_command("::endgroup::")

    def _path_in_repository(self, path: str) -> str:
        """Return *path* as GitHub shows files: relative to the repository's root."""
        workspace = self._environ.get("GITHUB_WORKSPACE")
        return path_in_github_workspace(path, Path.cwd(), Path(workspace)) if workspace else path

    # -- files --

    def _append_to_runner_file(self, variable: str, content: Callable[[int], str]) -> None:
        path = self._environ.get(variable)
        if not path:
            return
        try:
            size = Path(path).stat().st_size if Path(path).exists() else 0
            with Path(path).open("ab") as file:
                file.write(content(size).encode("utf-8", "backslashreplace"))
        except OSError as error:
            self._emit(
                Noted(
                    slug="runner-file-not-written",
                    message=f"The file of {variable} cannot be written: {report_write_error_reason(error)}.",
                )
            )

    def _job_summary(self, size: int) -> str:
        given = SummaryInput(
            events=self._history.events,
            settings=self._options.settings,
            log_search=self._options.log_search,
            redact=self._options.redact,
        )
        return markdown_summary(given, SUMMARY_LIMIT - size)

    def _action_output_lines(self, _size: int) -> str:
        values = action_outputs(self._history.events, self._options.artifacts, self._options.redact)
        return "".join(_github_output_assignment(name, value, self._delimiter()) for name, value in values.items())


def path_in_github_workspace(path: str, folder: Path, workspace: Path) -> str:
    """Return *path*, given from *folder*, as seen from *workspace*, with slashes; unchanged if it is outside."""
    whole = Path(os.path.normpath(folder / path))
    root = next((each for each in (workspace, workspace.resolve()) if whole.is_relative_to(each)), None)
    return path if root is None else whole.relative_to(root).as_posix()


def _github_output_assignment(name: str, value: str, delimiter: str) -> str:
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
