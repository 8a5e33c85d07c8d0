"""The outcomes of the files for one index: recorded by the threads that upload them, read afterwards."""

import threading
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from ci_publish.errors import CiPublishError, PublishingDeferred
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import FileFinished, FileStatus
from ci_publish.model.index import Accepted, Cancelled, PublishedFile, Unavailable
from ci_publish.model.train import Train
from ci_publish.publishing import messages, train_messages
from ci_publish.publishing.context import Run
from ci_publish.publishing.stopped_projects import Stopped, StoppedProjects

Failures = Sequence[tuple[Distribution, CiPublishError]]


class Reach(StrEnum):
    """What else cannot be uploaded for the reason that a file was refused: nothing, its project, or everything."""

    FILE = "file"
    PROJECT = "project"
    RUN = "run"


class FileOutcomes:
    """The outcomes at the index named *index*; each is emitted as FileFinished. Thread-safe.

    ``doubtful`` are the uploads, by filename and with the reason, whose response does not say whether the file was
    stored. ``halted``: a failure ended the uploads. ``has_kept_published``: a file with different content was left on
    the index. ``sent``: a file was accepted, and not only found on the index by its MD5. A failure stops the projects
    of *train* that require the file's project. *absent* are the projects that the listings did not show; a limit on new
    projects stops them.
    """

    def __init__(self, *, run: Run, index: str, train: Train, absent: Collection[str] = ()) -> None:
        self._run = run
        self._index = index
        self._absent = frozenset(absent)
        self._several = len(train.requires) > 1
        self._stopped = StoppedProjects(train)
        self._lock = threading.Lock()
        self._failures: list[tuple[Distribution, CiPublishError]] = []
        self._deferred: list[tuple[Distribution, PublishingDeferred]] = []
        self._there: set[Distribution] = set()
        self._uploaded: list[Distribution] = []
        self._unclear: list[Distribution] = []
        self._withdrawn: list[Distribution] = []
        self._ended: set[Distribution] = set()
        self.doubtful: dict[str, str] = {}
        self.halted = self.has_kept_published = self.sent = False

    @property
    def failures(self) -> Failures:
        """The files that failed, in order, each with its error."""
        return tuple(self._failures)

    @property
    def deferred(self) -> Sequence[tuple[Distribution, PublishingDeferred]]:
        """The files that are deferred to a later run, each with the reason."""
        return tuple(self._deferred)

    @property
    def uploaded(self) -> tuple[Distribution, ...]:
        """The files that the index accepted or already had."""
        return tuple(self._uploaded)

    @property
    def unclear_uploads(self) -> tuple[Distribution, ...]:
        """The files whose upload got no clear response: the index may have stored them."""
        return tuple(self._unclear)

    def why_project_stopped(self, project: str) -> Stopped | None:
        """Return why no more files of *project* are uploaded; None if they are."""
        return self._stopped.why_project_stopped(project)

    def gets_no_turn(self, file: Distribution) -> bool:
        """Return whether a failure ended all uploads, or those of the project of *file*."""
        return self.halted or self.why_project_stopped(file.project) is not None

    def is_on_index(self, file: Distribution) -> bool:
        """Return whether the index accepted *file*, already had it, or has different content that the user keeps."""
        return file in self._there

    def has_ended(self, file: Distribution) -> bool:
        """Return whether the upload of *file* was attempted and has an outcome."""
        return file in self._ended

    def record_on_index(self, file: Distribution, status: FileStatus, attempts: int, *, url: str | None = None) -> None:
        """Record a file that is on the index, according to its response."""
        with self._lock:
            self._uploaded.append(file)
            self._there.add(file)
            self.sent = self.sent or status is not FileStatus.SAME_MD5
        self._emit_file_finished(file, status, attempts=attempts, url=url)

    def record_accepted(self, file: Distribution, answer: Accepted) -> None:
        """Record an upload with a success response, which may not be that of an index."""
        if answer.doubt:
            self.doubtful[file.filename] = answer.doubt
        self.record_on_index(file, FileStatus.UNKNOWN if answer.doubt else FileStatus.UPLOADED, answer.attempts)

    def record_kept_published(self, file: Distribution, published: PublishedFile, reason: str, attempts: int) -> None:
        """Record a file that was not published, because its name is taken and the user allows that."""
        self._run.emit(messages.kept_published_warning(file, published, reason))
        self.has_kept_published = True
        self._there.add(file)
        self._emit_file_finished(file, FileStatus.KEPT_PUBLISHED, attempts=attempts, url=published.url)

    def record_failure(
        self,
        file: Distribution,
        error: CiPublishError,
        status: FileStatus,
        attempts: int = 0,
        *,
        reach: Reach = Reach.FILE,
    ) -> None:
        """Record a failure. It ends the uploads, unless the user wants to continue and it does not concern all files.

        If there are several projects, it also stops those that require the file's project, and that project as *reach*
        says.
        """
        with self._lock:
            self._failures.append((file, error))
            self.halted = self.halted or reach is Reach.RUN or not self._run.options.keep_going
        if self._several:
            self._stopped.stop(file.project, error, whole=reach is Reach.PROJECT)
        self._emit_file_finished(file, status, attempts=attempts, error=error)

    def record_deferral(self, file: Distribution, error: PublishingDeferred, attempts: int) -> None:
        """Record a file whose project the index does not create for now; that stops every other absent project, too."""
        with self._lock:
            created = {each.project for each in self._uploaded}
        for project in sorted({file.project} | self._absent - created):
            self._stopped.stop(project, error, whole=True)
        self._record_deferred_file(file, error, attempts)

    def _record_deferred_file(self, file: Distribution, error: PublishingDeferred, attempts: int = 0) -> None:
        with self._lock:
            self._deferred.append((file, error))
        self._emit_file_finished(file, FileStatus.DEFERRED, attempts=attempts, error=error)

    def record_if_project_stopped(self, file: Distribution) -> bool:
        """Record a file that is not sent because its project was stopped; return whether it was stopped."""
        stopped = self._stopped.why_project_stopped(file.project)
        if stopped is None:
            return False
        if isinstance(stopped.error, PublishingDeferred):
            self._record_deferred_file(file, stopped.error)
        else:
            error = train_messages.project_stopped_error(file.project, stopped.because, stopped.error)
            self.record_left_out([(file, error)])
        return True

    def record_refused_projects(
        self, refusals: Mapping[str, CiPublishError], conflicts: Sequence[Distribution]
    ) -> None:
        """Stop the projects of *refusals* and those that require them; *conflicts* are reported with the plan."""
        for project, error in refusals.items():
            self._stopped.stop(project, error, whole=True)
        with self._lock:
            self._failures += [(file, refusals[file.project]) for file in conflicts]

    def record_left_out(self, failures: Failures) -> None:
        """Record files that are not sent, each with the reason."""
        for file, error in failures:
            with self._lock:
                self._failures.append((file, error))
            self._emit_file_finished(file, FileStatus.NOT_ATTEMPTED, error=error)

    def record_lost_answer(self, file: Distribution, outcome: Unavailable | Cancelled, error: CiPublishError) -> None:
        """Record an upload without a clear response: the index may have stored the file."""
        status = FileStatus.FAILED if outcome.attempts else FileStatus.NOT_ATTEMPTED
        if outcome.unclear:
            status = FileStatus.UNKNOWN
            with self._lock:
                self._unclear.append(file)
        self.record_failure(file, error, status, outcome.attempts)

    def record_withdrawn(self, file: Distribution) -> None:
        """Record an upload that never got its turn; it is sent again, unless another file ended the uploads."""
        if self.halted:
            self._emit_file_finished(file, FileStatus.NOT_ATTEMPTED)
        elif not self.record_if_project_stopped(file):
            with self._lock:
                self._withdrawn.append(file)

    def take_withdrawn(self) -> tuple[Distribution, ...]:
        """Return the withdrawn files, and clear the list of them."""
        with self._lock:
            withdrawn, self._withdrawn = tuple(self._withdrawn), []
        return withdrawn

    def forget_failures(self) -> None:
        """Clear the failures: the index has the files after all."""
        self._failures, self._unclear, self.halted = [], [], False
        self._stopped.forget_failures()

    def stop_error(self) -> CiPublishError:
        """Return why an upload was cancelled: the run was stopped, or another file failed."""
        stopped = self._run.waiting.stopped or not self._failures
        return self._run.waiting.error() if stopped else self._failures[0][1]

    def _emit_file_finished(
        self,
        file: Distribution,
        status: FileStatus,
        *,
        attempts: int = 0,
        url: str | None = None,
        error: CiPublishError | None = None,
    ) -> None:
        if status is not FileStatus.NOT_ATTEMPTED:
            self._ended.add(file)
        self._run.emit(
            FileFinished(index=self._index, distribution=file, status=status, attempts=attempts, url=url, error=error)
        )
