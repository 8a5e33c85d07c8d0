"""The findings of the checks as JUnit XML."""

from xml.etree import ElementTree as ET

from ci_publish.errors import UploadRejected
from ci_publish.model.events import Checked, Collected, Compared, FileFinished, FileStatus, Outcome, RunFinished
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.release import Release, ReleaseDiff
from ci_publish.reports.junit import junit_document
from tests.unit.reports.recorded_runs import SDIST, WHEEL, a_conflict, a_failed_check, hostile_texts

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


def is_junit(element: ET.Element) -> bool:
    """Return whether *element* and all below it have the shape of a JUnit document, numbers included."""
    cases, failures = element.findall(".//testcase"), element.findall(".//failure")
    counted = element.get("tests") is None or (element.get("tests"), element.get("failures")) == (
        str(len(cases)),
        str(len(failures)),
    )
    known = set(element.attrib) == ATTRIBUTES[element.tag] and {each.tag for each in element} <= CHILDREN[element.tag]
    return counted and known and all(is_junit(each) for each in element)


def test_problems_are_failed_cases_and_warnings_are_output() -> None:
    document = ET.fromstring(junit_document(a_failed_check()))  # noqa: S314  (our own document)
    assert is_junit(document)
    assert (document.get("tests"), document.get("failures"), document.get("time")) == ("4", "1", "0.100")
    wheel = document[1]
    assert [case.get("name") for case in wheel] == ["wheel-size", "wheel-tags"]
    failure = wheel.find("testcase/failure")
    assert failure is not None
    assert (failure.text or "").startswith("error: The tags differ.\nBuild it again.\n")
    assert document[2].get("name") == "all files"


def test_a_run_without_checks_has_an_empty_document() -> None:
    document = ET.fromstring(junit_document([Collected((SDIST,))]))  # noqa: S314  (our own document)
    assert is_junit(document)
    assert len(document) == 0


def test_hostile_text_is_valid_xml() -> None:
    for text in hostile_texts():
        problems = tuple(
            Problem(filename=text, rule=text, severity=severity, message=text, advice=text) for severity in Severity
        )
        document = ET.fromstring(junit_document([Checked(problems)]))  # noqa: S314  (our own document)
        assert is_junit(document)
        assert document.get("failures") == "1"


def test_every_kind_of_failure_has_a_failed_case() -> None:
    document = ET.fromstring(junit_document(a_conflict()))  # noqa: S314  (our own document)
    assert is_junit(document)
    run = document[-1]
    assert [(case.get("classname"), case.get("name")) for case in run] == [("publish", "content-conflict")]
    failure = run.find("testcase/failure")
    assert failure is not None
    assert "Raise the version and build again." in (failure.text or "")
    assert document.get("failures") == "1"


def test_files_that_failed_each_have_a_case_beside_the_run() -> None:
    refused = UploadRejected("The index rejects it.")
    events = [
        *a_conflict()[:-1],
        FileFinished(index="pypi", distribution=WHEEL, status=FileStatus.REFUSED, attempts=1, error=refused),
        RunFinished(outcome=Outcome.FAILED, exit_code=9, time=0.0, error=UploadRejected("2 of 2 files failed.")),
    ]
    document = ET.fromstring(junit_document(events))  # noqa: S314  (our own document)
    assert is_junit(document)
    assert {case.get("classname") for case in document[-1]} >= {WHEEL.filename, "publish"}


def test_what_is_different_from_the_release_before_fails_as_a_check_does() -> None:
    finding = Problem(filename=None, rule="wheel-lost", severity=Severity.ERROR, message="Lost: x.", advice="Build it.")
    ours = Release(project="demo", version="1.1", files=())
    diff = ReleaseDiff(index="pypi", ours=ours, against=None, why_not="", findings=(finding,))
    document = ET.fromstring(junit_document([Collected((SDIST,)), Checked(()), Compared(diff)]))  # noqa: S314  (our own document)
    assert is_junit(document)
    assert document.get("failures") == "1"
    assert [case.get("name") for case in document[1]] == ["wheel-lost"]
