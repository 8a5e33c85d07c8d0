"""What a run is given: its collaborators, its options, and how it tells the time."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from ci_publish.model.attestation import AttestationPolicy, BuildProvenancePolicy, Subject
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Emit, Noted, Step, StepFinished, StepStarted
from ci_publish.model.frozen import frozen
from ci_publish.model.index import Endpoints, IndexState
from ci_publish.model.publisher_identity import PublisherIdentity
from ci_publish.publishing.downloaded_digests import with_downloaded_digests
from ci_publish.publishing.ports import Credential, Distributions, Index, ProvenanceVerifier, Signer, Stopper


class RunOptions(Protocol):
    """The settings that a run reads: ``ci_publish.Settings``, where each is declared, with its default."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, globs or folders to publish."""

    @property
    def allow_empty(self) -> bool:
        """Whether ``check`` passes where there are no distributions."""

    @property
    def on_conflict(self) -> str:
        """What to do with other content under a filename: a value of ``planning.OnConflict``."""

    @property
    def skip_existing(self) -> bool:
        """Whether files whose name is taken are left."""

    @property
    def attestations(self) -> AttestationPolicy:
        """Whether attestations are made."""

    @property
    def attestations_dir(self) -> Path | None:
        """Where attestations are written."""

    @property
    def build_provenance(self) -> BuildProvenancePolicy:
        """Whether build provenance that was made for the files is uploaded, and demanded."""

    @property
    def build(self) -> bool:
        """Whether ``attest`` makes build provenance."""

    @property
    def with_publish(self) -> bool:
        """Whether it makes publish attestations besides."""

    @property
    def sigstore_bundle(self) -> bool:
        """Whether it writes Sigstore bundles of them besides."""

    @property
    def require_build_provenance(self) -> bool:
        """Whether ``verify`` demands build provenance."""

    @property
    def builder(self) -> tuple[PublisherIdentity, ...]:
        """Which workflows may have made it, where the user names some."""

    @property
    def source(self) -> tuple[PublisherIdentity, ...]:
        """Which repositories and workflows it may be of, where the user names some."""

    @property
    def jobs(self) -> int:
        """How many files are uploaded at once."""

    @property
    def keep_going(self) -> bool:
        """Whether the other files are uploaded when the index refuses one."""

    @property
    def new_projects(self) -> int | None:
        """How many projects the run creates at most; None: as many as there are."""

    @property
    def compare_downloads(self) -> int:
        """Up to which size, in bytes, a file without a digest is downloaded and compared; 0: never."""

    @property
    def strict(self) -> bool:
        """Whether what cannot be confirmed is an error."""

    @property
    def verify(self) -> bool:
        """Whether the listing is waited for."""

    @property
    def verify_timeout(self) -> float:
        """How long, in seconds."""

    @property
    def prove_credential(self) -> bool:
        """Whether a plan tries the credential."""

    @property
    def create_project(self) -> bool:
        """Whether that may create a project."""

    @property
    def release_diff(self) -> str:
        """How a release is compared with the one before: ``auto``, ``off``, ``listing`` or ``full``."""

    @property
    def against(self) -> str | None:
        """The version that ``diff`` compares with, where the user names one."""

    @property
    def exit_code(self) -> bool:
        """Whether ``diff`` fails where a difference is more than a note."""

    @property
    def publisher(self) -> tuple[PublisherIdentity, ...]:
        """Who must have signed what ``verify`` finds, where the user names somebody."""


@frozen
class Destination:
    """One index and what the run shows to it.

    ``reference`` is the index with whose listing releases are compared, where that is another one.
    """

    index: Index
    credential: Credential
    reference: Index | None = None


@frozen(kw_only=True)
class Run:
    """The collaborators of one run.

    ``signer`` returns what signs, always the same; it is called only when something is to be signed. ``clock`` is
    monotonic, ``now`` since the epoch, both in seconds. ``expected_publishers`` must have signed what ``verify`` finds:
    those whom the user names, or the job's own repository. ``last_question`` lets a run that was stopped ask the index
    once more. ``subjects`` are the files that ``attest`` makes build provenance for where they are not at hand.
    ``registration`` returns the link to the form for a new project's pending publisher, where there is one.
    """

    distributions: Distributions
    destinations: tuple[Destination, ...]
    signer: Callable[[], Signer]
    verifier: ProvenanceVerifier
    write_attestations: Callable[..., object]
    emit: Emit
    waiting: Stopper
    clock: Callable[[], float]
    options: RunOptions
    require_unwritten: Callable[[Path, Sequence[str], Sequence[str]], None] = lambda _folder, _filenames, _types: None
    subjects: tuple[Subject, ...] = ()
    now: Callable[[], float] = time.time
    expected_publishers: tuple[PublisherIdentity, ...] = ()
    last_question: Callable[[], AbstractContextManager[None]] = nullcontext
    registration: Callable[[Endpoints, str], str | None] = lambda _endpoints, _project: None

    @contextmanager
    def step(self, step: Step, index: str | None = None) -> Iterator[None]:
        """Tell when a step begins and how long it took, and do not begin it when the run is stopped."""
        self.raise_if_stopped()
        started = self.clock()
        self.emit(StepStarted(step, index, self.waiting.left()))
        try:
            yield
        finally:
            self.emit(StepFinished(step, self.clock() - started, index))

    def with_missing_digests(self, index: Index, files: Sequence[Distribution], state: IndexState) -> IndexState:
        """Return *state* with the digests that *index* does not show, as far as the options allow a download."""
        return with_downloaded_digests(index, files, state, limit=self.options.compare_downloads, emit=self.emit)

    def raise_if_stopped(self) -> None:
        """Raise the error of a stopped run, if it is one."""
        if self.waiting.stopped:
            raise self.waiting.error()

    def warn(self, slug: str, message: str, *hints: str, filename: str | None = None) -> None:
        """Tell people something that they should care about."""
        self.emit(Noted(slug=slug, message=message, hints=hints, filename=filename))
