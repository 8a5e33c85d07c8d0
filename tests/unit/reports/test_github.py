import io
import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish.errors import ContentConflict, InvalidDistribution, InvalidPublisher, UploadRejected
from ci_publish.model.events import (
    Checked,
    Event,
    FileFinished,
    FileStatus,
    Finding,
    FindingStatus,
    Noted,
    Outcome,
    RunFinished,
    Signed,
    Step,
    StepStarted,
)
from ci_publish.model.index import Upload
from ci_publish.model.problem import Problem, Severity
from ci_publish.reports.annotations import ANNOTATIONS_OF_A_KIND
from ci_publish.reports.dispatcher import Dispatcher
from ci_publish.reports.github import Artifacts, GitHubReport, in_repository
from ci_publish.reports.outputs import outputs
from ci_publish.reports.summary import SUMMARY_LIMIT, Section, SummaryInput, fit, link, summary
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
from tests.unit.reports.runner import Command, commands, file_commands

FILES = "https://files.pythonhosted.org/packages/"
LIMIT_OF_THE_RUNNER = 1_048_576


class Job:
    """A runner's step: its log, its files and the warnings that a report emitted."""

    def __init__(self, folder: Path) -> None:
        self.log = io.StringIO()
        self.environ = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
        self.warnings: list[Event] = []

    def run(self, events: list[Event], **options: object) -> None:
        ticks = itertools.count(0.0, 0.5)
        fanout = Dispatcher()
        report = GitHubReport(
            self.log,
            self.environ,
            fanout,
            clock=lambda: next(ticks),
            **options,  # type: ignore[arg-type]
        )
        fanout.add(report)
        for event in events:
            fanout(event)
        fanout.close()
        assert fanout.failures == ()

    @property
    def commands(self) -> list[Command]:
        return list(dict.fromkeys(commands(self.log.getvalue())))

    def annotations(self, kind: str) -> list[Command]:
        return [command for command in self.commands if command.name == kind]

    @property
    def outputs(self) -> dict[str, str]:
        return file_commands(Path(self.environ["GITHUB_OUTPUT"]).read_text(encoding="utf-8"))

    @property
    def summary(self) -> str:
        return Path(self.environ["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_each_step_is_a_group_and_none_is_left_open(job: Job) -> None:
    job.run([*a_good_run()[:-1], StepStarted(Step.CONFIRM), StepStarted(Step.CONFIRM, "x")])
    lines = [line for line in job.log.getvalue().splitlines() if "group" in line]
    assert lines[::2][:3] == ["::group::collect", "::group::check", "::group::plan at pypi"]
    assert set(lines[1::2]) == {"::endgroup::"}
    assert lines[::2] == [line for line in lines if line.startswith("::group::")]
    assert lines[-1] == "::endgroup::"


def test_the_summary_of_a_good_run(job: Job) -> None:
    job.run(a_good_run(), settings=[("jobs", "8", "default")])
    assert job.summary.splitlines()[:8] == [
        "## ✅ Published&#58; 1 uploaded, 1 already published · demo 1&#46;0",
        "",
        "- [https&#58;//pypi.org/project/demo/1.0/](https://pypi.org/project/demo/1.0/)",
        "",
        "| File | Result | Size | SHA-256 | Attestation | Time |",
        "|---|---|---:|---|---|---:|",
        (
            f"| [<code>{SDIST.filename}</code>]({FILES}{SDIST.filename}) "
            f"| already published | 12.3 kB | <code>{SDIST.sha256}</code> |  |  |"
        ),
        (
            f"| [<code>{WHEEL.filename}</code>]({FILES}{WHEEL.filename}) "
            f"| uploaded | 1.5 MB | <code>{WHEEL.sha256}</code> "
            "| [123456](https://search.sigstore.dev/?logIndex=123456), [123456](https://search.sigstore.dev/?logIndex=123456)"
            ", verified on the index | 0.5 s |"
        ),
    ]
    assert "<details><summary>Plan</summary>\n\n| Index |" in job.summary
    assert "| <code>jobs</code> | <code>8</code> | default |\n\n</details>" in job.summary
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
    hints = (f"Project exists: add the publisher at {form}", "See https://evil.example/?x=1")
    job.run([*beginning(SDIST), RunFinished(Outcome.FAILED, 6, BEGIN, InvalidPublisher("x", hints=hints))])
    assert f"]({form})\n" in job.summary
    assert "- See https&#58;//evil.example/?x&#61;1\n" in job.summary


def test_configuration_in_a_hint_keeps_its_lines(job: Job) -> None:
    error = ContentConflict("x", hints=("permissions:\n  id-token: write",))
    job.run([*beginning(SDIST), RunFinished(Outcome.FAILED, 8, BEGIN, error)])
    assert "- permissions&#58;\n\n<pre>  id-token&#58; write</pre>" in job.summary


def test_several_runs_of_a_step_stand_one_after_the_other(job: Job) -> None:
    job.run(a_conflict())
    job.run(a_good_run())
    assert [line[:4] for line in job.summary.splitlines() if line.startswith("## ")] == ["## ❌", "## ✅"]
    assert job.outputs["outcome"] == "published"


def test_a_private_log_has_no_links(job: Job) -> None:
    job.run(a_good_run(), log_search=None)
    assert "| 123456, 123456, verified on the index |" in job.summary
    assert "search.sigstore.dev" not in job.summary


def test_a_rehearsal_has_no_links_to_an_index_that_is_gone(job: Job) -> None:
    job.run([*a_good_run()[:-1], RunFinished(Outcome.REHEARSED, 0, BEGIN)])
    assert "## ✅ Rehearsed" in job.summary
    assert "pypi.org" not in job.summary.replace("search.sigstore.dev", "")
    assert "files.pythonhosted.org" not in job.summary
    assert job.outputs["release-url"] == ""


def test_an_attestation_without_a_log_entry_and_provenance_that_fails(job: Job) -> None:
    unlogged = replace(attestation(SDIST), log_index=None)
    job.run([*beginning(SDIST), Signed(unlogged), *uploaded(SDIST)])
    assert "| made | 0.5 s |" in job.summary


def test_several_indexes_have_a_column(job: Job) -> None:
    other = replace(PYPI, name="private", web=None)
    job.run([*beginning(SDIST), *beginning(SDIST, endpoints=other), *uploaded(SDIST, "private")])
    assert "| File | Index | Result |" in job.summary
    assert "| private | uploaded, not confirmed |" in job.summary


def test_what_a_check_found_is_told_in_summary_and_annotations(job: Job) -> None:
    job.run(a_failed_check())
    assert "| <code>demo-1.0-py3-none-any.whl</code> | error | [wheel-tags](https://" in job.summary
    assert "| all files together | note |" in job.summary
    error = job.annotations("error")[1]
    assert dict(error.properties) == {"file": "dist/demo-1.0-py3-none-any.whl", "title": "wheel-tags"}
    assert error.data.splitlines()[:2] == ["The tags differ.", "Build it again."]
    assert [dict(each.properties)["title"] for each in job.annotations("warning")] == ["wheel-size"]
    assert [dict(each.properties) for each in job.annotations("notice")] == [{"title": "set-versions"}]


def test_a_check_that_passes_says_checked(job: Job) -> None:
    job.run([*beginning(SDIST, command="check")[:-1], RunFinished(Outcome.CHECKED, 0, BEGIN)])
    assert "| <code>demo-1.0.tar.gz</code> | checked |" in job.summary


def test_notes_and_findings_are_told(job: Job) -> None:
    job.run(
        [
            Noted("skipped-by-name", "It was skipped.", hints=("Build again.",), filename=SDIST.filename),
            Noted("other", "By the way.", warning=False),
            Finding("claims", FindingStatus.FAIL, "They differ.\nsub  a", ("Change it.",)),
            RunFinished(Outcome.FAILED, 6, BEGIN),
        ]
    )
    assert "- ⚠️ <code>demo-1.0.tar.gz</code>: It was skipped.\n  - Build again.\n- By the way." in job.summary
    assert "- **fail** claims: They differ.\n  - Change it.\n\n<pre>sub  a</pre>" in job.summary
    assert [each.data for each in job.annotations("warning")] == ["It was skipped.\nBuild again."]


def test_ten_annotations_of_a_kind_and_the_rest_folded(job: Job) -> None:
    found = tuple(Problem(f"f{number}.whl", "rule", Severity.WARNING, f"m{number}\nmore") for number in range(25))
    error = InvalidDistribution("x")
    job.run([Checked(found), RunFinished(Outcome.FAILED, 4, BEGIN, error)])
    warnings = job.annotations("warning")
    assert len(warnings) == ANNOTATIONS_OF_A_KIND
    assert dict(warnings[-1].properties) == {"title": "16 more warnings"}
    assert warnings[-1].data.splitlines()[0] == "f9.whl: rule: m9"
    assert warnings[-1].data.splitlines()[-1] == "f24.whl: rule: m24"
    assert [dict(each.properties)["title"] for each in job.annotations("error")] == ["x"]


def test_failures_of_files_are_annotated_at_the_file(job: Job) -> None:
    refused = UploadRejected("No.", hints=("Ask.",))
    end = UploadRejected("1 file was refused.")
    failed = FileFinished("pypi", SDIST, FileStatus.REFUSED, 1, error=refused)
    job.run([*beginning(SDIST), failed, RunFinished(Outcome.FAILED, 9, BEGIN, end)])
    errors = job.annotations("error")
    assert [dict(each.properties).get("file") for each in errors] == [None, "dist/demo-1.0.tar.gz"]
    assert errors[1].data.splitlines()[:2] == ["No.", "Ask."]
    assert "### <code>demo-1.0.tar.gz</code>\n\n**No.**" in job.summary


def test_the_outputs_of_a_good_run(job: Job, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.touch()
    job.run(a_good_run(), artifacts=Artifacts(receipt, Path("attestations")))
    files = json.loads(job.outputs.pop("files"))
    assert [file["status"] for file in files] == ["already-published", "uploaded"]
    assert {name: value for name, value in job.outputs.items() if name != "files"} == {
        "outcome": "published",
        "exit-code": "0",
        "uploaded": "1",
        "already-published": "1",
        "receipt": str(receipt),
        "attestations-dir": "attestations",
        "release-url": "https://pypi.org/project/demo/1.0/",
    }


def test_a_receipt_that_is_not_there_is_not_handed_on(tmp_path: Path) -> None:
    assert outputs([], Artifacts(tmp_path / "nothing"))["receipt"] == ""


def test_a_value_cannot_end_its_own_delimiter(job: Job) -> None:
    extra = {"release-url": "x\nEND\nexit-code=0"}
    end = RunFinished(Outcome.FAILED, 9, BEGIN, extra=extra)
    job.run([end], delimiter=lambda: "END")
    assert job.outputs["release-url"] == "x END exit-code=0"
    assert job.outputs["exit-code"] == "9"


def test_the_files_output_shrinks_before_a_job_drops_it() -> None:
    def files_of(number: int) -> list[dict[str, object]]:
        every = [distribution(f"demo-{each}.tar.gz") for each in range(number)]
        return list(json.loads(outputs(beginning(*every), Artifacts())["files"]))

    assert len(files_of(100)[0]) == 18
    assert list(files_of(600)[0]) == ["filename", "status", "sha256"]
    assert files_of(2_000) == []


def test_a_summary_is_cut_before_the_runner_drops_it(job: Job) -> None:
    many = [distribution(f"demo-{number}-{'x' * 200}.tar.gz") for number in range(3_000)]
    Path(job.environ["GITHUB_STEP_SUMMARY"]).write_text("x" * 600_000, encoding="utf-8")
    job.run([*beginning(*many), *planned(*(Upload(file) for file in many))])
    assert LIMIT_OF_THE_RUNNER - 100_000 < len(job.summary.encode()) <= SUMMARY_LIMIT
    assert job.summary.endswith("may not be larger than 1 MiB. The log and the receipt have everything.*\n")


def test_a_cut_is_between_lines_and_closes_what_is_open() -> None:
    told = SummaryInput(a_good_run(), lambda _index, _file: 1.0, [("jobs", "8", "default")])
    for limit in range(0, 2_600, 7):
        text = summary(told, limit)
        assert len(text.encode()) <= limit
        assert text.count("<details>") == text.count("</details>")
        assert all(line.endswith("|") for line in text.splitlines() if line.startswith("|"))


def test_a_section_without_room_is_left_out_as_a_whole() -> None:
    assert "head" not in fit([Section("head" * 99, ("line\n",), "foot\n")], 300)


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
    assert link("x", url) == expected


def test_files_that_cannot_be_written_are_warnings(job: Job, tmp_path: Path) -> None:
    job.environ = {"GITHUB_OUTPUT": str(tmp_path), "GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "folder")}
    job.run(a_good_run())
    titles = [dict(each.properties)["title"] for each in job.annotations("warning")]
    assert titles == ["runner-file-not-written"] * 2
    assert "Is a directory" in job.annotations("warning")[1].data


def test_a_runner_without_files_is_no_trouble(job: Job) -> None:
    job.environ = {}
    job.run(a_good_run())
    assert job.annotations("warning") == []


@pytest.mark.parametrize(
    ("path", "folder", "shown"),
    [
        ("dist/a.whl", "", "dist/a.whl"),
        ("dist/a.whl", "packages/one", "packages/one/dist/a.whl"),
        ("../dist/a.whl", "packages/one", "packages/dist/a.whl"),
        ("../../../a.whl", "packages/one", "../../../a.whl"),
        ("/elsewhere/a.whl", "", "/elsewhere/a.whl"),
    ],
)
def test_an_annotation_names_the_path_inside_the_repository(tmp_path: Path, path: str, folder: str, shown: str) -> None:
    workspace = tmp_path / "real"
    workspace.mkdir()
    (tmp_path / "link").symlink_to(workspace)

    for root in (workspace, tmp_path / "link"):
        assert in_repository(path, workspace / folder, root) == shown
        assert in_repository(str(workspace / "a.whl"), workspace / folder, root) == "a.whl"


def test_annotations_of_a_job_in_a_subfolder_name_the_path_from_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "packages").mkdir()
    monkeypatch.chdir(tmp_path / "packages")
    stream = io.StringIO()
    report = GitHubReport(stream, {"GITHUB_WORKSPACE": str(tmp_path)}, emit=lambda _: None)

    report(Checked((Problem("a.whl", "zip-malformed", Severity.ERROR, "It is broken."),)))
    report.close()

    assert "::error file=packages/a.whl," in stream.getvalue()
