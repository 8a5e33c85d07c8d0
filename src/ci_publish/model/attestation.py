"""PEP 740 attestations and provenance."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Protocol

from ci_publish.errors import SigningFailed
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims
from ci_publish.model.publisher_identity import PublisherIdentity

PUBLISH_V1 = "https://docs.pypi.org/attestations/publish/v1"
SLSA_PROVENANCE_V1 = "https://slsa.dev/provenance/v1"

# warehouse/attestations/services.py: at most two for a file, one of each predicate type.
MAX_ATTESTATIONS = 2
SUPPORTED_PREDICATES = (PUBLISH_V1, SLSA_PROVENANCE_V1)

FILE_TYPES: Mapping[str, str] = {PUBLISH_V1: "publish", SLSA_PROVENANCE_V1: "slsa"}
"""What a file with an attestation of each predicate type is called: ``<distribution>.<type>.attestation``."""


class AttestationPolicy(StrEnum):
    """How a run handles attestations."""

    AUTO = "auto"
    REQUIRED = "required"
    IF_POSSIBLE = "if-possible"
    OFF = "off"


class BuildProvenancePolicy(StrEnum):
    """How a run handles build provenance (SLSA) that was created for its files."""

    REQUIRED = "required"
    IF_PRESENT = "if-present"
    OFF = "off"


class Signable(Protocol):
    """What can be attested: a file, identified by its name and content, such as a ``Distribution``."""

    @property
    def filename(self) -> str:
        """The name of the file."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of its bytes, lower-case hexadecimal."""


@frozen
class Subject:
    """A file that an attestation is about, by name and SHA-256 (lower-case hexadecimal); it may be absent."""

    filename: str
    sha256: str


@frozen(kw_only=True)
class Attestation:
    """One attestation of one distribution, ready to be uploaded.

    ``json`` is the PEP 740 object. ``log_index`` and ``integrated_time`` (seconds since the epoch) are those of its
    transparency log entry. ``verified``: this run checked it against the file's bytes and the identity.
    ``signer``, ``source`` and ``commit`` come from the signing certificate: the identity that signed (a workflow or an
    email address), the source repository, and its commit. ``identity`` is that identity in the grammar of
    ``model.publisher_identity``, None for a kind that the grammar does not cover; ``builder`` is the workflow that
    signed, in the same grammar: a different one if that is a reusable workflow.
    """

    filename: str
    predicate_type: str
    json: str
    log_index: int | None = None
    integrated_time: int | None = None
    verified: bool = False
    signer: str | None = None
    source: str | None = None
    commit: str | None = None
    identity: PublisherIdentity | None = None
    builder: PublisherIdentity | None = None


@frozen
class SigningResult:
    """The result of signing: attestations by filename, the reason for each file without one, the identity's claims."""

    attestations: Mapping[str, tuple[Attestation, ...]] = field(default_factory=dict)
    failures: Mapping[str, SigningFailed] = field(default_factory=dict)
    claims: Claims | None = None


@frozen
class ProvenanceVerified:
    """The index serves provenance for this content that verifies.

    ``publisher`` is who signed: in the grammar of ``model.publisher_identity``, or a description for a kind that has no
    name there. ``attestations`` are all that the index serves.
    """

    publisher: str
    log_index: int | None = None
    attestations: tuple[Attestation, ...] = ()


@frozen
class ProvenanceByAnother:
    """The index serves provenance for this content that verifies, but by an unexpected identity."""

    publisher: str
    expected: tuple[str, ...]

    @property
    def reason(self) -> str:
        """What differs, as a clause."""
        return f"it is signed by {self.publisher}, not by {' or '.join(self.expected)}"


@frozen
class ProvenanceMissing:
    """The index serves no provenance for this file (yet)."""

    reason: str


@frozen
class ProvenanceInvalid:
    """The index serves provenance that does not verify, or is for different content or another identity."""

    reason: str


ProvenanceOutcome = ProvenanceVerified | ProvenanceByAnother | ProvenanceMissing | ProvenanceInvalid
