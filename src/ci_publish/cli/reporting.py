"""Which reports listen to a run: by settings, by terminal, and by the CI it runs in."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from ci_publish.cli.ci import on_github, on_gitlab
from ci_publish.reports.console import console
from ci_publish.reports.fanout import Fanout
from ci_publish.reports.github import Artifacts, GitHubReport
from ci_publish.reports.json import JsonReport
from ci_publish.reports.masking import Masker
from ci_publish.reports.receipt_file import ReceiptFile


class Reporting:
    """The reports of one run, and the masker that all of them redact with."""

    def __init__(
        self,
        environ: Mapping[str, str],
        stdout: TextIO,
        stderr: TextIO,
        *,
        json: bool,
        receipt: Path | None,
        verbose: bool = False,
        print_hash: bool = False,
        attestations_dir: Path | None = None,
    ) -> None:
        human = stderr if json else stdout
        self.masker = Masker(human, on=on_github(environ))
        redact = self.masker.redact
        self.emit = Fanout()
        if receipt is not None:
            self.emit.add(ReceiptFile(receipt, self.emit, redact=redact))
        if on_github(environ):
            artifacts = Artifacts(receipt, attestations_dir)
            self.emit.add(GitHubReport(human, environ, self.emit, artifacts=artifacts, redact=redact))
        self.emit.add(console(human, environ, redact=redact, verbose=verbose, print_hash=print_hash))
        if json:
            self.emit.add(JsonReport(stdout, redact=redact))
