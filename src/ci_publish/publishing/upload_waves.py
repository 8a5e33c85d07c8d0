"""Uploads to one index in waves: a project follows after the projects that it requires are listed."""

from collections.abc import Sequence

from ci_publish.model.distribution import Distribution
from ci_publish.model.events import FileStatus, Noted, Step
from ci_publish.model.train import Train
from ci_publish.publishing import train_messages
from ci_publish.publishing.confirmation import Confirmation
from ci_publish.publishing.confirmed_files import ConfirmedFiles
from ci_publish.publishing.context import Run
from ci_publish.publishing.file_outcomes import FileOutcomes
from ci_publish.publishing.ports import Index
from ci_publish.publishing.transfers import Transfers


class UploadWaves:
    """Sends files to *index* in the waves of *train*. ``fate_reported``: the outcome of lost uploads was reported."""

    def __init__(
        self, *, run: Run, index: Index, train: Train, outcomes: FileOutcomes, confirmed: ConfirmedFiles
    ) -> None:
        self._run = run
        self._index = index
        self._train = train
        self._outcomes = outcomes
        self._confirmed = confirmed
        self.fate_reported = False

    def upload_in_waves(self, files: Sequence[Distribution], transfers: Transfers) -> None:
        """Send *files*; returns when no upload is in progress. Between waves, raises as ``Confirmation``."""
        for wave in self._train.waves_of({file.project for file in files}):
            if self._outcomes.halted or self._run.waiting.stopped:
                return
            self._wait_until_required_projects_listed(wave)
            with self._run.step(Step.UPLOAD, self._index.endpoints.name):
                left = of_wave = tuple(file for file in files if file.project in wave)
                while left:
                    transfers.send_files(left)
                    left = self._files_left_after_lost_answers(of_wave)

    def _wait_until_required_projects_listed(self, wave: Sequence[str]) -> None:
        """Wait until the index lists the projects that *wave* requires and that this run has uploaded.

        If the listing cannot be read, or the user does not want to wait, the response to the upload counts, with a
        warning.
        """
        going = [project for project in wave if self._outcomes.why_project_stopped(project) is None]
        required = {name for project in going for name in self._train.requires[project]} - set(wave)
        needed = [file for file in self._outcomes.uploaded if file.project in required]
        awaited = self._confirmed.unconfirmed_uploads(needed)
        if awaited and self._run.options.verify:
            with self._run.step(Step.CONFIRM, self._index.endpoints.name):
                self._confirmed.wait_until_listed(awaited)
        unseen = [file for file in needed if file not in self._confirmed.listed]
        if unseen:
            names = list(dict.fromkeys(file.project for file in unseen))
            self._run.emit(train_messages.unconfirmed_requirements_warning(self._index.endpoints, going, names))

    def _files_left_after_lost_answers(self, files: Sequence[Distribution]) -> tuple[Distribution, ...]:
        """Return the files left to send if only lost responses ended the uploads, and the index has those files.

        It may store a file after the last retry, so the listing is requested once more. Empty if anything else failed.
        """
        lost = [file for file, _ in self._outcomes.failures]
        if not lost or self._run.waiting.stopped or any(file not in self._outcomes.unclear_uploads for file in lost):
            return ()
        confirmation = Confirmation(self._run, self._index)
        answers = confirmation.fetch_listings_once(
            [*self._confirmed.unconfirmed_uploads(self._outcomes.uploaded), *lost]
        )
        if not confirmation.files_listed_with_our_digest(answers).issuperset(lost):
            confirmation.report_listings(answers)
            self.fate_reported = True
            return ()
        self._outcomes.forget_failures()
        name = self._index.endpoints.name
        for file in lost:
            message = f"The response to the upload of {file.filename} was lost, but {name} lists the file."
            self._run.emit(Noted(slug="lost-answer-found", message=message, warning=False, filename=file.filename))
            self._outcomes.record_on_index(file, FileStatus.UPLOADED, 0)
        return tuple(file for file in files if not self._outcomes.has_ended(file))
