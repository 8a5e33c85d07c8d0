"""The annotations of a run on a GitHub job's page, and the commands that make them (pure)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ci_publish.errors import PublishingDeferred
from ci_publish.model.events import Checked, Collected, Compared, Event, Noted, RunFinished
from ci_publish.model.frozen import frozen
from ci_publish.model.problem import Problem, Severity, group_alike_problems
from ci_publish.model.receipt import Redact
from ci_publish.model.receipt_facts import events_of_kind, last_event_of_kind
from ci_publish.reports import wording
from ci_publish.reports.file_failures import file_failures_not_in_run_error
from ci_publish.reports.neutral import workflow_command_data, workflow_command_property
from ci_publish.reports.repeated_lines import FEW

# The runner shows ten of each kind for a step and silently drops the rest.
ANNOTATIONS_OF_A_KIND = 10
_KINDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


@frozen(kw_only=True)
class Annotation:
    """One annotation on the job's page, with text from outside as received; ``file`` as the job sees it."""

    severity: Severity
    title: str
    message: str
    file: str | None = None


def annotations(events: Sequence[Event]) -> Iterator[Annotation]:
    """Yield the annotations of a run, the run's own failure first."""
    found = list(events_of_kind(events, Collected))
    paths = {file.filename: str(file.path) for event in found for file in event.distributions}
    paths |= {file.filename: str(file.path) for event in found for file in event.unreadable}
    finished = last_event_of_kind(events, RunFinished)
    if finished and finished.error:
        hints = wording.hints_with_rerun(finished.error)
        steps = "\n".join((finished.error.detail, *hints, f"{finished.error.slug}: {finished.error.docs}")).strip()
        deferred = isinstance(finished.error, PublishingDeferred)
        severity = Severity.WARNING if deferred else Severity.ERROR
        yield Annotation(severity=severity, title=finished.error.summary, message=steps)
    for failed, error in file_failures_not_in_run_error(events):
        message = "\n".join((error.summary, *wording.hints_with_rerun(error), error.docs))
        yield Annotation(
            severity=Severity.ERROR,
            title=f"{failed.distribution.filename}: {failed.status}",
            message=message,
            file=str(failed.distribution.path),
        )
    for event in events:
        yield from _event_annotations(event, paths)


def _event_annotations(event: Event, paths: Mapping[str, str]) -> Iterator[Annotation]:
    match event:
        case Checked(problems=problems):
            yield from (_problem_annotation(group, paths) for group in group_alike_problems(problems))
        case Compared(diff=diff):
            for found in (each for each in diff.findings if each.severity is not Severity.NOTE):
                message = "\n".join(part for part in (found.message, found.advice, found.docs) if part)
                yield Annotation(severity=found.severity, title=found.rule, message=message)
        case Noted():
            severity = Severity.WARNING if event.warning else Severity.NOTE
            file = None if event.filename is None else paths.get(event.filename, event.filename)
            yield Annotation(
                severity=severity, title=event.slug, message="\n".join((event.message, *event.hints)), file=file
            )
        case _:
            pass


def _problem_annotation(group: Sequence[Problem], paths: Mapping[str, str]) -> Annotation:
    """Return one annotation for what several files have in common; it names the first few of them."""
    first = group[0]
    parts = [part for part in (first.message, first.advice, first.docs) if part]
    if len(group) == 1:
        file = None if first.filename is None else paths.get(first.filename, first.filename)
        return Annotation(severity=first.severity, title=first.rule, message="\n".join(parts), file=file)
    names = [paths.get(each.filename, each.filename) for each in group[:FEW] if each.filename]
    more = [f"and {len(group) - FEW} more"] if len(group) > FEW else []
    title = f"{first.rule}: {wording.pluralise(len(group), 'file')}"
    return Annotation(severity=first.severity, title=title, message="\n".join((*parts, *names, *more)))


def annotation_commands(
    remarks: Iterable[Annotation], redact: Redact = str, place: Callable[[str], str] = str
) -> Iterator[str]:
    """Yield the runner's commands for *remarks*: at most ten of a kind, the last one for all that are left.

    *place* turns a file's path into its path inside the repository.
    """
    by_kind: dict[Severity, list[Annotation]] = {severity: [] for severity in Severity}
    for remark in remarks:
        by_kind[remark.severity].append(remark if remark.file is None else replace(remark, file=place(remark.file)))
    for severity, shown in by_kind.items():
        if len(shown) > ANNOTATIONS_OF_A_KIND:
            rest = shown[ANNOTATIONS_OF_A_KIND - 1 :]
            title = wording.pluralise(len(rest), f"more {severity}")
            lines = [f"{each.file or 'run'}: {each.title}: {each.message.partition(chr(10))[0]}" for each in rest]
            shown[ANNOTATIONS_OF_A_KIND - 1 :] = [Annotation(severity=severity, title=title, message="\n".join(lines))]
        for remark in shown:
            file = f"file={workflow_command_property(redact(remark.file))}," if remark.file else ""
            title = f"title={workflow_command_property(redact(remark.title))}"
            yield f"::{_KINDS[severity]} {file}{title}::{workflow_command_data(redact(remark.message))}"
