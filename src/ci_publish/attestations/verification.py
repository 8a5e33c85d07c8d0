"""After publishing: what an index serves as provenance, judged."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ci_publish.attestations.publishers import Publisher, publisher_of
from ci_publish.attestations.statements import Subject
from ci_publish.attestations.trouble import Unsound
from ci_publish.attestations.trust import TrustSource
from ci_publish.errors import CiPublishError, UntrustedCertificate
from ci_publish.model.attestation import (
    PUBLISH_V1,
    ProvenanceInvalid,
    ProvenanceOutcome,
    ProvenanceVerified,
)
from ci_publish.model.identity import Claims

if TYPE_CHECKING:
    from ci_publish.attestations.libraries import Examined, Examiner

# PyPI takes two for a file; a provenance object may hold bundles of several publishers.
_MOST_ATTESTATIONS = 32


class ProvenanceJudge:
    """Implements ``publishing.ports.ProvenanceVerifier``.

    *claims* gives the identity of this run where provenance must be its own; None accepts any publisher that the
    attestations prove.
    """

    def __init__(self, trust: TrustSource, claims: Callable[[], Claims | None] = lambda: None) -> None:
        self._trust = trust
        self._claims = claims
        self._examiner: Examiner | None = None

    def verify(self, filename: str, sha256: str, provenance: bytes) -> ProvenanceOutcome:
        """Verify provenance for the file with this name and SHA-256. Never raises for what an index serves.

        Raises UntrustedCertificate where Sigstore's trust root comes from a server whose issuer is not trusted.

        Every attestation must verify against name, digest and the publisher that the index names with it, and at least
        one must be a publish attestation: an empty object proves nothing.
        """
        try:
            judged = tuple(self._judge(Subject(filename, sha256), provenance))
        except Unsound as error:
            return ProvenanceInvalid(error.reason)
        except UntrustedCertificate:
            raise
        except CiPublishError as error:
            return ProvenanceInvalid(f"it cannot be judged: {error.summary}")
        for publisher, examined in judged:
            if examined.predicate_type == PUBLISH_V1:
                return ProvenanceVerified(publisher.label, examined.log_index)
        return ProvenanceInvalid("it holds no publish attestation")

    def _judge(self, subject: Subject, provenance: bytes) -> "Iterator[tuple[Publisher, Examined]]":
        from ci_publish.attestations.libraries import Examiner, read_provenance  # noqa: PLC0415  (takes 0.3 s)

        examiner = self._examiner = self._examiner or Examiner(self._trust.get())
        wanted = self._wanted()
        for number, (publisher, attestation) in enumerate(read_provenance(provenance)):
            if number >= _MOST_ATTESTATIONS:
                raise Unsound(f"it holds more than {_MOST_ATTESTATIONS} attestations")
            if wanted is not None and not wanted.includes(publisher):
                raise Unsound(f"it names the publisher {publisher.label}, but this run is {wanted.label}")
            yield publisher, examiner.examine(attestation, subject, publisher)

    def _wanted(self) -> Publisher | None:
        claims = self._claims()
        publisher = None if claims is None else publisher_of(claims)
        return publisher if publisher is not None and publisher.known else None
