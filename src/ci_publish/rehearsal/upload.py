"""`POST /legacy/`: what PyPI checks, in PyPI's order and with PyPI's words, and what it stores.

Source: `warehouse/forklift/legacy.py`, file_upload, at 6b62157124ab; the order as in pypi-server.md, §2.
"""

import hashlib
import hmac
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from packaging.utils import canonicalize_name
from werkzeug.wrappers import Request

from ci_publish.rehearsal.answers import HELP, RefusedError
from ci_publish.rehearsal.authorization import Uploader, authenticate, check_token
from ci_publish.rehearsal.descriptions import description_problem
from ci_publish.rehearsal.provenance import IntegrityService, RefusedAttestationsError
from ci_publish.rehearsal.records import (
    CLOSED_STATUSES,
    QUARANTINED,
    Fields,
    Project,
    ProjectCreated,
    ReleaseCreated,
    StoredFile,
)
from ci_publish.rehearsal.storage import Received, Storage
from ci_publish.rehearsal.tokens import PublisherIdentity, TokenStore, User
from ci_publish.rehearsal.upload_form import (
    Form,
    check_fields,
    check_filename,
    check_identification,
    check_no_tuple,
    receive,
)

_MIB: Final = 1024 * 1024
_GIB: Final = 1024 * _MIB
_DAY_SECONDS: Final = 24 * 60 * 60
_HOUR_SECONDS: Final = 60 * 60
_MAXIMUM_AGE_DAYS: Final = 14
# A wheel's METADATA is served beside it; PyPI has no limit of its own.
_LARGEST_METADATA: Final = 16 * _MIB
_LIMITS: Final = "https://docs.pypi.org/project-management/storage-limits"


class Refusal(Protocol):
    """What a judge says about a file that the index must not take."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def message(self) -> str:
        """PyPI's words."""


Judge: TypeAlias = Callable[[Path, str, Fields], Refusal | None]


@dataclass(slots=True)
class UploadRules:
    """The knobs of an index's rules; they may be turned while it serves.

    Limits are in bytes and None stands for none: how much PyPI granted a project, a rehearsal cannot know. `new_projects_per_hour` is
    PyPI's 20 for one user where it is set. `racy` answers 500 where PyPI does: when two uploads make the same project or release at
    the same time. `flags` are Warehouse's admin flags: `read-only`, `disallow-new-upload`, `disallow-new-project-registration`,
    `disallow-oidc`, `disallow-github-oidc` (gitlab, google), `disable-pep740`.
    """

    file_size_limit: int | None = None
    project_size_limit: int | None = None
    new_projects_per_hour: int | None = None
    prohibited_names: frozenset[str] = frozenset()
    racy: bool = False
    flags: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Submission:
    """An upload whose form is in order."""

    form: Form
    uploader: Uploader
    filename: str
    content_type: str
    received: Received
    user_agent: str


class Uploads:
    """Takes uploads into a storage. Thread-safe."""

    def __init__(  # noqa: PLR0913 - the collaborators of the whole upload; nothing of it is optional
        self,
        storage: Storage,
        tokens: TokenStore,
        integrity: IntegrityService,
        *,
        rules: UploadRules,
        judge: Judge,
        clock: Callable[[], float],
    ) -> None:
        self._storage = storage
        self._tokens = tokens
        self._integrity = integrity
        self._rules = rules
        self._judge = judge
        self._clock = clock

    def take(self, request: Request) -> None:
        """Take the file of a request; raises RefusedError in all cases in which PyPI does."""
        form = receive(request, self._storage)
        try:
            self._route(form)
            check_no_tuple(form)
            self._check_flags()
            uploader = authenticate(request.headers.get("Authorization", ""), self._tokens)
            check_fields(form)
            check_identification(form)
            self._take(_submission(form, uploader, request.headers.get("User-Agent", "")))
        finally:
            form.discard()

    def create_project(self, name: str) -> None:
        """Register an empty project; raises RefusedError where PyPI would not."""
        with self._storage.lock:
            self._check_new_project(name)
            self._storage.record(ProjectCreated(name, self._clock()))

    def _route(self, form: Form) -> None:
        match form.first(":action"):
            case "file_upload":
                return
            case "submit" | "submit_pkg_info":
                raise RefusedError(
                    410, "Project pre-registration is no longer required or supported, upload your files instead."
                )
            case "doc_upload":
                raise RefusedError(
                    410,
                    "Uploading documentation is no longer supported, we recommend using https://readthedocs.org/.",
                )
            case _:
                raise RefusedError(404, "")

    def _check_flags(self) -> None:
        if "read-only" in self._rules.flags:
            raise RefusedError(403, "Read-only mode: Uploads are temporarily disabled.")
        if "disallow-new-upload" in self._rules.flags:
            raise RefusedError(
                403,
                f"New uploads are temporarily disabled. See {HELP}#admin-intervention for more information.",
            )

    def _take(self, submission: _Submission) -> None:
        with self._storage.lock:
            before = self._storage.state.project(submission.form.project)
            if self._decide(submission, before):
                return
        # The long part: nobody else waits for it, and what it decides is decided again below.
        self._check_content(submission)
        provenance = self._provenance(submission)
        metadata = _core_metadata(submission)
        with self._storage.lock:
            if not self._raced(submission, before):
                self._store(submission, provenance, metadata)

    def _decide(self, submission: _Submission, project: Project | None) -> bool:
        """Check all that needs the index's state; return whether this very file is there already."""
        self._check_project(submission, project)
        if problem := description_problem(submission.form.fields):
            raise RefusedError(400, problem)
        check_filename(submission.filename, submission.form.first("filetype"), submission.content_type)
        self._check_size(submission, project)
        _check_digests(submission.form, submission.received)
        return self._is_duplicate(submission) or self._check_release(submission, project)

    def _check_project(self, submission: _Submission, project: Project | None) -> None:
        name, owner = submission.form.first("name"), submission.uploader.token.owner
        if project is None:
            if isinstance(owner, PublisherIdentity) and owner.projects is not None:
                raise RefusedError(400, _NOT_BY_PUBLISHERS)
            self._check_new_project(name)
        spelled = project.name if project else name
        check_token(submission.uploader, self._tokens, submission.form.project, spelled)
        if project and _is_closed(project, submission.uploader):
            raise RefusedError(403, _not_allowed(submission.uploader, spelled))

    def _check_new_project(self, name: str) -> None:
        self._check_new_project_rate()
        if "disallow-new-project-registration" in self._rules.flags:
            raise RefusedError(
                403,
                f"New project registration temporarily disabled. See {HELP}#admin-intervention for more information.",
            )
        normalized, see = canonicalize_name(name), f"See {HELP}#project-name for more information."
        if normalized in _STANDARD_LIBRARY:
            raise RefusedError(
                400, f"The name {name!r} isn't allowed (conflict with Python Standard Library module name). {see}"
            )
        if normalized in self._rules.prohibited_names:
            raise RefusedError(400, f"The name {name!r} isn't allowed. {see}")
        if _looks(name) in {_looks(project.name) for project in self._storage.state.projects.values()}:
            raise RefusedError(400, f"The name {name!r} is too similar to an existing project. {see}")

    def _check_new_project_rate(self) -> None:
        limit = self._rules.new_projects_per_hour
        since = self._clock() - _HOUR_SECONDS
        recent = [project.created for project in self._storage.state.projects.values() if project.created > since]
        if limit is not None and len(recent) >= limit:
            wait = int(min(recent, default=since) - since) + 1
            headers = {
                "RateLimit": f'"project.create.user";r=0;t={wait}',
                "RateLimit-Policy": f'"project.create.user";q={limit};w={_HOUR_SECONDS}',
            }
            raise RefusedError(429, "Too many new projects created", headers)

    def _check_size(self, submission: _Submission, project: Project | None) -> None:
        name, size = submission.form.first("name"), submission.received.size
        file_limit, project_limit = self._rules.file_size_limit, self._rules.project_size_limit
        if file_limit is not None and size > file_limit:
            raise RefusedError(
                400,
                f"File too large. Limit for project {name!r} is {file_limit // _MIB} MB. "
                f"See {_LIMITS}#requesting-a-file-size-limit-increase for more information.",
            )
        if project_limit is not None and size + (project.size if project else 0) > project_limit:
            raise RefusedError(
                400,
                f"Project size too large. Limit for project {name!r} total size is {project_limit // _GIB} GB. "
                f"See {_LIMITS}#requesting-a-project-size-limit-increase",
            )

    def _is_duplicate(self, submission: _Submission) -> bool:
        """Whether this very file is there already; raises RefusedError for its name with other bytes, or its bytes with another name."""
        digest, files = submission.received.blake2_256, self._storage.state.files
        same = [file for file in files.values() if file.filename == submission.filename or file.blake2_256 == digest]
        if not same:
            return False
        if all(file.filename == submission.filename and file.blake2_256 == digest for file in same):
            return True
        raise RefusedError(
            400,
            f"File already exists ({submission.filename!r}, with blake2_256 hash {digest!r}). "
            f"See {HELP}#file-name-reuse for more information.",
        )

    def _check_release(self, submission: _Submission, project: Project | None) -> bool:
        """Check what is closed for new files; always False, which is what it means for a duplicate."""
        if submission.filename in self._storage.state.deleted:
            raise RefusedError(
                400,
                "This filename was previously used by a file that has since been deleted. Use a different version. "
                f"See {HELP}#file-name-reuse for more information.",
            )
        release = project.release(submission.form.first("version")) if project else None
        if release and release.created < self._clock() - _MAXIMUM_AGE_DAYS * _DAY_SECONDS:
            raise RefusedError(
                400, f"Uploading new files to releases older than {_MAXIMUM_AGE_DAYS} days is not allowed."
            )
        if project and release and submission.form.first("filetype") == "sdist":
            _check_only_sdist(project, release.version)
        return False

    def _check_content(self, submission: _Submission) -> None:
        refusal = self._judge(submission.received.path, submission.filename, submission.form.fields)
        if refusal is not None:
            raise RefusedError(refusal.status, refusal.message)

    def _provenance(self, submission: _Submission) -> Mapping[str, Any] | None:
        if not submission.form.has("attestations") or "disable-pep740" in self._rules.flags:
            return None
        owner = submission.uploader.token.owner
        identity = owner.publisher.identity if isinstance(owner, PublisherIdentity) else None
        text, digest = submission.form.first("attestations"), submission.received.sha256
        try:
            return self._integrity.provenance(text, identity, submission.filename, digest)
        except RefusedAttestationsError as refusal:
            raise RefusedError(400, f"Invalid attestations supplied during upload: {refusal}") from refusal

    def _raced(self, submission: _Submission, before: Project | None) -> bool:
        """Decide again what others may have changed meanwhile; return whether this very file was stored by another request."""
        now, version = self._storage.state.project(submission.form.project), submission.form.first("version")
        made_meanwhile = now is not None and (
            before is None or (before.release(version) is None and now.release(version) is not None)
        )
        if made_meanwhile and self._rules.racy:
            raise RefusedError(500, "")
        return self._is_duplicate(submission) or self._check_release(submission, now)

    def _store(
        self, submission: _Submission, provenance: Mapping[str, Any] | None, core_metadata: tuple[bytes, str] | None
    ) -> None:
        form, received, now = submission.form, submission.received, self._clock()
        name, version = form.first("name"), str(form.version)
        project = self._storage.state.project(name)
        if project is None:
            self._storage.record(ProjectCreated(name, now))
        release = project.release(version) if project else None
        if release is None:
            self._storage.record(ReleaseCreated(form.project, version, now, _description_fields(form)))
        file = StoredFile(
            filename=submission.filename,
            project=form.project,
            version=release.version if release else version,
            packagetype=form.first("filetype"),
            python_version=form.python_version,
            size=received.size,
            md5=received.md5,
            sha256=received.sha256,
            blake2_256=received.blake2_256,
            uploaded=now,
            uploaded_via=submission.user_agent,
            comment=form.first("comment"),
            core_metadata_sha256=core_metadata[1] if core_metadata else None,
            provenance=provenance,
        )
        self._storage.add(name, file, received, core_metadata[0] if core_metadata else None)


_NOT_BY_PUBLISHERS: Final = (
    "Non-user identities cannot create new projects. This was probably caused by successfully using a pending "
    "publisher but specifying the project name incorrectly (either in the publisher or in your project's metadata). "
    "Please ensure that both match. See: https://docs.pypi.org/trusted-publishers/troubleshooting/"
)
_STANDARD_LIBRARY: Final = frozenset(canonicalize_name(name) for name in sys.stdlib_module_names)
_LOOKALIKES: Final = str.maketrans({"1": "l", "i": "l", "0": "o", ".": None, "_": None, "-": None})
# The fields of a form that are about the file, or about the upload itself, not about the release.
_NOT_OF_THE_RELEASE: Final = frozenset(
    {
        ":action",
        "protocol_version",
        "attestations",
        "comment",
        "filetype",
        "pyversion",
        "md5_digest",
        "sha256_digest",
        "blake2_256_digest",
        "gpg_signature",
    }
)


def _submission(form: Form, uploader: Uploader, user_agent: str) -> _Submission:
    content = form.received()
    if content is None:
        raise RefusedError(400, "Upload payload does not have a file.")
    filename, content_type, received = content
    return _Submission(form, uploader, filename, content_type, received, user_agent)


def _is_closed(project: Project, uploader: Uploader) -> bool:
    """Whether a project takes no uploads: archived for anybody, quarantined for Trusted Publishers (an owner's API token gets through)."""
    if project.status == QUARANTINED:
        return isinstance(uploader.token.owner, PublisherIdentity)
    return project.status in CLOSED_STATUSES


def _not_allowed(uploader: Uploader, spelled: str) -> str:
    owner = uploader.token.owner
    who = f"The user {owner.name!r}" if isinstance(owner, User) else "The given token"
    return f"{who} isn't allowed to upload to project {spelled!r}. See {HELP}#project-name for more information."


def _looks(name: str) -> str:
    """Return a name as PyPI compares it with others: without separators, and l, i, 1 and o, 0 as one."""
    return name.lower().translate(_LOOKALIKES)


def _check_digests(form: Form, received: Received) -> None:
    pairs = (("md5", received.md5), ("sha256", received.sha256), ("blake2_256", received.blake2_256))
    for name, calculated in pairs:
        given = form.first(f"{name}_digest").lower()
        if given and not hmac.compare_digest(given.encode(), calculated.encode()):
            raise RefusedError(400, "The digest supplied does not match a digest calculated from the uploaded file.")


def _check_only_sdist(project: Project, version: str) -> None:
    if any(file.packagetype == "sdist" and file.version == version for file in project.files.values()):
        raise RefusedError(400, "Only one sdist may be uploaded per release.")


def _description_fields(form: Form) -> Fields:
    return tuple((name, value) for name, value in form.fields if name not in _NOT_OF_THE_RELEASE)


def _core_metadata(submission: _Submission) -> tuple[bytes, str] | None:
    """Return a wheel's METADATA and its SHA-256; None for an sdist. The archive was judged before."""
    if not submission.filename.endswith(".whl"):
        return None
    name, version, *_ = submission.filename.split("-")
    member = f"{name}-{version}.dist-info/METADATA"
    try:
        with zipfile.ZipFile(submission.received.path) as archive, archive.open(member) as file:
            content = file.read(_LARGEST_METADATA)
    except (KeyError, zipfile.BadZipFile) as error:
        raise RefusedError(
            400, f"Wheel '{submission.filename}' does not contain the required METADATA file: {member}"
        ) from error
    return content, hashlib.sha256(content).hexdigest()
