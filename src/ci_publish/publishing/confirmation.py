"""What the index shows of the files of a run: its listing with our digests, and provenance that verifies."""

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from ci_publish.errors import IndexUnavailable
from ci_publish.http.retries import CONFIRMATION
from ci_publish.model.attestation import AttestationPolicy, ProvenanceInvalid, ProvenanceMissing, ProvenanceOutcome
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import FileListed, ProvenanceChecked
from ci_publish.model.index import IndexProfile, IndexState, NotVisible, ProjectListing
from ci_publish.publishing import messages
from ci_publish.publishing.concurrency import ConcurrencyLimit, ReleaseQueue, in_parallel
from ci_publish.publishing.context import Run
from ci_publish.publishing.planning import published_as
from ci_publish.publishing.ports import Index


class Listing:
    """Asks one index again and again, with growing pauses, within ``--verify-timeout``."""

    def __init__(self, run: Run, index: Index) -> None:
        self._run = run
        self._index = index
        self._name = index.endpoints.name
        self._ends = run.clock() + run.options.verify_timeout

    def skip(self, files: Sequence[Distribution]) -> None:
        """The user does not want to wait: say that nothing is known."""
        for file in files:
            self._run.emit(FileListed(self._name, file.filename, listed=None, asked=False))

    def wait_for(self, files: Sequence[Distribution]) -> tuple[Distribution, ...]:
        """Return the files that the index lists with our digest.

        Raises Unverified for another digest, and under PyPI's rules for a file that is not listed in time; elsewhere
        that is a warning (some indexes list asynchronously).
        """
        pending, listed = list(files), []
        for _ in self._rounds():
            for file, found in self._ask(pending):
                pending.remove(file)
                listed += [file] if found else []
            if not pending:
                return tuple(listed)
        self._give_up(pending)
        return tuple(listed)

    def wait_for_provenance(self, files: Sequence[Distribution]) -> dict[str, ProvenanceOutcome]:
        """Judge the provenance of each file; none in time is a warning.

        Raises Unverified for one that is wrong, and for none in time where attestations are required.
        """
        outcomes: dict[str, ProvenanceOutcome] = {}
        for _ in self._rounds():
            pending = [file for file in files if isinstance(outcomes.get(file.filename, _UNSEEN), ProvenanceMissing)]
            outcomes |= self._judge_all(pending, self._judge_patiently)
            if not any(isinstance(outcome, ProvenanceMissing) for outcome in outcomes.values()):
                break
        required = self._run.options.attestations is AttestationPolicy.REQUIRED
        for filename, outcome in outcomes.items():
            self._run.emit(ProvenanceChecked(self._name, filename, outcome))
            if not required and isinstance(outcome, ProvenanceMissing):
                self._run.warn(
                    "provenance-not-served",
                    f"{self._name} does not serve provenance for {filename} yet: {outcome.reason}",
                    "A cached answer may stick for a while; look again later with `ci-publish verify`.",
                    filename=filename,
                )
        self.require_valid(outcomes)
        missing = {name: outcome.reason for name, outcome in outcomes.items() if isinstance(outcome, ProvenanceMissing)}
        if required and missing:
            raise messages.provenance_not_served(self._index.endpoints, missing, self._run.options.verify_timeout)
        return outcomes

    def require_provenance(self, files: Sequence[Distribution]) -> dict[str, ProvenanceOutcome]:
        """Fetch and judge the provenance of each file once. Raises IndexUnavailable when one cannot be asked for."""
        return self._judge_all(files, self._judge)

    def _judge_all(
        self, files: Sequence[Distribution], judge: Callable[[Distribution], ProvenanceOutcome]
    ) -> dict[str, ProvenanceOutcome]:
        outcomes: dict[str, ProvenanceOutcome] = {}
        lock = threading.Lock()

        def work(file: Distribution) -> None:
            outcome = judge(file)
            with lock:
                outcomes[file.filename] = outcome

        jobs = self._run.options.jobs
        in_parallel(files, work, ConcurrencyLimit(jobs), jobs, lambda: not self._run.waiting.stopped)
        self._run.checkpoint()
        return outcomes

    def require_valid(self, outcomes: dict[str, ProvenanceOutcome]) -> None:
        """Raise Unverified when provenance is wrong."""
        invalid = {name: outcome.reason for name, outcome in outcomes.items() if isinstance(outcome, ProvenanceInvalid)}
        if invalid:
            raise messages.bad_provenance(self._index.endpoints, invalid)

    def _judge(self, file: Distribution) -> ProvenanceOutcome:
        served = self._index.provenance(file.project, file.version, file.filename)
        if served is None:
            return ProvenanceMissing("none is served")
        return self._run.verifier.verify(file.filename, file.sha256, served)

    def _judge_patiently(self, file: Distribution) -> ProvenanceOutcome:
        """Judge; an index that cannot be asked now is asked again in the next round."""
        try:
            return self._judge(file)
        except IndexUnavailable as error:
            return ProvenanceMissing(error.summary)

    def _listings(self, files: Sequence[Distribution]) -> list[tuple[tuple[str, str], IndexState]]:
        """Ask for the releases of *files*, several projects at once."""
        states: dict[tuple[str, str], IndexState] = {}

        def look(file: Distribution) -> None:
            patience = max(0.0, self._ends - self._run.clock())
            states[file.release] = self._index.look(file.project, file.version, fresh=True, patience=patience)

        jobs = self._run.options.jobs
        releases = {file.release: file for file in files}
        queue = ReleaseQueue(releases.values(), lambda file: file.project, 1)
        in_parallel(queue, look, ConcurrencyLimit(jobs), jobs, lambda: True)
        return [(release, states[release]) for release in releases]

    def _ask(self, pending: Sequence[Distribution]) -> list[tuple[Distribution, bool]]:
        """Ask once for each project; return the files that are settled, with whether they are listed."""
        settled, wrong = [], []
        for (project, version), state in self._listings(pending):
            for file in [file for file in pending if file.release == (project, version)]:
                if isinstance(state, NotVisible):
                    self._tell(file, listed=None)
                    settled.append((file, False))
                elif isinstance(state, ProjectListing) and (published := published_as(file.filename, state)):
                    if published.sha256 is None and self._index.endpoints.profile is IndexProfile.PYPI:
                        continue  # PyPI shows a digest for every file: what has none is not ours yet
                    same = published.sha256 == file.sha256 if published.sha256 else None
                    self._run.emit(FileListed(self._name, file.filename, same, published))
                    settled.append((file, bool(same)))
                    wrong += [file.filename] if same is False else []
        if wrong:
            raise messages.not_as_sent(self._index.endpoints, (), wrong, self._run.options.verify_timeout)
        return settled

    def _rounds(self) -> Iterator[None]:
        """Yield at once, then after growing pauses, until the time is over; raise when the run is stopped."""
        for attempt in count(1):
            yield
            self._run.checkpoint()
            left = self._ends - self._run.clock()
            if left <= 0:
                return
            self._run.waiting.wait(min(CONFIRMATION.wait(attempt), left))
            self._run.checkpoint()

    def _give_up(self, pending: Sequence[Distribution]) -> None:
        for file in pending:
            self._tell(file, listed=False)
        names = [file.filename for file in pending]
        error = messages.not_as_sent(self._index.endpoints, names, (), self._run.options.verify_timeout)
        if self._index.endpoints.profile is IndexProfile.PYPI:
            raise error
        for name in names:
            self._run.warn(
                "not-listed",
                f"{self._name} accepted {name}, but did not list it within {self._run.options.verify_timeout:g} s.",
                "Some indexes list uploads later; `ci-publish verify` looks again.",
                filename=name,
            )

    def _tell(self, file: Distribution, *, listed: bool | None) -> None:
        self._run.emit(FileListed(self._name, file.filename, listed))


_UNSEEN = ProvenanceMissing("not asked yet")
