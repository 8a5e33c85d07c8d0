"""The reports of a run, chosen by settings, terminal and CI; each is imported only if it is used."""

from collections.abc import Mapping
from typing import TextIO

from ci_publish.app.settings_sources import DEBUG, Loaded
from ci_publish.cli.streams import Streams
from ci_publish.model.events import Emit
from ci_publish.reports.ci_detection import is_github_job, is_gitlab_job
from ci_publish.reports.console import open_console
from ci_publish.reports.dispatcher import Dispatcher
from ci_publish.reports.masking import Masker


class Reporting:
    """The reports of one run, and the masker that all of them redact with.

    People read standard error where ``--output`` makes standard output a text for programs.
    """

    def __init__(self, *, command: str, loaded: Loaded, environ: Mapping[str, str], streams: Streams) -> None:
        settings = loaded.settings
        human = streams.stdout if settings.output == "console" else streams.stderr
        self.masker = Masker(human, on=is_github_job(environ))
        self.emit = Dispatcher()
        self.emit_to_all: Emit = self.emit
        self._add_ci_reports(command, loaded, environ, human)
        if environ.get(DEBUG, "").lower() not in {"", "0", "false"}:
            from ci_publish.reports.tracebacks import TracebackReport  # noqa: PLC0415  (see the module's docstring)

            # Before what people read: the last lines of a failure say what is public now.
            self.emit.add_report(TracebackReport(human, redact=self.masker.redact))
        self.emit.add_report(
            open_console(
                human,
                environ,
                redact=self.masker.redact,
                verbose=settings.verbose,
                print_hash=settings.print_hash,
            )
        )
        if settings.output != "console" and not settings.serve:
            from ci_publish.reports.json import JsonReport, receipt_text, summary_text  # noqa: PLC0415  (see above)

            text = summary_text if settings.output == "markdown" else receipt_text
            self.emit.add_report(JsonReport(streams.stdout, redact=self.masker.redact, text=text))

    def report_through(self, emit: Emit) -> None:
        """Redact in all reports behind *emit* from now on, also in those created by the commands."""
        self.emit_to_all = emit

    def _add_ci_reports(self, command: str, loaded: Loaded, environ: Mapping[str, str], human: TextIO) -> None:
        """Add what the CI shows; the files of ``--receipt`` and ``--reports-dir`` are written below every front end."""
        if not is_github_job(environ) and not is_gitlab_job(environ):
            return
        from ci_publish.app.file_reports import ci_report_options  # noqa: PLC0415  (see the module's docstring)

        rehearsing = loaded.settings.rehearse or command == "rehearse"
        options = ci_report_options(loaded, loaded.settings, rehearsing=rehearsing, redact=self.masker.redact)
        if is_github_job(environ):
            from ci_publish.reports.github import GitHubReport  # noqa: PLC0415  (see the module's docstring)

            self.emit.add_report(GitHubReport(stream=human, environ=environ, emit=self.emit, options=options))
        if is_gitlab_job(environ):
            from ci_publish.reports.gitlab import GitLabReport  # noqa: PLC0415  (see above)

            self.emit.add_report(GitLabReport(stream=human, emit=self.emit, options=options))
