"""The files of a receipt, each with what became of it (pure)."""

import re
from collections.abc import Iterator, Sequence
from typing import assert_never

from ci_publish.model.attestation import ProvenanceByAnother, ProvenanceOutcome, ProvenanceVerified
from ci_publish.model.distribution import Distribution, Kind
from ci_publish.model.events import (
    Collected,
    Event,
    FileFinished,
    FileListed,
    FileStatus,
    IndexChosen,
)
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.index import (
    AlreadyPublished,
    Conflict,
    Deferred,
    KeptPublished,
    PlannedFile,
    PublishedFile,
    Upload,
)
from ci_publish.model.receipt import (
    AttestationEntry,
    ErrorEntry,
    FileEntry,
)
from ci_publish.model.receipt_facts import (
    ReceiptFacts,
    events_of_kind,
    receipt_attestation_entry,
    receipt_error_entry,
    receipt_facts_of_events,
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


# What the answer to an upload says that the listing before it did not.
_BY_ANSWER = frozenset({FileStatus.UPLOADED_MD5, FileStatus.ALREADY_PUBLISHED, FileStatus.SAME_MD5})


_SHA256 = re.compile("[0-9a-f]{64}")


_USER_INFO = re.compile(r"//[^/?#\s]*@")


def receipt_file_entries(events: Sequence[Event]) -> Iterator[FileEntry]:
    """Yield an entry for each file at each index; without an index for each file that was found."""
    facts = receipt_facts_of_events(events)
    distributions = _distributions_in_events(events)
    unreadable = {
        str(file.path): file for event in events_of_kind(events, Collected) for file in event.unreadable
    }.values()
    subjects = [subject for event in events_of_kind(events, Collected) for subject in event.subjects]
    for index in _index_names_in_events(events) or (None,):
        ours = set()
        for distribution in distributions:
            ours.add(distribution.filename)
            yield _receipt_file_entry(facts, index, distribution)
        yield from (
            _receipt_entry_of_unread_file(facts, index, file.filename, path=str(file.path)) for file in unreadable
        )
        yield from (
            _receipt_entry_of_unread_file(facts, index, subject.filename, sha256=subject.sha256) for subject in subjects
        )
        yield from (
            _receipt_entry_of_listed_file(facts, listed)
            for (name, filename), listed in facts.listed.items()
            if name == index and filename not in ours
        )


def _distributions_in_events(events: Sequence[Event]) -> tuple[Distribution, ...]:
    found = {
        str(each.path): each for collected in events_of_kind(events, Collected) for each in collected.distributions
    }
    for finished in events_of_kind(events, FileFinished):
        found.setdefault(str(finished.distribution.path), finished.distribution)
    return tuple(found.values())


def _index_names_in_events(events: Sequence[Event]) -> tuple[str, ...]:
    chosen = [event.endpoints.name for event in events_of_kind(events, IndexChosen)]
    told = [event.index for event in events if isinstance(event, FileFinished | FileListed)]
    return tuple(dict.fromkeys(chosen + told))


def _receipt_file_entry(facts: ReceiptFacts, index: str | None, distribution: Distribution) -> FileEntry:
    key, by_path = (index or "", distribution.filename), (index or "", str(distribution.path))
    finished, planned, listed = facts.finished.get(by_path), facts.planned.get(by_path), facts.listed.get(key)
    status = _receipt_file_status(facts, key, planned, finished.status if finished else None)
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
        url=_receipt_file_url(finished, listed, planned),
        attestations=_receipt_file_attestations(facts, key),
        listed=listed.listed if listed else _is_listed_by_plan(planned, status),
        provenance_verified=_is_provenance_verified(facts.provenance.get(key)),
        provenance_publisher=_provenance_publisher(facts.provenance.get(key)),
        retries=facts.retries.get(key, ()),
        error=_receipt_file_error(facts, status, finished),
        tried=facts.tried.get(distribution.filename, ()),
    )


def _receipt_file_status(
    facts: ReceiptFacts, key: tuple[str, str], planned: PlannedFile | None, finished: FileStatus | None
) -> FileStatus:
    """Return the status of a file: only the index's listing makes an accepted file ``uploaded``."""
    confirmed = _receipt_status_by_listing(facts.listed.get(key))
    if finished is None and key in facts.attempts:
        finished = FileStatus.UNKNOWN
    if confirmed is not None and finished in _SENT:
        return confirmed
    if finished is FileStatus.UPLOADED:
        return FileStatus.NOT_CONFIRMED
    if finished is not None:
        return finished
    listed = confirmed is FileStatus.UPLOADED
    return FileStatus.ALREADY_PUBLISHED if listed else _receipt_status_by_plan(planned, dry=facts.dry)


def _is_listed_by_plan(planned: PlannedFile | None, status: FileStatus) -> bool | None:
    """Return what the listing that the plan was made from says of a file, None where it says nothing, or no more."""
    match planned:
        case None | Upload(known=False) | AlreadyPublished(md5_only=True):
            return None
        case AlreadyPublished():
            return True
        case _:
            return None if status in _SENT or status in _BY_ANSWER else False


def _receipt_status_by_listing(listed: FileListed | None) -> FileStatus | None:
    """Return what the listing makes of a file that was sent, None where it does not show our content."""
    if listed is None or not (listed.listed or listed.same_md5):
        return None
    return FileStatus.UPLOADED if listed.listed else FileStatus.UPLOADED_MD5


def _receipt_file_error(facts: ReceiptFacts, status: FileStatus, finished: FileFinished | None) -> ErrorEntry | None:
    """Return why a file did not reach the desired state: its own error, or the one that ended the run."""
    if status in _DONE:
        return None
    return receipt_error_entry(finished.error) if finished and finished.error else facts.ended_with


def _receipt_status_by_plan(planned: PlannedFile | None, *, dry: bool) -> FileStatus:
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


def _receipt_file_url(
    finished: FileFinished | None, listed: FileListed | None, planned: PlannedFile | None
) -> str | None:
    if finished and finished.url:
        return url_without_user_info(finished.url)
    if listed and listed.published:
        return url_without_user_info(listed.published.url)
    return (
        None
        if planned is None or isinstance(planned, Upload | Deferred)
        else url_without_user_info(planned.published.url)
    )


def _receipt_entry_of_listed_file(facts: ReceiptFacts, listed: FileListed) -> FileEntry:
    """Return the entry of a file that this run has no bytes of: what the index shows, and what its name says."""
    key, published = (listed.index, listed.filename), listed.published
    status = _receipt_file_status(facts, key, None, None)
    project, version, kind = _release_and_kind_in_filename(listed.filename)
    return FileEntry(
        index=listed.index,
        filename=listed.filename,
        path=None,
        project=project,
        version=version,
        kind=kind,
        size=None if published is None else published.size,
        sha256=_valid_published_sha256(published),
        status=status,
        attempts=facts.attempts.get(key, 0),
        url=_receipt_file_url(None, listed, None),
        attestations=_receipt_file_attestations(facts, key),
        listed=listed.listed,
        provenance_verified=_is_provenance_verified(facts.provenance.get(key)),
        provenance_publisher=_provenance_publisher(facts.provenance.get(key)),
        retries=facts.retries.get(key, ()),
        error=_receipt_file_error(facts, status, None),
    )


def _receipt_entry_of_unread_file(facts: ReceiptFacts, index: str | None, filename: str, **known: str) -> FileEntry:
    """Return the entry of a file that was not read as a distribution: what its name says, and what is *known*."""
    project, version, kind = _release_and_kind_in_filename(filename)
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
        attestations=_receipt_file_attestations(facts, (index or "", filename)),
        listed=None,
        provenance_verified=None,
        provenance_publisher=None,
        retries=(),
        error=_receipt_file_error(facts, FileStatus.NOT_ATTEMPTED, None),
    )


def _valid_published_sha256(published: PublishedFile | None) -> str | None:
    """Return the digest that an index shows, where it is one."""
    shown = "" if published is None or published.sha256 is None else published.sha256.lower()
    return shown if _SHA256.fullmatch(shown) else None


def _release_and_kind_in_filename(filename: str) -> tuple[str | None, str | None, Kind | None]:
    parsed = DistributionFilename.parse_or_none(filename)
    return (None, None, None) if parsed is None else (parsed.project, str(parsed.version), parsed.kind)


def _receipt_file_attestations(facts: ReceiptFacts, key: tuple[str, str]) -> tuple[AttestationEntry, ...]:
    """Return the attestations that the run made or found beside the file, else those that the index serves."""
    if made := facts.attestations.get(key[1]):
        return made
    outcome = facts.provenance.get(key)
    served = outcome.attestations if isinstance(outcome, ProvenanceVerified) else ()
    return tuple(
        receipt_attestation_entry(attestation) for attestation in sorted(served, key=lambda each: each.predicate_type)
    )


def _is_provenance_verified(outcome: ProvenanceOutcome | None) -> bool | None:
    return None if outcome is None else isinstance(outcome, ProvenanceVerified)


def _provenance_publisher(outcome: ProvenanceOutcome | None) -> str | None:
    return outcome.publisher if isinstance(outcome, ProvenanceVerified | ProvenanceByAnother) else None


def url_without_user_info(url: str) -> str:
    """Return *url* without the user name and password that it may hold."""
    return _USER_INFO.sub("//", url)
