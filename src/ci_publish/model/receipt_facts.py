"""What the events of a run say about its files, by index and filename, for the receipt (pure)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from ci_publish.errors import CiPublishError, Interrupted
from ci_publish.model.attestation import Attestation, ProvenanceOutcome
from ci_publish.model.events import (
    Event,
    FileFinished,
    FileListed,
    Outcome,
    Planned,
    ProvenanceChecked,
    Retrying,
    RunFinished,
    RunStarted,
    Signed,
    Tried,
    UploadsCollided,
    UploadStarted,
)
from ci_publish.model.frozen import frozen
from ci_publish.model.index import PlannedFile
from ci_publish.model.receipt import AttestationEntry, ErrorEntry, RetryCause, RetryEntry, TriedEntry

_E = TypeVar("_E")

_WITHOUT_DESIRED_STATE = frozenset({"check", "attest", "diff"})
_COLLIDED = "the index responded with 500, because it was completing another file of this release at the same time"


def events_of_kind(events: Sequence[Event], kind: type[_E]) -> Iterator[_E]:
    """Return the events of one kind, in order."""
    return (event for event in events if isinstance(event, kind))


def last_event_of_kind(events: Sequence[Event], kind: type[_E]) -> _E | None:
    """Return the last event of one kind."""
    return next((event for event in reversed(events) if isinstance(event, kind)), None)


@frozen(kw_only=True)
class ReceiptFacts:
    """What the events say about files, by index and filename (or path)."""

    dry: bool
    ended_with: ErrorEntry | None
    planned: Mapping[tuple[str, str], PlannedFile]
    attempts: Mapping[tuple[str, str], int]
    finished: Mapping[tuple[str, str], FileFinished]
    listed: Mapping[tuple[str, str], FileListed]
    provenance: Mapping[tuple[str, str], ProvenanceOutcome]
    attestations: Mapping[str, tuple[AttestationEntry, ...]]
    retries: Mapping[tuple[str, str], tuple[RetryEntry, ...]]
    tried: Mapping[str, tuple[TriedEntry, ...]]


def receipt_facts_of_events(events: Sequence[Event]) -> ReceiptFacts:
    """Return what *events* say about files."""
    begun, ended = last_event_of_kind(events, RunStarted), last_event_of_kind(events, RunFinished)
    # The error of the files that have none of their own and did not reach the desired state.
    error = ended.error if ended else Interrupted("The run ended before the status of this file was known.")
    has_desired_state = begun is not None and begun.command not in _WITHOUT_DESIRED_STATE
    # The last attestation of each predicate type.
    attestations: dict[str, dict[str, AttestationEntry]] = defaultdict(dict)
    for signed in events_of_kind(events, Signed):
        made = signed.attestation
        attestations[made.filename][made.predicate_type] = receipt_attestation_entry(made)
    return ReceiptFacts(
        dry=(begun is not None and begun.command == "plan") or (ended is not None and ended.outcome is Outcome.PLANNED),
        ended_with=receipt_error_entry(error) if has_desired_state else None,
        planned={
            (event.plan.index, str(file.distribution.path)): file
            for event in events_of_kind(events, Planned)
            for file in event.plan.files
        },
        attempts={(event.index, event.filename): event.attempt for event in events_of_kind(events, UploadStarted)},
        finished={(event.index, str(event.distribution.path)): event for event in events_of_kind(events, FileFinished)},
        listed={(event.index, event.filename): event for event in events_of_kind(events, FileListed)},
        provenance={
            (event.index, event.filename): event.outcome for event in events_of_kind(events, ProvenanceChecked)
        },
        attestations={name: tuple(dict(sorted(by_type.items())).values()) for name, by_type in attestations.items()},
        retries=_receipt_retries_by_file(events),
        tried=_receipt_trials_by_file(events),
    )


def _receipt_retries_by_file(events: Sequence[Event]) -> dict[tuple[str, str], tuple[RetryEntry, ...]]:
    """Return the upload attempts that were retried; for PyPI's answer to two completed at once, with its cause."""
    found: dict[tuple[str, str], tuple[RetryEntry, ...]] = defaultdict(tuple)
    attempts: dict[tuple[str, str], int] = {}
    for event in events:
        match event:
            case UploadStarted():
                attempts[event.index, event.filename] = event.attempt
            case Retrying():
                entry = RetryEntry(attempt=event.attempt, reason=event.reason, wait=round(event.wait, 3), cause=None)
                found[event.index or "", event.what] += (entry,)
            case UploadsCollided():
                key = (event.index, event.filename)
                entry = RetryEntry(
                    attempt=attempts.get(key, 1), reason=_COLLIDED, wait=0.0, cause=RetryCause.CONCURRENT_UPLOADS
                )
                found[key] += (entry,)
            case _:
                pass
    return found


def _receipt_trials_by_file(events: Sequence[Event]) -> dict[str, tuple[TriedEntry, ...]]:
    """Return the installations of each file, by filename."""
    found: dict[str, tuple[TriedEntry, ...]] = defaultdict(tuple)
    for event in events_of_kind(events, Tried):
        entry = TriedEntry(
            interpreter=event.interpreter,
            installer=event.installer,
            commands=event.commands,
            result="passed" if event.passed else "failed",
            seconds=round(event.seconds, 3),
        )
        found[event.filename] += (entry,)
    return found


def receipt_attestation_entry(attestation: Attestation) -> AttestationEntry:
    """Return *attestation* as an entry."""
    return AttestationEntry(
        predicate_type=attestation.predicate_type,
        signer=attestation.signer,
        identity=None if attestation.identity is None else str(attestation.identity),
        source=attestation.source,
        commit=attestation.commit,
        log_index=attestation.log_index,
        integrated_time=None if attestation.integrated_time is None else format_rfc3339(attestation.integrated_time),
        verified=attestation.verified,
    )


def receipt_error_entry(error: CiPublishError | None) -> ErrorEntry | None:
    """Return *error* as an entry."""
    if error is None:
        return None
    return ErrorEntry(slug=error.slug, summary=error.summary, detail=error.detail, hints=error.hints, docs=error.docs)


def format_rfc3339(seconds: float) -> str | None:
    """Return a moment as RFC 3339; None if it is beyond the calendar (servers send such expiry times)."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
