"""Who signed an attestation, by its certificate, and whether a run accepts attestations by that identity (pure).

"Another identity" and "not known whose" are two outcomes: only the second one may pass with a note.
"""

from collections.abc import Mapping
from dataclasses import replace

from ci_publish.attestations.attestation_publishers import (
    GITHUB_ISSUER,
    GITLAB_ISSUER,
    GOOGLE_ISSUER,
    Extension,
    Publisher,
    certificate_mismatch,
)
from ci_publish.model.attestation import BuildProvenancePolicy
from ci_publish.model.frozen import frozen
from ci_publish.model.publisher_identity import (
    JobIdentity,
    PublisherIdentity,
    PublisherKind,
    is_github_workflow,
    is_gitlab_configuration,
    parse_identity,
)

ISSUER_OF: Mapping[PublisherKind, str] = {
    PublisherKind.GITHUB: GITHUB_ISSUER,
    PublisherKind.GITLAB: GITLAB_ISSUER,
    PublisherKind.GOOGLE: GOOGLE_ISSUER,
}
# By issuer: the kind of identity, where its repositories are, and what separates a repository from a workflow file.
_PLACES: Mapping[str, tuple[PublisherKind, str, str]] = {
    GITHUB_ISSUER: (PublisherKind.GITHUB, "https://github.com/", "/.github/workflows/"),
    GITLAB_ISSUER: (PublisherKind.GITLAB, "https://gitlab.com/", "//"),
}
_UTF8_STRING = 0x0C
_LONG_FORM = 0x80


@frozen
class CertificateFacts:
    """What a signing certificate says: Fulcio's extensions by object identifier, and the email address if it has one.

    Only what a verified certificate says may be believed.
    """

    extensions: Mapping[str, str]
    email: str | None = None

    @property
    def issuer(self) -> str:
        """The identity provider."""
        return self.extensions.get(Extension.ISSUER, "")

    @property
    def commit(self) -> str | None:
        """The commit of the source repository."""
        return self.extensions.get(Extension.SOURCE_REPOSITORY_DIGEST)

    @property
    def identity(self) -> PublisherIdentity | None:
        """The identity, if it has a name in the grammar of ``model.publisher_identity``."""
        if self.issuer == GOOGLE_ISSUER:
            return _parse_repository_identity(f"google:{self.email or ''}")
        home = self.extensions.get(Extension.SOURCE_REPOSITORY_URI, "")
        found = self._repository_with_workflow(home, self.extensions.get(Extension.BUILD_CONFIG_URI, ""))
        return None if found is None else replace(found, environment=self.extensions.get(Extension.ENVIRONMENT))

    @property
    def signing_workflow(self) -> PublisherIdentity | None:
        """The workflow that signed, in the same grammar: different from ``identity`` for a reusable workflow."""
        if self.issuer not in _PLACES:
            return None
        _, host, before_workflow = _PLACES[self.issuer]
        uri = self.extensions.get(Extension.BUILD_SIGNER_URI, "")
        return self._repository_with_workflow(f"{host}{uri.removeprefix(host).partition(before_workflow)[0]}", uri)

    def _repository_with_workflow(self, home: str, uri: str) -> PublisherIdentity | None:
        """Return the repository at *home*, with the file that *uri* names in it, None for one that cannot be named."""
        if self.issuer not in _PLACES:
            return None
        kind, host, before_workflow = _PLACES[self.issuer]
        found = _parse_repository_identity(f"{kind}:{home.removeprefix(host)}") if home.startswith(host) else None
        if found is None:
            return None
        path, prefix = uri.partition("@")[0], f"{home}{before_workflow}"
        workflow = path.removeprefix(prefix) if path.startswith(prefix) else ""
        known = is_github_workflow(workflow) if kind is PublisherKind.GITHUB else is_gitlab_configuration(workflow)
        return replace(found, workflow=workflow if known else None)

    def __str__(self) -> str:
        return str(self.identity or self.email or self.issuer or "an identity that the certificate does not name")


def _parse_repository_identity(text: str) -> PublisherIdentity | None:
    try:
        found = parse_identity(text)
    except ValueError:
        return None
    # A repository's name holds no workflow or environment: those are read from extensions of their own.
    return None if found.workflow or found.environment else found


def certificate_utf8_string(der: bytes) -> str | None:
    """Return the text of a DER UTF8String (what Fulcio's extensions from number 8 on are); None for anything else."""
    if len(der) < 2 or der[0] != _UTF8_STRING:  # noqa: PLR2004  (tag and length)
        return None
    start, length = 2, der[1]
    if length >= _LONG_FORM:
        start += length - _LONG_FORM
        length = int.from_bytes(der[2:start], "big")
    try:
        return der[start:].decode() if len(der) == start + length else None
    except UnicodeDecodeError:
        return None


@frozen
class ByThisRun:
    """The run's own identity signed; ``commit`` is the certificate's if it is not the run's."""

    commit: str | None = None


@frozen
class ByNamed:
    """Another identity signed, which the user named."""

    identity: PublisherIdentity


@frozen
class ByAnother:
    """Another identity signed, which the user did not name; ``reason`` is a clause that says what differs.

    ``own_repository``: it is another workflow of the run's own repository.
    """

    reason: str
    own_repository: bool = False


@frozen
class ByUnknown:
    """The run's own identity is not known well enough to compare it."""


SignedBy = ByThisRun | ByNamed | ByAnother | ByUnknown


@frozen(kw_only=True)
class AcceptedSigners:
    """The signers whose attestations a run accepts.

    ``own`` is the run's identity by its token, ``job`` what the CI's variables say of it as long as there is no token,
    ``commit`` the run's commit, ``named`` the other identities that the user accepts, ``build_provenance`` what to do
    about build provenance.
    """

    own: Publisher | None = None
    job: JobIdentity | None = None
    commit: str | None = None
    named: tuple[PublisherIdentity, ...] = ()
    build_provenance: BuildProvenancePolicy = BuildProvenancePolicy.IF_PRESENT

    def __str__(self) -> str:
        """Name the run's own identity, as well as it is known."""
        if self.own is not None:
            return self.own.label
        return "unknown" if self.job is None else str(self.job.publisher)

    def classify_signer(self, certificate: CertificateFacts) -> SignedBy:
        """Compare the identity in a verified certificate. Never raises."""
        mismatch = self._run_identity_mismatch(certificate)
        if mismatch == "":
            ours = self.commit or (None if self.job is None else self.job.commit)
            return ByThisRun(certificate.commit if ours and certificate.commit != ours else None)
        identity = certificate.identity
        if identity is not None and any(named.accepts(identity) for named in self.named):
            return ByNamed(identity)
        if mismatch is None and self.named:
            return ByAnother(
                f"it is not one of the identities that attested-by names ({', '.join(map(str, self.named))})"
            )
        if mismatch is None:
            return ByUnknown()
        if self.own is None:
            own_repository = self.job is not None and replace(self.job.publisher, workflow=None).accepts(identity)
        else:
            repository = replace(self.own, build_config=None)
            own_repository = repository.email is None and not certificate_mismatch(repository, certificate.extensions)
        return ByAnother(mismatch, own_repository)

    def _run_identity_mismatch(self, certificate: CertificateFacts) -> str | None:
        """Return what differs from the run's own identity; empty if nothing does, None if it is not known."""
        if self.own is not None:
            mismatch = certificate_mismatch(self.own, certificate.extensions)
            if mismatch is None and self.own.email is not None and certificate.email != self.own.email:
                mismatch = f"its certificate names the email address {certificate.email}, not {self.own.email}"
            if mismatch is None and not self.own.known:
                return None  # the same identity provider, and nothing more to compare
            return mismatch or ""
        if self.job is None:
            return None
        job, issuer = self.job.publisher, ISSUER_OF[self.job.publisher.kind]
        if certificate.issuer != issuer:
            return f"its certificate names the identity provider {certificate.issuer or 'nowhere'}, not {issuer}"
        if certificate.identity is None:
            return None
        return "" if job.accepts(certificate.identity) else f"its certificate names {certificate.identity}, not {job}"
