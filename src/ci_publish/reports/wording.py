"""The wording that all reports share: sizes, statuses, decisions and outcomes (pure)."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import assert_never

from ci_publish.errors import CiPublishError
from ci_publish.model.attestation import (
    SLSA_PROVENANCE_V1,
    Attestation,
    ProvenanceByAnother,
    ProvenanceInvalid,
    ProvenanceMissing,
    ProvenanceOutcome,
    ProvenanceVerified,
)
from ci_publish.model.events import Event, FileListed, FileStatus, IndexChosen, Outcome, Planned
from ci_publish.model.identity import CredentialKind, CredentialState
from ci_publish.model.index import (
    AlreadyPublished,
    Conflict,
    Deferred,
    KeptPublished,
    PlannedFile,
    PublishedFile,
    Upload,
)
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.receipt import AttestationEntry, FileEntry, IndexEntry, Receipt

STATUS: Mapping[FileStatus, str] = {
    FileStatus.UPLOADED: "uploaded",
    FileStatus.UPLOADED_MD5: "uploaded, confirmed by MD5",
    FileStatus.NOT_CONFIRMED: "uploaded, not confirmed",
    FileStatus.ALREADY_PUBLISHED: "already published",
    FileStatus.SAME_MD5: "already published (MD5)",
    FileStatus.KEPT_PUBLISHED: "kept as published",
    FileStatus.PLANNED: "to be uploaded",
    FileStatus.CONFLICT: "conflict",
    FileStatus.REFUSED: "refused",
    FileStatus.FAILED: "failed",
    FileStatus.UNKNOWN: "unknown",
    FileStatus.DEFERRED: "deferred",
    FileStatus.NOT_ATTEMPTED: "not attempted",
}
BAD = frozenset({FileStatus.CONFLICT, FileStatus.REFUSED, FileStatus.FAILED, FileStatus.UNKNOWN})
_THERE = frozenset(
    {
        FileStatus.UPLOADED,
        FileStatus.UPLOADED_MD5,
        FileStatus.NOT_CONFIRMED,
        FileStatus.ALREADY_PUBLISHED,
        FileStatus.SAME_MD5,
        FileStatus.KEPT_PUBLISHED,
    }
)

_NOT_PUBLIC: Mapping[FileStatus, str] = {
    FileStatus.PLANNED: "not attempted",
    FileStatus.UNKNOWN: "unknown (the response was lost)",
}
# What may be on the index although no listing shows it, and what is there by its MD5 alone.
_MAYBE_THERE = frozenset({FileStatus.NOT_CONFIRMED, FileStatus.UNKNOWN})
_BY_MD5 = frozenset({FileStatus.UPLOADED_MD5, FileStatus.SAME_MD5})
_DONE = _THERE - {FileStatus.NOT_CONFIRMED}
_PUBLISHING = frozenset({"publish", "rehearse"})

_OF_VERIFY: Mapping[FileStatus, str] = {
    FileStatus.ALREADY_PUBLISHED: "published",
    FileStatus.SAME_MD5: "published (MD5)",
    FileStatus.CONFLICT: "published with different content",
    FileStatus.NOT_ATTEMPTED: "not on the index",
}
_LISTED = {True: "listed with this SHA-256", False: "not listed with this SHA-256", None: "file list unavailable"}
_AGAIN = re.compile(r"\b(again|re-run)\b", re.IGNORECASE)
_DIGEST_SHOWN = 12
_PUBLISHERS_SHOWN = 3
_CREDENTIAL: Mapping[CredentialKind, str] = {
    CredentialKind.TRUSTED_PUBLISHING: "Trusted Publishing",
    CredentialKind.API_TOKEN: "API token",
    CredentialKind.PASSWORD: "password",
    CredentialKind.NONE: "no credential",
}
_ENDS: Mapping[Outcome, str] = {
    Outcome.PUBLISHED: "Published",
    Outcome.NOT_CONFIRMED: "Uploaded, but not confirmed",
    Outcome.UPLOADED_MD5: "Uploaded; the index shows only an MD5",
    Outcome.ALREADY_PUBLISHED: "Already published",
    Outcome.SAME_MD5: "Already published, compared by MD5",
    Outcome.KEPT_PUBLISHED: "Nothing published; different content was kept",
    Outcome.DEFERRED: "Deferred",
    Outcome.PLANNED: "Planned, nothing was uploaded",
    Outcome.COMPARED: "Compared",
    Outcome.CHECKED: "Checked",
    Outcome.ATTESTED: "Attested",
    Outcome.REHEARSED: "Rehearsed",
    Outcome.VERIFIED: "Verified",
    Outcome.READY: "Ready to publish",
    Outcome.UNDETERMINED: "Cannot be determined without trying",
    Outcome.FAILED: "Failed",
    Outcome.INTERRUPTED: "Interrupted",
}


def format_duration(seconds: float) -> str:
    """Return a span of time, to the tenth of a second below a minute."""
    if seconds < 60:  # noqa: PLR2004  (a minute)
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def pluralise(number: int, noun: str) -> str:
    """Return ``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def format_utc_date_time(seconds: float) -> str:
    """Return a moment as a time of day in UTC, with its date."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "an unknown time"


def describe_plan_decision(planned: PlannedFile) -> tuple[FileStatus, str]:
    """Return what a plan decides about a file, and why."""
    match planned:
        case Upload(known=known):
            return FileStatus.PLANNED, "not on the index" if known else "file list unavailable"
        case AlreadyPublished(md5_only=md5_only):
            status = FileStatus.SAME_MD5 if md5_only else FileStatus.ALREADY_PUBLISHED
            return status, f"already on the index (same {'MD5' if md5_only else 'SHA-256'})"
        case KeptPublished(reason=reason):
            return FileStatus.KEPT_PUBLISHED, reason
        case Deferred(reason=reason):
            return FileStatus.DEFERRED, reason.summary
        case Conflict(distribution=ours, published=PublishedFile(sha256=str(theirs))):
            digests = f"ours sha256:{ours.sha256[:_DIGEST_SHOWN]}…, on the index sha256:{theirs[:_DIGEST_SHOWN]}…"
            return FileStatus.CONFLICT, digests
        case Conflict():
            return FileStatus.CONFLICT, "the index has a file of this name and shows no digest to compare"
        case _:
            assert_never(planned)


def upload_order_lines(planned: Planned) -> tuple[str, ...]:
    """Return the projects of each wave, in upload order; empty where fewer than two projects are uploaded."""
    return planned.train.wave_lines(planned.plan.projects_to_upload, planned.new_projects)


def describe_credential(state: CredentialState) -> str:
    """Return which credential a run uses, how long it lasts and whether it was burned."""
    who = f" ({state.provider})" if state.provider else ""
    if state.burnt:
        return f"{_CREDENTIAL[state.kind]}{who}, upload token burned"
    until = "" if state.expires is None else f", upload token until {format_utc_date_time(state.expires)}"
    return f"{_CREDENTIAL[state.kind]}{who}{until}"


def describe_listing(event: FileListed) -> str:
    """Return what the index's own listing says about a file."""
    if event.listed is None and not event.asked:
        return "file list not checked"
    if not event.compared:
        return "listed"
    if event.same_md5:
        return "listed with the same MD5; the index shows no SHA-256"
    if event.listed is None and event.published is not None:
        return "listed, but without a digest to compare"
    return _LISTED[event.listed]


def describe_provenance(outcome: ProvenanceOutcome) -> str:
    """Return what the index serves as provenance for a file."""
    match outcome:
        case ProvenanceVerified(publisher=publisher, log_index=log_index, attestations=attestations):
            log = "" if log_index is None else f", log index {log_index}"
            built = (
                f"; {describe_build_provenance(builder_source_commit(each))}"
                for each in attestations
                if each.predicate_type == SLSA_PROVENANCE_V1
            )
            return f"provenance verified: {publisher}{log}{''.join(built)}"
        case ProvenanceByAnother():
            return f"provenance of another publisher: {outcome.reason}"
        case ProvenanceMissing(reason=reason):
            return f"no provenance: {reason}"
        case ProvenanceInvalid(reason=reason):
            return f"provenance does not verify: {reason}"
        case _:
            assert_never(outcome)


Build = tuple[str, str, str]
"""What build provenance says, as its certificate names it: builder, source and commit."""


def builder_source_commit(attestation: Attestation | AttestationEntry) -> Build:
    """Return what build provenance says."""
    source = attestation.identity or attestation.source or "an unknown source"
    return attestation.signer or "an unknown builder", str(source), attestation.commit or "an unknown commit"


def describe_build_provenance(build: Build) -> str:
    """Return what build provenance says, as a clause."""
    builder, source, commit = build
    return f"built by {builder} from {source} at commit {commit}"


def describe_attestation(attestation: Attestation) -> str:
    """Return what is known of an attestation that a file has."""
    verified = "verified" if attestation.verified else "not verified"
    log = "" if attestation.log_index is None else f", transparency log index {attestation.log_index}"
    if attestation.predicate_type != SLSA_PROVENANCE_V1:
        return f"attestation {verified}{log}"
    return f"build provenance {verified}{log}; {describe_build_provenance(builder_source_commit(attestation))}"


def describe_attestations(attestations: Sequence[Attestation]) -> str:
    """Return what is known of the attestations of several files."""
    verified = "verified" if all(each.verified for each in attestations) else "not all verified"
    indexes = sorted(each.log_index for each in attestations if each.log_index is not None)
    log = f", transparency log index {indexes[0]} to {indexes[-1]}" if indexes else ""
    return f"{pluralise(len(attestations), 'attestation')} {verified}{log}"


def count_files_by_build(receipt: Receipt) -> Mapping[Build, int]:
    """Return what the build provenance of a run's files says, each once, with the number of files."""
    return Counter(
        builder_source_commit(each)
        for files in {file.filename: file for file in receipt.files}.values()
        for each in files.attestations
        if each.predicate_type == SLSA_PROVENANCE_V1
    )


def count_problems_by_severity(problems: Sequence[Problem]) -> str:
    """Return how many problems of each severity there are; ``no problems`` where there are none."""
    numbers = ((severity, sum(problem.severity is severity for problem in problems)) for severity in Severity)
    return ", ".join(pluralise(number, severity.value) for severity, number in numbers if number) or "no problems"


def hints_with_rerun(error: CiPublishError) -> tuple[str, ...]:
    """Return what to do about *error*, with a re-run where that can help and no hint says so."""
    said = any(_AGAIN.search(hint) for hint in error.hints)
    return error.hints if said or not error.retryable else (*error.hints, "Run it again: completed work is kept.")


def describe_file_result(receipt: Receipt, file: FileEntry) -> str:
    """Return what happened to *file*, in the wording of the command that ran."""
    if file.index is None and receipt.exit_code == 0:
        return receipt.outcome.value
    if receipt.command != "verify":
        return STATUS[file.status]
    if file.path is None and file.status is FileStatus.ALREADY_PUBLISHED:
        return "published"
    return {**STATUS, **_OF_VERIFY}[file.status]


def describe_run_outcome(receipt: Receipt) -> str:
    """Return how a run ended, in one sentence without the names of projects and without a full stop."""
    if receipt.outcome is Outcome.CHECKED and not receipt.files:
        return "Nothing to check: no wheel or sdist was found"
    by_status = sorted(receipt.files, key=lambda file: list(FileStatus).index(file.status))
    counted = Counter(describe_file_result(receipt, file) for file in by_status if file.index is not None)
    numbers = ", ".join(f"{number} {word}" for word, number in counted.items())
    if not numbers and receipt.files and receipt.exit_code == 0:
        numbers = pluralise(len(receipt.files), "file")
    ended = f"{_ENDS[receipt.outcome]}: {numbers}" if numbers else _ENDS[receipt.outcome]
    return f"{ended}{_describe_signers(receipt)}"


def _describe_signers(receipt: Receipt) -> str:
    """Return who signed the files that ``verify`` found, and of how many that is not known."""
    if receipt.outcome is not Outcome.VERIFIED or not receipt.files:
        return ""
    publishers = list(dict.fromkeys(file.provenance_publisher for file in receipt.files if file.provenance_publisher))
    unsigned = sum(file.provenance_verified is False for file in receipt.files)
    shown = ", ".join(publishers[:_PUBLISHERS_SHOWN])
    more = f" and {len(publishers) - _PUBLISHERS_SHOWN} more" if len(publishers) > _PUBLISHERS_SHOWN else ""
    by = f"; signed by {shown}{more}" if publishers else ""
    by += "".join(
        f"; {describe_build_provenance(build)}" for build in list(count_files_by_build(receipt))[:_PUBLISHERS_SHOWN]
    )
    return f"{by}; {pluralise(unsigned, 'file')} without verified provenance" if unsigned else by


def public_state_and_rerun_lines(receipt: Receipt) -> tuple[str, ...]:
    """Return what is public after a run that failed, what a re-run will do, and what happened to the upload token."""
    if receipt.error is None or receipt.command not in _PUBLISHING:
        return ()
    lines = [_describe_public_files_at_index(receipt, index) for index in receipt.indexes]
    if not lines:
        return ("Nothing was uploaded.",)
    if receipt.command != "rehearse" and any(file.status not in _DONE for file in receipt.files):
        lines.append("A re-run recognises published files by their digest, and uploads only the rest.")
    return (*lines, *(text for index in receipt.indexes if (text := _describe_upload_token(index))))


def _describe_public_files_at_index(receipt: Receipt, index: IndexEntry) -> str:
    files = [file for file in receipt.files if file.index == index.name]
    others = Counter(file.status for file in files if file.listed is not True)
    rest = "".join(
        f"; {others[status]} {_NOT_PUBLIC.get(status, text)}" for status, text in STATUS.items() if others[status]
    )
    counted = f"{len(files) - others.total()} of {pluralise(len(files), 'file')}{rest}"
    if receipt.command == "rehearse":
        name = f" {index.name}" if len(receipt.indexes) > 1 else ""
        return f"On the rehearsal index{name} now: {counted}; nothing is public."
    unseen = [file for file in files if file.listed is None and file.status not in _BY_MD5]
    missing = sum(file.status not in _MAYBE_THERE for file in unseen)
    if unseen and len(unseen) == len(files):
        after = " after the uploads" if missing < len(files) else ""
        return f"Public on {index.name}: not known, its file list was not read{after}{rest}."
    unknown = f"; not known for {pluralise(missing, 'file')} whose file list was not read" if missing else ""
    return f"Public on {index.name} now: {counted}{unknown}."


def _describe_upload_token(index: IndexEntry) -> str:
    state = index.credential
    if state.kind is not CredentialKind.TRUSTED_PUBLISHING or state.burnt is None:
        return ""
    if state.burnt:
        return f"The upload token for {index.name} was burned."
    until = f" at {state.expires}" if state.expires else ""
    return f"The upload token for {index.name} was not burned; it expires by itself{until}."


def release_page_addresses(receipt: Receipt, events: Sequence[Event]) -> tuple[str, ...]:
    """Return the addresses of the pages of the releases that are on their index now, each once.

    An index without project pages, a plan or a failure before the first upload gives none; nor does a rehearsal,
    whose index ends with the run.
    """
    if receipt.command == "rehearse":
        return ()
    chosen = [event.endpoints for event in events if isinstance(event, IndexChosen)]
    roots = {endpoints.name: endpoints.web for endpoints in chosen if endpoints.web}
    return tuple(
        dict.fromkeys(
            f"{roots[file.index].rstrip('/')}/{file.project}/{file.version}/"
            for file in receipt.files
            if file.index in roots and (file.project is not None and (file.listed is True or file.status in _THERE))
        )
    )
