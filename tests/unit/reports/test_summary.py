"""The summary of a run as Markdown."""

from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish.errors import ContentConflict, InvalidDistribution, InvalidPublisher, UploadRejected
from ci_publish.model.events import (
    Checked,
    FileFinished,
    FileStatus,
    Noted,
    Outcome,
    RunFinished,
    RunStarted,
    Signed,
)
from ci_publish.model.finding import Finding, FindingStatus
from ci_publish.model.index import Upload
from ci_publish.model.problem import Problem, Severity
from ci_publish.reports.summary import (
    SUMMARY_LIMIT,
    SummaryInput,
    markdown_summary,
    summary_link,
)
from tests.unit.reports.github_job import Job
from tests.unit.reports.recorded_runs import (
    BEGIN,
    PYPI,
    SDIST,
    WHEEL,
    a_conflict,
    a_failed_check,
    a_good_run,
    attestation,
    beginning,
    distribution,
    planned,
    uploaded,
)

FILES = "https://files.pythonhosted.org/packages/"


LIMIT_OF_THE_RUNNER = 1_048_576


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_the_summary_of_a_good_run(job: Job) -> None:
    job.run(a_good_run(), settings=[("jobs", "8", "environment"), ("strict", "false", "default")])
    assert job.summary.splitlines()[:8] == [
        "## ✅ Published&#58; 1 uploaded, 1 already published · demo 1&#46;0",
        "",
        "- [https&#58;//pypi.org/project/demo/1.0/](https://pypi.org/project/demo/1.0/)",
        "",
        "| File | Result | Size | Attestation | SHA-256 |",
        "|---|---|---:|---|---|",
        (
            f"| [<code>{SDIST.filename}</code>]({FILES}{SDIST.filename}) "
            f"| already published | 12.3 kB |  | <code>{SDIST.sha256[:12]}…</code> |"
        ),
        (
            f"| [<code>{WHEEL.filename}</code>]({FILES}{WHEEL.filename}) "
            "| uploaded | 1.5 MB "
            "| [log entry 123456](https://search.sigstore.dev/?logIndex=123456), "
            "[log entry 123456](https://search.sigstore.dev/?logIndex=123456), verified on the index "
            f"| <code>{WHEEL.sha256[:12]}…</code> |"
        ),
    ]
    assert "<details><summary>Plan</summary>\n\n| Index |" in job.summary
    head = "<details><summary>Full SHA-256 digests</summary>\n\n| SHA-256 | File |\n|---|---|\n"
    assert f"{head}| <code>{SDIST.sha256}</code>" in job.summary
    assert "| <code>jobs</code> | <code>8</code> | environment |\n\n</details>" in job.summary
    assert "<code>strict</code>" not in job.summary
    assert job.annotations("error") == []


def test_the_summary_of_a_failure_shows_cause_claims_next_steps_and_docs(job: Job) -> None:
    job.run(a_conflict())
    assert job.summary.startswith("## ❌ Failed&#58; 1 conflict, 1 not attempted · demo 1&#46;0\n\n**The index has")
    assert f"<pre>ours    {SDIST.sha256}\ntheirs  {'0' * 64}</pre>" in job.summary
    assert "What to do:\n\n- Raise the version and build again.\n" in job.summary
    docs = "https://ci-publish.github.io/ci-publish/errors/content-conflict/"
    assert f"exit code 8 · content-conflict · [docs]({docs})" in job.summary
    assert "**conflict**" in job.summary


def test_a_form_that_is_filled_in_already_can_be_followed(job: Job) -> None:
    form = "https://pypi.org/manage/project/demo/settings/publishing/?provider=github&owner=o&repository=r"
    hints = (f"If the project exists, add the publisher at {form}", "See https://evil.example/?x=1")
    job.run(
        [
            *beginning(SDIST),
            RunFinished(outcome=Outcome.FAILED, exit_code=6, time=BEGIN, error=InvalidPublisher("x", hints=hints)),
        ]
    )
    assert f"]({form})\n" in job.summary
    assert "- See https&#58;//evil.example/?x&#61;1\n" in job.summary


def test_configuration_in_a_hint_keeps_its_lines(job: Job) -> None:
    error = ContentConflict("x", hints=("permissions:\n  id-token: write",))
    job.run([*beginning(SDIST), RunFinished(outcome=Outcome.FAILED, exit_code=8, time=BEGIN, error=error)])
    assert "- permissions&#58;\n\n<pre>  id-token&#58; write</pre>" in job.summary


def test_a_private_log_has_no_links(job: Job) -> None:
    job.run(a_good_run(), log_search=None)
    assert "| log entry 123456, log entry 123456, verified on the index |" in job.summary
    assert "search.sigstore.dev" not in job.summary


@pytest.mark.parametrize(("outcome", "exit_code"), [(Outcome.REHEARSED, 0), (Outcome.DEFERRED, 12)])
def test_a_rehearsal_has_no_links_to_an_index_that_is_gone(job: Job, outcome: Outcome, exit_code: int) -> None:
    started = RunStarted("rehearse", BEGIN)
    job.run([started, *a_good_run()[1:-1], RunFinished(outcome=outcome, exit_code=exit_code, time=BEGIN)])
    assert str(outcome).capitalize() in job.summary.splitlines()[0]
    assert "pypi.org" not in job.summary.replace("search.sigstore.dev", "")
    assert "files.pythonhosted.org" not in job.summary
    assert job.outputs["release-url"] == ""


def test_an_attestation_without_a_log_entry_and_provenance_that_fails(job: Job) -> None:
    unlogged = replace(attestation(SDIST), log_index=None)
    job.run([*beginning(SDIST), Signed(unlogged), *uploaded(SDIST)])
    assert "| made | <code>" in job.summary


def test_several_indexes_have_a_column(job: Job) -> None:
    other = replace(PYPI, name="private", web=None)
    job.run([*beginning(SDIST), *beginning(SDIST, endpoints=other), *uploaded(SDIST, "private")])
    assert "| File | Index | Result |" in job.summary
    assert "| private | uploaded, not confirmed |" in job.summary


def test_what_a_check_found_is_told_in_summary_and_annotations(job: Job) -> None:
    job.run(a_failed_check())
    assert "| <code>demo-1.0-py3-none-any.whl</code> | error | [wheel-tags](https://" in job.summary
    assert "| all files | note |" in job.summary
    error = job.annotations("error")[1]
    assert dict(error.properties) == {"file": "dist/demo-1.0-py3-none-any.whl", "title": "wheel-tags"}
    assert error.data.splitlines()[:2] == ["The tags differ.", "Build it again."]
    assert [dict(each.properties)["title"] for each in job.annotations("warning")] == ["wheel-size"]
    assert [dict(each.properties) for each in job.annotations("notice")] == [{"title": "set-versions"}]


def test_a_check_that_passes_says_checked(job: Job) -> None:
    job.run([*beginning(SDIST, command="check")[:-1], RunFinished(outcome=Outcome.CHECKED, exit_code=0, time=BEGIN)])
    assert "| <code>demo-1.0.tar.gz</code> | checked |" in job.summary


def test_notes_and_findings_are_told(job: Job) -> None:
    job.run(
        [
            Noted(slug="skipped-by-name", message="It was skipped.", hints=("Build again.",), filename=SDIST.filename),
            Noted(slug="other", message="By the way.", warning=False),
            Finding(name="claims", status=FindingStatus.FAIL, message="They differ.\nsub  a", hints=("Change it.",)),
            RunFinished(outcome=Outcome.FAILED, exit_code=6, time=BEGIN),
        ]
    )
    assert "- ⚠️ <code>demo-1.0.tar.gz</code>: It was skipped.\n  - Build again.\n- By the way." in job.summary
    assert "- **fail** claims: They differ.\n  - Change it.\n\n<pre>sub  a</pre>" in job.summary
    assert [each.data for each in job.annotations("warning")] == ["It was skipped.\nBuild again."]


def test_a_summary_is_cut_before_the_runner_drops_it(job: Job) -> None:
    many = [distribution(f"demo-{number}-{'x' * 200}.tar.gz") for number in range(3_000)]
    Path(job.environ["GITHUB_STEP_SUMMARY"]).write_text("x" * 600_000, encoding="utf-8")
    job.run([*beginning(*many), *planned(*(Upload(file) for file in many))])
    assert LIMIT_OF_THE_RUNNER - 100_000 < len(job.summary.encode()) <= SUMMARY_LIMIT
    assert job.summary.endswith("can have at most 1 MiB. The log and the receipt are complete.*\n")


def test_a_cut_is_between_lines_and_closes_what_is_open() -> None:
    told = SummaryInput(events=a_good_run(), settings=[("jobs", "8", "flag")])
    for limit in range(0, 2_600, 7):
        text = markdown_summary(told, limit)
        assert len(text.encode()) <= limit
        assert text.count("<details>") == text.count("</details>")
        assert all(line.endswith("|") for line in text.splitlines() if line.startswith("|"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a/b?c=d#e", "[x](https://a/b?c=d#e)"),
        ("https://a/b) [evil](javascript:x", "[x](https://a/b%29%20%5Bevil%5D%28javascript:x)"),
        ('http://a/"><script>', "[x](http://a/%22%3E%3Cscript%3E)"),
        ("javascript:alert(1)", "x"),
        ("data:text/html,x", "x"),
        (None, "x"),
    ],
)
def test_links_lead_to_web_addresses_only(url: str | None, expected: str) -> None:
    assert summary_link("x", url) == expected


def test_what_failed_comes_first_and_every_project_is_counted(job: Job) -> None:
    files = [replace(distribution(f"p{number}-1.0.tar.gz"), project=f"p{number}") for number in range(7)]
    refused = FileFinished(
        index="pypi", distribution=files[6], status=FileStatus.REFUSED, attempts=1, error=UploadRejected("no")
    )
    job.run([*beginning(*files), *planned(*(Upload(file) for file in files)), refused])
    rows = [line for line in job.summary.splitlines() if line.startswith("| <code>p")]
    assert rows[0].startswith("| <code>p6-1.0.tar.gz</code> | **refused** |")
    assert "p4 1&#46;0 and 2 more" in job.summary.splitlines()[0]


def test_commands_in_hints_are_monospaced(job: Job) -> None:
    error = ContentConflict("x", hints=("Run `ci-publish check <b>` first.",))
    job.run([*beginning(SDIST), RunFinished(outcome=Outcome.FAILED, exit_code=8, time=BEGIN, error=error)])
    assert "- Run <code>ci-publish check &#60;b&#62;</code> first." in job.summary


def test_what_is_wrong_in_many_files_is_one_row_and_a_check_attempts_nothing(job: Job) -> None:
    files = [distribution(f"demo-{number}-py3-none-any.whl") for number in range(12)]
    problems = tuple(
        Problem(filename=each.filename, rule="platform-tag", severity=Severity.ERROR, message="It is refused.")
        for each in files[1:]
    )
    started = RunStarted("check", 0.0)
    failed = RunFinished(outcome=Outcome.FAILED, exit_code=4, time=1.0, error=InvalidDistribution("no"))
    job.run([started, *beginning(*files)[1:], Checked(problems), failed])
    rows = [line for line in job.summary.splitlines() if line.startswith("| <code>demo-")]
    assert "| File | Result | Size | SHA-256 |" in job.summary
    assert [row.split(" | ")[1] for row in rows[:12]] == ["**has errors**"] * 11 + ["checked"]
    (found,) = [row for row in rows if "platform-tag" in row]
    assert found.count("<br>") == 10
    assert "<br>and 1 more | error | [platform-tag]" in found
