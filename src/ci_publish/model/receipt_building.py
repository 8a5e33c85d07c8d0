"""The receipt as a fold over the events of a run (pure).

``receipt_of`` may be called at any moment: for a run that was stopped half-way it returns what is known, and the files
that were not reached are ``not-attempted``.
"""

import re
from collections.abc import Iterator, Sequence
from typing import assert_never

from ci_publish.about import DOCS_URL
from ci_publish.model.attestation import ProvenanceByAnother, ProvenanceOutcome, ProvenanceVerified
from ci_publish.model.distribution import Distribution, Kind
from ci_publish.model.events import (
    Checked,
    Collected,
    Compared,
    CredentialChanged,
    Event,
    FileFinished,
    FileListed,
    FileStatus,
    IndexChosen,
    Noted,
    Outcome,
    Planned,
    RunFinished,
    RunStarted,
    StepFinished,
)
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.identity import CredentialKind, CredentialState
from ci_publish.model.index import (
    AlreadyPublished,
    Conflict,
    Deferred,
    Endpoints,
    KeptPublished,
    PlannedFile,
    PublishedFile,
    Upload,
)
from ci_publish.model.problem import Severity
from ci_publish.model.receipt import (
    AttestationEntry,
    ChangeEntry,
    CredentialEntry,
    ErrorEntry,
    FileEntry,
    IndexEntry,
    ProblemEntry,
    Receipt,
    WaveEntry,
)
from ci_publish.model.receipt_facts import Facts, attestation_entry, error_entry, facts_of, last, of_kind, rfc3339


def receipt_of(events: Sequence[Event]) -> Receipt:
    """Return the receipt of the run that *events* tell about, in the order in which they were emitted."""
    begun, ended = last(events, RunStarted), last(events, RunFinished)
    return Receipt(
        command=begun.command if begun else "",
        outcome=ended.outcome if ended else Outcome.INTERRUPTED,
        exit_code=ended.exit_code if ended else None,
        error=error_entry(ended.error) if ended else None,
        indexes=tuple(_indexes(events)),
        files=tuple(_files(events)),
        problems=tuple(_problems(events)),
        started=rfc3339(begun.time) if begun else None,
        finished=rfc3339(ended.time) if ended else None,
        timings=_timings(events),
        waves=tuple(
            WaveEntry(planned.plan.index, wave)
            for planned in of_kind(events, Planned)
            for wave in planned.train.waves_of({file.project for file in planned.plan.uploads})
        ),
        changes=tuple(_changes(events)),
        resume_after=(ended.extra.get("resume-after") or None) if ended else None,
    )


_DONE = frozenset(
    {
        FileStatus.UPLOADED,
        FileStatus.UPLOADED_MD5,
        FileStatus.ALREADY_PUBLISHED,
        FileStatus.SAME_MD5,
        FileStatus.KEPT_PUBLISHED,
        FileStatus.PLANNED,
    }
)

_SENT = frozenset({FileStatus.UPLOADED, FileStatus.NOT_CONFIRMED, FileStatus.UNKNOWN})

_SHA256 = re.compile("[0-9a-f]{64}")

_USER_INFO = re.compile(r"//[^/?#\s]*@")

_NO_CREDENTIAL = CredentialState(kind=CredentialKind.NONE)


def _timings(events: Sequence[Event]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for step in of_kind(events, StepFinished):
        seconds[step.step.value] = round(seconds.get(step.step.value, 0.0) + step.seconds, 3)
    return seconds


def _indexes(events: Sequence[Event]) -> Iterator[IndexEntry]:
    credentials = {changed.index: changed.state for changed in of_kind(events, CredentialChanged)}
    endpoints = {chosen.endpoints.name: chosen.endpoints for chosen in of_kind(events, IndexChosen)}
    return (_index(each, credentials.get(name, _NO_CREDENTIAL)) for name, each in endpoints.items())


def _index(endpoints: Endpoints, state: CredentialState) -> IndexEntry:
    return IndexEntry(
        name=endpoints.name,
        profile=endpoints.profile,
        repository_url=_without_user_info(endpoints.upload),
        index_url=None if endpoints.simple is None else _without_user_info(endpoints.simple),
        credential=CredentialEntry(
            kind=state.kind,
            provider=state.provider,
            expires=None if state.expires is None else rfc3339(state.expires),
            burnt=state.burnt,
        ),
    )


def _files(events: Sequence[Event]) -> Iterator[FileEntry]:
    """Yield an entry for each file at each index; without an index for each file that was found."""
    facts = facts_of(events)
    distributions = _distributions(events)
    unreadable = {str(file.path): file for event in of_kind(events, Collected) for file in event.unreadable}.values()
    subjects = [subject for event in of_kind(events, Collected) for subject in event.subjects]
    for index in _index_names(events) or (None,):
        ours = set()
        for distribution in distributions:
            ours.add(distribution.filename)
            yield _file(facts, index, distribution)
        yield from (_by_name(facts, index, file.filename, path=str(file.path)) for file in unreadable)
        yield from (_by_name(facts, index, subject.filename, sha256=subject.sha256) for subject in subjects)
        yield from (
            _index_only(facts, listed)
            for (name, filename), listed in facts.listed.items()
            if name == index and filename not in ours
        )


def _distributions(events: Sequence[Event]) -> tuple[Distribution, ...]:
    found = {str(each.path): each for collected in of_kind(events, Collected) for each in collected.distributions}
    for finished in of_kind(events, FileFinished):
        found.setdefault(str(finished.distribution.path), finished.distribution)
    return tuple(found.values())


def _index_names(events: Sequence[Event]) -> tuple[str, ...]:
    chosen = [event.endpoints.name for event in of_kind(events, IndexChosen)]
    told = [event.index for event in events if isinstance(event, FileFinished | FileListed)]
    return tuple(dict.fromkeys(chosen + told))


def _file(facts: Facts, index: str | None, distribution: Distribution) -> FileEntry:
    key, by_path = (index or "", distribution.filename), (index or "", str(distribution.path))
    finished, planned, listed = facts.finished.get(by_path), facts.planned.get(by_path), facts.listed.get(key)
    status = _status(facts, key, planned, finished.status if finished else None)
    return FileEntry(
        index=index,
        filename=distribution.filename,
        path=str(distribution.path),
        project=distribution.project,
        version=distribution.version,
        kind=distribution.kind,
        size=distribution.size,
        sha256=distribution.sha256,
        status=status,
        attempts=max(finished.attempts if finished else 0, facts.attempts.get(key, 0)),
        url=_url(finished, listed, planned),
        attestations=_attestations_of(facts, key),
        listed=listed.listed
        if listed
        else (True if isinstance(planned, AlreadyPublished) and not planned.md5_only else None),
        provenance_verified=_verified(facts.provenance.get(key)),
        provenance_publisher=_publisher(facts.provenance.get(key)),
        retries=facts.retries.get(key, ()),
        error=_error_of_file(facts, status, finished),
        tried=facts.tried.get(distribution.filename, ()),
    )


def _status(facts: Facts, key: tuple[str, str], planned: PlannedFile | None, finished: FileStatus | None) -> FileStatus:
    """Return the status of a file: only the index's listing makes an accepted file ``uploaded``."""
    confirmed = _confirmed(facts.listed.get(key))
    if finished is None and key in facts.attempts:
        finished = FileStatus.UNKNOWN
    if confirmed is not None and finished in _SENT:
        return confirmed
    if finished is FileStatus.UPLOADED:
        return FileStatus.NOT_CONFIRMED
    if finished is not None:
        return finished
    listed = confirmed is FileStatus.UPLOADED
    return FileStatus.ALREADY_PUBLISHED if listed else _planned_status(planned, dry=facts.dry)


def _confirmed(listed: FileListed | None) -> FileStatus | None:
    """Return what the listing makes of a file that was sent, None where it does not show our content."""
    if listed is None or not (listed.listed or listed.same_md5):
        return None
    return FileStatus.UPLOADED if listed.listed else FileStatus.UPLOADED_MD5


def _error_of_file(facts: Facts, status: FileStatus, finished: FileFinished | None) -> ErrorEntry | None:
    """Return why a file did not reach the desired state: its own error, or the one that ended the run."""
    if status in _DONE:
        return None
    return error_entry(finished.error) if finished and finished.error else facts.ended_with


def _planned_status(planned: PlannedFile | None, *, dry: bool) -> FileStatus:
    match planned:
        case AlreadyPublished(md5_only=md5_only):
            return FileStatus.SAME_MD5 if md5_only else FileStatus.ALREADY_PUBLISHED
        case KeptPublished():
            return FileStatus.KEPT_PUBLISHED
        case Conflict():
            return FileStatus.CONFLICT
        case Deferred():
            return FileStatus.DEFERRED
        case Upload() | None:
            return FileStatus.PLANNED if dry and planned else FileStatus.NOT_ATTEMPTED
        case _:
            assert_never(planned)


def _url(finished: FileFinished | None, listed: FileListed | None, planned: PlannedFile | None) -> str | None:
    if finished and finished.url:
        return _without_user_info(finished.url)
    if listed and listed.published:
        return _without_user_info(listed.published.url)
    return (
        None if planned is None or isinstance(planned, Upload | Deferred) else _without_user_info(planned.published.url)
    )


def _index_only(facts: Facts, listed: FileListed) -> FileEntry:
    """Return the entry of a file that this run has no bytes of: what the index shows, and what its name says."""
    key, published = (listed.index, listed.filename), listed.published
    status = _status(facts, key, None, None)
    project, version, kind = _named(listed.filename)
    return FileEntry(
        index=listed.index,
        filename=listed.filename,
        path=None,
        project=project,
        version=version,
        kind=kind,
        size=None if published is None else published.size,
        sha256=_digest(published),
        status=status,
        attempts=facts.attempts.get(key, 0),
        url=_url(None, listed, None),
        attestations=_attestations_of(facts, key),
        listed=listed.listed,
        provenance_verified=_verified(facts.provenance.get(key)),
        provenance_publisher=_publisher(facts.provenance.get(key)),
        retries=facts.retries.get(key, ()),
        error=_error_of_file(facts, status, None),
    )


def _by_name(facts: Facts, index: str | None, filename: str, **known: str) -> FileEntry:
    """Return the entry of a file that was not read as a distribution: what its name says, and what is *known*."""
    project, version, kind = _named(filename)
    return FileEntry(
        index=index,
        filename=filename,
        path=known.get("path"),
        project=project,
        version=version,
        kind=kind,
        size=None,
        sha256=known.get("sha256"),
        status=FileStatus.NOT_ATTEMPTED,
        attempts=0,
        url=None,
        attestations=_attestations_of(facts, (index or "", filename)),
        listed=None,
        provenance_verified=None,
        provenance_publisher=None,
        retries=(),
        error=_error_of_file(facts, FileStatus.NOT_ATTEMPTED, None),
    )


def _digest(published: PublishedFile | None) -> str | None:
    """Return the digest that an index shows, where it is one."""
    shown = "" if published is None or published.sha256 is None else published.sha256.lower()
    return shown if _SHA256.fullmatch(shown) else None


def _named(filename: str) -> tuple[str | None, str | None, Kind | None]:
    parsed = DistributionFilename.parse_or_none(filename)
    return (None, None, None) if parsed is None else (parsed.project, str(parsed.version), parsed.kind)


def _attestations_of(facts: Facts, key: tuple[str, str]) -> tuple[AttestationEntry, ...]:
    """Return the attestations that the run made or found beside the file, else those that the index serves."""
    if made := facts.attestations.get(key[1]):
        return made
    outcome = facts.provenance.get(key)
    served = outcome.attestations if isinstance(outcome, ProvenanceVerified) else ()
    return tuple(attestation_entry(attestation) for attestation in sorted(served, key=lambda each: each.predicate_type))


def _verified(outcome: ProvenanceOutcome | None) -> bool | None:
    return None if outcome is None else isinstance(outcome, ProvenanceVerified)


def _publisher(outcome: ProvenanceOutcome | None) -> str | None:
    return outcome.publisher if isinstance(outcome, ProvenanceVerified | ProvenanceByAnother) else None


def _problems(events: Sequence[Event]) -> Iterator[ProblemEntry]:
    """Yield the findings of the checks, then the warnings of the run, whose rule is the note's slug."""
    for checked in of_kind(events, Checked):
        for each in checked.problems:
            yield ProblemEntry(
                filename=each.filename, rule=each.rule, severity=each.severity, message=each.message, docs=each.docs
            )
    for noted in of_kind(events, Noted):
        if noted.warning:
            docs = f"{DOCS_URL}/reference/notes/"
            yield ProblemEntry(
                filename=noted.filename, rule=noted.slug, severity=Severity.WARNING, message=noted.message, docs=docs
            )


def _changes(events: Sequence[Event]) -> Iterator[ChangeEntry]:
    """Yield what is different from the releases before; with several indexes, what each comparison found."""
    for diff in (compared.diff for compared in of_kind(events, Compared)):
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


def _without_user_info(url: str) -> str:
    return _USER_INFO.sub("//", url)
