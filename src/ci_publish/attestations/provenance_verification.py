"""Verifies the provenance that an index serves after publishing."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ci_publish.attestations.attestation_publishers import Publisher, attestation_publisher_of_claims
from ci_publish.attestations.sigstore_trouble import Unsound
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.errors import CiPublishError, UntrustedCertificate
from ci_publish.model.attestation import (
    PUBLISH_V1,
    Attestation,
    ProvenanceByAnother,
    ProvenanceInvalid,
    ProvenanceOutcome,
    ProvenanceVerified,
    Subject,
)
from ci_publish.model.distribution import Distribution
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims
from ci_publish.model.publisher_identity import PublisherIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_publish.attestations.examiner import Examiner

# PyPI takes two for a file; a provenance object may hold bundles of several publishers.
_MOST_ATTESTATIONS = 32


class ProvenanceJudge:
    """Implements ``publishing.ports.ProvenanceVerifier``.

    *named* are identities that are expected in addition to this run's, if that is known. With neither, any publisher
    that the attestations prove is accepted.
    """

    def __init__(self, trust: TrustSource, *, named: tuple[PublisherIdentity, ...] = ()) -> None:
        self._trust = trust
        self._named = named
        self._examiner: Examiner | None = None

    def verify(self, file: Distribution, provenance: bytes, claims: Claims | None) -> ProvenanceOutcome:
        """Verify provenance for *file*, and, if it is known, that the identity of *claims* signed it.

        Never raises for what an index serves.

        Raises UntrustedCertificate where Sigstore's trust root comes from a server whose issuer is not trusted.

        Every attestation must verify against name, digest and the publisher that the index names with it, and at least
        one must be a publish attestation: an empty object proves nothing. Every one must be by an expected identity.
        """
        publisher = attestation_publisher_of_claims(claims or {})
        own = publisher if publisher.known else None
        try:
            verified = tuple(self._verify_served_attestations(Subject(file.filename, file.sha256), provenance, own))
        except Unsound as error:
            return ProvenanceInvalid(error.reason)
        except UntrustedCertificate:
            raise
        except CiPublishError as error:
            return ProvenanceInvalid(f"it cannot be verified: {error.summary}")
        if other := next((each.publisher for each in verified if not each.expected), None):
            return ProvenanceByAnother(other, (*(() if own is None else (own.label,)), *map(str, self._named)))
        attestations = tuple(each.attestation for each in verified)
        for each in verified:
            if each.attestation.predicate_type == PUBLISH_V1:
                return ProvenanceVerified(each.publisher, each.attestation.log_index, attestations)
        return ProvenanceInvalid("it contains no publish attestation")

    def _verify_served_attestations(
        self, subject: Subject, provenance: bytes, own: Publisher | None
    ) -> "Iterator[_VerifiedServed]":
        from ci_publish.attestations.examiner import Examiner, attestation_from_pep740, parse_provenance  # noqa: PLC0415  (takes 0.3 s)

        examiner = self._examiner = self._examiner or Examiner(self._trust.get())
        for number, served in enumerate(parse_provenance(provenance)):
            if number >= _MOST_ATTESTATIONS:
                raise Unsound(f"it contains more than {_MOST_ATTESTATIONS} attestations")
            if own is not None and not self._named and not own.includes(served.publisher):
                raise Unsound(f"it names the publisher {served.publisher.label}, but this run is {own.label}")
            examined = examiner.examine_attestation(served.attestation, subject, served.publisher)
            identity = signer = examined.certificate.identity
            if signer is not None and signer.environment is None:
                # Certificates from before Fulcio's extension 23 name no environment; the index accepted the upload for
                # the one that it states.
                signer = replace(signer, environment=served.environment)
            yield _VerifiedServed(
                str(identity or served.publisher.label),
                attestation_from_pep740(served.attestation, subject.filename, examined),
                (own is not None and own.includes(served.publisher))
                or not self._named
                or any(named.accepts(signer) for named in self._named),
            )


@frozen
class _VerifiedServed:
    publisher: str
    attestation: Attestation
    expected: bool
