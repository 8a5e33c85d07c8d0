"""Which reports listen to a run: by settings, by terminal, and by the CI it runs in. Each is imported where it does."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ci_publish.cli.ci import on_github, on_gitlab
from ci_publish.model.frozen import frozen
from ci_publish.reports.console import console
from ci_publish.reports.dispatcher import Dispatcher
from ci_publish.reports.masking import Masker

if TYPE_CHECKING:
    from ci_publish.reports.summary import SettingRow


@frozen
class ReportOptions:
    """What the user said about reports. ``public_log``: attestations stand in the public transparency log.

    ``json``: the receipt goes to standard output. ``machine``: standard output is for programs, whatever goes there.
    """

    json: bool = False
    verbose: bool = False
    print_hash: bool = False
    receipt: Path | None = None
    attestations_dir: Path | None = None
    settings: "Sequence[SettingRow]" = ()
    public_log: bool = True
    machine: bool = False


class Reporting:
    """The reports of one run, and the masker that all of them redact with."""

    def __init__(self, environ: Mapping[str, str], stdout: TextIO, stderr: TextIO, wishes: ReportOptions) -> None:
        self._environ = environ
        self._report_options = wishes
        self._human = stderr if wishes.json or wishes.machine else stdout
        self.masker = Masker(self._human, on=on_github(environ))
        self.emit = Dispatcher()
        self._add_ci()
        self._add_people()
        if wishes.json:
            from ci_publish.reports.json import JsonReport  # noqa: PLC0415  (see the module's docstring)

            self.emit.add(JsonReport(stdout, redact=self.masker.redact))

    def _add_ci(self) -> None:
        """Add what the CI shows; the files of ``--receipt`` and ``--reports-dir`` are written below every front end."""
        if on_github(self._environ):
            from ci_publish.reports.github import GitHubReport  # noqa: PLC0415  (see the module's docstring)

            self.emit.add(GitHubReport(self._human, self._environ, self.emit, **self._shared()))
        if on_gitlab(self._environ):
            from ci_publish.reports.gitlab import GitLabReport  # noqa: PLC0415  (see the module's docstring)

            self.emit.add(GitLabReport(self._human, self.emit, **self._shared()))

    def _shared(self) -> dict[str, Any]:
        """Return what the reports of both CIs are told besides events."""
        from ci_publish.reports.outputs import Artifacts  # noqa: PLC0415  (see the module's docstring)
        from ci_publish.reports.summary import PUBLIC_LOG  # noqa: PLC0415

        wishes = self._report_options
        return {
            "settings": wishes.settings,
            "artifacts": Artifacts(wishes.receipt, wishes.attestations_dir),
            "log_search": PUBLIC_LOG if wishes.public_log else None,
            "redact": self.masker.redact,
        }

    def _add_people(self) -> None:
        wishes = self._report_options
        self.emit.add(
            console(
                self._human,
                self._environ,
                redact=self.masker.redact,
                verbose=wishes.verbose,
                print_hash=wishes.print_hash,
            )
        )
