"""`POST /legacy/`: what PyPI checks, in its order and with its messages, and what it stores.

Source: `warehouse/forklift/legacy.py`, file_upload, at 6b62157124ab.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

from werkzeug.wrappers import Request

from ci_publish.distributions.archive_reading import UnreadableArchive
from ci_publish.distributions.faults import ServerRefusal
from ci_publish.distributions.wheel_reading import expected_dist_info_folder, read_wheel_metadata
from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.authorization import authenticate_uploader, require_upload_token_for_project
from ci_publish.rehearsal.descriptions import description_refusal_message
from ci_publish.rehearsal.index_records import (
    CLOSED_STATUSES,
    QUARANTINED,
    ProjectCreated,
    ReleaseCreated,
    StoredFile,
    StoredProject,
)
from ci_publish.rehearsal.index_state_rules import (
    NewProjectLimits,
    UploadRules,
    is_file_already_stored,
    require_file_size_allowed,
    require_filename_never_deleted,
    require_new_project_allowed,
    require_release_takes_file,
    require_uploads_enabled,
)
from ci_publish.rehearsal.message_responses import HELP, RefusedError
from ci_publish.rehearsal.provenance import RefusedAttestationsError, RehearsalIntegrityService
from ci_publish.rehearsal.storage import ReceivedFile, RehearsalStorage
from ci_publish.rehearsal.upload_form import (
    UploadForm,
    receive_upload_form,
    require_upload_action,
    require_valid_form_fields,
    require_valid_upload_filename,
)
from ci_publish.rehearsal.upload_token_store import PresentedToken, TokenPublisher, TokenUser, UploadTokenStore
from ci_publish.rehearsal.upload_validation import FileValidator, server_refusal_of_form

_NOT_BY_PUBLISHERS: Final = (
    "Non-user identities cannot create new projects. This was probably caused by successfully using a pending "
    "publisher but specifying the project name incorrectly (either in the publisher or in your project's metadata). "
    "Please ensure that both match. See: https://docs.pypi.org/trusted-publishers/troubleshooting/"
)
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


@frozen(kw_only=True)
class _UploadSubmission:
    """An upload whose form is valid."""

    form: UploadForm
    token: PresentedToken
    filename: str
    content_type: str
    received: ReceivedFile
    user_agent: str

    @property
    def version(self) -> str:
        return self.form.first_field_value("version")

    @property
    def filetype(self) -> str:
        return self.form.first_field_value("filetype")

    @property
    def by_user(self) -> bool:
        """Whether it was sent with an API token: the limits on new projects apply to these."""
        return isinstance(self.token.issued.owner, TokenUser)

    def require_stated_digests(self) -> None:
        """Refuse a file whose digest is not what the form states."""
        received = self.received
        pairs = (("md5", received.md5), ("sha256", received.sha256), ("blake2_256", received.blake2_256))
        for name, calculated in pairs:
            given = self.form.first_field_value(f"{name}_digest").lower()
            if given and not hmac.compare_digest(given.encode(), calculated.encode()):
                message = "The digest supplied does not match a digest calculated from the uploaded file."
                raise RefusedError(400, message)

    def core_metadata(self) -> bytes | None:
        """Return a wheel's METADATA, which is served next to it; None for an sdist."""
        if not self.filename.endswith(".whl"):
            return None
        try:
            with self.received.path.open("rb") as file:
                return read_wheel_metadata(file, self.filename)
        except UnreadableArchive as error:
            member = f"{expected_dist_info_folder(self.filename)}/METADATA"
            message = f"Wheel '{self.filename}' does not contain the required METADATA file: {member}"
            raise RefusedError(400, message) from error

    def stored_file(
        self, version: str, now: float, provenance: Mapping[str, Any] | None, metadata: bytes | None
    ) -> StoredFile:
        """Return what the index keeps of the file; *version* is spelled as in the file's release."""
        received = self.received
        return StoredFile(
            filename=self.filename,
            project=self.form.project,
            version=version,
            packagetype=self.filetype,
            python_version=self.form.first_field_value("pyversion") or "source",
            size=received.size,
            md5=received.md5,
            sha256=received.sha256,
            blake2_256=received.blake2_256,
            uploaded=now,
            uploaded_via=self.user_agent,
            comment=self.form.first_field_value("comment"),
            core_metadata_sha256=None if metadata is None else hashlib.sha256(metadata).hexdigest(),
            provenance=provenance,
        )


class UploadEndpoint:
    """Takes uploads into a storage. Thread-safe."""

    def __init__(  # noqa: PLR0913 - the collaborators of the whole upload; nothing of it is optional
        self,
        *,
        storage: RehearsalStorage,
        tokens: UploadTokenStore,
        integrity: RehearsalIntegrityService,
        rules: UploadRules,
        validate_file: FileValidator,
        clock: Callable[[], float],
    ) -> None:
        self._storage = storage
        self._tokens = tokens
        self._integrity = integrity
        self._rules = rules
        self._validate_file = validate_file
        self._clock = clock
        self._new_projects = NewProjectLimits(rules, clock)

    def accept_upload(self, request: Request) -> dict[str, str]:
        """Accept the file of a request and return headers for the answer. Raises RefusedError wherever PyPI rejects."""
        form = receive_upload_form(request, self._storage)
        try:
            require_upload_action(form)
            require_uploads_enabled(self._rules)
            authorization = request.headers.get("Authorization") or self._rules.anonymous or ""
            token = authenticate_uploader(authorization, self._tokens, any_user=self._rules.any_user)
            require_valid_form_fields(form)
            _raise_if_server_refuses(server_refusal_of_form(form.fields))
            filename, content_type, received = form.received_upload_file()
            submission = _UploadSubmission(
                form=form,
                token=token,
                filename=filename,
                content_type=content_type,
                received=received,
                user_agent=request.headers.get("User-Agent", ""),
            )
            return self._accept_submission(submission)
        finally:
            form.discard_received_files()

    def create_project(self, name: str) -> None:
        """Register an empty project; raises RefusedError if PyPI would not."""
        with self._storage.lock:
            now = self._clock()
            require_new_project_allowed(self._rules, self._storage.state, name)
            self._storage.record_events(ProjectCreated(name, now))

    def _accept_submission(self, submission: _UploadSubmission) -> dict[str, str]:
        with self._storage.lock:
            before = self._storage.state.project(submission.form.project)
            headers = self._new_projects.rate_limit_headers() if before is None and submission.by_user else {}
            try:
                if self._require_accepted_or_find_duplicate(submission, before):
                    return headers
            except RefusedError as refusal:
                refusal.headers.update(headers)
                raise
        # This takes long, so it is done without the lock; what others may change meanwhile is checked again below.
        _raise_if_server_refuses(
            self._validate_file(submission.received.path, submission.filename, submission.form.fields)
        )
        provenance = self._provenance_of_submission(submission)
        metadata = submission.core_metadata()
        with self._storage.lock:
            now = self._storage.state.project(submission.form.project)
            if self._rules.racy and now is not None:
                created = before is None or (
                    before.find_release(submission.version) is None and now.find_release(submission.version) is not None
                )
                if created:  # by another upload: PyPI responds with 500 then (`UniqueViolation`)
                    raise RefusedError(500, "")
            if not self._is_duplicate_or_refuse(submission, now):
                self._store_submission(submission, now, provenance, metadata)
        return headers

    def _require_accepted_or_find_duplicate(self, submission: _UploadSubmission, project: StoredProject | None) -> bool:
        """Check what depends on the index's state; return whether the index has this very file already."""
        name, owner = submission.form.first_field_value("name"), submission.token.issued.owner
        if project is None:
            if isinstance(owner, TokenPublisher) and owner.projects is not None:
                raise RefusedError(400, _NOT_BY_PUBLISHERS)
            if submission.by_user:
                self._new_projects.require_within_rate_limits()
            require_new_project_allowed(self._rules, self._storage.state, name)
        spelled = project.name if project else name
        require_upload_token_for_project(submission.token, self._tokens, submission.form.project, spelled)
        # Archived projects take no uploads; quarantined ones take those with an owner's API token.
        closed = CLOSED_STATUSES - {QUARANTINED} if isinstance(owner, TokenUser) else CLOSED_STATUSES
        if project and project.status in closed:
            who = f"The user {owner.name!r}" if isinstance(owner, TokenUser) else "The given token"
            message = f"{who} isn't allowed to upload to project {spelled!r}. See {HELP}#project-name"
            raise RefusedError(403, f"{message} for more information.")
        if problem := description_refusal_message(submission.form.fields):
            raise RefusedError(400, problem)
        require_valid_upload_filename(submission.filename, submission.filetype, submission.content_type)
        require_file_size_allowed(self._rules, project, name, submission.received.size)
        submission.require_stated_digests()
        return self._is_duplicate_or_refuse(submission, project)

    def _is_duplicate_or_refuse(self, submission: _UploadSubmission, project: StoredProject | None) -> bool:
        """Return whether this very file is there already; raises RefusedError if it can never be."""
        state = self._storage.state
        if is_file_already_stored(state, submission.filename, submission.received.blake2_256):
            return True
        require_filename_never_deleted(state, submission.filename)
        require_release_takes_file(project, submission.version, submission.filetype, self._clock())
        return False

    def _provenance_of_submission(self, submission: _UploadSubmission) -> Mapping[str, Any] | None:
        if not submission.form.has_field("attestations") or "disable-pep740" in self._rules.flags:
            return None
        owner = submission.token.issued.owner
        identity = owner.publisher.identity if isinstance(owner, TokenPublisher) else None
        text, digest = submission.form.first_field_value("attestations"), submission.received.sha256
        try:
            return self._integrity.provenance_of_attestations(text, identity, submission.filename, digest)
        except RefusedAttestationsError as refusal:
            raise RefusedError(400, f"Invalid attestations supplied during upload: {refusal}") from refusal

    def _store_submission(
        self,
        submission: _UploadSubmission,
        project: StoredProject | None,
        provenance: Mapping[str, Any] | None,
        metadata: bytes | None,
    ) -> None:
        form, now = submission.form, self._clock()
        name, version = form.first_field_value("name"), str(form.version)
        if project is None:
            self._storage.record_events(ProjectCreated(name, now))
            if submission.by_user:
                self._new_projects.count_new_project()
        release = project.find_release(version) if project else None
        if release is None:
            fields = tuple((name, value) for name, value in form.fields if name not in _NOT_OF_THE_RELEASE)
            self._storage.record_events(ReleaseCreated(project=form.project, version=version, time=now, fields=fields))
        file = submission.stored_file(release.version if release else version, now, provenance, metadata)
        self._storage.add_received_file(name, file, submission.received, metadata)


def _raise_if_server_refuses(refusal: ServerRefusal | None) -> None:
    if refusal is not None:
        raise RefusedError(refusal.status, refusal.message)
