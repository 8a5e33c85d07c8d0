"""The output of a GitLab job: collapsible sections, and the files that its ``artifacts:`` pick up.

Rules of GitLab: a section is opened and closed by lines with a control sequence, a time and a name of letters, digits
and ``_.-`` (https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections). A dotenv report holds lines
``NAME=value`` of UTF-8 without quotes, empty lines or comments, at most 5 KiB and 20 variables in all.
"""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from ci_publish.model.events import Emit, Noted, StepStarted
from ci_publish.model.frozen import frozen
from ci_publish.reports.atomic_files import report_write_error_reason, write_report_atomically
from ci_publish.reports.ci_outputs import CiReportOptions, action_outputs
from ci_publish.reports.junit import junit_document
from ci_publish.reports.log_groups import LogGroupReport

# Not CI_PUBLISH_…: a later job that runs ci-publish would take those for its settings.
DOTENV_PREFIX = "PUBLISH_"
_DOTENV_VALUE_LIMIT = 600
_NOT_IN_DOTENV = frozenset({"files"})


@frozen
class GitLabFiles:
    """Where the files of the job go; None: not written."""

    dotenv: Path | None = None
    junit: Path | None = None
    summary: Path | None = None


_NO_FILES = GitLabFiles()
_OPTIONS = CiReportOptions()


class GitLabReport(LogGroupReport):
    """Writes what the job shows: sections of the log, and at the end the files.

    *now* gives seconds since the epoch. A file that cannot be written is a warning through *emit*.
    """

    def __init__(
        self,
        *,
        stream: TextIO,
        emit: Emit,
        files: GitLabFiles = _NO_FILES,
        options: CiReportOptions = _OPTIONS,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(stream=stream, emit=emit, options=options)
        self._files = files
        self._now = now
        self._section = ""

    def open_group(self, step: StepStarted, title: str) -> None:
        """Write the line that opens a section."""
        self._section = re.sub(r"[^A-Za-z0-9_.-]", "-", f"ci-publish-{step.step}-{step.index or 'all'}")
        self._write_section_mark("section_start", f"{self._section}[collapsed=true]", title)

    def close_group(self) -> None:
        """Write the line that closes the section."""
        self._write_section_mark("section_end", self._section, "")

    def write_result(self) -> None:
        """Write the files."""
        redact = self._options.redact
        self._write_report_file(
            self._files.dotenv,
            lambda: dotenv_report(action_outputs(self.history.events, self._options.artifacts, redact)),
        )
        self._write_report_file(self._files.junit, lambda: junit_document(self.history.events, redact))
        self._write_report_file(self._files.summary, lambda: self._options.summarise(self.history.events))

    def _write_section_mark(self, what: str, name: str, header: str) -> None:
        self._lines.write_command(f"\x1b[0K{what}:{int(self._now())}:{name}\r\x1b[0K{header}")

    def _write_report_file(self, path: Path | None, content: Callable[[], str]) -> None:
        if path is None:
            return
        try:
            write_report_atomically(path, content())
        except OSError as error:
            self._emit(
                Noted(
                    slug="report-not-written", message=f"{path} cannot be written: {report_write_error_reason(error)}."
                )
            )


def dotenv_report(outputs: Mapping[str, str]) -> str:
    """Return *outputs* as variables of a dotenv report; one that GitLab could not read back as it is becomes empty."""
    lines = []
    for name, text in outputs.items():
        value = " ".join(text.splitlines())
        plain = value.isprintable() and value == value.strip() and not set(value) & set("\"'`$\\#")
        shown = value if plain and len(value.encode()) <= _DOTENV_VALUE_LIMIT else ""
        if name not in _NOT_IN_DOTENV:
            lines.append(f"{DOTENV_PREFIX}{name.upper().replace('-', '_')}={shown}\n")
    return "".join(lines)
