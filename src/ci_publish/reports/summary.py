"""The summary of a run as Markdown, for GitHub's job page and GitLab's artifacts (pure).

Text from outside is written as entities or in monospaced HTML, links lead to ``http(s)`` addresses only. The summary
is made of sections, and each of lines, so that it can be cut anywhere between two lines and still be well-formed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

from ci_publish.errors import CiPublishError
from ci_publish.model.events import Checked, Event, FileStatus, Noted, Outcome, Planned, ProjectLeft, RunFinished, Tried
from ci_publish.model.finding import Finding
from ci_publish.model.frozen import frozen
from ci_publish.model.receipt import FileEntry, Receipt, Redact
from ci_publish.model.receipt_building import receipt_of
from ci_publish.reports import changes, train, trials, wording
from ci_publish.reports.failures import file_failures
from ci_publish.reports.neutral import code, linked, markdown, preformatted

# The runner discards a summary of more than 1 MiB as a whole; the difference is for other steps.
SUMMARY_LIMIT = 1_000_000
_CUT = "\n\n*Cut here: a summary can have at most 1 MiB. The log and the receipt are complete.*\n"
_DIGEST_SHOWN = 12
_RELEASES_SHOWN = 5
DEFAULT_SOURCE = "default"
"""The source of a setting that nobody set; it is not shown."""
PUBLIC_LOG = "https://search.sigstore.dev/?logIndex="
_SAFE_IN_LINKS = "/:?&=%~-._+,;@#"

_E = TypeVar("_E")

SettingRow = tuple[str, str, str]
"""Name, value (a secret already shown as ``***``) and source of one setting."""


@frozen
class Section:
    """A part of the summary: its lines can be left out one by one from the end, its head and foot only together."""

    head: str
    lines: tuple[str, ...] = ()
    foot: str = ""


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
        object.__setattr__(self, "receipt", receipt_of(self.events))

    def text(self, text: str) -> str:
        """Return *text* as prose, never empty: an empty item would change the Markdown around it."""
        return markdown(self.redact(text)) or "—"

    def hint(self, text: str) -> str:
        """Return *text* as prose in which the addresses of forms and pages can be followed."""
        return linked(self.redact(text)) or "—"

    def code(self, text: str) -> str:
        """Return *text* monospaced."""
        return code(self.redact(text)) if text else "—"

    def of(self, kind: type[_E]) -> Iterator[_E]:
        """Return the events of one kind."""
        return (event for event in self.events if isinstance(event, kind))


def summary(given: SummaryInput, limit: int = SUMMARY_LIMIT) -> str:
    """Return the summary of a run in at most *limit* bytes of UTF-8; empty where even the note does not fit."""
    return fit(list(_sections(given)), limit)


def fit(sections: Sequence[Section], limit: int) -> str:
    """Return *sections* as one document of at most *limit* bytes, cut between two lines with a note."""
    out: list[str] = []
    left = limit - len(_CUT.encode())
    for section in sections:
        left -= _bytes(section.head) + _bytes(section.foot)
        if left < 0:
            return "".join((*out, _CUT)) if limit >= len(_CUT.encode()) else ""
        out.append(section.head)
        for line in section.lines:
            left -= _bytes(line)
            if left < 0:
                return "".join((*out, section.foot, _CUT))
            out.append(line)
        out.append(section.foot)
    return "".join(out)


def link(text: str, url: str | None) -> str:
    """Return *text*, which is Markdown already, as a link where *url* is an address that a browser should follow."""
    if url is None or not url.startswith(("https://", "http://")):
        return text
    return f"[{text}]({quote(url.encode('utf-8', 'replace'), safe=_SAFE_IN_LINKS)})"


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _sections(given: SummaryInput) -> Iterator[Section]:
    finished = next(given.of(RunFinished), None)
    yield _heading(given)
    if finished and finished.error:
        yield _failure(given, finished.error, finished.exit_code)
    pages = wording.release_pages(given.receipt, given.events)
    if pages:
        yield Section("", tuple(f"- {link(given.text(page), page)}\n" for page in pages), "\n")
    yield from _order(given)
    yield from _changes(given)
    if given.receipt.command != "diff":  # its files are neither here nor there
        yield from _files(given)
    yield from _builds(given)
    yield from _left(given)
    for event, error in file_failures(given.events):
        yield Section(f"### {given.code(event.distribution.filename)}\n\n" + "".join(_error(given, error)))
    yield from _trials(given)
    yield from _notes(given)
    yield from _findings(given)
    yield from _problems(given)
    yield from _plan(given)
    yield from _settings(given)


def _heading(given: SummaryInput) -> Section:
    receipt = given.receipt
    sign = "✅" if receipt.exit_code == 0 else "⏳" if receipt.outcome is Outcome.DEFERRED else "❌"
    headline = changes.headline(receipt, given.events)
    releases = [each for each in wording.releases(receipt) if " ".join(each) not in headline]
    names = [f"{given.text(project)} {given.text(version)}" for project, version in releases[:_RELEASES_SHOWN]]
    more = f" and {len(releases) - len(names)} more" if len(releases) > len(names) else ""
    subject = f" · {', '.join(names)}{more}" if names else ""
    return Section(f"## {sign} {given.text(headline)}{subject}\n\n")


def _failure(given: SummaryInput, error: CiPublishError, exit_code: int) -> Section:
    standing = "".join(f"{given.text(text)}\n\n" for text in wording.standing(given.receipt))
    return Section(
        "".join(_error(given, error)) + f"exit code {exit_code} · {error.slug} · [docs]({error.docs})\n\n{standing}"
    )


def _error(given: SummaryInput, error: CiPublishError) -> Iterator[str]:
    yield f"**{given.text(error.summary)}**\n\n"
    if error.detail.strip():
        yield preformatted(given.redact(error.detail)) + "\n\n"
    hints = wording.hints(error)
    if hints:
        yield "What to do:\n\n"
        yield from (_hint(given, hint) for hint in hints)
        yield "\n"


def _hint(given: SummaryInput, hint: str) -> str:
    """Return a hint as a list item; what follows its first line is configuration and keeps its columns."""
    first, _, rest = hint.partition("\n")
    return f"- {given.hint(first)}\n" + (f"\n{preformatted(given.redact(rest))}\n\n" if rest.strip() else "")


def _files(given: SummaryInput) -> Iterator[Section]:
    receipt = given.receipt
    if not receipt.files:
        return
    several = len(receipt.indexes) > 1
    index = ("| Index ", "|---") if several else ("", "")
    head = f"| File {index[0]}| Result | Size | Attestation | SHA-256 |\n|---{index[1]}|---|---:|---|---|\n"
    failed_first = sorted(receipt.files, key=lambda file: file.status not in wording.BAD)
    yield Section(head, tuple(_row(given, file, several=several) for file in failed_first), "\n")
    digests = {file.filename: file.sha256 for file in receipt.files if file.sha256}
    if digests:
        lines = tuple(f"| {given.code(sha256)} | {given.code(name)} |\n" for name, sha256 in digests.items())
        head = "| SHA-256 | File |\n|---|---|\n"
        yield Section(f"<details><summary>SHA-256 in full</summary>\n\n{head}", lines, "\n</details>\n\n")


def _builds(given: SummaryInput) -> Iterator[Section]:
    lines = [
        f"| {wording.count(number, 'file')} | {given.code(builder)} | {given.code(source)} | {given.code(commit)} |\n"
        for (builder, source, commit), number in wording.builds(given.receipt).items()
    ]
    if lines:
        head = "### Build provenance\n\n| Files | Builder | Source | Commit |\n|---|---|---|---|\n"
        yield Section(head, tuple(lines), "\n")


def _row(given: SummaryInput, file: FileEntry, *, several: bool) -> str:
    # the index of a rehearsal ends with the run: its links would lead nowhere
    url = None if given.receipt.outcome is Outcome.REHEARSED else file.url
    cells = [
        link(given.code(file.filename), url),
        *([given.text(file.index or "")] if several else []),
        _result(given, file),
        "" if file.size is None else wording.amount(file.size),
        _attestation(given, file),
        "" if file.sha256 is None else given.code(f"{file.sha256[:_DIGEST_SHOWN]}…"),
    ]
    return f"| {' | '.join(cells)} |\n"


def _result(given: SummaryInput, file: FileEntry) -> str:
    said = wording.result(given.receipt, file)
    return f"**{said}**" if file.status in wording.BAD else said


def _attestation(given: SummaryInput, file: FileEntry) -> str:
    verified = {True: "verified on the index", False: "**not verified on the index**", None: ""}
    made = [
        "made"
        if each.log_index is None
        else (
            f"log entry {each.log_index}"
            if given.log_search is None
            else f"[log entry {each.log_index}]({given.log_search}{each.log_index})"
        )
        for each in file.attestations
    ]
    return ", ".join(part for part in (*made, verified[file.provenance_verified]) if part)


def _changes(given: SummaryInput) -> Iterator[Section]:
    """Yield what is different from the release before: both versions, then only what changed."""
    for diff in changes.diffs(given.events):
        lines = [
            f"| {found.severity} | {_rule(given, found.rule, found.docs)} |"
            f" {given.text(f'{found.message} {changes.advice(found)}'.strip())} |\n"
            for found in diff.findings
        ]
        head = f"**{given.text(changes.heading(diff))}**\n\n"
        table = "| Severity | Rule | Difference |\n|---|---|---|\n" if lines else ""
        yield Section(head=f"{head}{table}", lines=tuple(lines), foot="\n" if lines else "")


def _left(given: SummaryInput) -> Iterator[Section]:
    """Yield the table of the projects that did not go out."""
    rows = [
        f"| {given.text(event.project)} | {'deferred' if event.deferred else '**not published**'}"
        f" | {given.text(', '.join(event.because))} | {given.text(event.reason)} |\n"
        for event in given.of(ProjectLeft)
    ]
    if rows:
        head = "### Projects that did not go out\n\n| Project | | Because of | Reason |\n|---|---|---|---|\n"
        yield Section(head=head, lines=tuple(rows), foot="\n")


def _trials(given: SummaryInput) -> Iterator[Section]:
    tried = list(given.of(Tried))
    lines = [_trial(given, each) for each in tried]
    if lines:
        head = "| File | Interpreter | Installer | Result | Time |\n|---|---|---|---|---:|\n"
        yield Section(f"### Installations\n\n{head}", tuple(lines), "\n")
    for each in tried:
        if each.output:
            title = f"{given.code(each.filename)}, {given.text(each.interpreter)}"
            output = preformatted(given.redact(each.output))
            yield Section(f"<details><summary>{title}</summary>\n\n{output}\n\n</details>\n\n")


def _trial(given: SummaryInput, tried: Tried) -> str:
    said = trials.result(tried)
    result = said if tried.passed else f"**{said}**"
    cells = (given.code(tried.filename), given.text(tried.interpreter), given.text(tried.installer), result)
    return f"| {' | '.join(cells)} | {wording.duration(tried.seconds)} |\n"


def _notes(given: SummaryInput) -> Iterator[Section]:
    lines = []
    for note in given.of(Noted):
        about = f"{given.code(note.filename)}: " if note.filename else ""
        hints = "".join(f"  - {given.hint(hint)}\n" for hint in note.hints)
        lines.append(f"- {'⚠️ ' if note.warning else ''}{about}{given.text(note.message)}\n{hints}")
    if lines:
        yield Section("### Notes\n\n", tuple(lines), "\n")


def _findings(given: SummaryInput) -> Iterator[Section]:
    lines = []
    for finding in given.of(Finding):
        hints = "".join(f"  - {given.hint(hint)}\n" for hint in finding.hints)
        first, *rest = finding.message.split("\n")
        table = f"\n{preformatted(given.redact(chr(10).join(rest)))}\n\n" if rest else ""
        lines.append(f"- **{finding.status}** {given.text(finding.name)}: {given.text(first)}\n{hints}{table}")
    if lines:
        yield Section("### Findings\n\n", tuple(lines), "\n")


def _problems(given: SummaryInput) -> Iterator[Section]:
    lines = []
    for problem in (problem for checked in given.of(Checked) for problem in checked.problems):
        where = given.code(problem.filename) if problem.filename else "all files"
        said = given.text(f"{problem.message} {problem.advice}")
        lines.append(f"| {where} | {problem.severity} | {_rule(given, problem.rule, problem.docs)} | {said} |\n")
    if lines:
        yield Section("### Checks\n\n| File | Severity | Rule | Problem |\n|---|---|---|---|\n", tuple(lines), "\n")


def _rule(given: SummaryInput, rule: str, docs: str) -> str:
    return link(given.text(rule), docs)


def _plan(given: SummaryInput) -> Iterator[Section]:
    lines = []
    for plan in (planned.plan for planned in given.of(Planned)):
        for file in plan.files:
            status, why = wording.decision(file)
            name = given.code(file.distribution.filename)
            said = "upload" if status is FileStatus.PLANNED else wording.STATUS[status]
            lines.append(f"| {given.text(plan.index)} | {name} | {said} | {given.text(why)} |\n")
    if lines:
        head = "| Index | File | Decision | Why |\n|---|---|---|---|\n"
        yield Section(f"<details><summary>Plan</summary>\n\n{head}", tuple(lines), "\n</details>\n\n")


def _order(given: SummaryInput) -> Iterator[Section]:
    """Yield the waves of each index where there are several projects."""
    for planned in given.of(Planned):
        if waves := tuple(f"1. {given.text(projects)}\n" for projects in train.waves(planned)):
            index = f" at {given.text(planned.plan.index)}" if len(given.receipt.indexes) > 1 else ""
            yield Section(f"### Order of the projects{index}\n\n", waves, "\n")


def _settings(given: SummaryInput) -> Iterator[Section]:
    lines = [
        f"| {given.code(name)} | {given.code(value)} | {given.text(source)} |\n"
        for name, value, source in given.settings
        if source != DEFAULT_SOURCE
    ]
    if lines:
        head = "| Setting | Value | Source |\n|---|---|---|\n"
        yield Section(
            f"<details><summary>Settings that are not defaults</summary>\n\n{head}", tuple(lines), "\n</details>\n\n"
        )
