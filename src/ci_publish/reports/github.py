"""The output of a GitHub job: log groups, annotations, the step's summary and its outputs.

Rules of the runner (actions/runner ``FileCommandManager.cs``, ``ActionCommandManager.cs``): a summary of more than
1 MiB is dropped as a whole, ten annotations of a kind are shown for a step, outputs of a job may have 1 MB together
(counted as UTF-16), a value of several lines stands between delimiters, which are random here.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from ci_publish.model.events import Emit, Noted, StepStarted
from ci_publish.reports.annotations import annotation_commands, annotations
from ci_publish.reports.atomic_files import report_write_error_reason
from ci_publish.reports.ci_outputs import CiReportOptions, action_outputs
from ci_publish.reports.log_groups import LogGroupReport
from ci_publish.reports.neutral import workflow_command_data
from ci_publish.reports.summary import SUMMARY_LIMIT

_OPTIONS = CiReportOptions()


class GitHubReport(LogGroupReport):
    """Writes what the job shows: log groups, and at the end summary, outputs and annotations.

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
        super().__init__(stream=stream, emit=emit, options=options)
        self._environ = environ
        self._delimiter = delimiter

    def open_group(self, _step: StepStarted, title: str) -> None:
        """Write the command that opens a group."""
        self._lines.write_command(f"::group::{workflow_command_data(title)}")

    def close_group(self) -> None:
        """Write the command that closes the group."""
        self._lines.write_command("::endgroup::")

    def write_result(self) -> None:
        """Write summary, outputs and annotations."""
        self._append_to_runner_file(
            "GITHUB_STEP_SUMMARY", lambda size: self._options.summarise(self.history.events, SUMMARY_LIMIT - size)
        )
        self._append_to_runner_file("GITHUB_OUTPUT", self._action_output_lines)
        found = annotations(self.history.events)
        for line in annotation_commands(found, self._options.redact, self._path_in_repository):
            self._lines.write_command(line)

    def _path_in_repository(self, path: str) -> str:
        """Return *path* as GitHub shows files: relative to the repository's root."""
        workspace = self._environ.get("GITHUB_WORKSPACE")
        return path_in_github_workspace(path, Path.cwd(), Path(workspace)) if workspace else path

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

    def _action_output_lines(self, _size: int) -> str:
        values = action_outputs(self.history.events, self._options.artifacts, self._options.redact)
        delimited = ((name, value, self._delimiter()) for name, value in values.items())
        return "".join(f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value, delimiter in delimited)


def path_in_github_workspace(path: str, folder: Path, workspace: Path) -> str:
    """Return *path*, given from *folder*, as seen from *workspace*, with slashes; unchanged if it is outside."""
    whole = Path(os.path.normpath(folder / path))
    root = next((each for each in (workspace, workspace.resolve()) if whole.is_relative_to(each)), None)
    return path if root is None else whole.relative_to(root).as_posix()
