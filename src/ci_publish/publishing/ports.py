"""What a run needs from the other packages: small protocols, implemented there and connected in ``app.composition``.

Their docstrings are contracts: every implementation, real or fake, passes the same tests (``tests/contract``).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from ci_publish.errors import CiPublishError
from ci_publish.http.messages import Authorization
from ci_publish.model.attestation import PUBLISH_V1, Attestation, ProvenanceOutcome, Signable, SigningResult
from ci_publish.model.completion import UNSCHEDULED, CompletionTurn
from ci_publish.model.distribution import Collection, Distribution, FoundAttestation
from ci_publish.model.identity import Claims, CredentialState, Purpose
from ci_publish.model.index import Endpoints, IndexProfile, IndexState, PublishedFile, UploadOutcome
from ci_publish.model.problem import Problem
from ci_publish.model.release import Comparison
from ci_publish.model.waiting import Waiting


class Stopper(Waiting, Protocol):
    """``Waiting`` that also has the error with which a stopped run ends (``publishing.interruption``)."""

    def error(self) -> CiPublishError:
        """Return Interrupted, Terminated, or IndexUnavailable for a run whose deadline passed."""


class Distributions(Protocol):
    """Collects and checks the distributions (``distributions``)."""

    def collect(self, paths: Sequence[str]) -> Collection:
        """Find, hash and read the files; problems of single files are part of the result, never raised.

        Raises NothingToPublish if there is no distribution (and no problem that explains why).
        """

    def check(
        self, collection: Collection, profiles: Sequence[IndexProfile], *, compared: bool = False
    ) -> tuple[Problem, ...]:
        """Run every rule for every file; a rule's severity is the highest of those for *profiles*.

        The result includes ``collection.problems`` and is sorted by file. Never raises for bad input. It includes the
        comparison with what the user states about whole releases, unless ``compare`` follows (*compared*).
        """

    def check_stated(self, collection: Collection) -> tuple[Problem, ...]:
        """Compare the run with what the user states: its tag and its projects. ``check`` also does that."""

    def compare(
        self, comparison: Comparison, profiles: Sequence[IndexProfile], *, differences: bool
    ) -> tuple[Problem, ...]:
        """Run every rule that compares a release with the previous one, the most important finding first. Never raises.

        Without *differences*, only the rules about the user's statements and about size limits run. The files of the
        result are those of the comparison.
        """


class Index(Protocol):
    """One index (``index.client``). Thread-safe."""

    @property
    def endpoints(self) -> Endpoints:
        """The addresses of this index."""

    def fetch_listing(
        self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
    ) -> IndexState:
        """Request the listing of *project* (normalised). With *fresh*, caches on the way are bypassed.

        *patience* is the maximum number of seconds for retries (None: the usual; 0: one attempt). *version* narrows the
        second request, to PyPI's JSON API. Retries by itself; never raises because of the network or server.
        """

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
        turn: CompletionTurn = UNSCHEDULED,
    ) -> UploadOutcome:
        """Send one file, with retries; *throttled* is called for each response that says that the index is overloaded.

        These are 429 and 503, and any 5xx of an index without PyPI's rules. The last bytes of each attempt wait for
        *turn*. A response 500 that *turn* recognises as a collision of this run's own uploads does not count as an
        attempt: the file is sent again immediately. Emits UploadStarted, UploadProgressed, Retrying and
        UploadsCollided. Never raises because of the network or server.
        """

    def md5(self, distribution: Distribution) -> str:
        """Return the MD5 of a file's content, for an index that shows no other digest. Raises FileChangedDuringRun."""

    def download_sha256(self, published: PublishedFile, limit: int) -> str | None:
        """Download a listed file of at most *limit* bytes and return the SHA-256 of its content.

        None if it is larger, or cannot be downloaded. Never raises because of the network or server.
        """

    def core_metadata(self, published: PublishedFile) -> bytes | None:
        """Return the core metadata that the index serves next to a listed file (PEP 658), in at most two requests.

        None if it serves none, or none with the digest in its listing. Never raises because of the network or server.
        """

    def provenance(self, project: str, version: str, filename: str) -> bytes | None:
        """Return the provenance object that the index serves for a file; None if it serves none.

        Raises IndexUnavailable if the index cannot be reached after all retries.
        """


class Credential(Protocol):
    """The credential for one index (``identity.credential_choice``). Thread-safe."""

    @property
    def state(self) -> CredentialState:
        """The facts that reports may show."""

    def missing_credential_error(self, purpose: Purpose) -> CiPublishError | None:
        """Return why there is no credential for *purpose*, as far as the environment shows; None if nothing is missing.

        Sends no request, and never raises. ``authenticate`` raises this error before any request of its own; it does
        not stop a run without uploads.
        """

    def authenticate(self, purpose: Purpose, *, mint: bool = True) -> Claims | None:
        """Check whether the index accepts this identity for *purpose*, before anything is signed; return its claims.

        None if there is no identity. Mints if the CI can issue another OIDC token and *mint* allows it; otherwise
        validates the claims locally. API tokens and passwords are validated by what they state. Raises
        IdentityUnavailable, CredentialRejected or IndexUnavailable.
        """

    def authorization(self) -> Authorization | None:
        """Return an authorization that is valid now; mints or renews if necessary. Raises as ``authenticate``."""

    def renew(self, refused: Authorization | None) -> Authorization | None:
        """Return another authorization than *refused*, which the index called expired; None if there is none."""

    def burn(self) -> None:
        """Burn every upload token of this run. Idempotent; never raises, emits a warning if it fails."""


class Signer(Protocol):
    """Makes and verifies attestations (``attestations.sigstore_signer``)."""

    def prefetch(self) -> None:
        """Start to fetch, in the background, what signing needs for any file. Returns immediately; never raises."""

    def inspect(self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution]) -> None:
        """Verify attestation files against their distributions, before the publisher is known.

        Emits nothing. Raises SigningFailed for an invalid one.
        """

    def adopt(
        self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution], claims: Claims | None
    ) -> dict[str, tuple[Attestation, ...]]:
        """Verify the attestation files of *distributions*, and that the identity of *claims* made them.

        If *claims* is None, the identity is not known. Raises SigningFailed for an invalid file.
        """

    def sign(self, files: Sequence[Signable], predicate_types: Sequence[str] = (PUBLISH_V1,)) -> SigningResult:
        """Create an attestation of each type for each file, and verify it locally. Emits Signed and Retrying.

        Raises IdentityUnavailable if the CI issues no identity for Sigstore.
        """


class ProvenanceVerifier(Protocol):
    """Verifies the provenance that an index serves (``attestations.provenance_verification``)."""

    def verify(self, file: Distribution, provenance: bytes, claims: Claims | None) -> ProvenanceOutcome:
        """Verify against the file's name and digest, and against the *claims* of this run's identity if it is known.

        Raises only UntrustedCertificate, if the issuer of the certificate of one of Sigstore's servers is unknown.
        """
