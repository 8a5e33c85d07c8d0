"""The reports of a run, chosen by settings, terminal and CI; each is imported only where it is used."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ci_publish.app.settings_sources import DEBUG
from ci_publish.cli.ci_detection import is_github_job, is_gitlab_job
from ci_publish.model.frozen import frozen
from ci_publish.reports.console import open_console
from ci_publish.reports.dispatcher import Dispatcher
from ci_publish.reports.masking import Masker

if TYPE_CHECKING:
    from ci_publish.model.receipt import Redact
    from ci_publish.reports.ci_outputs import CiReportOptions
    from ci_publish.reports.event_history import EventHistory
    from ci_publish.reports.summary import SettingRow


@frozen(kw_only=True)
class ReportOptions:
    """The options of reports. ``public_log``: attestations are in the public transparency log.

    ``json``: the receipt goes to standard output; ``markdown``: the summary does. ``machine``: standard output is for
    programs, whatever goes there.
    """

    json: bool = False
    markdown: bool = False
    verbose: bool = False
    print_hash: bool = False
    receipt: Path | None = None
    attestations_dir: Path | None = None
    settings: "Sequence[SettingRow]" = ()
    public_log: bool = True
    machine: bool = False


class Reporting:
    """The reports of one run, and the masker that all of them redact with."""

    def __init__(self, *, environ: Mapping[str, str], stdout: TextIO, stderr: TextIO, options: ReportOptions) -> None:
        self._environ = environ
        self._report_options = options
        self._human = stderr if options.json or options.markdown or options.machine else stdout
        self.masker = Masker(self._human, on=is_github_job(environ))
        self.emit = Dispatcher()
        self._add_ci_reports()
        self._add_debug_reports()
        self._add_console_report()
        if options.json:
            from ci_publish.reports.json import JsonReport  # noqa: PLC0415  (see the module's docstring)

            self.emit.add_report(JsonReport(stdout, redact=self.masker.redact))
        if options.markdown:
            self._add_markdown_report(stdout)

    def _add_markdown_report(self, stdout: TextIO) -> None:
        from ci_publish.reports.json import JsonReport  # noqa: PLC0415  (see the module's docstring)
        from ci_publish.reports.summary import SummaryInput, markdown_summary  # noqa: PLC0415

        def text(history: "EventHistory", redact: "Redact") -> str:
            return markdown_summary(SummaryInput(events=history.events, redact=redact))

        self.emit.add_report(JsonReport(stdout, redact=self.masker.redact, text=text))

    def _add_ci_reports(self) -> None:
        """Add what the CI shows; the files of ``--receipt`` and ``--reports-dir`` are written below every front end."""
        if is_github_job(self._environ):
            from ci_publish.reports.github import GitHubReport  # noqa: PLC0415  (see the module's docstring)

            self.emit.add_report(
                GitHubReport(
                    stream=self._human, environ=self._environ, emit=self.emit, options=self._ci_report_options()
                )
            )
        if is_gitlab_job(self._environ):
            from ci_publish.reports.gitlab import GitLabReport  # noqa: PLC0415  (see the module's docstring)

            self.emit.add_report(GitLabReport(stream=self._human, emit=self.emit, options=self._ci_report_options()))

    def _ci_report_options(self) -> "CiReportOptions":
        """Return what the reports of both CIs get besides events."""
        from ci_publish.reports.ci_outputs import Artifacts, CiReportOptions  # noqa: PLC0415  (see the module's docstring)
        from ci_publish.reports.summary import PUBLIC_LOG  # noqa: PLC0415

        options = self._report_options
        return CiReportOptions(
            settings=options.settings,
            artifacts=Artifacts(options.receipt, options.attestations_dir),
            log_search=PUBLIC_LOG if options.public_log else None,
            redact=self.masker.redact,
        )

    def _add_debug_reports(self) -> None:
        """Add tracebacks, before what people read: the last lines of a failure say what is public now."""
        if self._environ.get(DEBUG, "").lower() not in {"", "0", "false"}:
            from ci_publish.reports.tracebacks import TracebackReport  # noqa: PLC0415  (see the module's docstring)

            self.emit.add_report(TracebackReport(self._human, redact=self.masker.redact))

    def _add_console_report(self) -> None:
        options = self._report_options
        self.emit.add_report(
            open_console(
                self._human,
                self._environ,
                redact=self.masker.redact,
                verbose=options.verbose,
                print_hash=options.print_hash,
            )
        )
