import io
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ci_publish.errors import IndexUnavailable
from ci_publish.model.events import Event, Noted, Outcome, RunFinished, Step, StepStarted
from ci_publish.reports.dispatcher import Dispatcher
from ci_publish.reports.gitlab import GitLabFiles, GitLabReport
from tests.unit.reports.recorded_runs import BEGIN, SDIST, WHEEL, a_conflict, a_good_run

# What testsuites, testsuite, testcase and failure may carry (the common JUnit schema, as GitLab and Jenkins read it).
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors", "skipped"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "system-out"},
    "failure": set(),
    "system-out": set(),
}


def job(events: list[Event], files: GitLabFiles) -> str:
    log = io.StringIO()
    fanout = Dispatcher()
    fanout.add_report(GitLabReport(stream=log, emit=fanout, files=files, now=lambda: 1_795_000_000.9))
    for event in events:
        fanout(event)
    fanout.close()
    assert fanout.report_failures == ()
    return log.getvalue()


def is_junit(element: ET.Element) -> bool:
    """Return whether *element* and all below it have the shape of a JUnit document, numbers included."""
    cases, failures = element.findall(".//testcase"), element.findall(".//failure")
    counted = element.get("tests") is None or (element.get("tests"), element.get("failures")) == (
        str(len(cases)),
        str(len(failures)),
    )
    known = set(element.attrib) == ATTRIBUTES[element.tag] and {each.tag for each in element} <= CHILDREN[element.tag]
    return counted and known and all(is_junit(each) for each in element)


def test_each_step_is_a_section_that_is_closed() -> None:
    log = job(
        [*a_good_run()[:-1], StepStarted(Step.SIGN), StepStarted(Step.CONFIRM, "b ü"), Noted(slug="x", message="m")],
        GitLabFiles(),
    )
    opened = re.findall("\x1b\\[0Ksection_start:1795000000:([a-zA-Z0-9_.-]+)\\[collapsed=true\\]\r\x1b\\[0K(.*)\n", log)
    closed = re.findall("\x1b\\[0Ksection_end:1795000000:([a-zA-Z0-9_.-]+)\r\x1b\\[0K\n", log)
    assert opened[2] == ("ci-publish-plan-pypi", "plan at pypi")
    assert opened[-1] == ("ci-publish-confirm-b--", "confirm at b ü")
    assert "ci-publish-sign-all" not in [name for name, _ in opened[6:]], "a step that says nothing has no section"
    assert closed == [name for name, _ in opened]


def test_the_files_of_a_good_run(tmp_path: Path) -> None:
    job(a_good_run(), GitLabFiles(tmp_path / "a" / "publish.env", tmp_path / "checks.xml", tmp_path / "summary.md"))
    assert (tmp_path / "a" / "publish.env").read_text(encoding="utf-8").splitlines() == [
        "PUBLISH_OUTCOME=published",
        "PUBLISH_EXIT_CODE=0",
        "PUBLISH_UPLOADED=1",
        "PUBLISH_ALREADY_PUBLISHED=1",
        "PUBLISH_RECEIPT=",
        "PUBLISH_ATTESTATIONS_DIR=",
        "PUBLISH_RESUME_AFTER=",
        "PUBLISH_RELEASE_URL=https://pypi.org/project/demo/1.0/",
    ]
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").startswith("## ✅ Published")
    document = ET.parse(tmp_path / "checks.xml").getroot()  # noqa: S314  (our own document)
    assert is_junit(document)
    assert [suite.get("name") for suite in document] == [SDIST.filename, WHEEL.filename]


@pytest.mark.parametrize("value", ['a"b', "$HOME", " x ", "x" * 601, "`id`", "a\\b"])
def test_a_dotenv_value_that_would_read_back_otherwise_is_left_empty(value: str, tmp_path: Path) -> None:
    job(
        [RunFinished(outcome=Outcome.FAILED, exit_code=1, time=BEGIN, extra={"attestations-dir": value})],
        GitLabFiles(tmp_path / "e"),
    )
    lines = (tmp_path / "e").read_text(encoding="utf-8").splitlines()
    assert lines[5] in {"PUBLISH_ATTESTATIONS_DIR=", "PUBLISH_ATTESTATIONS_DIR=x"}
    assert len(lines) == 8


def test_files_that_cannot_be_written_are_warnings(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    heard: list[Event] = []

    class Listener:
        def __call__(self, event: Event) -> None:
            heard.append(event)

        def close(self) -> None:
            pass

    fanout = Dispatcher([Listener()])
    fanout.add_report(
        GitLabReport(
            stream=io.StringIO(), emit=fanout, files=GitLabFiles(tmp_path / "file" / "x", None, tmp_path / "s.md")
        )
    )
    for event in a_conflict():
        fanout(event)
    fanout.close()
    assert [getattr(event, "slug", "") for event in heard if type(event).__name__ == "Noted"] == ["report-not-written"]
    assert (tmp_path / "s.md").read_text(encoding="utf-8").startswith("## ❌ Failed")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_run_that_never_ended_writes_its_files_when_it_is_closed(tmp_path: Path) -> None:
    error = IndexUnavailable("x")
    job([*a_good_run()[:8]], GitLabFiles(summary=tmp_path / "s.md"))
    assert "Interrupted" in (tmp_path / "s.md").read_text(encoding="utf-8")
    assert error.retryable
