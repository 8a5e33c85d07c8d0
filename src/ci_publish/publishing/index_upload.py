"""One index's part of a run, step by step: plan, authenticate, upload, confirm."""

from collections.abc import Sequence
from dataclasses import replace

from ci_publish.model.attestation import AttestationPolicy
from ci_publish.model.distribution import Collection, Distribution
from ci_publish.model.events import FileFinished, FileStatus, Outcome, Step
from ci_publish.model.identity import Claims, CredentialKind, Purpose
from ci_publish.model.index import AlreadyPublished, Deferred, Endpoints, KeptPublished, Plan, ProjectListing, Upload
from ci_publish.model.problem import Problem
from ci_publish.model.train import NO_TRAIN
from ci_publish.publishing import confirmation_messages, messages, train_messages
from ci_publish.publishing.attest import Attested, resolve_attestation_policy
from ci_publish.publishing.authentication import Authentication, Covered
from ci_publish.publishing.confirmation import Confirmation
from ci_publish.publishing.confirmed_files import ConfirmedFiles
from ci_publish.publishing.context import Destination, Run
from ci_publish.publishing.file_outcomes import FileOutcomes
from ci_publish.publishing.index_plan import IndexPlan, conflict_error, foreseen_upload_refusals, plan_index
from ci_publish.publishing.left_projects import projects_left_unpublished
from ci_publish.publishing.release_diff import compare_releases
from ci_publish.publishing.required_build_provenance import require_sent_attestations_served
from ci_publish.publishing.transfers import Transfers
from ci_publish.publishing.unattested_files import require_published_files_attested
from ci_publish.publishing.upload_waves import UploadWaves


class IndexUpload:
    """Publishes distributions to one index; ``publish`` calls its methods in order."""

    def __init__(
        self,
        *,
        run: Run,
        destination: Destination,
        collection: Collection,
        problems: Sequence[Problem] = (),
    ) -> None:
        self._run = run
        self._destination = destination
        self._index = destination.index
        self._distributions = collection.distributions
        self._problems = problems
        trusted = resolve_attestation_policy(
            run.options.attestations, CredentialKind.TRUSTED_PUBLISHING, self.endpoints
        )
        self._purpose = Purpose(
            collection.projects, attesting=trusted is AttestationPolicy.REQUIRED and collection.unattested
        )
        self._authentication = Authentication(run, destination, self._purpose)
        nothing = Plan(self.endpoints.name, ())
        self._planned = IndexPlan(plan=nothing, states={}, undecided={}, train=NO_TRAIN)
        self._outcomes = FileOutcomes(run=run, index=self.endpoints.name, train=NO_TRAIN)
        self._confirmed = ConfirmedFiles(run, self._index, self._outcomes)
        self._fate_reported = False

    @property
    def endpoints(self) -> Endpoints:
        """The addresses of the index."""
        return self._index.endpoints

    @property
    def policy(self) -> AttestationPolicy:
        """Whether this index is sent attestations, and whether they are required."""
        kind = self._destination.credential.state.kind
        return resolve_attestation_policy(self._run.options.attestations, kind, self.endpoints)

    @property
    def uploads(self) -> tuple[Distribution, ...]:
        """The files that the plan uploads."""
        return self._planned.uploads

    @property
    def already_published(self) -> set[str]:
        """The names of the files that the index has with the same content."""
        return {file.distribution.filename for file in self._planned.plan.files if isinstance(file, AlreadyPublished)}

    # plan ---------------------------------------------------------------------------------------------------------

    def compare_with_index(self, *, sending: bool = True) -> None:
        """Compare the files with the index. Raises IndexUnavailable if its listing cannot be read."""
        self._planned = plan_index(
            run=self._run,
            destination=self._destination,
            distributions=self._distributions,
            problems=self._problems,
            purpose=self._purpose if sending else None,
        )
        planned = self._planned
        absent = {name for name, state in planned.states.items() if not isinstance(state, ProjectListing)}
        self._outcomes = FileOutcomes(run=self._run, index=self.endpoints.name, train=planned.train, absent=absent)
        self._confirmed = ConfirmedFiles(self._run, self._index, self._outcomes)

    def compare_with_previous_releases(self, default: str) -> tuple[Problem, ...]:
        """Compare the releases with the previous ones, as the user says or else as *default*; return the findings."""
        return compare_releases(self._run, self._destination, self._planned, self._distributions, default=default)

    def require_no_foreseen_upload_refusal(self, *, sending: bool) -> None:
        """Raise ContentConflict or UploadRejected for files that the index will reject, before anything is signed.

        A run that is *sending* with ``--keep-going`` leaves out their projects and those that require them, if others
        remain.
        """
        plan, train = self._planned.plan, self._planned.train
        refusals = foreseen_upload_refusals(self._run, self.endpoints, self._planned)
        left = train.projects_requiring(refusals)
        if sending and self._run.options.keep_going and any(file.project not in left for file in self.uploads):
            self._outcomes.record_refused_projects(refusals, [each.distribution for each in plan.conflicts])
            kept = (
                file
                for file in plan.files
                if not (isinstance(file, Upload) and self._outcomes.record_if_project_stopped(file.distribution))
            )
            self._planned = replace(self._planned, plan=replace(plan, files=tuple(kept)))
        elif plan.conflicts:
            raise conflict_error(self._run, self.endpoints, plan.conflicts)
        elif refusals:
            raise next(iter(refusals.values()))

    def require_published_files_attested(self) -> None:
        """Raise PublishedUnattested if attestations are required and a published file has none."""
        if self.policy is not AttestationPolicy.OFF:
            require_published_files_attested(self._run, self._index, self._planned.plan, self._planned.states)

    def report_planned_uploads(self) -> None:
        """Report the files that a real run would send, for dry runs."""
        for file in self.uploads:
            self._run.emit(FileFinished(index=self.endpoints.name, distribution=file, status=FileStatus.PLANNED))

    # authenticate -------------------------------------------------------------------------------------------------

    def authenticate(self) -> Claims | None:
        """Check whether the index accepts the run's identity, if there is something to upload; return its claims.

        Warns about files that are sent without attestations although these are made if possible.
        """
        if not self.uploads:
            return None
        covered = self._authentication.authenticate(self._planned)
        self._restrict_to_covered(covered)
        requested = self._run.options.attestations is AttestationPolicy.IF_POSSIBLE
        for file in self.uploads if requested and self.policy is AttestationPolicy.OFF else ():
            self._run.warn(
                "published-without-attestation",
                f"{file.filename} is published WITHOUT an attestation: {self.endpoints.name} accepts them only with"
                " Trusted Publishing, and this run was given an API token or a password.",
                "Omit the password to use Trusted Publishing.",
                filename=file.filename,
            )
        return covered.claims

    def try_credential(self) -> None:
        """Authenticate for a plan, and report what is then known."""
        if self.uploads:
            self._restrict_to_covered(self._authentication.try_authentication(self._planned))

    def _restrict_to_covered(self, covered: Covered) -> None:
        self._planned = covered.planned
        self._outcomes.record_left_out(covered.left_out)

    # upload -------------------------------------------------------------------------------------------------------

    def upload(self, attested: Attested) -> None:
        """Upload the planned files, wave by wave. Raises the error of the files that failed."""
        if not self.uploads:
            return
        attestations = {} if self.policy is AttestationPolicy.OFF else attested.files
        self._restrict_to_covered(self._authentication.authorize(self._planned, already_signed=bool(attestations)))
        transfers = Transfers(
            run=self._run,
            destination=self._destination,
            planned=self._planned,
            outcomes=self._outcomes,
            attestations=attestations,
        )
        waves = UploadWaves(
            run=self._run,
            index=self._index,
            train=self._planned.train,
            outcomes=self._outcomes,
            confirmed=self._confirmed,
        )
        try:
            waves.upload_in_waves(self.uploads, transfers)
        finally:
            self._fate_reported = waves.fate_reported
        if failures := self._outcomes.failures:
            raise messages.combined_failures_error(failures, len(self._distributions))
        self._run.raise_if_stopped()

    # confirm ------------------------------------------------------------------------------------------------------

    def confirm(self, attested: Attested) -> Outcome:
        """Wait until the index lists the uploaded files with our digests, and verify the provenance that it serves.

        Returns the outcome at this index. Raises Unverified, or IndexUnavailable for a doubtful upload that is not
        listed.
        """
        by_md5 = any(isinstance(file, AlreadyPublished) and file.md5_only for file in self._planned.plan.files)
        uploaded = self._outcomes.uploaded
        if not uploaded:
            return self._index_outcome(by_md5=by_md5)
        self._fate_reported = True
        left = self._confirmed.unconfirmed_uploads(uploaded)
        with self._run.step(Step.CONFIRM, self.endpoints.name):
            if not self._run.options.verify:
                Confirmation(self._run, self._index).report_listing_not_asked(left)
                return Outcome.NOT_CONFIRMED
            self._confirmed.wait_until_listed(left)
            if unreadable := self._confirmed.unreadable:
                text = confirmation_messages.unconfirmed_files_text(self.endpoints, unreadable)
                self._run.warn("not-confirmed", text, messages.NAME_SIMPLE_API)
            if self.policy is not AttestationPolicy.OFF and self.endpoints.integrity is not None:
                files = [file for file in self._confirmed.listed if attested.files.get(file.filename)]
                outcomes = Confirmation(self._run, self._index).wait_for_provenance(files, attested.claims)
                require_sent_attestations_served(self.endpoints, outcomes, attested.files)
        if self._confirmed.unreadable:
            return Outcome.NOT_CONFIRMED
        return self._index_outcome(by_md5=by_md5 or self._confirmed.by_md5)

    def _index_outcome(self, *, by_md5: bool) -> Outcome:
        if by_md5:
            return Outcome.UPLOADED_MD5 if self._outcomes.sent else Outcome.SAME_MD5
        if self._outcomes.uploaded:
            return Outcome.PUBLISHED
        kept = self._outcomes.has_kept_published or any(
            isinstance(file, KeptPublished) for file in self._planned.plan.files
        )
        return Outcome.KEPT_PUBLISHED if kept else Outcome.ALREADY_PUBLISHED

    def report_left_projects(self) -> None:
        """Report the projects that were not uploaded completely, and the projects that are the reason."""
        planned = self._planned
        for left in projects_left_unpublished(self.endpoints.name, planned.plan.files, self._outcomes, planned.train):
            self._run.emit(left)

    def require_nothing_deferred(self) -> None:
        """Raise PublishingDeferred for files that are deferred to a later run."""
        planned = [(file.distribution, file.reason) for file in self._planned.plan.files if isinstance(file, Deferred)]
        deferred = (*planned, *self._outcomes.deferred)
        if deferred:
            projects = {file.project for file, _ in deferred}
            order = [project for project in self._planned.train.order if project in projects]
            raise train_messages.deferred_projects_error(order, [error for _, error in deferred])

    def report_unclear_uploads(self) -> None:
        """Report whether the index lists files whose outcome is unknown, if the run ends with an error."""
        files = [*self._confirmed.unconfirmed_uploads(self._outcomes.uploaded), *self._outcomes.unclear_uploads]
        if files and not self._fate_reported:
            confirmation = Confirmation(self._run, self._index)
            with self._run.last_question():
                answers = confirmation.fetch_listings_once(files)
            confirmation.report_listings(answers)
