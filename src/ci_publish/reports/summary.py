"""The summary of a run as Markdown, for GitHub's job page and GitLab's artifacts (pure).

Text from outside is written as entities or in monospaced HTML, links lead to ``http(s)`` addresses only. The summary
is made of sections, and each of lines, so that it can be cut anywhere between two lines and still be well-formed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

from ci_publish.errors import CiPublishError
from ci_publish.model.byte_counts import format_size
from ci_publish.model.events import Checked, Event, FileStatus, Noted, Outcome, Planned, ProjectLeft, RunFinished, Tried
from ci_publish.model.finding import Finding
from ci_publish.model.problem import Severity, group_alike_problems
from ci_publish.model.receipt import FileEntry, Receipt, Redact
from ci_publish.model.receipt_building import build_receipt
from ci_publish.reports import installation_trials, release_changes, release_train, wording
from ci_publish.reports.file_failures import file_failures_not_in_run_error
from ci_publish.reports.neutral import escape_markdown, markdown_code, markdown_with_links, preformatted_markdown
from ci_publish.reports.repeated_lines import FEW
from ci_publish.reports.summary_sections import Section, fit_summary_sections

# The runner discards a summary of more than 1 MiB as a whole; the difference is for other steps.
SUMMARY_LIMIT = 1_000_000
_DIGEST_SHOWN = 12
_RELEASES_SHOWN = 5
DEFAULT_SOURCE = "default"
"""The source of a setting that nobody set; it is not shown."""
PUBLIC_LOG = "https://search.sigstore.dev/?logIndex="
_SAFE_IN_LINKS = "/:?&=%~-._+,;@#"

_E = TypeVar("_E")

SettingRow = tuple[str, str, str]
"""Name, value (a secret already shown as ``***``) and source of one setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryInput:
    """What a summary is made from.

    ``log_search`` and a log index make the address of a log entry; None where the log has no such pages.
    """

    events: Sequence[Event]
    settings: Sequence[SettingRow] = ()
    log_search: str | None = PUBLIC_LOG
    redact: Redact = str
    receipt: Receipt = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "receipt", build_receipt(self.events))

    def markdown(self, text: str) -> str:
        """Return *text* as prose, never empty: an empty item would change the Markdown around it."""
        return escape_markdown(self.redact(text)) or "—"

    def linked_markdown(self, text: str) -> str:
        """Return *text* as prose in which the addresses of forms and pages can be followed."""
        return markdown_with_links(self.redact(text)) or "—"

    def code(self, text: str) -> str:
        """Return *text* monospaced."""
        return markdown_code(self.redact(text)) if text else "—"

    def events_of(self, kind: type[_E]) -> Iterator[_E]:
        """Return the events of one kind."""
        return (event for event in self.events if isinstance(event, kind))


def markdown_summary(run: SummaryInput, limit: int = SUMMARY_LIMIT) -> str:
    """Return the summary of a run in at most *limit* bytes of UTF-8; empty where even the note does not fit."""
    return fit_summary_sections(list(_summary_sections(run)), limit)


def summary_link(text: str, url: str | None) -> str:
    """Return *text*, which is Markdown already, as a link where *url* is an address that a browser should follow."""
    if url is None or not url.startswith(("https://", "http://")):
        return text
    return f"[{text}]({quote(url.encode('utf-8', 'replace'), safe=_SAFE_IN_LINKS)})"


def _summary_sections(run: SummaryInput) -> Iterator[Section]:
    finished = next(run.events_of(RunFinished), None)
    yield _summary_heading(run)
    if finished and finished.error:
        yield _summary_run_failure(run, finished.error, finished.exit_code)
    pages = wording.release_page_addresses(run.receipt, run.events)
    if pages:
        yield Section("", tuple(f"- {summary_link(run.markdown(page), page)}\n" for page in pages), "\n")
    yield from _summary_project_order(run)
    yield from _summary_release_diffs(run)
    if run.receipt.command != "diff":  # its files are neither here nor there
        yield from _summary_files_table(run)
    yield from _summary_builds_table(run)
    yield from _summary_left_projects(run)
    for event, error in file_failures_not_in_run_error(run.events):
        yield Section(f"### {run.code(event.distribution.filename)}\n\n" + "".join(_summary_error(run, error)))
    yield from _summary_installations(run)
    yield from _summary_notes(run)
    yield from _summary_findings(run)
    yield from _summary_problems_table(run)
    yield from _summary_plan_table(run)
    yield from _summary_settings_table(run)


def _summary_heading(run: SummaryInput) -> Section:
    receipt = run.receipt
    sign = "✅" if receipt.exit_code == 0 else "⏳" if receipt.outcome is Outcome.DEFERRED else "❌"
    headline = release_changes.changes_or_run_headline(receipt, run.events)
    releases = [each for each in wording.releases_of_run(receipt) if " ".join(each) not in headline]
    names = [f"{run.markdown(project)} {run.markdown(version)}" for project, version in releases[:_RELEASES_SHOWN]]
    more = f" and {len(releases) - len(names)} more" if len(releases) > len(names) else ""
    subject = f" · {', '.join(names)}{more}" if names else ""
    return Section(f"## {sign} {run.markdown(headline)}{subject}\n\n")


def _summary_run_failure(run: SummaryInput, error: CiPublishError, exit_code: int) -> Section:
    standing = "".join(f"{run.markdown(text)}\n\n" for text in wording.public_state_and_rerun_lines(run.receipt))
    return Section(
        "".join(_summary_error(run, error))
        + f"exit code {exit_code} · {error.slug} · [docs]({error.docs})\n\n{standing}"
    )


def _summary_error(run: SummaryInput, error: CiPublishError) -> Iterator[str]:
    yield f"**{run.markdown(error.summary)}**\n\n"
    if error.detail.strip():
        yield preformatted_markdown(run.redact(error.detail)) + "\n\n"
    hints = wording.hints_with_rerun(error)
    if hints:
        yield "What to do:\n\n"
        yield from (_summary_hint_item(run, hint) for hint in hints)
        yield "\n"


def _summary_hint_item(run: SummaryInput, hint: str) -> str:
    """Return a hint as a list item; what follows its first line is configuration and keeps its columns."""
    first, _, rest = hint.partition("\n")
    return f"- {run.linked_markdown(first)}\n" + (
        f"\n{preformatted_markdown(run.redact(rest))}\n\n" if rest.strip() else ""
    )


def _summary_files_table(run: SummaryInput) -> Iterator[Section]:
    receipt = run.receipt
    if not receipt.files:
        return
    cells = {file: _summary_attestation_cell(run, file) for file in receipt.files}
    attested = any(cells.values())
    columns = [
        "File",
        *(["Index"] if len(receipt.indexes) > 1 else []),
        "Result",
        "Size",
        *(["Attestation"] if attested else []),
        "SHA-256",
    ]
    rules = "|".join("---:" if each == "Size" else "---" for each in columns)
    failed_first = sorted(receipt.files, key=lambda file: not _summary_file_has_failed(run, file))
    rows = (_summary_file_row(run, file, cells[file] if attested else None) for file in failed_first)
    yield Section(f"| {' | '.join(columns)} |\n|{rules}|\n", tuple(rows), "\n")
    digests = {file.filename: file.sha256 for file in receipt.files if file.sha256}
    if digests:
        lines = tuple(f"| {run.code(sha256)} | {run.code(name)} |\n" for name, sha256 in digests.items())
        head = "| SHA-256 | File |\n|---|---|\n"
        yield Section(f"<details><summary>SHA-256 in full</summary>\n\n{head}", lines, "\n</details>\n\n")


def _summary_builds_table(run: SummaryInput) -> Iterator[Section]:
    lines = [
        f"| {wording.pluralise(number, 'file')} | {run.code(builder)} | {run.code(source)} | {run.code(commit)} |\n"
        for (builder, source, commit), number in wording.count_files_by_build(run.receipt).items()
    ]
    if lines:
        head = "### Build provenance\n\n| Files | Builder | Source | Commit |\n|---|---|---|---|\n"
        yield Section(head, tuple(lines), "\n")


def _summary_file_row(run: SummaryInput, file: FileEntry, attestation: str | None) -> str:
    # the index of a rehearsal ends with the run: its links would lead nowhere
    url = None if run.receipt.command == "rehearse" else file.url
    cells = [
        summary_link(run.code(file.filename), url),
        *([run.markdown(file.index or "")] if len(run.receipt.indexes) > 1 else []),
        _summary_file_result(run, file),
        "" if file.size is None else format_size(file.size),
        *([] if attestation is None else [attestation]),
        "" if file.sha256 is None else run.code(f"{file.sha256[:_DIGEST_SHOWN]}…"),
    ]
    return f"| {' | '.join(cells)} |\n"


def _summary_file_result(run: SummaryInput, file: FileEntry) -> str:
    failed = _summary_file_has_failed(run, file)
    if run.receipt.command == "check":  # it attempts nothing
        return "**has errors**" if failed else "checked"
    said = wording.describe_file_result(run.receipt, file)
    return f"**{said}**" if failed else said


def _summary_file_has_failed(run: SummaryInput, file: FileEntry) -> bool:
    if run.receipt.command != "check":
        return file.status in wording.BAD
    problems = run.receipt.problems
    return any(each.filename == file.filename and each.severity is Severity.ERROR for each in problems)


def _summary_attestation_cell(run: SummaryInput, file: FileEntry) -> str:
    verified = {True: "verified on the index", False: "**not verified on the index**", None: ""}
    made = [
        "made"
        if each.log_index is None
        else (
            f"log entry {each.log_index}"
            if run.log_search is None
            else f"[log entry {each.log_index}]({run.log_search}{each.log_index})"
        )
        for each in file.attestations
    ]
    return ", ".join(part for part in (*made, verified[file.provenance_verified]) if part)


def _summary_release_diffs(run: SummaryInput) -> Iterator[Section]:
    """Yield what is different from the release before: both versions, then only what changed."""
    for diff in release_changes.release_diffs(run.events):
        lines = [
            f"| {found.severity} | {_summary_rule_link(run, found.rule, found.docs)} |"
            f" {run.markdown(f'{found.message} {release_changes.release_change_advice(found)}'.strip())} |\n"
            for found in diff.findings
        ]
        head = f"**{run.markdown(release_changes.release_changes_heading(diff))}**\n\n"
        table = "| Severity | Rule | Difference |\n|---|---|---|\n" if lines else ""
        yield Section(head=f"{head}{table}", lines=tuple(lines), foot="\n" if lines else "")


def _summary_left_projects(run: SummaryInput) -> Iterator[Section]:
    """Yield the table of the projects that did not go out."""
    rows = []
    for event in run.events_of(ProjectLeft):
        what = "deferred" if event.deferred else "**not published**"
        others = run.markdown(", ".join(event.because)) if event.because != (event.project,) else ""
        rows.append(f"| {run.markdown(event.project)} | {what} | {others} | {run.markdown(event.reason)} |\n")
    if rows:
        head = "### Projects that did not go out\n\n| Project | Result | Because of | Reason |\n|---|---|---|---|\n"
        yield Section(head=head, lines=tuple(rows), foot="\n")


def _summary_installations(run: SummaryInput) -> Iterator[Section]:
    tried = list(run.events_of(Tried))
    lines = [_summary_installation_row(run, each) for each in tried]
    if lines:
        head = "| File | Interpreter | Installer | Result | Time |\n|---|---|---|---|---:|\n"
        yield Section(f"### Installations\n\n{head}", tuple(lines), "\n")
    for each in tried:
        if each.output:
            title = f"{run.code(each.filename)}, {run.markdown(each.interpreter)}"
            output = preformatted_markdown(run.redact(each.output))
            yield Section(f"<details><summary>{title}</summary>\n\n{output}\n\n</details>\n\n")


def _summary_installation_row(run: SummaryInput, tried: Tried) -> str:
    said = installation_trials.installation_trial_result(tried)
    result = said if tried.passed else f"**{said}**"
    cells = (run.code(tried.filename), run.markdown(tried.interpreter), run.markdown(tried.installer), result)
    return f"| {' | '.join(cells)} | {wording.format_duration(tried.seconds)} |\n"


def _summary_notes(run: SummaryInput) -> Iterator[Section]:
    lines = []
    for note in run.events_of(Noted):
        about = f"{run.code(note.filename)}: " if note.filename else ""
        hints = "".join(f"  - {run.linked_markdown(hint)}\n" for hint in note.hints)
        lines.append(f"- {'⚠️ ' if note.warning else ''}{about}{run.markdown(note.message)}\n{hints}")
    if lines:
        yield Section("### Notes\n\n", tuple(lines), "\n")


def _summary_findings(run: SummaryInput) -> Iterator[Section]:
    lines = []
    for finding in run.events_of(Finding):
        hints = "".join(f"  - {run.linked_markdown(hint)}\n" for hint in finding.hints)
        first, *rest = finding.message.split("\n")
        table = f"\n{preformatted_markdown(run.redact(chr(10).join(rest)))}\n\n" if rest else ""
        lines.append(f"- **{finding.status}** {run.markdown(finding.name)}: {run.markdown(first)}\n{hints}{table}")
    if lines:
        yield Section("### Findings\n\n", tuple(lines), "\n")


def _summary_problems_table(run: SummaryInput) -> Iterator[Section]:
    """Yield what the checks found; what is equal in many files is one row."""
    lines = []
    for group in group_alike_problems(problem for checked in run.events_of(Checked) for problem in checked.problems):
        problem = group[0]
        names = [run.code(each.filename) for each in group[:FEW] if each.filename] or ["all files"]
        where = "<br>".join([*names, f"and {len(group) - FEW} more"] if len(group) > FEW else names)
        rule = _summary_rule_link(run, problem.rule, problem.docs)
        said = run.markdown(f"{problem.message} {problem.advice}")
        lines.append(f"| {where} | {problem.severity} | {rule} | {said} |\n")
    if lines:
        yield Section("### Checks\n\n| File | Severity | Rule | Problem |\n|---|---|---|---|\n", tuple(lines), "\n")


def _summary_rule_link(run: SummaryInput, rule: str, docs: str) -> str:
    return summary_link(run.markdown(rule), docs)


def _summary_plan_table(run: SummaryInput) -> Iterator[Section]:
    lines = []
    for plan in (planned.plan for planned in run.events_of(Planned)):
        for file in plan.files:
            status, why = wording.describe_plan_decision(file)
            name = run.code(file.distribution.filename)
            said = "upload" if status is FileStatus.PLANNED else wording.STATUS[status]
            lines.append(f"| {run.markdown(plan.index)} | {name} | {said} | {run.markdown(why)} |\n")
    if lines:
        head = "| Index | File | Decision | Why |\n|---|---|---|---|\n"
        yield Section(f"<details><summary>Plan</summary>\n\n{head}", tuple(lines), "\n</details>\n\n")


def _summary_project_order(run: SummaryInput) -> Iterator[Section]:
    """Yield the waves of each index where there are several projects."""
    for planned in run.events_of(Planned):
        if waves := tuple(
            f"1. {run.markdown(projects)}\n" for projects in release_train.release_train_order_lines(planned)
        ):
            index = f" at {run.markdown(planned.plan.index)}" if len(run.receipt.indexes) > 1 else ""
            yield Section(f"### Order of the projects{index}\n\n", waves, "\n")


def _summary_settings_table(run: SummaryInput) -> Iterator[Section]:
    lines = [
        f"| {run.code(name)} | {run.code(value)} | {run.markdown(source)} |\n"
        for name, value, source in run.settings
        if source != DEFAULT_SOURCE
    ]
    if lines:
        head = "| Setting | Value | Source |\n|---|---|---|\n"
        yield Section(
            f"<details><summary>Settings that are not defaults</summary>\n\n{head}", tuple(lines), "\n</details>\n\n"
        )
