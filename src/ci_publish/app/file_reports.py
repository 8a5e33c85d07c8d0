"""The reports that are files: ``receipt`` and ``reports_dir``, written for every front end alike."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

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


@contextmanager
def files_reported(
    *, settings: Settings, loaded: Loaded, reader: FrontEndWording, context: RuntimeContext
) -> Iterator[RuntimeContext]:
    """Yield the context for a run whose events reach the files that *settings* ask for before they reach its listener.

    It replaces *context* for the run: its secrets are redacted in the files. What the files themselves report is worded
    for *reader*.
    """
    masker = Masker(io.StringIO(), on=False)
    reports = Dispatcher()

    def emit(event: Event) -> None:
        reports(event)  # first, so that a failure to write the files is reported before the end of the run
        context.emit(event)

    def mask(secret: Secret) -> None:
        masker.mask(secret, users=(TOKEN_USER, settings.user))
        context.mask(secret)

    if settings.receipt is not None:
        from ci_publish.reports.receipt_file import ReceiptFile  # noqa: PLC0415  (only where it is asked for)

        reports.add_report(
            ReceiptFile(settings.receipt, lambda event: emit(reader.reword_event(event)), redact=masker.redact)
        )
    if (folder := settings.reports_dir) is not None:
        from ci_publish.reports.gitlab import GitLabFiles, GitLabReport  # noqa: PLC0415  (only where it is asked for)

        rehearsing = reader.command == "rehearse"
        reports.add_report(
            GitLabReport(
                stream=io.StringIO(),
                emit=lambda event: context.emit(reader.reword_event(event)),
                files=GitLabFiles(folder / "publish.env", folder / "junit.xml", folder / "summary.md"),
                options=ci_report_options(loaded, settings, rehearsing=rehearsing, redact=masker.redact),
            )
        )
    context.reached(emit)
    try:
        yield replace(context, emit=emit, mask=mask)
    finally:
        reports.close()


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
