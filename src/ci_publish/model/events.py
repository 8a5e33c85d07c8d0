"""The events that a run emits: its only output.

Reports are folds over these events. An event contains no secret; reports neutralise its texts from outside.
"""

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum

from ci_publish.errors import CiPublishError
from ci_publish.model.attestation import Attestation, ProvenanceOutcome, Subject
from ci_publish.model.distribution import Distribution, UnreadableFile
from ci_publish.model.finding import Finding
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import CredentialState
from ci_publish.model.index import Endpoints, Plan, PublishedFile
from ci_publish.model.problem import Problem
from ci_publish.model.release import ReleaseDiff
from ci_publish.model.train import NO_TRAIN, Train


class Step(StrEnum):
    """The stages of a run, in order."""

    COLLECT = "collect"
    CHECK = "check"
    PLAN = "plan"
    AUTHENTICATE = "authenticate"
    SIGN = "sign"
    UPLOAD = "upload"
    CONFIRM = "confirm"
    INSTALL = "install"


class Outcome(StrEnum):
    """The outcome of a run, for receipts and outputs."""

    PUBLISHED = "published"
    UPLOADED_MD5 = "uploaded-md5"
    NOT_CONFIRMED = "uploaded-not-confirmed"
    ALREADY_PUBLISHED = "already-published"
    SAME_MD5 = "already-published-md5"
    KEPT_PUBLISHED = "kept-published"
    DEFERRED = "deferred"
    PLANNED = "planned"
    COMPARED = "compared"
    CHECKED = "checked"
    ATTESTED = "attested"
    REHEARSED = "rehearsed"
    VERIFIED = "verified"
    READY = "ready"
    UNDETERMINED = "undetermined"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class FileStatus(StrEnum):
    """What happened to one file at one index.

    ``uploaded`` in an event: the index accepted the file; in a receipt: the index lists it, too. ``uploaded-md5``: the
    index lists only an MD5 of the file, and it matches.
    ``unknown``: the response to the upload was lost, and the index may have stored the file.
    """

    UPLOADED = "uploaded"
    UPLOADED_MD5 = "uploaded-md5"
    NOT_CONFIRMED = "uploaded-not-confirmed"
    ALREADY_PUBLISHED = "already-published"
    SAME_MD5 = "already-published-md5"
    KEPT_PUBLISHED = "kept-published"
    PLANNED = "planned"
    CONFLICT = "conflict"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DEFERRED = "deferred"
    NOT_ATTEMPTED = "not-attempted"


@frozen
class RunStarted:
    """A command began; ``time`` in seconds since the epoch."""

    command: str
    time: float


@frozen
class StepStarted:
    """A stage began, at one index or (None) for all; ``left`` are the seconds until the run's deadline."""

    step: Step
    index: str | None = None
    left: float | None = None


@frozen
class StepFinished:
    """A step ended after so many seconds, also when it failed."""

    step: Step
    seconds: float
    index: str | None = None


@frozen
class Collected:
    """These distributions were found and hashed; files named like one that cannot be read are ``unreadable``.

    ``subjects`` are files to attest that are not present.
    """

    distributions: tuple[Distribution, ...]
    unreadable: tuple[UnreadableFile, ...] = ()
    subjects: tuple[Subject, ...] = ()


@frozen
class Checked:
    """All checks ran over all files; these are their findings, severities final."""

    problems: tuple[Problem, ...]


@frozen
class IndexChosen:
    """The run uses this index."""

    endpoints: Endpoints


@frozen
class Planned:
    """The plan for one index, the order of its projects, and those that it creates (in that order)."""

    plan: Plan
    train: Train = NO_TRAIN
    new_projects: tuple[str, ...] = ()


@frozen
class CredentialChanged:
    """The credential for an index was chosen, obtained, renewed or burnt."""

    index: str
    state: CredentialState


@frozen
class Signed:
    """A file has its attestation: made now, or found next to it, and verified by this run."""

    attestation: Attestation


@frozen
class WaitStarted:
    """A wait for *what* began, which takes *seconds* at most and ends with the step, or with the next one."""

    what: str
    seconds: float


@frozen(kw_only=True)
class UploadStarted:
    """An upload attempt of a file begins; ``attempt`` counts from 1."""

    index: str
    filename: str
    size: int
    attempt: int = 1


@frozen(kw_only=True)
class UploadProgressed:
    """So many bytes of the request body were handed to the network in this attempt."""

    index: str
    filename: str
    sent: int
    total: int


@frozen(kw_only=True)
class Retrying:
    """Something failed and will be retried after ``wait`` seconds; ``what`` names the file or the request."""

    what: str
    attempt: int
    reason: str
    wait: float
    index: str | None = None


@frozen(kw_only=True)
class UploadsCollided:
    """The index responded with 500 to a file while it completed another file of the same release for this run.

    Nothing is broken: the index's database was busy with our own uploads. The file is sent again, alone, without using
    up one of its attempts, and what is left of the release is completed one at a time.
    """

    index: str
    filename: str
    project: str
    version: str


@frozen(kw_only=True)
class FileFinished:
    """What happened to a file at an index; ``error`` if it is neither there nor planned."""

    index: str
    distribution: Distribution
    status: FileStatus
    attempts: int = 0
    url: str | None = None
    error: CiPublishError | None = None


@frozen(kw_only=True)
class FileListed:
    """What the index lists of a file: our digest (True), none or another (False), nothing known (None).

    Where nothing is known, ``asked`` is False if the listing was not read (``--no-verify``), and ``published`` is there
    for a file that is listed without a SHA-256; ``same_md5``: its MD5, which is all that the index shows, is ours.
    ``compared`` is False if this run has no file to compare with (``verify PROJECT==VERSION``).
    """

    index: str
    filename: str
    listed: bool | None
    published: PublishedFile | None = None
    asked: bool = True
    same_md5: bool = False
    compared: bool = True


@frozen(kw_only=True)
class ProjectLeft:
    """One of several projects was not published, or not completely.

    ``because`` of these projects, which may be itself; ``reason`` is a sentence. ``deferred``: for a later run.
    """

    index: str
    project: str
    because: tuple[str, ...]
    reason: str
    deferred: bool


@frozen
class ProvenanceChecked:
    """The provenance that an index serves for a file was checked."""

    index: str
    filename: str
    outcome: ProvenanceOutcome


@frozen(kw_only=True)
class Tried:
    """A file was installed for one interpreter and tested before it was published.

    ``commands`` are what was done, in short. ``problems`` are final, and emitted as ``Checked`` as well; ``output`` is
    the end of what failing commands printed, empty if none failed. ``passed``: no problem is an error.
    """

    filename: str
    interpreter: str
    installer: str
    commands: tuple[str, ...]
    problems: tuple[Problem, ...]
    seconds: float
    passed: bool
    output: str = ""


@frozen(kw_only=True)
class Noted:
    """Information for the user (``warning``: needs attention), with what to do.

    ``slug`` is stable: one for each kind of note. ``filename`` where it is about one file.
    """

    slug: str
    message: str
    warning: bool = True
    hints: tuple[str, ...] = ()
    filename: str | None = None


@frozen(kw_only=True)
class RequestTraced:
    """A request and its response, for --verbose; the texts contain no secrets."""

    method: str
    url: str
    result: str
    seconds: float


@frozen
class Compared:
    """A release was compared with the previous one at one index."""

    diff: ReleaseDiff


@frozen(kw_only=True)
class RunFinished:
    """The run is over; ``time`` in seconds since the epoch."""

    outcome: Outcome
    exit_code: int
    time: float
    error: CiPublishError | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


Event = (
    RunStarted
    | StepStarted
    | StepFinished
    | Collected
    | Checked
    | IndexChosen
    | Planned
    | Compared
    | CredentialChanged
    | Signed
    | WaitStarted
    | UploadStarted
    | UploadProgressed
    | Retrying
    | UploadsCollided
    | FileFinished
    | FileListed
    | ProjectLeft
    | ProvenanceChecked
    | Tried
    | Finding
    | Noted
    | RequestTraced
    | RunFinished
)

Emit = Callable[[Event], None]
"""Takes an event; callable from any thread, never raises, returns quickly."""
