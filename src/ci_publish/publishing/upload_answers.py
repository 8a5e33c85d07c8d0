"""What an index's response to an upload means for the file: the listing decides, not the response's text."""

from collections.abc import Mapping
from typing import assert_never

from ci_publish.model.distribution import Distribution
from ci_publish.model.events import FileStatus
from ci_publish.model.index import (
    Accepted,
    AlreadyThere,
    Cancelled,
    Conflict,
    CredentialRefused,
    FileChanged,
    IndexState,
    ListingUnavailable,
    NewProjectLimit,
    NoSuchProject,
    NotVisible,
    ProjectListing,
    PublishedFile,
    Refused,
    Unavailable,
    UploadOutcome,
)
from ci_publish.publishing import messages, train_messages
from ci_publish.publishing.context import Run
from ci_publish.publishing.file_outcomes import FileOutcomes, Reach
from ci_publish.publishing.index_plan import conflict_error, conflict_rules
from ci_publish.publishing.planning import (
    Match,
    compare_with_published,
    find_published_file,
    why_published_file_is_kept,
)
from ci_publish.publishing.ports import Index

# Seconds between requests for the listing if an index says that it has a file, but does not list it.
PAUSES = (1.0, 2.0, 4.0)


class UploadAnswers:
    """Records the responses of one index in *outcomes*; *states* are its listings before the upload. Thread-safe."""

    def __init__(self, *, run: Run, index: Index, outcomes: FileOutcomes, states: Mapping[str, IndexState]) -> None:
        self._run = run
        self._index = index
        self._endpoints = index.endpoints
        self._outcomes = outcomes
        self._states = states

    def record(self, file: Distribution, answer: UploadOutcome) -> None:
        """Record what *answer* means for *file*; may request the listing."""
        endpoints, outcomes = self._endpoints, self._outcomes
        match answer:
            case Accepted():
                outcomes.record_accepted(file, answer)
            case AlreadyThere():
                self._record_existing_file(file, answer)
            case Refused():
                error = messages.refused_upload_error(endpoints, file, answer)
                reach = Reach.PROJECT if answer.whole_project else Reach.FILE
                outcomes.record_failure(file, error, FileStatus.REFUSED, answer.attempts, reach=reach)
            case NewProjectLimit():
                deferred = train_messages.new_project_limit_error(endpoints, answer, self._run.now())
                outcomes.record_deferral(file, deferred, answer.attempts)
            case CredentialRefused():
                self._record_refused_credential(file, answer)
            case Unavailable():
                outcomes.record_lost_answer(file, answer, messages.unanswered_upload_error(endpoints, file, answer))
            case FileChanged():
                changed = messages.file_changed_error(file, answer)
                outcomes.record_failure(file, changed, FileStatus.FAILED, answer.attempts)
            case Cancelled():
                outcomes.record_lost_answer(file, answer, outcomes.stop_error())
            case _:
                assert_never(answer)

    def _record_refused_credential(self, file: Distribution, answer: CredentialRefused) -> None:
        state = self._states.get(file.project)
        status = state.status if isinstance(state, ProjectListing) else None
        error = messages.credential_refused_error(self._endpoints, answer, status)
        reach = Reach.PROJECT if answer.one_project and len(self._states) > 1 else Reach.RUN
        self._outcomes.record_failure(file, error, FileStatus.REFUSED, answer.attempts, reach=reach)

    def _record_existing_file(self, file: Distribution, answer: AlreadyThere) -> None:
        state, published = self._find_listed_file(file)
        if isinstance(state, ListingUnavailable):
            error = messages.listing_unavailable_error(self._endpoints, state)
            self._outcomes.record_failure(file, error, FileStatus.FAILED, answer.attempts)
        elif isinstance(state, NotVisible) and self._run.options.skip_existing:
            taken = PublishedFile(filename=file.filename, url="", sha256=None)
            self._outcomes.record_kept_published(
                file, taken, "the index reports that this filename is in use", answer.attempts
            )
        elif isinstance(state, NotVisible):
            conflict = messages.cannot_compare_error(self._endpoints, file, answer.message)
            self._outcomes.record_failure(file, conflict, FileStatus.CONFLICT, answer.attempts, reach=Reach.PROJECT)
        elif published is None:
            rejected = messages.same_bytes_elsewhere_error(self._endpoints, file, answer.message)
            self._outcomes.record_failure(file, rejected, FileStatus.REFUSED, answer.attempts)
        else:
            self._record_compared_file(file, published, answer.attempts)

    def _find_listed_file(self, file: Distribution) -> tuple[IndexState, PublishedFile | None]:
        """Return the listing and the file in it; a listing may lag a few seconds behind an upload that won a race."""
        state = self._index.fetch_listing(file.project, file.version, fresh=True)
        for pause in PAUSES:
            unreadable = not isinstance(state, ProjectListing | NoSuchProject)
            if unreadable or find_published_file(file.filename, state) or self._run.waiting.wait(pause):
                break
            state = self._index.fetch_listing(file.project, file.version, fresh=True)
        state = self._run.with_missing_digests(self._index, [file], state)
        return state, find_published_file(file.filename, state)

    def _record_compared_file(self, file: Distribution, published: PublishedFile, attempts: int) -> None:
        match = compare_with_published(file, published, self._index.md5)
        if match is Match.SAME:
            self._outcomes.record_on_index(file, FileStatus.ALREADY_PUBLISHED, attempts, url=published.url)
        elif match is Match.SAME_MD5:
            self._outcomes.record_on_index(file, FileStatus.SAME_MD5, attempts, url=published.url)
        elif conflict_rules(self._run, self._endpoints).keeps_published_file(match):
            self._outcomes.record_kept_published(file, published, why_published_file_is_kept(match), attempts)
        else:
            error = conflict_error(self._run, self._endpoints, [Conflict(file, published)])
            self._outcomes.record_failure(file, error, FileStatus.CONFLICT, attempts, reach=Reach.PROJECT)
