from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish.model.events import Checked, Compared, Event, Outcome, RunFinished, RunStarted
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.receipt_building import build_receipt
from ci_publish.model.release import Release, ReleaseDiff
from ci_publish.reports.release_changes import (
    SHOWN,
    changes_or_run_headline,
    release_changes_heading,
    release_changes_rows,
    release_diffs,
)
from tests.unit.distributions.checks.comparison.compared_releases import release
from tests.unit.reports.github_job import Job
from tests.unit.reports.recorded_runs import BEGIN, a_good_run

NOTE = Problem(filename=None, rule="wheel-gained", severity=Severity.NOTE, message="Gained: x.", advice="Nothing.")
LOST = Problem(filename=None, rule="wheel-lost", severity=Severity.WARNING, message="Lost: y.", advice="Build it.")
BEFORE = release("1.0", "py3-none-any", sizes=1_000_000)


def diff(*findings: Problem, against: Release | None = BEFORE, **more: object) -> ReleaseDiff:
    made = ReleaseDiff(
        index="pypi",
        ours=release("1.1", "py3-none-any", sizes=2_000_000),
        against=against,
        why_not="this is the first release",
        findings=findings,
    )
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (diff(), "demo 1.1 against 1.0 on pypi: nothing changed (2 files, 4.0 MB)"),
        (
            diff(LOST, project_size=9_000_000),
            "demo 1.1 against 1.0 on pypi: 2 files, 4.0 MB, before 2 files, 2.0 MB; the project has 9.0 MB",
        ),
        (
            diff(against=None),
            "demo 1.1 on pypi: nothing to compare with, this is the first release (2 files, 4.0 MB)",
        ),
        (
            diff(LOST, against=release("1.0", "py3-none-any", sizes=None)),
            "demo 1.1 against 1.0 on pypi: 2 files, 4.0 MB, before 2 files",
        ),
        (
            diff(replace(NOTE, rule="size-limit-raised")),
            "demo 1.1 against 1.0 on pypi: nothing changed (2 files, 4.0 MB)",
        ),
    ],
)
def test_both_versions_come_first(made: ReleaseDiff, told: str) -> None:
    assert release_changes_heading(made) == told


def test_what_changed_follows_and_what_to_do_about_more_than_a_note() -> None:
    assert list(release_changes_rows(diff(LOST, NOTE)))[1:] == [
        (Severity.WARNING, "warning: Lost: y. [wheel-lost]"),
        (Severity.WARNING, "  - Build it."),
        (Severity.NOTE, "note: Gained: x. [wheel-gained]"),
    ]


def test_it_fits_on_one_screen() -> None:
    made = list(release_changes_rows(diff(*[LOST] * (SHOWN + 30))))
    assert len(made) <= 2 * SHOWN + 2
    assert made[-1] == (Severity.NOTE, "and 30 more differences: see the receipt")


def test_the_comparisons_of_a_run() -> None:
    made = diff(LOST)
    assert list(release_diffs([Compared(made)])) == [made]


def test_the_summary_has_a_table_before_the_files_and_annotations_only_what_is_more_than_a_note(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.run([*a_good_run()[:-1], Compared(diff(LOST, NOTE)), a_good_run()[-1]])
    table = job.summary.index("| Severity | Rule | Difference |")
    heading_at, files_at = job.summary.index("**demo 1.1 against 1.0 on pypi"), job.summary.index("| File |")
    assert heading_at < table < files_at
    assert "| warning | [wheel-lost](" in job.summary
    assert any("wheel-lost" in each for each in map(str, job.annotations("warning")))
    assert not any("wheel-gained" in each for each in map(str, job.annotations("notice")))


def test_the_summary_of_a_release_in_which_nothing_changed_is_one_line(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.run([*a_good_run()[:-1], Compared(diff()), a_good_run()[-1]])
    assert "nothing changed" in job.summary
    assert "| Severity | Rule | Difference |" not in job.summary


def test_the_receipt_has_each_finding_of_each_comparison() -> None:
    receipt = build_receipt([Compared(diff(LOST, NOTE)), Compared(diff(LOST, against=None))])
    assert [(each.against, each.rule, each.severity) for each in receipt.changes] == [
        ("1.0", "wheel-lost", "warning"),
        ("1.0", "wheel-gained", "note"),
        (None, "wheel-lost", "warning"),
    ]


OTHER = release("2.0", "py3-none-any", sizes=1)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([diff(LOST, NOTE, NOTE)], "Compared: demo 1.1 against 1.0: 1 warning, 2 notes"),
        ([diff()], "Compared: demo 1.1 against 1.0: nothing changed"),
        (
            [diff(replace(NOTE, rule="size-limit-raised"))],
            "Compared: demo 1.1 against 1.0: nothing changed, 1 note",
        ),
        ([diff(against=None)], "Not compared: demo 1.1, this is the first release"),
        ([diff(LOST, against=None)], "Not compared: demo 1.1, this is the first release: 1 warning"),
        ([diff(LOST), diff(NOTE, ours=OTHER)], "Compared: 2 releases: 1 warning, 1 note"),
        (
            [diff(), diff(ours=OTHER, against=None)],
            "Compared: 2 releases, nothing to compare with in 1 of 2 cases: nothing changed",
        ),
        (
            [diff(against=None), diff(ours=OTHER, against=None)],
            "Not compared: 2 releases, nothing to compare with in 2 of 2 cases",
        ),
        ([diff(LOST), diff(index="testpypi")], "Compared: 1 release on 2 indexes: 1 warning"),
    ],
)
def test_the_last_line_of_diff_says_what_was_compared_and_found(made: list[ReleaseDiff], said: str) -> None:
    events: list[Event] = [
        RunStarted("diff", BEGIN),
        *map(Compared, made),
        RunFinished(outcome=Outcome.COMPARED, exit_code=0, time=BEGIN),
    ]
    assert changes_or_run_headline(build_receipt(events), events) == said


def test_the_last_line_of_diff_counts_what_the_checks_found() -> None:
    tag = Problem(filename=None, rule="version-tag-warning", severity=Severity.WARNING, message="Tag.")
    events: list[Event] = [
        Checked((tag,)),
        Compared(diff(LOST)),
        RunFinished(outcome=Outcome.COMPARED, exit_code=0, time=BEGIN),
    ]
    assert changes_or_run_headline(build_receipt(events), events) == "Compared: demo 1.1 against 1.0: 2 warnings"


def test_a_run_that_publishes_ends_with_what_it_published() -> None:
    events = [*a_good_run()[:-1], Compared(diff(LOST)), a_good_run()[-1]]
    assert changes_or_run_headline(build_receipt(events), events).startswith("Published: ")
