"""The findings of the checks as JUnit XML, for GitLab's test report and whatever else reads that (pure).

The shape is the common part of what readers accept: ``testsuites`` > ``testsuite`` > ``testcase`` with ``name``,
``classname`` and ``time``, at most one ``failure`` in each, warnings as ``system-out``. A suite for each file, a case
for each rule that found something, one passing case for a file without findings. Installations are a suite of their
own, with a case for each file and interpreter; so is what failed otherwise.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, groupby
from operator import attrgetter
from xml.etree import ElementTree as ET

from ci_publish.about import NAME
from ci_publish.errors import InvalidDistribution
from ci_publish.model.events import Checked, Collected, Event, RunFinished, RunStarted, Step, StepFinished, Tried
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.receipt import Redact
from ci_publish.model.receipt_facts import events_of_kind
from ci_publish.reports.file_failures import file_failures_not_in_run_error
from ci_publish.reports.neutral import neutral_block, neutral_line
from ci_publish.reports.release_changes import release_diffs

_SET = "all files"


def junit_document(events: Sequence[Event], redact: Redact = str) -> str:
    """Return the checks of a run as a JUnit document; one without suites where the checks did not finish."""
    seconds = sum(event.seconds for event in events_of_kind(events, StepFinished) if event.step is Step.CHECK)
    root = ET.Element("testsuites", name=f"{NAME} checks", time=f"{seconds:.3f}")
    for filename, problems in _junit_problems_by_file(events).items():
        suite = ET.SubElement(root, "testsuite", name=filename)
        by_rule = groupby(sorted(problems, key=attrgetter("rule")), key=attrgetter("rule"))
        found = {rule: list(group) for rule, group in by_rule} or {"all rules": []}
        for rule, alike in found.items():
            _add_junit_case(suite, rule, alike, classname=filename)
    if trials := list(events_of_kind(events, Tried)):
        _add_junit_installations(root, trials)
    _add_junit_failures(root, events)
    for element in root.iter():
        element.attrib.update({name: neutral_line(redact(value)) for name, value in element.attrib.items()})
        element.text = neutral_block(redact(element.text)) if element.text else None
    for element in (root, *root):
        tests, failures = (str(len(list(element.iter(tag)))) for tag in ("testcase", "failure"))
        element.attrib.update(tests=tests, failures=failures, errors="0", skipped="0")
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _junit_problems_by_file(events: Sequence[Event]) -> Mapping[str, Sequence[Problem]]:
    """Return each file with its problems, files without any included, the set as a whole only where it has some."""
    checks = list(events_of_kind(events, Checked))
    if not checks:
        return {}
    tried = set(chain.from_iterable(event.problems for event in events_of_kind(events, Tried)))
    checked = chain.from_iterable(event.problems for event in checks)
    changed = chain.from_iterable(diff.findings for diff in release_diffs(events))
    found: dict[str, list[Problem]] = {
        each.filename: [] for event in events_of_kind(events, Collected) for each in event.distributions
    }
    for problem in (*(each for each in checked if each not in tried), *changed):
        found.setdefault(problem.filename or _SET, []).append(problem)
    return found


def _add_junit_installations(root: ET.Element, trials: Sequence[Tried]) -> None:
    """Add a suite of what was installed and tried."""
    suite = ET.SubElement(root, "testsuite", name="installations")
    for trial in trials:
        name = f"{trial.filename} on {trial.interpreter}"
        case = _add_junit_case(suite, name, trial.problems, classname="installations", seconds=trial.seconds)
        if trial.output:
            ET.SubElement(case, "system-err").text = trial.output


def _add_junit_failures(root: ET.Element, events: Sequence[Event]) -> None:
    """Add a suite with a failed case for each failed file and for the run, unless the checks said it all."""
    run_error = next((event.error for event in events_of_kind(events, RunFinished)), None)
    if run_error is None or isinstance(run_error, InvalidDistribution):
        return
    suite = ET.SubElement(root, "testsuite", name=NAME)
    command = next((event.command for event in events_of_kind(events, RunStarted)), NAME)
    failed = [(event.distribution.filename, error) for event, error in file_failures_not_in_run_error(events)]
    for classname, error in (*failed, (command, run_error)):
        case = ET.SubElement(suite, "testcase", name=error.slug, classname=classname, time="0.000")
        failure = ET.SubElement(case, "failure", message=error.summary, type=error.slug)
        failure.text = "\n".join(filter(None, (error.detail, *error.hints, error.docs)))


def _add_junit_case(
    suite: ET.Element, name: str, problems: Sequence[Problem], *, classname: str, seconds: float = 0.0
) -> ET.Element:
    case = ET.SubElement(suite, "testcase", name=name, classname=classname, time=f"{seconds:.3f}")
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    others = [problem for problem in problems if problem.severity is not Severity.ERROR]
    if errors:
        failure = ET.SubElement(case, "failure", message=errors[0].message, type=errors[0].rule)
        failure.text = _junit_problems_text(errors)
    if others:
        ET.SubElement(case, "system-out").text = _junit_problems_text(others)
    return case


def _junit_problems_text(problems: Sequence[Problem]) -> str:
    return "\n\n".join(f"{each.severity}: {each.message}\n{each.advice}\n{each.docs}" for each in problems)
