"""The summary of a run as Markdown, for GitHub's job page and GitLab's artifacts (pure).

Text from outside is written as entities or in monospaced HTML, links lead to ``http(s)`` addresses only. The summary
is made of sections, and each of lines, so that it can be cut anywhere between two lines and still be well-formed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from ci_publish.errors import CiPublishError
from ci_publish.model.byte_counts import format_size
from ci_publish.model.events import Checked, Event, FileStatus, Noted, Outcome, Planned, ProjectLeft, RunFinished, Tried
from ci_publish.model.finding import Finding
from ci_publish.model.problem import Severity, group_alike_problems
from ci_publish.model.receipt import FileEntry, Receipt, Redact
from ci_publish.model.receipt_building import build_receipt
from ci_publish.model.receipt_facts import events_of_kind
from ci_publish.reports import release_changes, wording
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
_FILE_COLUMNS = ("File", "Index", "Result", "Size", "Attestation", "SHA-256")
_NUMBERS = frozenset({"Size", "Time"})

SettingRow = tuple[str, str, str]
"""Name, value (a secret already shown as ``***``) and source of one setting."""


@dataclass(frozen=True, kw_only=True)
class SummaryInput:
    """What a summary is made from.

    ``log_search`` and a log index make the address of a log entry; None if the log has no such pages.
    """

    events: Sequence[Event]
    settings: Sequence[SettingRow] = ()
    log_search: str | None = PUBLIC_LOG
    redact: Redact = str

    @cached_property
    def receipt(self) -> Receipt:
        """The receipt of the run."""
        return build_receipt(self.events)

    def markdown(self, text: str) -> str:
        """Return *text* as prose, never empty: an empty item would change the Markdown around it."""
        return escape_markdown(self.redact(text)) or "—"

    def linked_markdown(self, text: str) -> str:
        """Return *text* as prose in which the addresses of forms and pages can be followed."""
        return markdown_with_links(self.redact(text)) or "—"

    def code(self, text: str) -> str:
        """Return *text* monospaced."""
        return markdown_code(self.redact(text)) if text else "—"


def markdown_summary(run: SummaryInput, limit: int = SUMMARY_LIMIT) -> str:
    """Return the summary of a run in at most *limit* bytes of UTF-8; empty where even the note does not fit."""
    return fit_summary_sections([section for part in _PARTS for section in part(run)], limit)


def summary_link(text: str, url: str | None) -> str:
    """Return *text*, which is Markdown already, as a link where *url* is an address that a browser should follow."""
    if url is None or not url.startswith(("https://", "http://")):
        return text
    return f"[{text}]({quote(url.encode('utf-8', 'replace'), safe=_SAFE_IN_LINKS)})"


def _heading(run: SummaryInput) -> Iterator[Section]:
    receipt = run.receipt
    sign = "✅" if receipt.exit_code == 0 else "⏳" if receipt.outcome is Outcome.DEFERRED else "❌"
    headline = release_changes.changes_or_run_headline(receipt, run.events)
    every = dict.fromkeys((file.project, file.version or "") for file in receipt.files if file.project)
    releases = [(project, version) for project, version in every if f"{project} {version}" not in headline]
    names = [f"{run.markdown(project)} {run.markdown(version)}" for project, version in releases[:_RELEASES_SHOWN]]
    more = f" and {len(releases) - len(names)} more" if len(releases) > len(names) else ""
    subject = f" · {', '.join(names)}{more}" if names else ""
    yield Section(f"## {sign} {run.markdown(headline)}{subject}\n\n")


def _run_failure(run: SummaryInput) -> Iterator[Section]:
    finished = next(events_of_kind(run.events, RunFinished), None)
    if finished and finished.error:
        slug, docs = finished.error.slug, finished.error.docs
        standing = "".join(f"{run.markdown(text)}\n\n" for text in wording.public_state_and_rerun_lines(run.receipt))
        code = f"exit code {finished.exit_code} · {slug} · [docs]({docs})\n\n"
        yield Section(f"{_error_markdown(run, finished.error)}{code}{standing}")


def _error_markdown(run: SummaryInput, error: CiPublishError) -> str:
    text = f"**{run.markdown(error.summary)}**\n\n"
    if error.detail.strip():
        text += f"{preformatted_markdown(run.redact(error.detail))}\n\n"
    hints = wording.hints_with_rerun(error)
    if hints:
        text += "What to do:\n\n"
    for hint in hints:
        # What follows the first line of a hint is configuration and keeps its columns.
        first, _, rest = hint.partition("\n")
        block = f"\n{preformatted_markdown(run.redact(rest))}\n\n" if rest.strip() else ""
        text += f"- {run.linked_markdown(first)}\n{block}"
    return f"{text}\n" if hints else text


def _release_pages(run: SummaryInput) -> Iterator[Section]:
    pages = wording.release_page_addresses(run.receipt, run.events)
    if pages:
        yield Section("", tuple(f"- {summary_link(run.markdown(page), page)}\n" for page in pages), "\n")


def _project_order(run: SummaryInput) -> Iterator[Section]:
    """Yield the waves of each index where there are several projects."""
    for planned in events_of_kind(run.events, Planned):
        if waves := tuple(f"1. {run.markdown(projects)}\n" for projects in wording.upload_order_lines(planned)):
            index = f" at {run.markdown(planned.plan.index)}" if len(run.receipt.indexes) > 1 else ""
            yield Section(f"### Order of the projects{index}\n\n", waves, "\n")


def _release_diffs(run: SummaryInput) -> Iterator[Section]:
    """Yield the differences from the previous release: both versions, then only the changes."""
    for diff in release_changes.release_diffs(run.events):
        rows = []
        for found in diff.findings:
            said = f"{found.message} {release_changes.release_change_advice(found)}".strip()
            rows.append((found.severity, summary_link(run.markdown(found.rule), found.docs), run.markdown(said)))
        title = f"**{run.markdown(release_changes.release_changes_heading(diff))}**\n\n"
        yield from _table(title, ("Severity", "Rule", "Difference"), rows) if rows else (Section(title),)


def _files(run: SummaryInput) -> Iterator[Section]:
    if run.receipt.command == "diff":  # its files are neither here nor there
        return
    failed_first = sorted(run.receipt.files, key=lambda file: not _has_failed(run, file))
    rows = [_file_cells(run, file) for file in failed_first]
    optional = {"Index": len(run.receipt.indexes) > 1, "Attestation": any(row["Attestation"] for row in rows)}
    columns = [each for each in _FILE_COLUMNS if optional.get(each, True)]
    yield from _table("", columns, [[row[each] for each in columns] for row in rows])
    digests = {file.filename: file.sha256 for file in run.receipt.files if file.sha256}
    in_full = [(run.code(sha256), run.code(name)) for name, sha256 in digests.items()]
    yield from _table("Full SHA-256 digests", ("SHA-256", "File"), in_full, folded=True)


def _file_cells(run: SummaryInput, file: FileEntry) -> dict[str, str]:
    """Return the cells of *file*, by column."""
    failed = _has_failed(run, file)
    result = wording.describe_file_result(run.receipt, file)
    if run.receipt.command == "check":  # it attempts nothing
        result = "has errors" if failed else "checked"
    verified = {True: "verified on the index", False: "**not verified on the index**", None: ""}
    made = [
        "made"
        if each.log_index is None
        else summary_link(f"log entry {each.log_index}", run.log_search and f"{run.log_search}{each.log_index}")
        for each in file.attestations
    ]
    return {
        # The index of a rehearsal ends with the run: its links would lead nowhere.
        "File": summary_link(run.code(file.filename), None if run.receipt.command == "rehearse" else file.url),
        "Index": run.markdown(file.index or ""),
        "Result": f"**{result}**" if failed else result,
        "Size": "" if file.size is None else format_size(file.size),
        "Attestation": ", ".join(filter(None, (*made, verified[file.provenance_verified]))),
        "SHA-256": "" if file.sha256 is None else run.code(f"{file.sha256[:_DIGEST_SHOWN]}…"),
    }


def _has_failed(run: SummaryInput, file: FileEntry) -> bool:
    if run.receipt.command != "check":
        return file.status in wording.BAD
    problems = run.receipt.problems
    return any(each.filename == file.filename and each.severity is Severity.ERROR for each in problems)


def _builds(run: SummaryInput) -> Iterator[Section]:
    rows = [
        (wording.pluralise(number, "file"), *map(run.code, build))
        for build, number in wording.count_files_by_build(run.receipt).items()
    ]
    return _table("### Build provenance\n\n", ("Files", "Builder", "Source", "Commit"), rows)


def _left_projects(run: SummaryInput) -> Iterator[Section]:
    """Yield the table of the projects that were not completely published."""
    rows = []
    for event in events_of_kind(run.events, ProjectLeft):
        what = "deferred" if event.deferred else "**not published**"
        others = run.markdown(", ".join(event.because)) if event.because != (event.project,) else ""
        rows.append((run.markdown(event.project), what, others, run.markdown(event.reason)))
    return _table(
        "### Projects that were not completely published\n\n", ("Project", "Result", "Because of", "Reason"), rows
    )


def _file_failures(run: SummaryInput) -> Iterator[Section]:
    for event, error in file_failures_not_in_run_error(run.events):
        yield Section(f"### {run.code(event.distribution.filename)}\n\n{_error_markdown(run, error)}")


def _installations(run: SummaryInput) -> Iterator[Section]:
    tried = list(events_of_kind(run.events, Tried))
    rows = [
        (
            run.code(each.filename),
            run.markdown(each.interpreter),
            run.markdown(each.installer),
            "passed" if each.passed else "**failed**",
            wording.format_duration(each.seconds),
        )
        for each in tried
    ]
    yield from _table("### Installations\n\n", ("File", "Interpreter", "Installer", "Result", "Time"), rows)
    for each in tried:
        if each.output:
            title = f"{run.code(each.filename)}, {run.markdown(each.interpreter)}"
            output = preformatted_markdown(run.redact(each.output))
            yield Section(f"<details><summary>{title}</summary>\n\n{output}\n\n</details>\n\n")


def _notes(run: SummaryInput) -> Iterator[Section]:
    lines = []
    for note in events_of_kind(run.events, Noted):
        about = f"{run.code(note.filename)}: " if note.filename else ""
        hints = "".join(f"  - {run.linked_markdown(hint)}\n" for hint in note.hints)
        lines.append(f"- {'⚠️ ' if note.warning else ''}{about}{run.markdown(note.message)}\n{hints}")
    if lines:
        yield Section("### Notes\n\n", tuple(lines), "\n")


def _findings(run: SummaryInput) -> Iterator[Section]:
    lines = []
    for finding in events_of_kind(run.events, Finding):
        hints = "".join(f"  - {run.linked_markdown(hint)}\n" for hint in finding.hints)
        first, *rest = finding.message.split("\n")
        table = f"\n{preformatted_markdown(run.redact(chr(10).join(rest)))}\n\n" if rest else ""
        lines.append(f"- **{finding.status}** {run.markdown(finding.name)}: {run.markdown(first)}\n{hints}{table}")
    if lines:
        yield Section("### Findings\n\n", tuple(lines), "\n")


def _problems(run: SummaryInput) -> Iterator[Section]:
    """Yield the results of the checks; a problem of several files is one row."""
    rows = []
    for group in group_alike_problems(
        each for checked in events_of_kind(run.events, Checked) for each in checked.problems
    ):
        problem = group[0]
        names = [run.code(each.filename) for each in group[:FEW] if each.filename] or ["all files"]
        where = "<br>".join([*names, f"and {len(group) - FEW} more"] if len(group) > FEW else names)
        rule = summary_link(run.markdown(problem.rule), problem.docs)
        rows.append((where, problem.severity, rule, run.markdown(f"{problem.message} {problem.advice}")))
    return _table("### Checks\n\n", ("File", "Severity", "Rule", "Problem"), rows)


def _plan(run: SummaryInput) -> Iterator[Section]:
    rows = []
    for plan in (planned.plan for planned in events_of_kind(run.events, Planned)):
        for file in plan.files:
            status, why = wording.describe_plan_decision(file)
            decision = "upload" if status is FileStatus.PLANNED else wording.STATUS[status]
            rows.append((run.markdown(plan.index), run.code(file.distribution.filename), decision, run.markdown(why)))
    return _table("Plan", ("Index", "File", "Decision", "Why"), rows, folded=True)


def _settings(run: SummaryInput) -> Iterator[Section]:
    rows = [
        (run.code(name), run.code(value), run.markdown(source))
        for name, value, source in run.settings
        if source != DEFAULT_SOURCE
    ]
    return _table("Settings that differ from the defaults", ("Setting", "Value", "Source"), rows, folded=True)


def _table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, folded: bool = False
) -> Iterator[Section]:
    """Yield a table, unless it has no rows. The *title* is Markdown; that of a *folded* table is what folds it out."""
    if rows:
        head = f"<details><summary>{title}</summary>\n\n" if folded else title
        rules = "|".join("---:" if each in _NUMBERS else "---" for each in columns)
        lines = tuple(f"| {' | '.join(cells)} |\n" for cells in rows)
        foot = "\n</details>\n\n" if folded else "\n"
        yield Section(f"{head}| {' | '.join(columns)} |\n|{rules}|\n", lines, foot)


_PARTS: tuple[Callable[[SummaryInput], Iterator[Section]], ...] = (
    _heading,
    _run_failure,
    _release_pages,
    _project_order,
    _release_diffs,
    _files,
    _builds,
    _left_projects,
    _file_failures,
    _installations,
    _notes,
    _findings,
    _problems,
    _plan,
    _settings,
)
