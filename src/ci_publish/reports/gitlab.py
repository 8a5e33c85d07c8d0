"""What a GitLab job shows: collapsible sections, and the files that its ``artifacts:`` pick up.

Rules of GitLab: a section is opened and closed by lines with a control sequence, a time and a name of letters, digits
and ``_.-`` (https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections). A dotenv report holds lines
``NAME=value`` of UTF-8 without quotes, empty lines or comments, at most 5 KiB and 20 variables in all.
"""

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from ci_publish.model.events import Emit, Event, Noted, RunFinished, StepStarted
from ci_publish.model.frozen import frozen
from ci_publish.reports.atomic_files import report_write_error_reason, write_report_atomically
from ci_publish.reports.ci_outputs import CiReportOptions, action_outputs
from ci_publish.reports.event_history import EventHistory
from ci_publish.reports.junit import junit_document
from ci_publish.reports.line_writer import LineWriter
from ci_publish.reports.log_groups import StepLogGroups
from ci_publish.reports.neutral import neutral_line
from ci_publish.reports.summary import SummaryInput, markdown_summary

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


class GitLabReport:
    """Writes what the job shows. Thread-safe. It comes before the console: sections must open before their lines.

    *now* gives seconds since the epoch. A file that cannot be written is a
    warning through *emit*.
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
        self._lines = LineWriter(stream, options.redact)
        self._emit = emit
        self._files = files
        self._options = options
        self._now = now
        self._history = EventHistory()
        self._lock = threading.RLock()
        self._section = ""
        self._groups = StepLogGroups(self._open_log_section, self._close_log_section)
        self._finished = False

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            self._history.remember_event(event)
            self._groups.open_or_close_group_for(event)
            if isinstance(event, RunFinished):
                self.close()

    def close(self) -> None:
        """Write the files, unless that is done."""
        with self._lock:
            self._groups.close_group()
            if not self._finished:
                self._finished = True
                self._write_report_file(self._files.dotenv, self._dotenv_report)
                self._write_report_file(
                    self._files.junit, lambda: junit_document(self._history.events, self._options.redact)
                )
                self._write_report_file(self._files.summary, self._markdown_summary)

    # -- sections --

    def _open_log_section(self, event: StepStarted) -> None:
        at = f" at {neutral_line(self._options.redact(event.index))}" if event.index else ""
        self._section = re.sub(r"[^A-Za-z0-9_.-]", "-", f"ci-publish-{event.step}-{event.index or 'all'}")
        self._write_section_mark("section_start", f"{self._section}[collapsed=true]", f"{event.step}{at}")

    def _close_log_section(self) -> None:
        self._write_section_mark("section_end", self._section, "")

    def _write_section_mark(self, what: str, name: str, header: str) -> None:
        self._lines.write_command(f"\x1b[0K{what}:{int(self._now())}:{name}\r\x1b[0K{header}")

    # -- files --

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

    def _dotenv_report(self) -> str:
        values = action_outputs(self._history.events, self._options.artifacts, self._options.redact)
        return "".join(
            f"{DOTENV_PREFIX}{name.upper().replace('-', '_')}={_gitlab_dotenv_value(' '.join(value.splitlines()))}\n"
            for name, value in values.items()
            if name not in _NOT_IN_DOTENV
        )

    def _markdown_summary(self) -> str:
        return markdown_summary(
            SummaryInput(
                events=self._history.events,
                settings=self._options.settings,
                log_search=self._options.log_search,
                redact=self._options.redact,
            )
        )


def _gitlab_dotenv_value(value: str) -> str:
    """Return *value*, or nothing where GitLab could not read it back as it is."""
    plain = value.isprintable() and value == value.strip() and not set(value) & set("\"'`$\\#")
    return value if plain and len(value.encode()) <= _DOTENV_VALUE_LIMIT else ""
