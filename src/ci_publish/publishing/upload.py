"""One index's part of a run: plan, prove, upload, verify."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from ci_publish.errors import CiPublishError, ContentConflict
from ci_publish.model.attestation import Attestation, AttestationPolicy
from ci_publish.model.completion import UNSCHEDULED, CompletionTurn
from ci_publish.model.coverage import combined, left_out, not_minted, proof, requiring
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import (
    CredentialChanged,
    FileFinished,
    FileListed,
    FileStatus,
    IndexChosen,
    Noted,
    Outcome,
    Planned,
    Step,
)
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    Accepted,
    AlreadyPublished,
    AlreadyThere,
    Cancelled,
    Conflict,
    CredentialRefused,
    Endpoints,
    FileChanged,
    IndexProfile,
    IndexState,
    KeptPublished,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    Plan,
    PlannedFile,
    ProjectListing,
    PublishedFile,
    Refused,
    Unavailable,
    Upload,
    UploadOutcome,
)
from ci_publish.model.preconditions import (
    foreseen_refusal,
    is_reserved_name,
    reserved_name_refused,
    yanked_releases,
)
from ci_publish.model.problem import Problem, undecided
from ci_publish.publishing import messages
from ci_publish.publishing.concurrency import (
    TRANSFERS,
    ConcurrencyLimit,
    FirstFiles,
    FirstFileTurn,
    ReleaseCompletions,
    ReleaseQueue,
    in_parallel,
)
from ci_publish.publishing.confirmation import Confirmation
from ci_publish.publishing.context import Destination, Run
from ci_publish.publishing.coverage import Coverage
from ci_publish.publishing.planning import (
    ConflictRules,
    Match,
    compare,
    left_undecided,
    make_plan,
    published_as,
    schedule,
    why_kept,
)
from ci_publish.publishing.unattested import require_attested

# Seconds between looks for a file that an index says it has, but does not list.
PAUSES = (1.0, 2.0, 4.0)

_SECRETS = frozenset({CredentialKind.API_TOKEN, CredentialKind.PASSWORD})


def attestation_policy(option: AttestationPolicy, kind: CredentialKind, endpoints: Endpoints) -> AttestationPolicy:
    """Resolve ``auto`` for one index: required with Trusted Publishing under PyPI's rules, off elsewhere.

    PyPI takes attestations only with Trusted Publishing (warehouse/attestations/services.py), so asking for them with
    an API token there raises ConfigurationError when they are required, and is off when they are only wished for.
    """
    trusted = kind is CredentialKind.TRUSTED_PUBLISHING
    pypi = endpoints.profile is IndexProfile.PYPI
    match option:
        case AttestationPolicy.AUTO:
            return AttestationPolicy.REQUIRED if trusted and pypi else AttestationPolicy.OFF
        case AttestationPolicy.REQUIRED if pypi and kind in _SECRETS:
            raise messages.attestations_need_trusted_publishing(endpoints)
        case AttestationPolicy.IF_POSSIBLE if pypi and not trusted:
            return AttestationPolicy.OFF
        case _:
            return option


def _listed(file: Distribution, state: IndexState) -> PublishedFile | None:
    return published_as(file.filename, state) if isinstance(state, ProjectListing) else None


def _is_upload_of(file: PlannedFile, projects: Collection[str]) -> bool:
    return isinstance(file, Upload) and file.distribution.project in projects


def _in_turn(
    turns: FirstFiles[Distribution], send: Callable[[Distribution, CompletionTurn], None]
) -> Callable[[Distribution], None]:
    def work(file: Distribution) -> None:
        try:
            send(file, turns.turn(file))
        finally:
            turns.done(file)

    return work


def _both(before: IndexState | None, state: IndexState) -> IndexState:
    """Put together what two looks for two releases of one project saw."""
    if isinstance(before, ProjectListing) and isinstance(state, ProjectListing):
        return replace(state, files={**before.files, **state.files})
    return state


class IndexUpload:
    """Publishes a set of distributions to one index, step by step; the pipeline says when."""

    def __init__(
        self,
        run: Run,
        destination: Destination,
        distributions: Sequence[Distribution],
        problems: Sequence[Problem] = (),
    ) -> None:
        self._run = run
        self._index = destination.index
        self._credential = destination.credential
        self._coverage = Coverage(run, destination)
        self._distributions = distributions
        self._states: dict[str, IndexState] = {}
        self._plan = Plan(self.endpoints.name, ())
        self._lock = threading.Lock()
        self._failures: list[tuple[Distribution, CiPublishError]] = []
        self._uploaded: list[Distribution] = []
        self._doubtful: dict[str, str] = {}
        self._unclear: list[Distribution] = []
        self._kept: list[Distribution] = []
        self._withdrawn: list[Distribution] = []
        self._ended: set[Distribution] = set()
        self._confirming = False
        self._asked_once_more = False
        self._confirmed = True
        self._by_md5 = False
        self._sent = False
        self._halted = False
        # Other indexes decide by rules of their own.
        self._undecided = undecided(problems) if self.endpoints.profile is IndexProfile.PYPI else {}

    @property
    def endpoints(self) -> Endpoints:
        """The addresses of the index."""
        return self._index.endpoints

    @property
    def _is_pypi(self) -> bool:
        return self.endpoints.profile is IndexProfile.PYPI

    @property
    def policy(self) -> AttestationPolicy:
        """What this index gets in the way of attestations."""
        return attestation_policy(self._run.options.attestations, self._credential.state.kind, self.endpoints)

    @property
    def uploads(self) -> tuple[Distribution, ...]:
        """The files that the plan sends."""
        return self._plan.uploads

    @property
    def already_published(self) -> set[str]:
        """The names of the files that the index has with the same content."""
        return {file.distribution.filename for file in self._plan.files if isinstance(file, AlreadyPublished)}

    # plan ---------------------------------------------------------------------------------------------------------

    def plan(self, *, sending: bool = True) -> None:
        """Compare the files with the index. Raises IndexUnavailable when it cannot be read."""
        name = self.endpoints.name
        with self._run.step(Step.PLAN, name):
            self._run.emit(IndexChosen(self.endpoints))
            self._run.emit(CredentialChanged(name, self._credential.state))
            self._fetch_listings(sending=sending)
            options = self._run.options
            rules = ConflictRules.of(self.endpoints, options.on_conflict, skip_existing=options.skip_existing)
            self._plan = make_plan(name, self._distributions, self._states, rules, self._index.md5)
            self._run.emit(Planned(self._plan))
            self._tell_what_stands()
            self._warn_of_yanked_releases()
            self._warn_of_undecided_files()
            self._warn_of_reserved_names()

    def require_no_conflict(self) -> None:
        """Raise ContentConflict when a name of this run is taken by other content."""
        if self._plan.conflicts:
            raise self._conflict(self._plan.conflicts)

    def require_open(self) -> None:
        """Raise UploadRejected when the index tells beforehand that it will refuse files, before anything is signed."""
        for project, state in self._states.items():
            files = [file for file in self.uploads if file.project == project]
            if isinstance(state, ProjectListing) and (
                refusal := foreseen_refusal(state, files, self.endpoints, self._run.now())
            ):
                raise refusal
            if files and self._is_reserved(project, state) and self.endpoints.profile is IndexProfile.PYPI:
                raise reserved_name_refused(project, self.endpoints)

    def require_attested(self) -> None:
        """Raise PublishedUnattested when attestations are required and a published file has none."""
        if self.policy is not AttestationPolicy.OFF:
            require_attested(self._run, self._index, self._plan, self._states)

    def tell_planned(self) -> None:
        """Report what a real run would send, for dry runs."""
        for file in self.uploads:
            self._finish(file, FileStatus.PLANNED)

    def _fetch_listings(self, *, sending: bool) -> None:
        """Fetch the listings; a run that is *sending* says first what it lacks for that."""
        for project, version in dict.fromkeys(file.release for file in self._distributions):
            state = self._index.fetch_listing(project, version)
            if isinstance(state, ListingUnavailable):
                self._run.checkpoint()
                unseen = messages.listing_unavailable(self.endpoints, state)
                if sending and (missing := self._credential.missing()):
                    raise missing from unseen
                raise unseen
            if isinstance(state, NotVisible) and project not in self._states:
                self._warn_unseen(state)
            files = [file for file in self._distributions if file.release == (project, version)]
            state = self._run.with_digests(self._index, files, state)
            self._states[project] = _both(self._states.get(project), state)

    def _warn_unseen(self, state: NotVisible) -> None:
        self._run.warn(
            "index-not-visible",
            f"What {self.endpoints.name} already has of {state.project} cannot be read: {state.reason}",
            "Uploads go on, and the answers of the index decide.",
            f"To compare digests first, name its Simple API: --index-url {state.index_url or 'URL'}",
        )

    def _tell_what_stands(self) -> None:
        for file in self._plan.files:
            match file:
                case AlreadyPublished(distribution, published, md5_only=True):
                    self._by_md5 = True
                    self._finish(distribution, FileStatus.SAME_MD5, url=published.url)
                    self._run.emit(
                        FileListed(self.endpoints.name, distribution.filename, None, published, same_md5=True)
                    )
                    self._run.emit(messages.compared_by_md5(self.endpoints, distribution.filename))
                case AlreadyPublished(distribution, published):
                    self._finish(distribution, FileStatus.ALREADY_PUBLISHED, url=published.url)
                    self._run.emit(
                        FileListed(self.endpoints.name, distribution.filename, listed=True, published=published)
                    )
                    self._warn_yanked(published)
                case KeptPublished(distribution, published, reason):
                    self._keep(distribution, published, reason)
                case Conflict(distribution, published):
                    self._finish(distribution, FileStatus.CONFLICT, url=published.url, error=self._conflict([file]))
                case Upload():
                    pass
                case _:
                    assert_never(file)

    @staticmethod
    def _is_reserved(project: str, state: IndexState) -> bool:
        return isinstance(state, NoSuchProject) and is_reserved_name(project)

    def _warn_of_reserved_names(self) -> None:
        if self.endpoints.profile is IndexProfile.PYPI:
            return  # an error there: ``require_open``
        for project, state in self._states.items():
            if self._is_reserved(project, state):
                self._run.warn(
                    "reserved-name",
                    f"{project} is the name of a module of the standard library, and PyPI keeps such names.",
                    "Choose another name if the project may ever be published on PyPI.",
                )

    def _warn_of_undecided_files(self) -> None:
        """Warn about files that are not sent first although the index may refuse them."""
        order = schedule(self.uploads, self._states, self._undecided)
        for file in left_undecided(order, self._undecided):
            self._run.warn(
                "undecided-file",
                f"{self.endpoints.name} may refuse {file.filename}, and that would leave {file.project} {file.version}"
                " incomplete: it cannot be sent as the first file of the release.",
                "See the warnings of the checks about this file: correct it, or publish without it.",
                filename=file.filename,
            )

    def _warn_of_yanked_releases(self) -> None:
        for state in self._states.values():
            versions = (
                yanked_releases(state, [file for file in self.uploads if file.project == state.project])
                if isinstance(state, ProjectListing)
                else ()
            )
            for version in versions:
                self._run.warn(
                    "yanked-release",
                    f"Every file of {version} on {self.endpoints.name} is yanked, and more files are to be added.",
                    "Installers pass a yanked release by; un-yank it on the index, or publish a new version.",
                )

    def _warn_yanked(self, published: PublishedFile) -> None:
        if published.yanked is not False:
            self._run.warn("yanked", f"{published.filename} is published, but yanked.", filename=published.filename)

    def _keep(self, file: Distribution, published: PublishedFile, reason: str, attempts: int = 0) -> None:
        digest = published.sha256 or "not shown"
        self._run.warn(
            "kept-published",
            f"{file.filename} was NOT published: {reason}, and it is left as it is."
            f" Here: sha256 {file.sha256}. Published: sha256 {digest}.",
            filename=file.filename,
        )
        with self._lock:
            self._kept.append(file)
        self._finish(file, FileStatus.KEPT_PUBLISHED, url=published.url, attempts=attempts)

    def _conflict(self, conflicts: Sequence[Conflict]) -> ContentConflict:
        return messages.conflict(self.endpoints, conflicts, skip_existing=self._run.options.skip_existing)

    # prove --------------------------------------------------------------------------------------------------------

    def warn_unattested(self) -> None:
        """Say loudly that files go without attestations although they were wished for."""
        wished = self._run.options.attestations is AttestationPolicy.IF_POSSIBLE
        if wished and self.policy is AttestationPolicy.OFF:
            for file in self.uploads:
                self._run.warn(
                    "published-without-attestation",
                    f"{file.filename} is published WITHOUT an attestation: {self.endpoints.name} takes them only with"
                    " Trusted Publishing, and this run was given an API token or a password.",
                    "Leave the password away to use Trusted Publishing.",
                    filename=file.filename,
                )

    def authenticate(self) -> None:
        """Learn whether the index takes the run's identity, when there is something to upload."""
        if self.uploads:
            with self._run.step(Step.AUTHENTICATE, self.endpoints.name):
                self._credential.authenticate()
                self._require_covered(signed=False)

    def try_credential(self) -> None:
        """Do what ``authenticate`` does for a plan, and say what is known afterwards.

        A token exchange may create a project; where one is absent, it is left out unless the user asked for it.
        """
        if not self.uploads:
            return
        projects = tuple(dict.fromkeys(file.project for file in self.uploads))
        absent = [project for project in projects if isinstance(self._states[project], NoSuchProject)]
        trusted = self._credential.state.kind is CredentialKind.TRUSTED_PUBLISHING
        mint = not (trusted and absent) or self._run.options.create_project
        with self._run.step(Step.AUTHENTICATE, self.endpoints.name):
            self._credential.authenticate(mint=mint)
            self._require_covered(signed=False)
            if not mint:
                self._run.emit(not_minted(self.endpoints, absent))
            told = proof(self.endpoints, self._credential.state, projects)
            self._run.emit(Noted("credential-proof", told, warning=False))

    def _require_covered(self, *, signed: bool) -> None:
        """Raise ProjectNotCovered; with ``--keep-going``, leave out what the credential does not cover.

        A project that requires one that is left out is left out as well.
        """
        refusals = self._coverage.refusals(self.uploads, self._states, signed=signed)
        if refusals.whole is not None:
            raise refusals.whole
        if not refusals.projects:
            return
        left = requiring(self._distributions, refusals.projects)
        if not self._run.options.keep_going or all(file.project in left for file in self.uploads):
            raise combined(refusals.projects)
        for file in self.uploads:
            if file.project in left:
                error = left_out(file.project, refusals.projects)
                self._failures.append((file, error))
                self._finish(file, FileStatus.NOT_ATTEMPTED, error=error)
        kept = tuple(file for file in self._plan.files if not _is_upload_of(file, left))
        self._plan = replace(self._plan, files=kept)

    # upload -------------------------------------------------------------------------------------------------------

    def upload(self, attestations: Mapping[str, tuple[Attestation, ...]]) -> None:
        """Send what the plan says, the first file of each new release alone. Raises what made a file fail."""
        if not self.uploads:
            return
        if self.policy is AttestationPolicy.OFF:
            attestations = {}
        with self._run.step(Step.AUTHENTICATE, self.endpoints.name):
            self._credential.authorization()
            self._require_covered(signed=bool(attestations))
        with self._run.step(Step.UPLOAD, self.endpoints.name):
            left = self.uploads
            while left:
                self._send_all(left, attestations)
                left = self._left_after_lost_answers()
        if self._failures:
            raise messages.several(self._failures, len(self._distributions))
        self._run.checkpoint()

    def _left_after_lost_answers(self) -> tuple[Distribution, ...]:
        """Return what is left to send where nothing but lost answers ended the uploads, and the index has those files.

        It may store a file after the last retry: so it is asked once more. Empty where anything else failed.
        """
        lost = [file for file, _ in self._failures]
        if not lost or self._run.waiting.stopped or any(file not in self._unclear for file in lost):
            return ()
        confirmation = Confirmation(self._run, self._index)
        answers = confirmation.ask_once([*self._uploaded, *lost])
        if not confirmation.found(answers).issuperset(lost):
            confirmation.report(answers)
            self._asked_once_more = True
            return ()
        self._failures, self._unclear, self._halted = [], [], False
        for file in lost:
            message = f"The answer to the upload of {file.filename} was lost, but {self.endpoints.name} lists the file."
            self._run.emit(Noted("lost-answer-found", message, warning=False, filename=file.filename))
            self._accept(file, FileStatus.UPLOADED, 0)
        return tuple(file for file in self.uploads if file not in self._ended)

    def _send_all(self, files: Sequence[Distribution], attestations: Mapping[str, tuple[Attestation, ...]]) -> None:
        order = schedule(files, self._states, self._undecided)
        jobs = self._run.options.jobs
        limit = ConcurrencyLimit(jobs)

        def send(file: Distribution, turn: CompletionTurn) -> None:
            self._send(file, attestations.get(file.filename, ()), limit.throttled, turn)

        self._send_first_files(order.leads, send)
        turns = self._turns()
        rest = ReleaseQueue(order.rest, lambda file: file.release, TRANSFERS if self._is_pypi else jobs)
        in_parallel(rest, lambda file: send(file, turns(file)), limit, jobs, self._go_on)

    def _send_first_files(
        self, leads: Sequence[Distribution], send: Callable[[Distribution, CompletionTurn], None]
    ) -> None:
        """Transfer the first files side by side, and have the index complete one after the other.

        Where one is refused, those that wait for their turn are withdrawn. Those that waited too long are sent again.
        """
        transfers = min(TRANSFERS, self._run.options.jobs)
        while leads and self._go_on():
            turns = FirstFiles(
                leads,
                halted=lambda: self._halted,
                stopped=lambda: self._run.waiting.stopped,
                clock=self._run.clock,
            )
            in_parallel(leads, _in_turn(turns, send), ConcurrencyLimit(transfers), transfers, self._go_on)
            leads, self._withdrawn = tuple(self._withdrawn), []
            transfers = 1

    def _turns(self) -> Callable[[Distribution], CompletionTurn]:
        """Return what gives each file its turn: under PyPI's rules, few files of a release are completed at once.

        Where the first file of a release failed, the next one is its first; as it may have to create the project, the
        files of all such releases of a project are completed one after the other.
        """
        if not self._is_pypi:
            return lambda _: UNSCHEDULED
        failed = {file.release for file, _ in self._failures}
        keys = {file.release: file.project if file.release in failed else file.release for file in self.uploads}
        completions = {key: ReleaseCompletions(lambda: self._run.waiting.stopped) for key in keys.values()}
        for release in failed & keys.keys():
            completions[keys[release]].one_at_a_time()
        return lambda file: completions[keys[file.release]].turn()

    def _go_on(self) -> bool:
        return not self._halted and not self._run.waiting.stopped

    def _send(
        self,
        file: Distribution,
        attestations: Sequence[Attestation],
        throttled: Callable[[], None],
        turn: CompletionTurn,
    ) -> None:
        try:
            outcome = self._attempt(file, attestations, throttled, turn)
            if isinstance(outcome, Cancelled) and self._is_withdrawn(outcome, turn):
                self._withdraw(file)
            else:
                self._judge(file, outcome)
        except CiPublishError as error:
            self._fail(file, error, FileStatus.FAILED, always_halt=True)

    def _attempt(
        self,
        file: Distribution,
        attestations: Sequence[Attestation],
        throttled: Callable[[], None],
        turn: CompletionTurn,
    ) -> UploadOutcome:
        authorization = self._credential.authorization()
        outcome = self._index.upload(file, attestations, authorization, throttled, turn)
        if isinstance(outcome, CredentialRefused) and outcome.expired:
            renewed = self._credential.renew(authorization)
            if renewed is not None:
                return self._index.upload(file, attestations, renewed, throttled, turn)
        return outcome

    def _judge(self, file: Distribution, outcome: UploadOutcome) -> None:
        attempts = outcome.attempts
        match outcome:
            case Accepted():
                if outcome.doubt:
                    self._doubtful[file.filename] = outcome.doubt
                self._accept(file, FileStatus.UNKNOWN if outcome.doubt else FileStatus.UPLOADED, attempts)
            case AlreadyThere():
                self._ask_what_is_there(file, outcome)
            case Refused():
                self._fail(file, messages.refused(self.endpoints, file, outcome), FileStatus.REFUSED, attempts)
            case CredentialRefused():
                state = self._states.get(file.project)
                status = state.status if isinstance(state, ProjectListing) else None
                error = messages.credential_refused(self.endpoints, outcome, status)
                self._fail(file, error, FileStatus.REFUSED, attempts, always_halt=True)
            case Unavailable():
                self._fail(
                    file, messages.unavailable(self.endpoints, file, outcome), self._lost(file, outcome), attempts
                )
            case FileChanged():
                self._fail(file, messages.file_changed(file, outcome), FileStatus.FAILED, attempts)
            case Cancelled():
                self._fail(file, self._stop_error(), self._lost(file, outcome), attempts)
            case _:
                assert_never(outcome)

    def _is_withdrawn(self, outcome: Cancelled, turn: CompletionTurn) -> bool:
        """Return whether nothing but its *turn* ended an upload, of which the index never got the last bytes."""
        withdrawn = isinstance(turn, FirstFileTurn) and turn.withdrawn
        return withdrawn and not outcome.unclear and not self._run.waiting.stopped

    def _withdraw(self, file: Distribution) -> None:
        """Take note of an upload that never got its turn: it is sent again, unless another file ended the uploads."""
        with self._lock:
            if not self._halted:
                self._withdrawn.append(file)
                return
        self._finish(file, FileStatus.NOT_ATTEMPTED)

    def _stop_error(self) -> CiPublishError:
        """Return why an upload was cut short: the run was stopped, or another file failed."""
        stopped = self._run.waiting.stopped or not self._failures
        return self._run.waiting.error() if stopped else self._failures[0][1]

    def _lost(self, file: Distribution, outcome: Unavailable | Cancelled) -> FileStatus:
        """Return the status of an upload without a clear answer: the index may have stored the file."""
        if not outcome.unclear:
            return FileStatus.FAILED if outcome.attempts else FileStatus.NOT_ATTEMPTED
        with self._lock:
            self._unclear.append(file)
        return FileStatus.UNKNOWN

    def _ask_what_is_there(self, file: Distribution, outcome: AlreadyThere) -> None:
        """Let the index's listing decide what "already exists" means; its words never do."""
        state, published = self._look_for(file)
        if isinstance(state, ListingUnavailable):
            self._fail(file, messages.listing_unavailable(self.endpoints, state), FileStatus.FAILED, outcome.attempts)
        elif isinstance(state, NotVisible):
            self._keep_unseen(file, outcome)
        elif published is None:
            error = messages.same_bytes_elsewhere(self.endpoints, file, outcome.message)
            self._fail(file, error, FileStatus.REFUSED, outcome.attempts)
        else:
            self._compare(file, published, outcome)

    def _look_for(self, file: Distribution) -> tuple[IndexState, PublishedFile | None]:
        """Look for a file that should be there; a listing may be a few seconds behind the upload that won a race."""
        for pause in PAUSES:
            state = self._index.fetch_listing(file.project, file.version, fresh=True)
            if not isinstance(state, ProjectListing | NoSuchProject):
                return state, None
            if _listed(file, state):
                break
            if self._run.waiting.wait(pause):
                break
        else:
            state = self._index.fetch_listing(file.project, file.version, fresh=True)
        state = self._run.with_digests(self._index, [file], state)
        return state, _listed(file, state)

    def _compare(self, file: Distribution, published: PublishedFile, outcome: AlreadyThere) -> None:
        options = self._run.options
        rules = ConflictRules.of(self.endpoints, options.on_conflict, skip_existing=options.skip_existing)
        match = compare(file, published, self._index.md5)
        if match is Match.SAME:
            self._accept(file, FileStatus.ALREADY_PUBLISHED, outcome.attempts, published.url)
        elif match is Match.SAME_MD5:
            self._accept(file, FileStatus.SAME_MD5, outcome.attempts, published.url)
        elif rules.keeps(match):
            self._keep(file, published, why_kept(match), outcome.attempts)
        else:
            self._fail(file, self._conflict([Conflict(file, published)]), FileStatus.CONFLICT, outcome.attempts)

    def _keep_unseen(self, file: Distribution, outcome: AlreadyThere) -> None:
        if self._run.options.skip_existing:
            taken = PublishedFile(file.filename, "", None)
            self._keep(file, taken, "the index says that this name is taken", outcome.attempts)
            return
        error = messages.cannot_compare(self.endpoints, file, outcome.message)
        self._fail(file, error, FileStatus.CONFLICT, outcome.attempts)

    def _accept(self, file: Distribution, status: FileStatus, attempts: int, url: str | None = None) -> None:
        with self._lock:
            self._uploaded.append(file)
            self._sent = self._sent or status is not FileStatus.SAME_MD5
        self._finish(file, status, attempts=attempts, url=url)

    def _fail(
        self,
        file: Distribution,
        error: CiPublishError,
        status: FileStatus,
        attempts: int = 0,
        *,
        always_halt: bool = False,
    ) -> None:
        with self._lock:
            self._failures.append((file, error))
            self._halted = self._halted or always_halt or not self._run.options.keep_going
        self._finish(file, status, attempts=attempts, error=error)

    def _finish(
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
        self._run.emit(FileFinished(self.endpoints.name, file, status, attempts, url, error))

    # confirm ------------------------------------------------------------------------------------------------------

    def confirm(self, attestations: Mapping[str, tuple[Attestation, ...]]) -> None:
        """Wait until the index lists what was sent with our digests, and verify the provenance that it serves.

        Raises Unverified, or IndexUnavailable for an upload whose answer says nothing and that is not listed.
        """
        if not self._uploaded:
            return
        self._confirming = True
        with self._run.step(Step.CONFIRM, self.endpoints.name):
            listing = Confirmation(self._run, self._index)
            if not self._run.options.verify:
                listing.skip(self._uploaded)
                self._confirmed = False
                return
            confirmed = listing.wait_for(self._uploaded, self._doubtful)
            self._by_md5 = self._by_md5 or bool(confirmed.by_md5)
            if confirmed.unreadable:
                self._not_confirmed(confirmed.unreadable)
            if self.policy is not AttestationPolicy.OFF and self.endpoints.integrity is not None:
                listing.wait_for_provenance([file for file in confirmed.listed if attestations.get(file.filename)])

    def _not_confirmed(self, unreadable: Mapping[str, str]) -> None:
        self._confirmed = False
        if self._run.options.strict:
            raise messages.not_confirmed(self.endpoints, unreadable)
        text = messages.not_confirmed_text(self.endpoints, unreadable)
        self._run.warn("not-confirmed", text, messages.NAME_SIMPLE_API)

    def ask_once_more(self) -> None:
        """Report what the index lists of files whose fate is not known, when the run ends with an error."""
        with self._lock:
            files = [*self._uploaded, *self._unclear]
        if files and not self._confirming and not self._asked_once_more:
            confirmation = Confirmation(self._run, self._index)
            confirmation.report(confirmation.ask_once(files))

    @property
    def outcome(self) -> Outcome:
        """How publishing to this index ended, once nothing was raised."""
        if not self._confirmed:
            return Outcome.NOT_CONFIRMED
        if self._by_md5:
            return Outcome.UPLOADED_MD5 if self._sent else Outcome.SAME_MD5
        if self._uploaded:
            return Outcome.PUBLISHED
        return Outcome.KEPT_PUBLISHED if self._kept else Outcome.ALREADY_PUBLISHED
