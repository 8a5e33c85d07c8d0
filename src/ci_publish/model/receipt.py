r"""The receipt: what happened in a run, as a fold over its events (pure).

``receipt_of`` may be called at any moment: for a run that was stopped half-way it returns what is known, and the files
that were not reached are ``not-attempted``. The JSON is a contract, described by ``docs/receipt-2.schema.json``. New
fields may be added at any time; removing a field or changing its meaning raises ``SCHEMA_VERSION``.

All times are RFC 3339 in UTC. Text from outside appears as it came (JSON needs no more than its own escapes, and
``to_json`` writes these so that no runner finds a workflow command in the document).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar, assert_never

from ci_publish.about import DOCS_URL, NAME, __version__
from ci_publish.errors import CiPublishError, Interrupted
from ci_publish.model.attestation import Attestation, ProvenanceByAnother, ProvenanceOutcome, ProvenanceVerified
from ci_publish.model.distribution import Distribution, Kind, UnreadableFile
from ci_publish.model.events import (
    Checked,
    Collected,
    CredentialChanged,
    Event,
    FileFinished,
    FileListed,
    FileStatus,
    IndexChosen,
    Noted,
    Outcome,
    Planned,
    ProvenanceChecked,
    Retrying,
    RunFinished,
    RunStarted,
    Signed,
    StepFinished,
    UploadsCollided,
    UploadStarted,
)
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import CredentialKind, CredentialState
from ci_publish.model.index import (
    AlreadyPublished,
    Conflict,
    Endpoints,
    IndexProfile,
    KeptPublished,
    PlannedFile,
    PublishedFile,
    Upload,
)
from ci_publish.model.problem import Problem, Severity

SCHEMA_VERSION = 2

Redact = Callable[[str], str]
"""Takes secrets out of a text; the last defence before it leaves the program."""


@frozen
class Tool:
    """The program that wrote the receipt."""

    name: str = NAME
    version: str = __version__


@frozen
class ErrorEntry:
    """A failure, in the words of the log."""

    slug: str
    summary: str
    detail: str
    hints: tuple[str, ...]
    docs: str


@frozen
class CredentialEntry:
    """What the run authenticated with; ``burnt`` is None where there was nothing to burn."""

    kind: CredentialKind
    provider: str | None
    expires: str | None
    burnt: bool | None


@frozen
class IndexEntry:
    """An index of the run."""

    name: str
    profile: IndexProfile
    repository_url: str
    index_url: str | None
    credential: CredentialEntry


@frozen
class AttestationEntry:
    """An attestation that the run made, found beside the file, or that the index serves and ``verify`` judged.

    ``signer`` is the identity in the signing certificate: the publisher, or for build provenance the builder.
    ``identity`` is the publisher as ``--publisher`` takes it, null for a kind that has no name there.
    """

    predicate_type: str
    signer: str | None
    identity: str | None
    source: str | None
    commit: str | None
    log_index: int | None
    integrated_time: str | None
    verified: bool


class RetryCause(StrEnum):
    """A cause of a retry that is known to be harmless."""

    CONCURRENT_UPLOADS = "concurrent-uploads"


@frozen
class RetryEntry:
    """An upload attempt that was tried again: why, and after how many seconds.

    ``cause`` is set where the cause is known to be harmless.
    """

    attempt: int
    reason: str
    wait: float
    cause: RetryCause | None


@frozen
class TriedEntry:
    """An installation of one file: with which interpreter and installer, which commands ran, and how it ended."""

    interpreter: str
    installer: str
    commands: tuple[str, ...]
    result: str
    seconds: float


@frozen
class FileEntry:
    """One file at one index; ``index`` is None for commands that need none (check, attest).

    ``path``, ``size`` and ``sha256`` are None for a file that only the index has (``verify PROJECT==VERSION``) and does
    not describe; the last two also for a file that cannot be read as a distribution. ``listed``: with our digest
    (true), not or otherwise (false), not asked or unreadable (null). ``error`` is set for every file that did not reach
    the desired state.
    """

    index: str | None
    filename: str
    path: str | None
    project: str | None
    version: str | None
    kind: Kind | None
    size: int | None
    sha256: str | None
    status: FileStatus
    attempts: int
    url: str | None
    attestations: tuple[AttestationEntry, ...]
    listed: bool | None
    provenance_verified: bool | None
    provenance_publisher: str | None
    retries: tuple[RetryEntry, ...]
    error: ErrorEntry | None
    tried: tuple[TriedEntry, ...] = ()


@frozen
class ProblemEntry:
    """A finding of the checks, or a warning of the run (its rule is the note's slug)."""

    filename: str | None
    rule: str
    severity: Severity
    message: str
    docs: str


@frozen
class ChangeEntry:
    """One difference between a release and the release ``against`` which it was compared."""

    project: str
    version: str
    against: str | None
    rule: str
    severity: Severity
    message: str
    docs: str


@frozen
class WaveEntry:
    """Projects that were uploaded together; the waves of an index are in upload order."""

    index: str
    projects: tuple[str, ...]


@frozen
class Receipt:
    """What happened in a run. ``exit_code`` and ``finished`` are None until it has ended.

    ``resume_after`` is when a deferred run can go on, where that is known.
    """

    command: str
    outcome: Outcome
    exit_code: int | None
    error: ErrorEntry | None
    indexes: tuple[IndexEntry, ...]
    files: tuple[FileEntry, ...]
    problems: tuple[ProblemEntry, ...]
    started: str | None
    finished: str | None
    timings: Mapping[str, float]
    resume_after: str | None = None
    changes: tuple[ChangeEntry, ...] = ()
    waves: tuple[WaveEntry, ...] = ()
    schema_version: int = SCHEMA_VERSION
    tool: Tool = field(default_factory=Tool)

    def count(self, *statuses: FileStatus) -> int:
        """Return how many files have one of *statuses*."""
        return sum(entry.status in statuses for entry in self.files)


def receipt_of(events: Sequence[Event]) -> Receipt:
    """Return the receipt of the run that *events* tell about, in the order in which they were emitted."""
    begun, ended = _last(events, RunStarted), _last(events, RunFinished)
    return Receipt(
        command=begun.command if begun else "",
        outcome=ended.outcome if ended else Outcome.INTERRUPTED,
        exit_code=ended.exit_code if ended else None,
        error=_error(ended.error) if ended else None,
        indexes=tuple(_indexes(events)),
        files=tuple(_files(events)),
        problems=(
            *(_problem(problem) for checked in _of(events, Checked) for problem in checked.problems),
            *(_warning(noted) for noted in _of(events, Noted) if noted.warning),
        ),
        started=_time(begun.time) if begun else None,
        finished=_time(ended.time) if ended else None,
        timings=_timings(events),
        resume_after=(ended.extra.get("resume-after") or None) if ended else None,
    )


def to_dict(receipt: Receipt, redact: Redact = str) -> dict[str, Any]:
    """Return *receipt* as the JSON object of the schema, in the order of the documentation."""
    order = ("schema_version", "tool", *(each.name for each in fields(receipt) if each.name not in _FIRST))
    return {name: _plain(name, getattr(receipt, name), redact) for name in order}


def to_json(receipt: Receipt, redact: Redact = str, *, indent: int | None = 2) -> str:
    """Return *receipt* as a JSON document of ASCII characters, ending with a line break."""
    return dump(to_dict(receipt, redact), indent=indent) + "\n"


def dump(value: object, *, indent: int | None = None) -> str:
    """Return *value* as JSON that is safe to print: ASCII without control characters or ``##[`` commands."""
    text = json.dumps(value, indent=indent, ensure_ascii=True, allow_nan=False)
    return text.replace("\x7f", "\\u007f").replace("##", "#\\u0023")


# -- folds over the events --

_E = TypeVar("_E")
_FIRST = ("schema_version", "tool")
_FREE_TEXT = frozenset(
    {"summary", "detail", "hints", "message", "reason", "commands", "url", "repository_url", "index_url", "path"}
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
_WITHOUT_DESIRED_STATE = frozenset({"check", "attest", "diff"})
_SURROGATES = re.compile("[\ud800-\udfff]")
_SHA256 = re.compile("[0-9a-f]{64}")
_USER_INFO = re.compile(r"//[^/?#\s]*@")
_COLLIDED = "the index answered 500, because it completed another file of this release at the same moment"
_NO_CREDENTIAL = CredentialState(CredentialKind.NONE)


def _of(events: Sequence[Event], kind: type[_E]) -> Iterator[_E]:
    return (event for event in events if isinstance(event, kind))


def _last(events: Sequence[Event], kind: type[_E]) -> _E | None:
    return next((event for event in reversed(events) if isinstance(event, kind)), None)


def _timings(events: Sequence[Event]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for step in _of(events, StepFinished):
        seconds[step.step.value] = round(seconds.get(step.step.value, 0.0) + step.seconds, 3)
    return seconds


def _indexes(events: Sequence[Event]) -> Iterator[IndexEntry]:
    credentials = {changed.index: changed.state for changed in _of(events, CredentialChanged)}
    endpoints = {chosen.endpoints.name: chosen.endpoints for chosen in _of(events, IndexChosen)}
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
            expires=None if state.expires is None else _time(state.expires),
            burnt=state.burnt,
        ),
    )


@frozen
class _Facts:
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


def _facts(events: Sequence[Event]) -> _Facts:
    begun, ended = _last(events, RunStarted), _last(events, RunFinished)
    return _Facts(
        dry=(begun is not None and begun.command == "plan") or (ended is not None and ended.outcome is Outcome.PLANNED),
        ended_with=_ended_with(begun, ended),
        planned={
            (event.plan.index, str(file.distribution.path)): file
            for event in _of(events, Planned)
            for file in event.plan.files
        },
        attempts={(event.index, event.filename): event.attempt for event in _of(events, UploadStarted)},
        finished={(event.index, str(event.distribution.path)): event for event in _of(events, FileFinished)},
        listed={(event.index, event.filename): event for event in _of(events, FileListed)},
        provenance={(event.index, event.filename): event.outcome for event in _of(events, ProvenanceChecked)},
        attestations=_attestations(events),
        retries=_retries(events),
    )


def _ended_with(begun: RunStarted | None, ended: RunFinished | None) -> ErrorEntry | None:
    """Return the error of the files that have none of their own and did not reach the desired state."""
    if begun is None or begun.command in _WITHOUT_DESIRED_STATE:
        return None
    if ended is None:
        return _error(Interrupted("The run ended before it could say what became of this file."))
    return _error(ended.error)


def _attestations(events: Sequence[Event]) -> dict[str, tuple[AttestationEntry, ...]]:
    """Return the last attestation of each predicate type, by filename."""
    found: dict[str, dict[str, AttestationEntry]] = {}
    for attestation in (signed.attestation for signed in _of(events, Signed)):
        found.setdefault(attestation.filename, {})[attestation.predicate_type] = _attestation(attestation)
    return {filename: tuple(by_type[name] for name in sorted(by_type)) for filename, by_type in found.items()}


def _retries(events: Sequence[Event]) -> dict[tuple[str, str], tuple[RetryEntry, ...]]:
    """Return the upload attempts that were tried again; PyPI's answer to two completed at once has its cause."""
    found: dict[tuple[str, str], tuple[RetryEntry, ...]] = {}
    attempts: dict[tuple[str, str], int] = {}
    for event in events:
        match event:
            case UploadStarted():
                attempts[event.index, event.filename] = event.attempt
            case Retrying():
                key = (event.index or "", event.what)
                found[key] = (*found.get(key, ()), RetryEntry(event.attempt, event.reason, round(event.wait, 3), None))
            case UploadsCollided():
                key = (event.index, event.filename)
                entry = RetryEntry(max(1, attempts.get(key, 1)), _COLLIDED, 0.0, RetryCause.CONCURRENT_UPLOADS)
                found[key] = (*found.get(key, ()), entry)
            case _:
                pass
    return found


def _files(events: Sequence[Event]) -> Iterator[FileEntry]:
    """Yield an entry for each file at each index; without an index for each file that was found."""
    facts = _facts(events)
    distributions = _distributions(events)
    unreadable = {str(file.path): file for event in _of(events, Collected) for file in event.unreadable}.values()
    for index in _index_names(events) or (None,):
        ours = set()
        for distribution in distributions:
            ours.add(distribution.filename)
            yield _file(facts, index, distribution)
        yield from (_unreadable(facts, index, file) for file in unreadable)
        yield from (
            _theirs(facts, listed)
            for (name, filename), listed in facts.listed.items()
            if name == index and filename not in ours
        )


def _distributions(events: Sequence[Event]) -> tuple[Distribution, ...]:
    found = {str(each.path): each for collected in _of(events, Collected) for each in collected.distributions}
    for finished in _of(events, FileFinished):
        found.setdefault(str(finished.distribution.path), finished.distribution)
    return tuple(found.values())


def _index_names(events: Sequence[Event]) -> tuple[str, ...]:
    chosen = [event.endpoints.name for event in _of(events, IndexChosen)]
    told = [event.index for event in events if isinstance(event, FileFinished | FileListed)]
    return tuple(dict.fromkeys(chosen + told))


def _file(facts: _Facts, index: str | None, distribution: Distribution) -> FileEntry:
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
    )


def _status(
    facts: _Facts, key: tuple[str, str], planned: PlannedFile | None, finished: FileStatus | None
) -> FileStatus:
    """Return the status of a file: only the index's listing makes an accepted file ``uploaded``."""
    listed = key in facts.listed and facts.listed[key].listed is True
    same_md5 = key in facts.listed and facts.listed[key].same_md5
    if finished is None and key in facts.attempts:
        finished = FileStatus.UNKNOWN
    if finished in _SENT and (listed or same_md5):
        return FileStatus.UPLOADED if listed else FileStatus.UPLOADED_MD5
    if finished is FileStatus.UPLOADED:
        return FileStatus.NOT_CONFIRMED
    if finished is not None:
        return finished
    return FileStatus.ALREADY_PUBLISHED if listed else _planned_status(planned, dry=facts.dry)


def _error_of_file(facts: _Facts, status: FileStatus, finished: FileFinished | None) -> ErrorEntry | None:
    """Return why a file did not reach the desired state: its own error, or the one that ended the run."""
    if status in _DONE:
        return None
    return _error(finished.error) if finished and finished.error else facts.ended_with


def _planned_status(planned: PlannedFile | None, *, dry: bool) -> FileStatus:
    match planned:
        case AlreadyPublished(md5_only=md5_only):
            return FileStatus.SAME_MD5 if md5_only else FileStatus.ALREADY_PUBLISHED
        case KeptPublished():
            return FileStatus.KEPT_PUBLISHED
        case Conflict():
            return FileStatus.CONFLICT
        case Upload() | None:
            return FileStatus.PLANNED if dry and planned else FileStatus.NOT_ATTEMPTED
        case _:
            assert_never(planned)


def _url(finished: FileFinished | None, listed: FileListed | None, planned: PlannedFile | None) -> str | None:
    if finished and finished.url:
        return _without_user_info(finished.url)
    if listed and listed.published:
        return _without_user_info(listed.published.url)
    return None if planned is None or isinstance(planned, Upload) else _without_user_info(planned.published.url)


def _theirs(facts: _Facts, listed: FileListed) -> FileEntry:
    """Return the entry of a file that this run has no bytes of: what the index shows and what its name says."""
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


def _unreadable(facts: _Facts, index: str | None, file: UnreadableFile) -> FileEntry:
    """Return the entry of a file that cannot be read as a distribution: what its name says."""
    project, version, kind = _named(file.filename)
    return FileEntry(
        index=index,
        filename=file.filename,
        path=str(file.path),
        project=project,
        version=version,
        kind=kind,
        size=None,
        sha256=None,
        status=FileStatus.NOT_ATTEMPTED,
        attempts=0,
        url=None,
        attestations=(),
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


def _attestation(attestation: Attestation) -> AttestationEntry:
    return AttestationEntry(
        predicate_type=attestation.predicate_type,
        signer=attestation.signer,
        identity=None if attestation.identity is None else str(attestation.identity),
        source=attestation.source,
        commit=attestation.commit,
        log_index=attestation.log_index,
        integrated_time=None if attestation.integrated_time is None else _time(attestation.integrated_time),
        verified=attestation.verified,
    )


def _attestations_of(facts: _Facts, key: tuple[str, str]) -> tuple[AttestationEntry, ...]:
    """Return the attestations that the run made or found beside the file, else those that the index serves."""
    if made := facts.attestations.get(key[1]):
        return made
    outcome = facts.provenance.get(key)
    served = outcome.attestations if isinstance(outcome, ProvenanceVerified) else ()
    return tuple(_attestation(attestation) for attestation in sorted(served, key=lambda each: each.predicate_type))


def _verified(outcome: ProvenanceOutcome | None) -> bool | None:
    return None if outcome is None else isinstance(outcome, ProvenanceVerified)


def _publisher(outcome: ProvenanceOutcome | None) -> str | None:
    return outcome.publisher if isinstance(outcome, ProvenanceVerified | ProvenanceByAnother) else None


def _error(error: CiPublishError | None) -> ErrorEntry | None:
    if error is None:
        return None
    return ErrorEntry(error.slug, error.summary, error.detail, error.hints, error.docs)


def _warning(noted: Noted) -> ProblemEntry:
    """Return a warning of the run beside those of the checks; its rule is the note's slug."""
    docs = f"{DOCS_URL}/reference/notes/"
    return ProblemEntry(noted.filename, noted.slug, Severity.WARNING, noted.message, docs)


def _problem(problem: Problem) -> ProblemEntry:
    return ProblemEntry(problem.filename, problem.rule, problem.severity, problem.message, problem.docs)


def _time(seconds: float) -> str | None:
    """Return a moment as RFC 3339; None for what no calendar holds (servers send expiry times)."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _without_user_info(url: str) -> str:
    return _USER_INFO.sub("//", url)


def _plain(name: str, value: Any, redact: Redact) -> Any:  # noqa: ANN401  (JSON)
    """Return *value* in JSON's own types; free text loses its secrets and what UTF-8 cannot hold."""
    match value:
        case str():
            text = redact(value) if name in _FREE_TEXT else str(value)
            return _SURROGATES.sub("\ufffd", text)
        case tuple():
            return [_plain(name, each, redact) for each in value]
        case Mapping():
            return dict(value)
        case bool() | int() | float() | None:
            return value
        case _:
            return {each.name: _plain(each.name, getattr(value, each.name), redact) for each in fields(value)}
