"""What a run is given: its collaborators, its options, and how it tells the time."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path

from ci_publish.model.attestation import AttestationPolicy
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Emit, Noted, Step, StepFinished, StepStarted
from ci_publish.model.frozen import frozen
from ci_publish.model.index import IndexState
from ci_publish.model.publisher_identity import PublisherIdentity
from ci_publish.publishing.digests import completed
from ci_publish.publishing.planning import OnConflict
from ci_publish.publishing.ports import Credential, Distributions, Index, ProvenanceVerifier, Signer, Stopper


@frozen
class Options:
    """What the user wants of a run; seconds are seconds, sizes bytes (0: off)."""

    paths: tuple[str, ...] = ("dist",)
    on_conflict: OnConflict = OnConflict.FAIL
    skip_existing: bool = False
    attestations: AttestationPolicy = AttestationPolicy.AUTO
    attestations_dir: Path | None = None
    jobs: int = 8
    keep_going: bool = False
    compare_downloads: int = 25 * 1024 * 1024
    strict: bool = False
    verify: bool = True
    verify_timeout: float = 300.0
    prove_credential: bool = False
    create_project: bool = False
    expected_publishers: tuple[PublisherIdentity, ...] = ()
    """Who must have signed what ``verify`` finds; ``publisher_named``: because the user says so."""
    publisher_named: bool = False


@frozen
class Destination:
    """One index and what the run shows to it."""

    index: Index
    credential: Credential


@frozen
class Run:
    """The collaborators of one run.

    ``signer`` returns what signs, always the same; it is called only when something is to be signed. ``clock`` is
    monotonic, ``now`` since the epoch, both in seconds.
    """

    distributions: Distributions
    destinations: tuple[Destination, ...]
    signer: Callable[[], Signer]
    verifier: ProvenanceVerifier
    write_attestations: Callable[..., object]
    emit: Emit
    waiting: Stopper
    clock: Callable[[], float]
    require_unwritten: Callable[[Path, Sequence[str]], None] = lambda _folder, _filenames: None
    now: Callable[[], float] = time.time
    options: Options = field(default_factory=Options)

    @contextmanager
    def step(self, step: Step, index: str | None = None) -> Iterator[None]:
        """Tell when a step begins and how long it took, and do not begin it when the run is stopped."""
        self.checkpoint()
        started = self.clock()
        self.emit(StepStarted(step, index))
        try:
            yield
        finally:
            self.emit(StepFinished(step, self.clock() - started, index))

    def with_digests(self, index: Index, files: Sequence[Distribution], state: IndexState) -> IndexState:
        """Return *state* with the digests that *index* does not show, as far as the options allow a download."""
        return completed(index, files, state, limit=self.options.compare_downloads, emit=self.emit)

    def checkpoint(self) -> None:
        """Raise the error of a stopped run, if it is one."""
        if self.waiting.stopped:
            raise self.waiting.error()

    def warn(self, slug: str, message: str, *hints: str, filename: str | None = None) -> None:
        """Tell people something that they should care about."""
        self.emit(Noted(slug, message, hints=hints, filename=filename))
