"""Installations in reports: a line on the console, a table in the summary, a case in JUnit, an entry in the receipt."""

from xml.etree import ElementTree as ET

from ci_publish.model.events import Checked, Collected, Tried
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.receipt import TriedEntry
from ci_publish.model.receipt_building import build_receipt
from ci_publish.reports.console_renderer import ConsoleRenderer
from ci_publish.reports.junit import junit_document
from ci_publish.reports.summary import SummaryInput, markdown_summary
from tests.unit.reports.recorded_runs import WHEEL

PROBLEM = Problem(
    filename=WHEEL.filename,
    rule="install-import",
    severity=Severity.ERROR,
    message="`import demo` fails",
    advice="Fix it.",
)
NOTE = Problem(filename=WHEEL.filename, rule="install-extra-module", severity=Severity.NOTE, message="needs an extra")


def tried(*problems: Problem, output: str = "") -> Tried:
    return Tried(
        filename=WHEEL.filename,
        interpreter="CPython 3.12.1",
        installer="uv 0.13.8",
        commands=("install demo", "check"),
        problems=problems,
        seconds=1.2345,
        passed=PROBLEM not in problems,
        output=output,
    )


FAILED = tried(PROBLEM, output="Traceback\n::error::evil\nsecret-canary")
EVENTS = (Collected((WHEEL,)), Checked(()), tried(NOTE), FAILED, Checked((NOTE, PROBLEM)))


def redact(text: str) -> str:
    return text.replace("secret-canary", "***")


def test_the_console_shows_output_of_failures_only_neutral_and_redacted() -> None:
    renderer = ConsoleRenderer(clock=lambda: 0.0, redact=redact)
    passed = [each.text for each in renderer.render_event(tried())]
    failed = [each.text for each in renderer.render_event(FAILED)]

    assert len(passed) == 1
    assert passed[0] == f"install   {WHEEL.filename}  CPython 3.12.1  uv 0.13.8  passed in 1.2 s"
    assert [each.strip() for each in failed[1:]] == ["| Traceback", "| : :error::evil", "| ***"]


def test_the_receipt_has_an_entry_for_each_interpreter() -> None:
    (file,) = build_receipt(EVENTS).files

    entry = TriedEntry(
        interpreter="CPython 3.12.1",
        installer="uv 0.13.8",
        commands=("install demo", "check"),
        result="passed",
        seconds=1.234,
    )
    assert [each.result for each in file.tried] == ["passed", "failed"]
    assert file.tried[0] == entry


def test_junit_has_a_case_for_each_file_and_interpreter_and_reports_nothing_twice() -> None:
    root = ET.fromstring(junit_document(EVENTS, redact))  # noqa: S314  (our own document)
    suites = {suite.attrib["name"]: suite for suite in root}
    passed, failed = suites["installations"]

    assert suites.keys() == {WHEEL.filename, "installations"}
    assert [case.attrib["name"] for case in suites[WHEEL.filename]] == ["all rules"]
    assert passed.attrib["name"] == f"{WHEEL.filename} on CPython 3.12.1"
    assert passed.attrib["time"] == "1.234"
    assert passed.find("failure") is None
    assert failed.find("failure").attrib["type"] == "install-import"  # type: ignore[union-attr]
    assert "***" in str(failed.findtext("system-err"))
    assert root.attrib["failures"] == "1"


def test_the_summary_has_a_table_and_the_output_folded() -> None:
    said = markdown_summary(SummaryInput(events=EVENTS, redact=redact))

    assert "### Installations" in said
    assert "| **failed** |" in said
    assert "<details><summary>" in said
    assert "secret-canary" not in said
    assert "### Installations" not in markdown_summary(SummaryInput(events=EVENTS[:2]))
