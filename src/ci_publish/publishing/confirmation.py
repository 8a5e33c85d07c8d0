"""Whether the index shows a run's files: listed with our digests, and with provenance that verifies."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from ci_publish.errors import FileChangedDuringRun, IndexUnavailable
from ci_publish.http.retries import CONFIRMATION
from ci_publish.model.attestation import (
    AttestationPolicy,
    ProvenanceByAnother,
    ProvenanceInvalid,
    ProvenanceMissing,
    ProvenanceOutcome,
)
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import FileListed, ProvenanceChecked, WaitStarted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims
from ci_publish.model.index import (
    IndexProfile,
    IndexState,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    ProjectListing,
    PublishedFile,
)
from ci_publish.publishing import confirmation_messages
from ci_publish.publishing.context import Run
from ci_publish.publishing.messages import count_files
from ci_publish.publishing.planning import Match, compare_with_published, find_published_file
from ci_publish.publishing.ports import Index
from ci_publish.publishing.upload_concurrency import ReleaseQueue, map_in_parallel

Answers = tuple[tuple[Distribution, IndexState], ...]
"""Files, each with what the index has of its project."""

NOTHING: Mapping[str, str] = {}


@frozen
class Confirmed:
    """The files that are listed with our digests, and those that the listing does not confirm, with the reason.

    ``by_md5``: the names of the files that are listed with our MD5 and no SHA-256.
    """

    listed: tuple[Distribution, ...]
    unreadable: Mapping[str, str]
    by_md5: tuple[str, ...] = ()


class Confirmation:
    """Polls one index, with growing pauses, within ``--verify-timeout``."""

    def __init__(self, run: Run, index: Index) -> None:
        self._run = run
        self._index = index
        self._name = index.endpoints.name
        self._ends = run.clock() + run.options.verify_timeout
        self._outages: dict[str, str] = {}
        self._by_md5: list[str] = []

    def report_listing_not_asked(self, files: Sequence[Distribution]) -> None:
        """Report that the listing of *files* was not read, because the user does not want to wait."""
        for file in files:
            self._run.emit(FileListed(index=self._name, filename=file.filename, listed=None, asked=False))

    def fetch_listings_once(self, files: Sequence[Distribution]) -> Answers:
        """Return the current listings of *files*, after one attempt; never raises."""
        return tuple(self._fetch_listings(files, patience=0.0))

    def report_listings(self, answers: Answers) -> None:
        """Report *answers* of a run that is about to end with an error."""
        for file, state in answers:
            self._report_listed_file(file, state)

    def files_listed_with_our_digest(self, answers: Answers) -> set[Distribution]:
        """Return the files that the index lists with our digest."""
        return {
            file
            for file, state in answers
            if (published := self._listed_file_with_digest(file, state)) is not None
            and self._compare_digests(file, published) in {Match.SAME, Match.SAME_MD5}
        }

    def wait_until_listed(self, files: Sequence[Distribution], doubtful: Mapping[str, str] = NOTHING) -> Confirmed:
        """Wait until the index lists *files* with our digests; see ``Confirmed``.

        *doubtful* are the files, with the reason, whose upload got a response that does not say whether the file was
        stored. Raises Unverified for a different digest, for a file that a readable listing does not show in time, and
        for a listing that failed until the end; IndexUnavailable for a doubtful file that is not listed.
        """
        self._emit_wait_started(f"list {count_files(len(files))}")
        pending = list(files)
        listed: list[Distribution] = []
        unreadable: dict[str, str] = {}
        for _ in self._rounds_until_timeout():
            for file, reason in self._settle_listed_files(pending):
                pending.remove(file)
                if reason is None:
                    listed.append(file)
                else:
                    unreadable[file.filename] = reason
            if not pending:
                break
        if pending:
            self._raise_not_listed([file.filename for file in pending], doubtful)
        if in_doubt := {name: doubtful[name] for name in unreadable if name in doubtful}:
            raise confirmation_messages.doubtful_uploads_error(self._index.endpoints, in_doubt)
        for name in self._by_md5:
            self._run.emit(confirmation_messages.confirmed_by_md5_warning(self._index.endpoints, name))
        return Confirmed(tuple(listed), unreadable, tuple(self._by_md5))

    def wait_for_provenance(self, files: Sequence[Distribution], claims: Claims | None) -> dict[str, ProvenanceOutcome]:
        """Verify the provenance of each file, also against the *claims* of this run's identity.

        Provenance that is not served in time is a warning. Raises Unverified for invalid provenance, and for missing
        provenance if attestations are required.
        """
        self._emit_wait_started(f"serve the provenance of {count_files(len(files))}")

        def verify_if_reachable(file: Distribution) -> ProvenanceOutcome:
            try:
                return self._fetch_and_verify_provenance(file, claims)
            except IndexUnavailable as error:
                return ProvenanceMissing(error.summary)

        outcomes: dict[str, ProvenanceOutcome] = {file.filename: ProvenanceMissing("not asked yet") for file in files}
        for _ in self._rounds_until_timeout():
            pending = [file for file in files if isinstance(outcomes[file.filename], ProvenanceMissing)]
            outcomes |= self._verify_all_provenance(pending, verify_if_reachable)
            if not any(isinstance(outcome, ProvenanceMissing) for outcome in outcomes.values()):
                break
        required = self._run.options.attestations is AttestationPolicy.REQUIRED
        for filename, outcome in outcomes.items():
            self._run.emit(ProvenanceChecked(self._name, filename, outcome))
            if not required and isinstance(outcome, ProvenanceMissing):
                self._run.warn(
                    "provenance-not-served",
                    f"{self._name} does not serve provenance for {filename} yet: {outcome.reason}",
                    "The index may serve a cached response for a while; check again later with `ci-publish verify`.",
                    filename=filename,
                )
        self.require_valid_provenance(outcomes)
        missing = {name: outcome.reason for name, outcome in outcomes.items() if isinstance(outcome, ProvenanceMissing)}
        if required and missing:
            raise confirmation_messages.provenance_not_served_error(
                self._index.endpoints, missing, self._run.options.verify_timeout
            )
        return outcomes

    def verify_provenance_once(self, files: Sequence[Distribution]) -> dict[str, ProvenanceOutcome]:
        """Fetch and verify the provenance of each file once. Raises IndexUnavailable if it cannot be fetched."""
        return self._verify_all_provenance(files, lambda file: self._fetch_and_verify_provenance(file, None))

    def _verify_all_provenance(
        self, files: Sequence[Distribution], judge: Callable[[Distribution], ProvenanceOutcome]
    ) -> dict[str, ProvenanceOutcome]:
        outcomes = map_in_parallel(files, judge, self._run.options.jobs, lambda: not self._run.waiting.stopped)
        self._run.raise_if_stopped()
        return {file.filename: outcomes[file] for file in files}

    def require_valid_provenance(self, outcomes: dict[str, ProvenanceOutcome]) -> None:
        """Raise Unverified for invalid provenance, UnexpectedPublisher for that of another publisher."""
        invalid = {name: outcome.reason for name, outcome in outcomes.items() if isinstance(outcome, ProvenanceInvalid)}
        if invalid:
            raise confirmation_messages.invalid_provenance_error(self._index.endpoints, invalid)
        foreign = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, ProvenanceByAnother)}
        if foreign:
            own_repository = bool(self._run.expected_publishers) and not self._run.options.publisher
            raise confirmation_messages.unexpected_publisher_error(
                self._index.endpoints, foreign, own_repository=own_repository
            )

    def _fetch_and_verify_provenance(self, file: Distribution, claims: Claims | None) -> ProvenanceOutcome:
        served = self._index.provenance(file.project, file.version, file.filename)
        if served is None:
            return ProvenanceMissing("none is served")
        return self._run.verifier.verify(file, served, claims)

    def _fetch_listings(
        self, files: Sequence[Distribution], *, patience: float | None = None
    ) -> Iterator[tuple[Distribution, IndexState]]:
        """Yield each file with the listing of its release, requesting several projects in parallel."""

        def fetch_listing(release: tuple[str, str]) -> IndexState:
            left = max(0.0, self._ends - self._run.clock()) if patience is None else patience
            return self._index.fetch_listing(*release, fresh=True, patience=left)

        queue = ReleaseQueue(dict.fromkeys(file.release for file in files), lambda release: release[0], 1)
        states = map_in_parallel(queue, fetch_listing, self._run.options.jobs, lambda: True)
        yield from ((file, states[file.release]) for file in files)

    def _settle_listed_files(self, pending: Sequence[Distribution]) -> list[tuple[Distribution, str | None]]:
        """Request each release once; return the settled files, with None or why the listing confirms nothing."""
        settled: list[tuple[Distribution, str | None]] = []
        wrong = []
        for file, state in self._fetch_listings(pending):
            self._outages.pop(file.filename, None)
            if isinstance(state, ListingUnavailable):
                self._outages[file.filename] = state.reason
            elif isinstance(state, NotVisible) or self._listed_file_with_digest(file, state) is not None:
                match = self._report_listed_file(file, state)
                reason = state.reason if isinstance(state, NotVisible) else "the index shows no digest."
                settled.append((file, None if match in {Match.SAME, Match.SAME_MD5} else reason))
                self._by_md5 += [file.filename] if match is Match.SAME_MD5 else []
                wrong += [file.filename] if match is Match.OTHER else []
        if wrong:
            raise confirmation_messages.listing_differs_error(
                self._index.endpoints, (), wrong, self._run.options.verify_timeout
            )
        return settled

    def _listed_file_with_digest(self, file: Distribution, state: IndexState) -> PublishedFile | None:
        """Return the listed file; PyPI shows a digest for every file, so one without a digest is not ours yet."""
        published = find_published_file(file.filename, state)
        pypi = self._index.endpoints.profile is IndexProfile.PYPI
        return None if published is not None and published.sha256 is None and pypi else published

    def _report_listed_file(self, file: Distribution, state: IndexState) -> Match:
        """Emit and return what *state* shows of *file*; an absent file counts as different content."""
        published = self._listed_file_with_digest(file, state)
        if published is not None:
            match = self._compare_digests(file, published)
        else:
            match = Match.OTHER if isinstance(state, ProjectListing | NoSuchProject) else Match.UNKNOWN
        listed, by_md5 = {Match.SAME: True, Match.OTHER: False}.get(match), match is Match.SAME_MD5
        name = file.filename
        self._run.emit(FileListed(index=self._name, filename=name, listed=listed, published=published, same_md5=by_md5))
        return match

    def _compare_digests(self, file: Distribution, published: PublishedFile) -> Match:
        try:
            return compare_with_published(file, published, self._index.md5)
        except FileChangedDuringRun:
            return Match.UNKNOWN

    def _emit_wait_started(self, deed: str) -> None:
        self._run.emit(WaitStarted(f"{self._name} to {deed}", max(0.0, self._ends - self._run.clock())))

    def _rounds_until_timeout(self) -> Iterator[None]:
        """Yield immediately, then after growing pauses, until the timeout; raise if the run is stopped."""
        attempt = 0
        while True:
            attempt += 1
            yield
            self._run.raise_if_stopped()
            left = self._ends - self._run.clock()
            if left <= 0:
                return
            self._run.waiting.wait(min(CONFIRMATION.seconds_to_wait(attempt), left))
            self._run.raise_if_stopped()

    def _raise_not_listed(self, names: Sequence[str], doubtful: Mapping[str, str]) -> None:
        """Raise why files are not listed: the listing failed, or does not show them."""
        endpoints, seconds = self._index.endpoints, self._run.options.verify_timeout
        for name in names:
            self._run.emit(FileListed(index=self._name, filename=name, listed=None if name in self._outages else False))
        if in_doubt := {name: doubtful[name] for name in names if name in doubtful}:
            raise confirmation_messages.doubtful_uploads_error(endpoints, in_doubt)
        if absent := [name for name in names if name not in self._outages]:
            raise confirmation_messages.listing_differs_error(endpoints, absent, (), seconds)
        raise confirmation_messages.listing_failed_error(endpoints, names, self._outages[names[0]], seconds)
