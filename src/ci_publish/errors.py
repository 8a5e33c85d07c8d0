"""Every failure that a user can meet, as one tree.

Each class has a slug (unique, stable, the name of its page in the docs), an exit code (stable, one meaning each) and
says whether running again can help. ``CiPublishError`` is never raised itself; the classes directly below it stand for
the exit codes, and the classes below those narrow the cause without changing the code:

    CiPublishError
    ├── InternalError               1   a bug, with what to report
    ├── ConfigurationError          2   a flag, input or file setting is wrong
    ├── NothingToPublish            3   no distributions found
    ├── InvalidDistribution         4   a check failed
    ├── IdentityUnavailable         5   no credential: the CI issues no OIDC token, and none was provided
    ├── CredentialRejected          6   the index rejects the identity or the credential
    ├── SigningFailed               7   no attestation where one is required
    ├── ContentConflict             8   the index has different content under that filename
    ├── UploadRejected              9   the index rejects the file
    ├── IndexUnavailable           10   network, 429 or 5xx until the retries ran out
    ├── Unverified                 11   accepted, but the index does not show what was sent
    ├── PublishingDeferred         12   published what the index allows for now; the rest is due later
    └── Interrupted           130/143   SIGINT / SIGTERM

Text from outside (responses, filenames, claims) may appear in ``summary``, ``detail`` and ``hints``:
reports neutralise it before it is printed. A secret never may.
"""

import traceback
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any, ClassVar

from ci_publish.about import DOCS_URL, ISSUES_URL


class CiPublishError(Exception):
    """A failure with a stable slug and exit code, written for the person who reads the log.

    ``summary`` is one sentence that says what happened, ``detail`` why (probably), ``hints`` what to do next, one
    sentence or line of configuration each. ``docs`` is the page to read on.
    """

    slug: ClassVar[str]
    exit_code: ClassVar[int]
    retryable: ClassVar[bool] = False
    receipt: Any = None
    """The ``Receipt`` of what happened until then; set by ``ci_publish.publish`` and the other commands."""

    def __init_subclass__(cls, *, slug: str, exit_code: int | None = None, retryable: bool | None = None) -> None:
        """Take the slug, and what differs from the class above."""
        super().__init_subclass__()
        cls.slug = slug
        if exit_code is not None:
            cls.exit_code = exit_code
        if retryable is not None:
            cls.retryable = retryable

    def __init__(self, summary: str, *, detail: str = "", hints: Iterable[str] = ()) -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail
        self.hints = tuple(hints)

    @property
    def docs(self) -> str:
        """The page about this error, by slug."""
        return f"{DOCS_URL}/errors/{self.slug}/"


def docs_url_for_rule(rule: str) -> str:
    """Return the address of the documentation section about the check rule *rule*."""
    return f"{DOCS_URL}/checks/#{rule}"


class InternalError(CiPublishError, slug="internal", exit_code=1):
    """A bug in ci-publish."""

    @classmethod
    def from_exception(cls, exception: BaseException) -> "InternalError":
        """Wrap an exception that nobody mapped, with what to report and where; reports redact and neutralise it."""
        frames = traceback.extract_tb(exception.__traceback__)[-8:]
        calls = [f"{PurePath(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
        error = cls(
            f"An unexpected error occurred: {type(exception).__name__}.",
            detail="This is a bug in ci-publish, not in your project. Where it happened:\n"
            + "\n".join([*calls, f"{type(exception).__name__}: {exception}"]),
            hints=(f"Report it, with the lines above, at {ISSUES_URL}",),
        )
        error.__cause__ = exception
        return error


class ConfigurationError(CiPublishError, slug="configuration", exit_code=2):
    """A flag, input, variable or file setting is wrong or contradicts another."""


class UntrustedCertificate(ConfigurationError, slug="untrusted-certificate"):
    """The server's certificate was issued by an authority that this machine does not trust. Nothing was sent."""

    def __init__(
        self,
        summary: str,
        *,
        detail: str = "Nothing is sent to a server that cannot prove its identity.",
        hints: Iterable[str] = (
            "If the server or a proxy uses a private certificate authority, set SSL_CERT_FILE to its certificate file.",
            "If it should have a public certificate, find out which server responds at this address.",
        ),
    ) -> None:
        super().__init__(summary, detail=detail, hints=hints)


class ProxyAuthenticationRequired(ConfigurationError, slug="proxy-authentication-required"):
    """A proxy set in a variable required authentication (407) or rejected the credential in that variable."""


class InstallWithCredentials(ConfigurationError, slug="install-with-credentials"):
    """An installation was requested where the installed code could read a credential. Nothing was installed."""


class NothingToPublish(CiPublishError, slug="nothing-to-publish", exit_code=3):
    """No distributions were found."""


class InvalidDistribution(CiPublishError, slug="invalid-distribution", exit_code=4):
    """At least one check failed. Nothing was sent."""


class InstallationFailed(InvalidDistribution, slug="installation-failed"):
    """A rehearsed file could not be installed, or does not work after installation."""


class FileChangedDuringRun(InvalidDistribution, slug="file-changed"):
    """A file is not the one that was hashed, checked and signed at the start of the run. It was not published."""


class IdentityUnavailable(CiPublishError, slug="identity-unavailable", exit_code=5):
    """There is no credential: the CI issues no OIDC token, and no other credential was provided."""


class NoIdTokenPermission(IdentityUnavailable, slug="no-id-token-permission"):
    """The GitHub job may not request an OIDC identity token: `id-token: write` is missing."""


class ForkPullRequest(IdentityUnavailable, slug="fork-pull-request"):
    """The workflow runs for a pull request from a fork, for which GitHub never issues an OIDC identity token."""


class PullRequestTarget(IdentityUnavailable, slug="pull-request-target"):
    """The workflow was started by `pull_request_target`, which may not publish."""


class GitLabIdTokenMissing(IdentityUnavailable, slug="gitlab-id-token-missing"):
    """The GitLab job has no OIDC identity token for the required audience: its `id_tokens:` does not declare one."""


class GitLabIdTokenAudience(IdentityUnavailable, slug="gitlab-id-token-audience"):
    """The GitLab job's OIDC identity token is for a different audience from the one in its variable's name."""


class IdentityProviderFailed(IdentityUnavailable, slug="identity-provider-failed", retryable=True):
    """The CI could not issue an OIDC identity token: its service failed, sent an invalid response or took too long."""


class EmptySecret(IdentityUnavailable, slug="empty-secret"):
    """A password or API token was given but is empty: usually a CI secret that is unset or not passed to the job."""


class TrustedPublishingNotSupported(IdentityUnavailable, slug="trusted-publishing-not-supported"):
    """The index does not support Trusted Publishing, and no other credential was provided."""


class CredentialRejected(CiPublishError, slug="credential-rejected", exit_code=6):
    """The index rejected the identity, the upload token or the API token."""


class PasswordRefused(CredentialRejected, slug="password-refused"):
    """PyPI does not accept passwords: the user name must be `__token__` and the password an API token."""


class NotAnApiToken(CredentialRejected, slug="not-an-api-token"):
    """The secret for PyPI or TestPyPI does not begin with `pypi-`, so it is not an API token. It was not sent."""


class AudienceRefused(CredentialRejected, slug="audience-refused"):
    """The index asked for an identity token with the audience of another service. No identity token was requested."""


class ExchangeElsewhere(CredentialRejected, slug="exchange-elsewhere"):
    """The index points to another host for the token exchange. The identity token was not sent."""


class InvalidPublisher(CredentialRejected, slug="invalid-publisher"):
    """The identity is valid, but no Trusted Publisher on the index matches it."""


class InvalidPendingPublisher(CredentialRejected, slug="invalid-pending-publisher"):
    """The identity matches a pending publisher whose project already exists."""


class TrustedPublishingNotEnabled(CredentialRejected, slug="not-enabled"):
    """The index's operators have disabled Trusted Publishing, for everybody or for this CI."""


class InvalidIdentityToken(CredentialRejected, slug="invalid-token"):
    """The index does not accept the OIDC identity token because of its signature, timestamps or audience."""


class ReusedIdentityToken(CredentialRejected, slug="invalid-reuse-token"):
    """The OIDC identity token has already been exchanged. Each token can be used only once."""


class InvalidIdentityPayload(CredentialRejected, slug="invalid-payload"):
    """The index cannot use the identity: it does not support the CI, or does not allow the project name."""


class ReusableWorkflow(CredentialRejected, slug="reusable-workflow"):
    """The publishing job is in a reusable workflow, which PyPI's Trusted Publishing does not support."""


class UploadTokenExpired(CredentialRejected, slug="upload-token-expired"):
    """The upload token has expired, and the job has no unused identity token to exchange for a new one."""


class ApiTokenUnusable(CredentialRejected, slug="api-token-unusable"):
    """The API token that was given has expired, is incomplete or is for another index. It was not sent."""


class ProjectNotCovered(CredentialRejected, slug="project-not-covered"):
    """The credential does not cover all projects of this run. Nothing was uploaded."""


class PipelineElsewhere(CredentialRejected, slug="pipeline-elsewhere"):
    """The GitLab job's CI configuration is in another project, which no Trusted Publisher on PyPI can match."""


class SigningFailed(CiPublishError, slug="signing-failed", exit_code=7, retryable=True):
    """A file could not be attested, although attestations are required. Nothing was uploaded."""


class SigstoreUnavailable(SigningFailed, slug="sigstore-unavailable"):
    """Sigstore could not be reached, or returned no successful response, before the retries ran out."""


class SigstoreRefused(SigningFailed, slug="sigstore-refused", retryable=False):
    """Sigstore rejected the request, and would reject it again."""


class SigstoreIdentityRejected(SigstoreRefused, slug="sigstore-identity-rejected", retryable=False):
    """Sigstore's certificate authority does not certify the identity of this CI job."""


class SigningIdentityExpired(SigningFailed, slug="signing-identity-expired", retryable=False):
    """The identity token or certificate for signing expired before all files were signed, and cannot be renewed."""


class UnattestableWorkflow(SigningFailed, slug="unattestable-workflow", retryable=False):
    """The job runs in a reusable workflow, whose attestations PyPI would reject."""


class AttestationUnsound(SigningFailed, slug="attestation-unsound", retryable=False):
    """A new attestation could not be verified: it does not match the file, or it does not match this run's identity."""


class AttestationInvalid(SigningFailed, slug="attestation-invalid", retryable=False):
    """An attestation file next to a distribution does not verify."""


class AttestationByAnother(AttestationInvalid, slug="attestation-by-another", retryable=False):
    """An attestation file next to a distribution is signed by an identity other than this run's."""


class PublishedUnattested(SigningFailed, slug="published-unattested", retryable=False):
    """Attestations are required, and the index already has a file of this run without one."""


class BuildProvenanceMissing(SigningFailed, slug="build-provenance-missing", retryable=False):
    """Build provenance is required, but a file has none that this run can upload. Nothing was uploaded."""


class BuildUnprovable(SigningFailed, slug="build-unprovable", retryable=False):
    """The identity of the CI job lacks information that build provenance must contain."""


class ContentConflict(CiPublishError, slug="content-conflict", exit_code=8):
    """The index has different content under a filename of this run."""


class UploadRejected(CiPublishError, slug="upload-rejected", exit_code=9):
    """The index permanently rejected a file."""


class IndexUnavailable(CiPublishError, slug="index-unavailable", exit_code=10, retryable=True):
    """The index could not be reached, or asked us to retry later, until the retries ran out."""


class MintAnswerLost(IndexUnavailable, slug="mint-answer-lost"):
    """The job's only OIDC identity token was sent, but there was no response. Only a new job gets another token."""


class Unverified(CiPublishError, slug="unverified", exit_code=11, retryable=True):
    """The index does not show what was sent, or shows provenance that does not verify."""


class UnexpectedPublisher(Unverified, slug="unexpected-publisher", retryable=False):
    """The index serves provenance that verifies, but signed by an identity other than the expected one."""


class BuildProvenanceUnverified(Unverified, slug="build-provenance-unverified", retryable=False):
    """The index does not serve build provenance for a file from the expected builder and source."""


class PublishingDeferred(CiPublishError, slug="deferred", exit_code=12, retryable=True):
    """Some new projects were deferred to a later run: the index accepts no more of them now, or the user set a limit.

    ``resume_after``: when a later run can go on, in seconds since the epoch; None if that is not known.
    """

    def __init__(
        self, summary: str, *, detail: str = "", hints: Iterable[str] = (), resume_after: float | None = None
    ) -> None:
        super().__init__(summary, detail=detail, hints=hints)
        self.resume_after = resume_after


class Interrupted(CiPublishError, slug="interrupted", exit_code=130, retryable=True):
    """The run was stopped by SIGINT."""


class Terminated(Interrupted, slug="terminated", exit_code=143, retryable=True):
    """The run was stopped by SIGTERM."""


def error_classes(root: type[CiPublishError] = CiPublishError) -> Iterator[type[CiPublishError]]:
    """Yield every concrete error class below *root*, parents first."""
    for subclass in root.__subclasses__():
        yield subclass
        yield from error_classes(subclass)
