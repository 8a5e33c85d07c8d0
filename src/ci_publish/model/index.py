"""An index, its files, and the decisions of a plan."""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from enum import StrEnum

from ci_publish.errors import PublishingDeferred
from ci_publish.model.distribution import Distribution
from ci_publish.model.frozen import frozen


class IndexProfile(StrEnum):
    """Whose rules an index follows: PyPI's (PyPI, TestPyPI, rehearsals) or only the common ones."""

    PYPI = "pypi"
    GENERIC = "generic"


@frozen(kw_only=True)
class Endpoints:
    """The addresses of one index; None if the index has no such service or it cannot be known.

    ``audience``, ``mint`` and ``burn`` are the guesses that hold without discovery (PEP 807). ``pinned_audience`` is
    the only OIDC audience that this index may ask for, where that is known; ``named_audience`` is one that the user
    named for it, besides its own host. ``takes_any_token``: the user said that API tokens of other indexes may go
    there, as to an upload proxy. ``web`` is the root of project pages.
    ``simple_guesses`` are the addresses, ``simple`` first, that may or may not be the root of its Simple API; empty
    where the user gave that address, or where it is known.
    """

    name: str
    profile: IndexProfile
    upload: str
    simple: str | None = None
    simple_guesses: tuple[str, ...] = ()
    json_api: str | None = None
    integrity: str | None = None
    discovery: str | None = None
    audience: str | None = None
    mint: str | None = None
    burn: str | None = None
    pinned_audience: str | None = None
    named_audience: str | None = None
    takes_any_token: bool = False
    web: str | None = None

    @property
    def is_pypi_or_testpypi(self) -> bool:
        """Whether uploads go to PyPI or TestPyPI themselves, by their upload URLs."""
        return self.upload in {"https://upload.pypi.org/legacy/", "https://test.pypi.org/legacy/"}


class ProjectStatus(StrEnum):
    """The status markers of PEP 792."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    QUARANTINED = "quarantined"
    DEPRECATED = "deprecated"


@frozen(kw_only=True)
class PublishedFile:
    """A file that an index lists. ``sha256`` and ``md5`` are None if the index shows no such digest.

    ``requires_python`` is empty if the file admits every Python, None if the index does not say.
    ``core_metadata`` is the SHA-256 of the file's core metadata, where the index serves it next to the file (PEP 658);
    True if it serves it without a digest.
    """

    filename: str
    url: str
    sha256: str | None
    size: int | None = None
    upload_time: str | None = None
    yanked: str | bool = False
    provenance: str | None = None
    inherited: bool = False
    md5: str | None = None
    requires_python: str | None = None
    core_metadata: str | bool = False

    @property
    def uploaded(self) -> float | None:
        """``upload_time`` in seconds since the epoch; None if the index shows no time, or none that can be read."""
        try:
            time = datetime.fromisoformat(self.upload_time or "")
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None


@frozen(kw_only=True)
class ProjectListing:
    """What the index lists for a project. ``serial`` grows with each change, if the index states it."""

    project: str
    files: Mapping[str, PublishedFile] = field(default_factory=dict)
    versions: tuple[str, ...] = ()
    status: str = ProjectStatus.ACTIVE
    serial: int | None = None


@frozen
class NoSuchProject:
    """The index says that it does not have this project: a 404 from what is known to be its Simple API."""

    project: str


@frozen
class NotVisible:
    """The listing of this project cannot be read; ``reason`` is a sentence for the user.

    ``index_url`` is the root of the Simple API that the answer points to, where it points to one.
    """

    project: str
    reason: str
    index_url: str | None = None


@frozen
class ListingUnavailable:
    """The listing should be readable, but is not, after all retries.

    ``untrusted``: because the certificate comes from an issuer that this machine does not trust.
    """

    project: str
    reason: str
    untrusted: bool = False


IndexState = ProjectListing | NoSuchProject | NotVisible | ListingUnavailable


@frozen
class Upload:
    """The index does not have this file: it will be uploaded. ``known`` is False without a listing."""

    distribution: Distribution
    known: bool = True


@frozen
class AlreadyPublished:
    """Already on the index with the same content; ``md5_only``: compared by MD5, because it shows no SHA-256."""

    distribution: Distribution
    published: PublishedFile
    md5_only: bool = False


@frozen
class KeptPublished:
    """The index has different content (or content without a digest) under this name, which the user wants to keep."""

    distribution: Distribution
    published: PublishedFile
    reason: str


@frozen
class Conflict:
    """The index has different content under this name, or content that cannot be compared."""

    distribution: Distribution
    published: PublishedFile


@frozen
class Deferred:
    """Deferred to a later run: its project, or one that it requires, is one new project too many for this run."""

    distribution: Distribution
    reason: PublishingDeferred


PlannedFile = Upload | AlreadyPublished | KeptPublished | Conflict | Deferred


@frozen
class Plan:
    """What a run will do at one index, a decision for each file, in upload order."""

    index: str
    files: tuple[PlannedFile, ...]

    @property
    def uploads(self) -> tuple[Distribution, ...]:
        """The distributions to upload, in order."""
        return tuple(file.distribution for file in self.files if isinstance(file, Upload))

    @property
    def projects_to_upload(self) -> frozenset[str]:
        """The projects of the distributions to upload."""
        return frozenset(file.project for file in self.uploads)

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The files whose names are in use by different content."""
        return tuple(file for file in self.files if isinstance(file, Conflict))


@frozen
class Accepted:
    """The index accepted the file.

    ``doubt`` is set where the response is not that of an index (a web page): only its listing shows whether it did.
    """

    attempts: int = 1
    message: str = ""
    doubt: str = ""


@frozen
class AlreadyThere:
    """The index has a file of this name already; only its listing shows whether it is ours."""

    attempts: int
    message: str


@frozen(kw_only=True)
class Refused:
    """The index rejected the file permanently. ``status`` is the HTTP status; ``advice`` what to do, in sentences.

    ``whole_project``: for a reason that holds for every file of its project.
    """

    attempts: int
    status: int
    message: str
    advice: tuple[str, ...] = ()
    whole_project: bool = False


@frozen(kw_only=True)
class CredentialRefused:
    """The index rejected the credential, not the file. ``expired``: a new upload token may be all that is needed.

    ``one_project``: it is refused for this project, and may be good for others.
    """

    attempts: int
    status: int
    message: str
    expired: bool = False
    one_project: bool = False
    advice: tuple[str, ...] = ()


@frozen(kw_only=True)
class Unavailable:
    """No clear response until the retries ran out; ``unclear``: the index may have stored the file.

    ``untrusted``: the certificate comes from an issuer that this machine does not trust.
    """

    attempts: int
    message: str
    unclear: bool = False
    untrusted: bool = False


@frozen
class FileChanged:
    """The file on disk is not the one that was hashed and signed; it was not published."""

    attempts: int
    message: str


@frozen
class Cancelled:
    """The run was stopped before this file was done; ``unclear``: the index may have stored it."""

    attempts: int
    message: str = ""
    unclear: bool = False


@frozen(kw_only=True)
class NewProjectLimit:
    """The index accepts no more new projects from this user or address for now; this run sends no further new projects.

    ``message`` is a sentence, with the limit if the index states it. ``wait``: seconds until it creates more, None
    where it does not say.
    """

    attempts: int
    message: str
    wait: float | None = None


UploadOutcome = (
    Accepted | AlreadyThere | Refused | CredentialRefused | NewProjectLimit | Unavailable | FileChanged | Cancelled
)
