"""The files of a receipt, each with its status (pure)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from ci_publish.model.attestation import ProvenanceByAnother, ProvenanceVerified
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Collected, Event, FileFinished, FileListed, FileStatus, IndexChosen
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.index import AlreadyPublished, Conflict, Deferred, KeptPublished, PlannedFile, Upload
from ci_publish.model.receipt import FileEntry
from ci_publish.model.receipt_facts import (
    ReceiptFacts,
    events_of_kind,
    last_event_of_kind,
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

# Statuses known from the response to an upload, not from the listing before it.
_BY_ANSWER = frozenset({FileStatus.UPLOADED_MD5, FileStatus.ALREADY_PUBLISHED, FileStatus.SAME_MD5})

_SHA256 = re.compile("[0-9a-f]{64}")
_USER_INFO = re.compile(r"//[^/?#\s]*@")


def receipt_file_entries(events: Sequence[Event]) -> Iterator[FileEntry]:
    """Yield an entry for each file at each index; without an index for each file that was found."""
    facts = receipt_facts_of_events(events)
    collected = last_event_of_kind(events, Collected) or Collected(())
    found = {str(file.path): file for file in collected.distributions}
    unreadable = {str(file.path): file.filename for file in collected.unreadable}
    indexes = [event.endpoints.name for event in events_of_kind(events, IndexChosen)]
    indexes += [event.index for event in events if isinstance(event, FileFinished | FileListed)]
    for index in dict.fromkeys(indexes) or (None,):
        for distribution in found.values():
            yield _receipt_entry_of_distribution(facts, index, distribution)
        for path, filename in unreadable.items():
            yield replace(_receipt_entry_by_filename(facts, index, filename, FileStatus.NOT_ATTEMPTED), path=path)
        for subject in collected.subjects:
            entry = _receipt_entry_by_filename(facts, index, subject.filename, FileStatus.NOT_ATTEMPTED)
            yield replace(entry, sha256=subject.sha256)
        ours = {distribution.filename for distribution in found.values()}
        yield from (
            _receipt_entry_of_listed_file(facts, listed)
            for (name, filename), listed in facts.listed.items()
            if name == index and filename not in ours
        )


def _receipt_entry_by_filename(facts: ReceiptFacts, index: str | None, filename: str, status: FileStatus) -> FileEntry:
    """Return what is known from a filename: its parts, and the events about it."""
    key, parsed = (index or "", filename), DistributionFilename.parse_or_none(filename)
    provenance = facts.provenance.get(key)
    verified = provenance if isinstance(provenance, ProvenanceVerified) else None
    served = sorted(verified.attestations, key=lambda each: each.predicate_type) if verified else ()
    return FileEntry(
        index=index,
        filename=filename,
        project=parsed.project if parsed else None,
        version=str(parsed.version) if parsed else None,
        kind=parsed.kind if parsed else None,
        status=status,
        attempts=facts.attempts.get(key, 0),
        # Those that the run made or found next to the file, else those that the index serves.
        attestations=facts.attestations.get(filename) or tuple(map(receipt_attestation_entry, served)),
        provenance_verified=None if provenance is None else verified is not None,
        provenance_publisher=(
            provenance.publisher if isinstance(provenance, ProvenanceVerified | ProvenanceByAnother) else None
        ),
        retries=facts.retries.get(key, ()),
        error=None if status in _DONE else facts.ended_with,
        tried=facts.tried.get(filename, ()),
    )


def _receipt_entry_of_distribution(facts: ReceiptFacts, index: str | None, distribution: Distribution) -> FileEntry:
    key, by_path = (index or "", distribution.filename), (index or "", str(distribution.path))
    finished, planned, listed = facts.finished.get(by_path), facts.planned.get(by_path), facts.listed.get(key)
    status = _receipt_file_status(facts, key, planned, finished.status if finished else None)
    entry = _receipt_entry_by_filename(facts, index, distribution.filename, status)
    own_error = finished.error if finished and status not in _DONE else None
    return replace(
        entry,
        path=str(distribution.path),
        project=distribution.project,
        version=distribution.version,
        kind=distribution.kind,
        size=distribution.size,
        sha256=distribution.sha256,
        attempts=max(finished.attempts if finished else 0, entry.attempts),
        url=_receipt_file_url(finished, listed, planned),
        listed=listed.listed if listed else _is_listed_by_plan(planned, status),
        error=receipt_error_entry(own_error) or entry.error,
    )


def _receipt_entry_of_listed_file(facts: ReceiptFacts, listed: FileListed) -> FileEntry:
    """Return the entry of a file that only the index has: from its listing and its filename."""
    status = _receipt_file_status(facts, (listed.index, listed.filename), None, None)
    entry = replace(_receipt_entry_by_filename(facts, listed.index, listed.filename, status), listed=listed.listed)
    if (published := listed.published) is None:
        return entry
    digest = (published.sha256 or "").lower()
    return replace(
        entry,
        size=published.size,
        sha256=digest if _SHA256.fullmatch(digest) else None,
        url=url_without_user_info(published.url),
    )


def _receipt_file_status(
    facts: ReceiptFacts, key: tuple[str, str], planned: PlannedFile | None, finished: FileStatus | None
) -> FileStatus:
    """Return the status of a file: only the index's listing makes an accepted file ``uploaded``."""
    listed = facts.listed.get(key)
    if finished is None and key in facts.attempts:
        finished = FileStatus.UNKNOWN
    if finished in _SENT and listed and (listed.listed or listed.same_md5):
        return FileStatus.UPLOADED if listed.listed else FileStatus.UPLOADED_MD5
    if finished is not None:
        return FileStatus.NOT_CONFIRMED if finished is FileStatus.UPLOADED else finished
    if listed and listed.listed:
        return FileStatus.ALREADY_PUBLISHED
    return _receipt_status_by_plan(planned, dry=facts.dry)


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


def _is_listed_by_plan(planned: PlannedFile | None, status: FileStatus) -> bool | None:
    """Return whether the listing used for the plan has the file, None if it does not tell, or is out of date."""
    match planned:
        case None | Upload(known=False) | AlreadyPublished(md5_only=True):
            return None
        case AlreadyPublished():
            return True
        case _:
            return None if status in _SENT or status in _BY_ANSWER else False


def _receipt_file_url(
    finished: FileFinished | None, listed: FileListed | None, planned: PlannedFile | None
) -> str | None:
    if finished and finished.url:
        return url_without_user_info(finished.url)
    if listed and listed.published:
        return url_without_user_info(listed.published.url)
    if planned is None or isinstance(planned, Upload | Deferred):
        return None
    return url_without_user_info(planned.published.url)


def url_without_user_info(url: str) -> str:
    """Return *url* without the user name and password that it may contain."""
    return _USER_INFO.sub("//", url)
