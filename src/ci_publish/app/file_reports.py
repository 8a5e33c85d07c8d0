"""The reports that are files: ``receipt`` and ``reports_dir``, written for every front end alike."""

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from ci_publish.app.front_end_wording import FrontEndWording
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.app.settings_sources import Loaded
from ci_publish.app.settings_view import settings_rows
from ci_publish.identity.static_credentials import TOKEN_USER
from ci_publish.model.events import Event
from ci_publish.model.identity import Secret
from ci_publish.reports.dispatcher import Dispatcher
from ci_publish.reports.masking import Masker

if TYPE_CHECKING:
    from ci_publish.model.receipt import Redact
    from ci_publish.reports.ci_outputs import CiReportOptions


class FileReports:
    """A context in which a run's events reach the files that its settings ask for, before they reach its listener.

    ``context`` replaces *context* for the run: its secrets are redacted in the files. What the files themselves report
    is worded for *reader*.
    """

    def __init__(self, *, settings: Settings, loaded: Loaded, reader: FrontEndWording, context: RuntimeContext) -> None:
        self._listener = context.emit
        self._reader = reader
        self._masker = Masker(io.StringIO(), on=False)
        self._reports = Dispatcher()
        if settings.receipt is not None:
            from ci_publish.reports.receipt_file import ReceiptFile  # noqa: PLC0415  (only where it is asked for)

            self._reports.add_report(ReceiptFile(settings.receipt, self._emit_reworded, redact=self._masker.redact))
        if (folder := settings.reports_dir) is not None:
            from ci_publish.reports.gitlab import GitLabFiles, GitLabReport  # noqa: PLC0415  (only where it is asked for)

            rehearsing = reader.command == "rehearse"
            self._reports.add_report(
                GitLabReport(
                    stream=io.StringIO(),
                    emit=lambda event: self._listener(self._reader.reword_event(event)),
                    files=GitLabFiles(folder / "publish.env", folder / "junit.xml", folder / "summary.md"),
                    options=ci_report_options(loaded, settings, rehearsing=rehearsing, redact=self._masker.redact),
                )
            )

        def mask(secret: Secret) -> None:
            self._masker.mask(secret, users=(TOKEN_USER, settings.user))
            context.mask(secret)

        context.reached(self._emit_to_files_first)
        self.context = replace(context, emit=self._emit_to_files_first, mask=mask)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reports.close()

    def _emit_to_files_first(self, event: Event) -> None:
        """Pass *event* to the files first, so that a failure to write them is reported before the end of the run."""
        self._reports(event)
        self._listener(event)

    def _emit_reworded(self, event: Event) -> None:
        """Pass on *event*, which does not come from the run, worded for the reader."""
        self._emit_to_files_first(self._reader.reword_event(event))


def ci_report_options(loaded: Loaded, settings: Settings, *, rehearsing: bool, redact: "Redact") -> "CiReportOptions":
    """Return what the report of a CI shows besides events; *settings* are those of *loaded* that the run uses."""
    from ci_publish.reports.ci_outputs import Artifacts, CiReportOptions  # noqa: PLC0415
    from ci_publish.reports.summary import PUBLIC_LOG  # noqa: PLC0415

    public_log = settings.sigstore_trust_config is None and not rehearsing
    return CiReportOptions(
        settings=settings_rows(loaded),
        artifacts=Artifacts(settings.receipt, settings.attestations_dir or settings.output_dir),
        log_search=PUBLIC_LOG if public_log else None,
        redact=redact,
    )
