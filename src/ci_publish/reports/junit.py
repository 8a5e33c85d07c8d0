"""The findings of the checks as JUnit XML, for GitLab's test report and whatever else reads that (pure).

The shape is the common part of what readers accept: ``testsuites`` > ``testsuite`` > ``testcase`` with ``name``,
``classname`` and ``time``, at most one ``failure`` in each, warnings as ``system-out``. A suite for each file, a case
for each rule that found something, one passing case for a file without findings. Installations are a suite of their
own, with a case for each file and interpreter; so is what failed otherwise.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from ci_publish.about import NAME
from ci_publish.errors import CiPublishError, InvalidDistribution
from ci_publish.model.events import Checked, Collected, Event, RunFinished, RunStarted, Step, StepFinished, Tried
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.receipt import Redact
from ci_publish.reports.file_failures import file_failures_not_in_run_error
from ci_publish.reports.neutral import neutral_block, neutral_line
from ci_publish.reports.release_changes import release_diffs

_SET = "all files"


def junit_document(events: Sequence[Event], redact: Redact = str) -> str:
    """Return the checks of a run as a JUnit document; one without suites where the checks did not finish."""
    seconds = sum(event.seconds for event in events if isinstance(event, StepFinished) and event.step is Step.CHECK)
    root = ET.Element("testsuites", name=f"{NAME} checks", time=f"{seconds:.3f}")
    for name, problems in _junit_problems_by_file(events):
        root.append(_junit_file_suite(name, problems, redact))
    trials = [event for event in events if isinstance(event, Tried)]
    if trials:
        root.append(_junit_installations_suite(trials, redact))
    if (suite := _junit_failures_suite(events, redact)) is not None:
        root.append(suite)
    root.attrib.update(
        _junit_suite_counts(len(root.findall("testsuite/testcase")), len(root.findall("testsuite/testcase/failure")))
    )
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False).join(
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")
    )


def _junit_failures_suite(events: Sequence[Event], redact: Redact) -> ET.Element | None:
    """Return a suite with a failed case for each failed file and for the run; None where the checks said it all."""
    end = next((event for event in events if isinstance(event, RunFinished)), None)
    if end is None or end.error is None or isinstance(end.error, InvalidDistribution):
        return None
    suite = ET.Element("testsuite", name=NAME)
    for event, error in file_failures_not_in_run_error(events):
        suite.append(_junit_error_case(event.distribution.filename, error, redact))
    suite.append(_junit_error_case(_junit_command_name(events), end.error, redact))
    suite.attrib.update(_junit_suite_counts(len(suite), len(suite)))
    return suite


def _junit_error_case(name: str, error: CiPublishError, redact: Redact) -> ET.Element:
    case = ET.Element(
        "testcase", name=neutral_line(redact(error.slug)), classname=neutral_line(redact(name)), time="0.000"
    )
    failure = ET.SubElement(case, "failure", message=neutral_line(redact(error.summary)), type=error.slug)
    failure.text = neutral_block(redact("\n".join(filter(None, (error.detail, *error.hints, error.docs)))))
    return case


def _junit_command_name(events: Sequence[Event]) -> str:
    return next((event.command for event in events if isinstance(event, RunStarted)), NAME)


def _junit_problems_by_file(events: Sequence[Event]) -> Iterator[tuple[str, list[Problem]]]:
    """Yield each file with its problems, files without any included, the set as a whole only where it has some."""
    if not any(isinstance(event, Checked) for event in events):
        return
    names = [each.filename for event in events if isinstance(event, Collected) for each in event.distributions]
    tried = {problem for event in events if isinstance(event, Tried) for problem in event.problems}
    found: dict[str, list[Problem]] = {name: [] for name in names}
    checked = [each for event in events if isinstance(event, Checked) for each in event.problems if each not in tried]
    for problem in (*checked, *(finding for diff in release_diffs(events) for finding in diff.findings)):
        found.setdefault(problem.filename or _SET, []).append(problem)
    yield from found.items()


def _junit_installations_suite(trials: Sequence[Tried], redact: Redact) -> ET.Element:
    """Return the suite of what was installed and tried."""
    suite = ET.Element("testsuite", name="installations")
    for trial in trials:
        name = neutral_line(redact(f"{trial.filename} on {trial.interpreter}"))
        case = _junit_problems_case(name, trial.problems, redact, classname="installations", seconds=trial.seconds)
        suite.append(case)
        if trial.output:
            ET.SubElement(case, "system-err").text = neutral_block(redact(trial.output))
    suite.attrib.update(_junit_suite_counts(len(suite), len(suite.findall("testcase/failure"))))
    return suite


def _junit_file_suite(name: str, problems: Sequence[Problem], redact: Redact) -> ET.Element:
    suite = ET.Element("testsuite", name=neutral_line(redact(name)))
    by_rule = sorted(problems, key=lambda problem: problem.rule)
    for rule, group in groupby(by_rule, key=lambda problem: problem.rule):
        suite.append(_junit_problems_case(rule, list(group), redact, classname=name))
    if not problems:
        suite.append(_junit_problems_case("all rules", [], redact, classname=name))
    failures = len(suite.findall("testcase/failure"))
    suite.attrib.update(_junit_suite_counts(len(suite), failures))
    return suite


def _junit_problems_case(
    name: str, problems: Sequence[Problem], redact: Redact, *, classname: str, seconds: float = 0.0
) -> ET.Element:
    where = neutral_line(redact(classname))
    case = ET.Element("testcase", name=neutral_line(redact(name)), classname=where, time=f"{seconds:.3f}")
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    others = [problem for problem in problems if problem.severity is not Severity.ERROR]
    if errors:
        failure = ET.SubElement(
            case, "failure", message=neutral_line(redact(errors[0].message)), type=neutral_line(errors[0].rule)
        )
        failure.text = _junit_problems_text(errors, redact)
    if others:
        ET.SubElement(case, "system-out").text = _junit_problems_text(others, redact)
    return case


def _junit_problems_text(problems: Sequence[Problem], redact: Redact) -> str:
    parts = (f"{each.severity}: {each.message}\n{each.advice}\n{each.docs}" for each in problems)
    return neutral_block(redact("\n\n".join(parts)))


def _junit_suite_counts(tests: int, failures: int) -> dict[str, str]:
    return {"tests": str(tests), "failures": str(failures), "errors": "0", "skipped": "0"}
