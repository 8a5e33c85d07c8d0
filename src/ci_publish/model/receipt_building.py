"""The receipt as a fold over the events of a run (pure).

``build_receipt`` may be called at any moment: for a run that was stopped half-way it returns what is known, and the
files that were not reached are ``not-attempted``.
"""

from collections.abc import Iterator, Sequence

from ci_publish.about import DOCS_URL
from ci_publish.model.events import (
    Checked,
    Compared,
    CredentialChanged,
    Event,
    IndexChosen,
    Noted,
    Outcome,
    Planned,
    RunFinished,
    RunStarted,
    StepFinished,
)
from ci_publish.model.identity import CredentialKind, CredentialState
from ci_publish.model.problem import Severity
from ci_publish.model.receipt import (
    ChangeEntry,
    CredentialEntry,
    IndexEntry,
    ProblemEntry,
    Receipt,
    WaveEntry,
)
from ci_publish.model.receipt_facts import events_of_kind, format_rfc3339, last_event_of_kind, receipt_error_entry
from ci_publish.model.receipt_files import receipt_file_entries, url_without_user_info


def build_receipt(events: Sequence[Event]) -> Receipt:
    """Return the receipt of the run with these *events*, which are in the order in which they were emitted."""
    begun, ended = last_event_of_kind(events, RunStarted), last_event_of_kind(events, RunFinished)
    timings: dict[str, float] = {}
    for step in events_of_kind(events, StepFinished):
        timings[step.step.value] = round(timings.get(step.step.value, 0.0) + step.seconds, 3)
    return Receipt(
        command=begun.command if begun else "",
        outcome=ended.outcome if ended else Outcome.INTERRUPTED,
        exit_code=ended.exit_code if ended else None,
        error=receipt_error_entry(ended.error) if ended else None,
        indexes=tuple(_receipt_index_entries(events)),
        files=tuple(receipt_file_entries(events)),
        problems=tuple(_receipt_problem_entries(events)),
        started=format_rfc3339(begun.time) if begun else None,
        finished=format_rfc3339(ended.time) if ended else None,
        timings=timings,
        waves=tuple(
            WaveEntry(planned.plan.index, wave)
            for planned in events_of_kind(events, Planned)
            for wave in planned.train.waves_of(planned.plan.projects_to_upload)
        ),
        changes=tuple(_receipt_change_entries(events)),
        resume_after=(ended.extra.get("resume-after") or None) if ended else None,
    )


def _receipt_index_entries(events: Sequence[Event]) -> Iterator[IndexEntry]:
    credentials = {changed.index: changed.state for changed in events_of_kind(events, CredentialChanged)}
    indexes = {chosen.endpoints.name: chosen.endpoints for chosen in events_of_kind(events, IndexChosen)}
    for name, endpoints in indexes.items():
        state = credentials.get(name, CredentialState(kind=CredentialKind.NONE))
        yield IndexEntry(
            name=name,
            profile=endpoints.profile,
            repository_url=url_without_user_info(endpoints.upload),
            index_url=None if endpoints.simple is None else url_without_user_info(endpoints.simple),
            credential=CredentialEntry(
                kind=state.kind,
                provider=state.provider,
                expires=None if state.expires is None else format_rfc3339(state.expires),
                burnt=state.burnt,
            ),
        )


def _receipt_problem_entries(events: Sequence[Event]) -> Iterator[ProblemEntry]:
    """Yield the findings of the checks, then the warnings of the run, whose rule is the note's slug."""
    for checked in events_of_kind(events, Checked):
        for each in checked.problems:
            yield ProblemEntry(
                filename=each.filename, rule=each.rule, severity=each.severity, message=each.message, docs=each.docs
            )
    for noted in events_of_kind(events, Noted):
        if noted.warning:
            docs = f"{DOCS_URL}/reference/notes/"
            yield ProblemEntry(
                filename=noted.filename, rule=noted.slug, severity=Severity.WARNING, message=noted.message, docs=docs
            )


def _receipt_change_entries(events: Sequence[Event]) -> Iterator[ChangeEntry]:
    """Yield the differences from the previous releases; with several indexes, those that each comparison found."""
    for diff in (compared.diff for compared in events_of_kind(events, Compared)):
        for found in diff.findings:
            yield ChangeEntry(
                project=diff.ours.project,
                version=diff.ours.version,
                against=None if diff.against is None else diff.against.version,
                rule=found.rule,
                severity=found.severity,
                message=found.message,
                docs=found.docs,
            )
