"""What a run needs from the other packages: small protocols, whose real implementations ``app.composition`` passes.

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
    """``Waiting`` that also knows the error with which a stopped run ends (``publishing.interruption``)."""

    def error(self) -> CiPublishError:
        """Return Interrupted, Terminated, or IndexUnavailable for a run whose deadline passed."""


class Distributions(Protocol):
    """What is published (``distributions``)."""

    def collect(self, paths: Sequence[str]) -> Collection:
        """Find, hash and read the files; problems of single files are part of the result, never raised.

        Raises NothingToPublish when there is no distribution (and no problem that explains why).
        """

    def check(
        self, collection: Collection, profiles: Sequence[IndexProfile], *, compared: bool = False
    ) -> tuple[Problem, ...]:
        """Run every rule over every file; a rule's severity is the highest of those for *profiles*.

        The result includes ``collection.problems`` and is sorted by file. Never raises for bad input. What the user
        states about whole releases is part of it, unless ``compare`` follows (*compared*).
        """

    def check_stated(self, collection: Collection) -> tuple[Problem, ...]:
        """Compare the run as a whole with what the user states: its tag, its projects. ``check`` does that, too."""

    def compare(
        self, comparison: Comparison, profiles: Sequence[IndexProfile], *, differences: bool
    ) -> tuple[Problem, ...]:
        """Run every rule about a release beside the one before, the most important finding first. Never raises.

        Without *differences*, only the rules about what the user states and about size limits. The files of the result
        are those of the comparison.
        """


class Index(Protocol):
    """Where it is published (``index.client``). Thread-safe."""

    @property
    def endpoints(self) -> Endpoints:
        """The addresses of this index."""

    def fetch_listing(
        self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
    ) -> IndexState:
        """Ask what the index has of *project* (normalised). With *fresh*, caches on the way are passed by.

        *patience* bounds the seconds that retries may take (None: the usual; 0: one attempt). *version* narrows the
        second look at PyPI's JSON API. Retries by itself; never raises for network or server.
        """

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
        turn: CompletionTurn = UNSCHEDULED,
    ) -> UploadOutcome:
        """Send one file, with retries; *throttled* is called each time the index answers that it is overloaded.

        That is 429 and 503, and any 5xx of an index that does not have PyPI's rules. The last bytes of each attempt
        wait for *turn*. An answer 500 that *turn* recognises as a collision of this run's own uploads is no attempt:
        the file is sent again at once. Emits UploadStarted, UploadProgressed, Retrying and UploadsCollided. Never
        raises for network or server.
        """

    def md5(self, distribution: Distribution) -> str:
        """Return the MD5 of a file's bytes, for an index that shows no other digest. Raises FileChangedDuringRun."""

    def download_sha256(self, published: PublishedFile, limit: int) -> str | None:
        """Download a listed file of at most *limit* bytes and return the SHA-256 of its content.

        None for a larger one, and where it cannot be downloaded. Never raises for network or server.
        """

    def core_metadata(self, published: PublishedFile) -> bytes | None:
        """Return the core metadata that the index serves beside a listed file (PEP 658), in at most two requests.

        None where it serves none, or none with the digest that its listing shows. Never raises for network or server.
        """

    def provenance(self, project: str, version: str, filename: str) -> bytes | None:
        """Return the provenance object that the index serves for a file; None where it serves none.

        Raises IndexUnavailable when the index cannot be reached after all retries.
        """


class Credential(Protocol):
    """What a run shows to one index (``identity.credential_choice``). Thread-safe."""

    @property
    def state(self) -> CredentialState:
        """What reports may know."""

    def missing_credential_error(self, purpose: Purpose) -> CiPublishError | None:
        """Return what this run lacks for *purpose*, as far as its environment tells; None where nothing is known.

        Asks and sends nothing, and never raises. ``authenticate`` raises it before any request of its own; it does not
        stop a run that has nothing to upload.
        """

    def authenticate(self, purpose: Purpose, *, mint: bool = True) -> Claims | None:
        """Learn whether the index takes this identity for *purpose*, before anything is signed; return its claims.

        None where there is no identity. Mints where the CI can give another OIDC token and *mint* allows it, else
        judges the claims locally. Of API tokens and passwords, what they state themselves is judged. Raises
        IdentityUnavailable, CredentialRejected or IndexUnavailable.
        """

    def authorization(self) -> Authorization | None:
        """Return an authorization that is good for now; mints or renews when needed. Raises as ``authenticate``."""

    def renew(self, refused: Authorization | None) -> Authorization | None:
        """Return another authorization than *refused*, which the index called expired; None if there is none."""

    def burn(self) -> None:
        """Burn every upload token of this run. Idempotent; never raises, emits a warning where it fails."""


class Signer(Protocol):
    """What is vouched for (``attestations.sigstore_signer``)."""

    def prefetch(self) -> None:
        """Begin in the background what signing will need and what depends on no file. Returns at once; never raises."""

    def inspect(self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution]) -> None:
        """Verify attestation files against their distributions, before it is known who publishes.

        Emits nothing. Raises SigningFailed for an invalid one.
        """

    def adopt(
        self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution], claims: Claims | None
    ) -> dict[str, tuple[Attestation, ...]]:
        """Verify attestation files that lay beside the distributions, and that they are by the identity of *claims*.

        None: it is not known. Raises SigningFailed for an invalid one.
        """

    def sign(self, files: Sequence[Signable], predicate_types: Sequence[str] = (PUBLISH_V1,)) -> SigningResult:
        """Make an attestation of each type for each file, and verify it locally. Emits Signed and Retrying.

        Raises IdentityUnavailable when the CI gives no identity for Sigstore.
        """


class ProvenanceVerifier(Protocol):
    """Judges what an index serves as provenance (``attestations.provenance_verification``)."""

    def verify(self, file: Distribution, provenance: bytes, claims: Claims | None) -> ProvenanceOutcome:
        """Verify against the file's name and digest, and the *claims* of this run's identity where it is known.

        Raises nothing but UntrustedCertificate, where a server of Sigstore has a certificate of an unknown issuer.
        """
