"""The differences from the previous release, in wording that all reports share (pure)."""

from collections.abc import Iterator, Sequence

from ci_publish.model.byte_counts import format_size
from ci_publish.model.events import Checked, Compared, Event, Outcome
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.receipt import Receipt
from ci_publish.model.receipt_facts import events_of_kind
from ci_publish.model.release import Release, ReleaseDiff
from ci_publish.reports import wording

SHOWN = 12
"""Findings of one release on the console: with both versions and what to do, they fit on one screen."""


def release_diffs(events: Sequence[Event]) -> Iterator[ReleaseDiff]:
    """Return the comparisons of a run, in order."""
    return (event.diff for event in events_of_kind(events, Compared))


def changes_or_run_headline(receipt: Receipt, events: Sequence[Event]) -> str:
    """Return how a run ended, in one sentence without a full stop; of ``diff``, what it compared and found."""
    diffs = tuple(release_diffs(events))
    if receipt.outcome is not Outcome.COMPARED:
        return wording.describe_run_outcome(receipt)
    done = [diff for diff in diffs if diff.against is not None]
    checked = [problem for event in events_of_kind(events, Checked) for problem in event.problems]
    found = [*checked, *(finding for diff in diffs for finding in diff.findings)]
    results = ["nothing changed"] if done and not any(diff.has_changes for diff in done) else []
    results += [wording.count_problems_by_severity(found)] if found else []
    parts = (_describe_compared_releases(diffs), ", ".join(results))
    return f"{'Compared' if done else 'Not compared'}: {': '.join(filter(None, parts))}"


def _describe_compared_releases(diffs: Sequence[ReleaseDiff]) -> str:
    """Return what was compared with what, and how often there was nothing to compare with."""
    if len(diffs) == 1:
        (diff,) = diffs
        against = f", {diff.why_not}" if diff.against is None else f" against {diff.against.version}"
        return f"{diff.ours.project} {diff.ours.version}{against}"
    number = wording.pluralise(len({(diff.ours.project, diff.ours.version) for diff in diffs}), "release")
    indexes = len({diff.index for diff in diffs})
    where = f" on {indexes} indexes" if indexes > 1 else ""
    without = sum(diff.against is None for diff in diffs)
    missing = f", nothing to compare with in {without} of {len(diffs)} cases" if without else ""
    return f"{number}{where}{missing}"


def release_changes_heading(diff: ReleaseDiff) -> str:
    """Return both versions, and how many files of which size each has."""
    ours = f"{diff.ours.project} {diff.ours.version}"
    files = _describe_file_count_and_size(diff.ours)
    size = f"; the project has {format_size(diff.project_size)}" if diff.project_size else ""
    if diff.against is None:
        return f"{ours} on {diff.index}: nothing to compare with, {diff.why_not} ({files}{size})"
    against = f"{ours} against {diff.against.version} on {diff.index}"
    if not diff.has_changes:
        return f"{against}: nothing changed ({files}{size})"
    return f"{against}: {files}, before {_describe_file_count_and_size(diff.against)}{size}"


def _describe_file_count_and_size(release: Release) -> str:
    size = "" if release.size is None else f", {format_size(release.size)}"
    return f"{wording.pluralise(len(release.files), 'file')}{size}"


def release_changes_rows(diff: ReleaseDiff) -> Iterator[tuple[Severity | None, str]]:
    """Yield lines for the console: the heading, which has no severity, then what changed, as much as fits."""
    yield None, release_changes_heading(diff)
    for finding in diff.findings[:SHOWN]:
        yield finding.severity, f"{finding.severity}: {finding.message} [{finding.rule}]"
        if release_change_advice(finding):
            yield finding.severity, f"  - {release_change_advice(finding)}"
    if len(diff.findings) > SHOWN:
        yield (
            Severity.NOTE,
            f"and {wording.pluralise(len(diff.findings) - SHOWN, 'more difference')}: see the receipt",
        )


def release_change_advice(finding: Problem) -> str:
    """Return what to do about a finding, nothing for a note."""
    return "" if finding.severity is Severity.NOTE else finding.advice
