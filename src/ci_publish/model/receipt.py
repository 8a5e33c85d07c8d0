"""The receipt: what happened in a run, as values (pure).

Its JSON is a contract, described by ``docs/receipt-2.schema.json``. New fields may be added at any time; removing a
field or changing its meaning raises ``SCHEMA_VERSION``. All times are RFC 3339 in UTC. Text from outside appears as
received.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from ci_publish.about import NAME, __version__
from ci_publish.model.distribution import Kind
from ci_publish.model.events import FileStatus, Outcome
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Severity

SCHEMA_VERSION = 2

Redact = Callable[[str], str]
"""Takes secrets out of a text; the last defence before it leaves the program."""


@frozen
class Tool:
    """The program that wrote the receipt."""

    name: str = NAME
    version: str = __version__


@frozen(kw_only=True)
class ErrorEntry:
    """A failure, in the words of the log."""

    slug: str
    summary: str
    detail: str
    hints: tuple[str, ...]
    docs: str


@frozen(kw_only=True)
class CredentialEntry:
    """The credential of the run; ``burnt`` is None if there was nothing to burn."""

    kind: CredentialKind
    provider: str | None
    expires: str | None
    burnt: bool | None


@frozen(kw_only=True)
class IndexEntry:
    """An index of the run."""

    name: str
    profile: IndexProfile
    repository_url: str
    index_url: str | None
    credential: CredentialEntry


@frozen(kw_only=True)
class AttestationEntry:
    """An attestation that the run made or found next to the file, or that the index serves and ``verify`` checked.

    ``signer`` is the identity in the signing certificate: the publisher, or for build provenance the builder.
    ``identity`` is the publisher as ``--publisher`` takes it, null for a kind that it does not cover.
    """

    predicate_type: str
    signer: str | None
    identity: str | None
    source: str | None
    commit: str | None
    log_index: int | None
    integrated_time: str | None
    verified: bool


class RetryCause(StrEnum):
    """A cause of a retry that is known to be harmless."""

    CONCURRENT_UPLOADS = "concurrent-uploads"


@frozen(kw_only=True)
class RetryEntry:
    """An upload attempt that was retried: why, and after how many seconds.

    ``cause`` is set where the cause is known to be harmless.
    """

    attempt: int
    reason: str
    wait: float
    cause: RetryCause | None


@frozen(kw_only=True)
class TriedEntry:
    """An installation of one file: with which interpreter and installer, which commands ran, and how it ended."""

    interpreter: str
    installer: str
    commands: tuple[str, ...]
    result: str
    seconds: float


@frozen(kw_only=True)
class FileEntry:
    """One file at one index; ``index`` is None for commands that need none (check, attest).

    ``path``, ``size`` and ``sha256`` are None for a file that only the index has (``verify PROJECT==VERSION``) and does
    not describe; the last two also for a file that cannot be read as a distribution. ``listed``: with our digest
    (true), not or otherwise (false), not asked or unreadable (null). ``error`` is set for every file that did not reach
    the desired state.
    """

    index: str | None
    filename: str
    path: str | None = None
    project: str | None
    version: str | None
    kind: Kind | None
    size: int | None = None
    sha256: str | None = None
    status: FileStatus
    attempts: int
    url: str | None = None
    attestations: tuple[AttestationEntry, ...]
    listed: bool | None = None
    provenance_verified: bool | None
    provenance_publisher: str | None
    retries: tuple[RetryEntry, ...]
    error: ErrorEntry | None
    tried: tuple[TriedEntry, ...] = ()


@frozen(kw_only=True)
class ProblemEntry:
    """A finding of the checks, or a warning of the run (its rule is the note's slug)."""

    filename: str | None
    rule: str
    severity: Severity
    message: str
    docs: str


@frozen(kw_only=True)
class ChangeEntry:
    """One difference between a release and the release ``against`` which it was compared."""

    project: str
    version: str
    against: str | None
    rule: str
    severity: Severity
    message: str
    docs: str


@frozen
class WaveEntry:
    """Projects that were uploaded together; the waves of an index are in upload order."""

    index: str
    projects: tuple[str, ...]


@frozen(kw_only=True)
class Receipt:
    """What happened in a run. ``exit_code`` and ``finished`` are None until it has ended.

    ``resume_after`` is when a deferred run can go on, where that is known.
    """

    schema_version: int = SCHEMA_VERSION
    tool: Tool = Tool()
    command: str
    outcome: Outcome
    exit_code: int | None
    error: ErrorEntry | None
    indexes: tuple[IndexEntry, ...]
    files: tuple[FileEntry, ...]
    problems: tuple[ProblemEntry, ...]
    started: str | None
    finished: str | None
    timings: Mapping[str, float]
    resume_after: str | None = None
    changes: tuple[ChangeEntry, ...] = ()
    waves: tuple[WaveEntry, ...] = ()

    def count(self, *statuses: FileStatus) -> int:
        """Return how many files have one of *statuses*."""
        return sum(entry.status in statuses for entry in self.files)
