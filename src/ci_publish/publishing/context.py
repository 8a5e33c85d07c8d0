"""The collaborators and options of a run, and its clock."""

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
    """The settings that a run reads. ``ci_publish.Settings`` declares each, with its default."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, globs or folders to publish."""

    @property
    def allow_empty(self) -> bool:
        """Whether ``check`` passes if there are no distributions."""

    @property
    def on_conflict(self) -> str:
        """What to do with different content under a filename: a value of ``planning.OnConflict``."""

    @property
    def skip_existing(self) -> bool:
        """Whether files whose name is taken are skipped."""

    @property
    def attestations(self) -> AttestationPolicy:
        """Whether attestations are made."""

    @property
    def attestations_dir(self) -> Path | None:
        """Where attestations are written."""

    @property
    def build_provenance(self) -> BuildProvenancePolicy:
        """Whether existing build provenance of the files is uploaded, and whether it is required."""

    @property
    def build(self) -> bool:
        """Whether ``attest`` creates build provenance."""

    @property
    def with_publish(self) -> bool:
        """Whether ``attest`` also makes publish attestations."""

    @property
    def sigstore_bundle(self) -> bool:
        """Whether ``attest`` also writes Sigstore bundles."""

    @property
    def require_build_provenance(self) -> bool:
        """Whether ``verify`` requires build provenance."""

    @property
    def builder(self) -> tuple[PublisherIdentity, ...]:
        """The workflows that may have created the build provenance, if the user names any."""

    @property
    def source(self) -> tuple[PublisherIdentity, ...]:
        """The repositories and workflows that it may name as the source, if the user names any."""

    @property
    def jobs(self) -> int:
        """How many files are uploaded at once."""

    @property
    def keep_going(self) -> bool:
        """Whether the other files are uploaded when the index rejects one."""

    @property
    def new_projects(self) -> int | None:
        """The maximum number of projects that the run creates; None: no maximum."""

    @property
    def compare_downloads(self) -> int:
        """The maximum size, in bytes, of a file without a digest that is downloaded and compared; 0: never."""

    @property
    def strict(self) -> bool:
        """Whether a file that cannot be confirmed is an error."""

    @property
    def verify(self) -> bool:
        """Whether the run waits for the listing."""

    @property
    def verify_timeout(self) -> float:
        """How long it waits, in seconds."""

    @property
    def prove_credential(self) -> bool:
        """Whether a plan authenticates."""

    @property
    def create_project(self) -> bool:
        """Whether authenticating may create a project."""

    @property
    def release_diff(self) -> str:
        """How a release is compared with the previous one: ``auto``, ``off``, ``listing`` or ``full``."""

    @property
    def against(self) -> str | None:
        """The version that ``diff`` compares with, if the user names one."""

    @property
    def exit_code(self) -> bool:
        """Whether ``diff`` fails if a difference is more than a note."""

    @property
    def publisher(self) -> tuple[PublisherIdentity, ...]:
        """The publishers that must have signed the files that ``verify`` checks, if the user names any."""


@frozen
class Destination:
    """One index and the credential for it.

    ``reference`` is the index with whose listing releases are compared, if that is another one.
    """

    index: Index
    credential: Credential
    reference: Index | None = None


@frozen(kw_only=True)
class Run:
    """The collaborators of one run.

    ``signer`` returns the signer, always the same one; it is called only if something must be signed. ``clock`` is
    monotonic, ``now`` since the epoch, both in seconds. ``expected_publishers`` must have signed the files that
    ``verify`` checks: those that the user names, or the job's own repository. ``last_question`` lets a stopped run send
    one more request to the index. ``subjects`` are the files for which ``attest`` creates build provenance if they are
    not local. ``registration`` returns the link to the form for a new project's pending publisher, if there is one.
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
        """Report the beginning and the duration of a step; do not begin it if the run is stopped."""
        self.raise_if_stopped()
        started = self.clock()
        self.emit(StepStarted(step, index, self.waiting.left()))
        try:
            yield
        finally:
            self.emit(StepFinished(step, self.clock() - started, index))

    def with_missing_digests(self, index: Index, files: Sequence[Distribution], state: IndexState) -> IndexState:
        """Return *state* with digests that *index* does not show, as far as the options allow downloads."""
        return with_downloaded_digests(index, files, state, limit=self.options.compare_downloads, emit=self.emit)

    def raise_if_stopped(self) -> None:
        """Raise the error of a stopped run if this run is stopped."""
        if self.waiting.stopped:
            raise self.waiting.error()

    def warn(self, slug: str, message: str, *hints: str, filename: str | None = None) -> None:
        """Emit a warning."""
        self.emit(Noted(slug=slug, message=message, hints=hints, filename=filename))
