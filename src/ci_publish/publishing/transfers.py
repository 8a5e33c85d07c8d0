"""Sends files to one index: in which order, how many in parallel, and when the index may complete each."""

from collections.abc import Callable, Mapping, Sequence

from ci_publish.errors import CiPublishError
from ci_publish.model.attestation import Attestation
from ci_publish.model.completion import UNSCHEDULED, CompletionTurn
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import FileStatus
from ci_publish.model.index import Cancelled, CredentialRefused, IndexProfile, ProjectListing
from ci_publish.publishing.context import Destination, Run
from ci_publish.publishing.file_outcomes import FileOutcomes, Reach
from ci_publish.publishing.index_plan import IndexPlan
from ci_publish.publishing.planning import Schedule, schedule_uploads
from ci_publish.publishing.upload_answers import UploadAnswers
from ci_publish.publishing.upload_concurrency import (
    TRANSFERS,
    ConcurrencyLimit,
    FirstFiles,
    FirstFileTurn,
    ReleaseCompletions,
    ReleaseQueue,
    run_in_parallel,
)

Send = Callable[[Distribution, CompletionTurn], None]


class Transfers:
    """Sends the files of a plan, with their *attestations*, and records the responses in *outcomes*."""

    def __init__(
        self,
        *,
        run: Run,
        destination: Destination,
        planned: IndexPlan,
        outcomes: FileOutcomes,
        attestations: Mapping[str, tuple[Attestation, ...]],
    ) -> None:
        self._run = run
        self._index = destination.index
        self._credential = destination.credential
        self._planned = planned
        self._outcomes = outcomes
        self._attestations = attestations
        self._answers = UploadAnswers(run=run, index=destination.index, outcomes=outcomes, states=planned.states)
        self._is_pypi = destination.index.endpoints.profile is IndexProfile.PYPI

    def send_files(self, files: Sequence[Distribution]) -> None:
        """Send *files*, first those that decide about their release; returns when no upload is in progress.

        A file whose project was stopped is recorded, not sent.
        """
        order = schedule_uploads(files, self._planned.states, self._planned.undecided)
        jobs = self._run.options.jobs
        limit = ConcurrencyLimit(jobs)

        def send_one(file: Distribution, turn: CompletionTurn) -> None:
            self._send_file(file, limit.halve_limit, turn)

        self._send_first_files(order, send_one)
        turns = self._completion_turns()
        rest = ReleaseQueue(order.rest, lambda file: file.release, TRANSFERS if self._is_pypi else jobs)
        run_in_parallel(rest, lambda file: send_one(file, turns(file)), limit, self._may_start_more_uploads)

    def _send_first_files(self, order: Schedule, send: Send) -> None:
        """Transfer the first files in parallel, but let the index complete them one after the other, or two at a time.

        If one is refused, those that wait for their turn are withdrawn. Those that waited too long are sent again.
        """
        leads, transfers = order.leads, min(TRANSFERS, self._run.options.jobs)
        while leads and self._may_start_more_uploads():
            turns = FirstFiles(
                files=leads,
                together=order.may_complete_together,
                halted=self._outcomes.gets_no_turn,
                stopped=lambda: self._run.waiting.stopped,
                clock=self._run.clock,
            )

            def send_in_turn(file: Distribution, turns: FirstFiles[Distribution] = turns) -> None:
                try:
                    send(file, turns.turn_of(file))
                finally:
                    turns.file_ended(file)

            run_in_parallel(leads, send_in_turn, ConcurrencyLimit(transfers), self._may_start_more_uploads)
            leads = self._outcomes.take_withdrawn()
            transfers = 1

    def _completion_turns(self) -> Callable[[Distribution], CompletionTurn]:
        """Return what gives each file its turn: under PyPI's rules, few files of a release are completed at once.

        If the first file of a release failed, the next one becomes its first. The files of all such releases of a
        project are completed one after the other, and those of all projects that they may have to create.
        """
        if not self._is_pypi:
            return lambda _: UNSCHEDULED
        failed = {file.release for file, _ in self._outcomes.failures}
        uploads = self._planned.uploads
        existing = {name for name, state in self._planned.states.items() if isinstance(state, ProjectListing)}
        firsts = {file.release: file.project if file.project in existing else "" for file in uploads}
        keys = {release: key if release in failed else release for release, key in firsts.items()}
        completions = {key: ReleaseCompletions(lambda: self._run.waiting.stopped) for key in keys.values()}
        for release in failed & keys.keys():
            completions[keys[release]].complete_one_at_a_time()
        return lambda file: completions[keys[file.release]].new_turn()

    def _may_start_more_uploads(self) -> bool:
        return not self._outcomes.halted and not self._run.waiting.stopped

    def _send_file(self, file: Distribution, throttled: Callable[[], None], turn: CompletionTurn) -> None:
        if self._outcomes.record_if_project_stopped(file):
            return
        attestations = self._attestations.get(file.filename, ())
        try:
            authorization = self._credential.authorization()
            answer = self._index.upload(file, attestations, authorization, throttled, turn)
            if isinstance(answer, CredentialRefused) and answer.expired:
                renewed = self._credential.renew(authorization)
                if renewed is not None:
                    answer = self._index.upload(file, attestations, renewed, throttled, turn)
            # Only its turn ended the upload, and the index never received the last bytes.
            withdrawn = isinstance(turn, FirstFileTurn) and turn.withdrawn and not self._run.waiting.stopped
            if withdrawn and isinstance(answer, Cancelled) and not answer.unclear:
                self._outcomes.record_withdrawn(file)
            else:
                self._answers.record(file, answer)
        except CiPublishError as error:
            self._outcomes.record_failure(file, error, FileStatus.FAILED, reach=Reach.RUN)
