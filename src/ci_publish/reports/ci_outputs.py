"""The outputs of a run for later steps and jobs: the outputs of the action, the variables of a GitLab report."""

from collections.abc import Sequence
from pathlib import Path

from ci_publish.model.events import Event, FileStatus, RunFinished
from ci_publish.model.frozen import frozen
from ci_publish.model.receipt import Redact
from ci_publish.model.receipt_building import build_receipt
from ci_publish.model.receipt_json import dump_printable_json, receipt_as_dict
from ci_publish.reports import wording
from ci_publish.reports.neutral import neutral_line
from ci_publish.reports.summary import PUBLIC_LOG, SUMMARY_LIMIT, SettingRow, SummaryInput, markdown_summary

# A job may pass on 1 MB in all, counted as UTF-16: a quarter of that.
FILES_LIMIT = 128 * 1024
_VALUE_LIMIT = 4_096


@frozen
class Artifacts:
    """The files and folders of a run that later steps may want; None if there are none."""

    receipt: Path | None = None
    attestations: Path | None = None


@frozen(kw_only=True)
class CiReportOptions:
    """What the report of a CI shows besides events. ``log_search``: see ``summary.SummaryInput``."""

    settings: Sequence[SettingRow] = ()
    artifacts: Artifacts = Artifacts()
    log_search: str | None = PUBLIC_LOG
    redact: Redact = str

    def summarise(self, events: Sequence[Event], limit: int = SUMMARY_LIMIT) -> str:
        """Return the summary of a run as Markdown, in at most *limit* bytes."""
        run = SummaryInput(events=events, settings=self.settings, log_search=self.log_search, redact=self.redact)
        return markdown_summary(run, limit)


def action_outputs(events: Sequence[Event], artifacts: Artifacts, redact: Redact = str) -> dict[str, str]:
    """Return the outputs of the action by name: the contract that ``action.yml`` declares.

    ``uploaded`` (confirmed or not) and ``already-published`` are numbers of files; ``files`` is the ``files`` list of
    the receipt as JSON (shortened to filename, status and sha256, then to nothing, where it is too long for a job);
    ``receipt``, ``attestations-dir`` and ``release-url`` (a page for each release, one a line) are empty without one.
    """
    receipt = build_receipt(events)
    extra = next((event.extra for event in events if isinstance(event, RunFinished)), {})
    page = extra.get("release-url")
    pages = (page,) if page else wording.release_page_addresses(receipt, events)
    there = artifacts.receipt is not None and artifacts.receipt.is_file()
    files = receipt_as_dict(receipt, redact)["files"]
    short = [{name: file[name] for name in ("filename", "status", "sha256")} for file in files]
    documents = (dump_printable_json(each) for each in (files, short))
    return {
        "outcome": receipt.outcome.value,
        "exit-code": "" if receipt.exit_code is None else str(receipt.exit_code),
        "files": next((each for each in documents if len(each) <= FILES_LIMIT), "[]"),
        "uploaded": str(receipt.count(FileStatus.UPLOADED, FileStatus.UPLOADED_MD5, FileStatus.NOT_CONFIRMED)),
        "already-published": str(receipt.count(FileStatus.ALREADY_PUBLISHED, FileStatus.SAME_MD5)),
        "receipt": _neutral_output_value(str(artifacts.receipt)) if there else "",
        "attestations-dir": _neutral_output_value(str(artifacts.attestations or extra.get("attestations-dir", ""))),
        "resume-after": receipt.resume_after or "",
        "release-url": "\n".join(_neutral_output_value(redact(each)) for each in pages),
    }


def _neutral_output_value(text: str) -> str:
    return neutral_line(text, _VALUE_LIMIT)
