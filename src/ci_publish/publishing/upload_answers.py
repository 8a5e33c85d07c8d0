"""What an index answers to an upload, and what that means for the file: its listing decides, not its words."""

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
from ci_publish.publishing.planning import Match, compare, published_as, why_kept
from ci_publish.publishing.ports import Index

# Seconds between requests for the listing of a file that an index says it has, but does not list.
PAUSES = (1.0, 2.0, 4.0)


class UploadAnswers:
    """Records the answers of one index in *outcomes*; *states* are what it had of each project. Thread-safe."""

    def __init__(self, *, run: Run, index: Index, outcomes: FileOutcomes, states: Mapping[str, IndexState]) -> None:
        self._run = run
        self._index = index
        self._endpoints = index.endpoints
        self._outcomes = outcomes
        self._states = states

    def record(self, file: Distribution, answer: UploadOutcome) -> None:
        """Record what *answer* means for *file*; may ask for the listing."""
        endpoints, outcomes = self._endpoints, self._outcomes
        match answer:
            case Accepted(doubt=""):
                outcomes.accept(file, FileStatus.UPLOADED, answer.attempts)
            case Accepted():
                outcomes.accept_doubtfully(file, answer.doubt, answer.attempts)
            case AlreadyThere():
                self._record_existing(file, answer)
            case Refused():
                error = messages.refused(endpoints, file, answer)
                outcomes.fail(
                    file,
                    error,
                    FileStatus.REFUSED,
                    answer.attempts,
                    reach=Reach.PROJECT if answer.whole_project else Reach.FILE,
                )
            case NewProjectLimit():
                deferred = train_messages.limit_reached(endpoints, answer, self._run.now())
                outcomes.defer(file, deferred, answer.attempts)
            case CredentialRefused():
                self._record_refused_credential(file, answer)
            case Unavailable():
                outcomes.lose(file, answer, messages.unavailable(endpoints, file, answer))
            case FileChanged():
                outcomes.fail(file, messages.file_changed(file, answer), FileStatus.FAILED, answer.attempts)
            case Cancelled():
                outcomes.lose(file, answer, outcomes.stop_error())
            case _:
                assert_never(answer)

    def _record_refused_credential(self, file: Distribution, answer: CredentialRefused) -> None:
        state = self._states.get(file.project)
        status = state.status if isinstance(state, ProjectListing) else None
        error = messages.credential_refused(self._endpoints, answer, status)
        one = answer.one_project and len(self._states) > 1
        self._outcomes.fail(file, error, FileStatus.REFUSED, answer.attempts, reach=Reach.PROJECT if one else Reach.RUN)

    def _record_existing(self, file: Distribution, answer: AlreadyThere) -> None:
        state, published = self._find(file)
        if isinstance(state, ListingUnavailable):
            error = messages.listing_unavailable(self._endpoints, state)
            self._outcomes.fail(file, error, FileStatus.FAILED, answer.attempts)
        elif isinstance(state, NotVisible):
            self._record_not_visible(file, answer)
        elif published is None:
            rejected = messages.same_bytes_elsewhere(self._endpoints, file, answer.message)
            self._outcomes.fail(file, rejected, FileStatus.REFUSED, answer.attempts)
        else:
            self._record_compared(file, published, answer.attempts)

    def _find(self, file: Distribution) -> tuple[IndexState, PublishedFile | None]:
        """Return the listing and the file in it; a listing may be a few seconds behind the upload that won a race."""
        state = self._index.fetch_listing(file.project, file.version, fresh=True)
        for pause in PAUSES:
            unreadable = not isinstance(state, ProjectListing | NoSuchProject)
            if unreadable or _listed(file, state) or self._run.waiting.wait(pause):
                break
            state = self._index.fetch_listing(file.project, file.version, fresh=True)
        state = self._run.with_digests(self._index, [file], state)
        return state, _listed(file, state)

    def _record_compared(self, file: Distribution, published: PublishedFile, attempts: int) -> None:
        match = compare(file, published, self._index.md5)
        if match is Match.SAME:
            self._outcomes.accept(file, FileStatus.ALREADY_PUBLISHED, attempts, url=published.url)
        elif match is Match.SAME_MD5:
            self._outcomes.accept(file, FileStatus.SAME_MD5, attempts, url=published.url)
        elif conflict_rules(self._run, self._endpoints).keeps(match):
            self._outcomes.keep(file, published, why_kept(match), attempts)
        else:
            error = conflict_error(self._run, self._endpoints, [Conflict(file, published)])
            self._outcomes.fail(file, error, FileStatus.CONFLICT, attempts, reach=Reach.PROJECT)

    def _record_not_visible(self, file: Distribution, answer: AlreadyThere) -> None:
        if self._run.options.skip_existing:
            taken = PublishedFile(filename=file.filename, url="", sha256=None)
            self._outcomes.keep(file, taken, "the index says that this name is taken", answer.attempts)
            return
        error = messages.cannot_compare(self._endpoints, file, answer.message)
        self._outcomes.fail(file, error, FileStatus.CONFLICT, answer.attempts, reach=Reach.PROJECT)


def _listed(file: Distribution, state: IndexState) -> PublishedFile | None:
    return published_as(file.filename, state) if isinstance(state, ProjectListing) else None
