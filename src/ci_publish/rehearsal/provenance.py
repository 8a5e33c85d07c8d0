"""Attestations at the rehearsal's index: verified as PyPI does it, against the rehearsal's own trust root.

Source: `warehouse/attestations/services.py` at 6b62157124ab, and `pypi_attestations.Attestation.verify`, which itself
knows Sigstore's public instances only.
"""

import json
from typing import Any, Final

import sigstore.errors
from pydantic import TypeAdapter, ValidationError
from pypi_attestations import (
    Attestation,
    AttestationBundle,
    AttestationType,
    Provenance,
    VerificationError,
)
from sigstore.models import TrustedRoot
from sigstore.verify import Verifier

from ci_publish.model.attestation import MAX_ATTESTATIONS, SUPPORTED_PREDICATES
from ci_publish.model.filename import DistributionFilename, InvalidFilename
from ci_publish.rehearsal.registered_publishers import Identity

_ATTESTATIONS: Final = TypeAdapter(list[Attestation])
_ENVELOPE_TYPE: Final = "application/vnd.in-toto+json"


class RefusedAttestationsError(Exception):
    """The attestations of an upload are refused; the message is PyPI's, without its prefix."""


class RehearsalIntegrityService:
    """Verifies attestations against *trusted_root*. Thread-safe."""

    def __init__(self, trusted_root: TrustedRoot) -> None:
        self._trusted_root = trusted_root

    def provenance_of_attestations(
        self, text: str, identity: Identity | None, filename: str, sha256: str
    ) -> dict[str, Any]:
        """Return PEP 740's provenance object for the attestations in *text*; raises RefusedAttestationsError.

        *identity* is the Trusted Publisher's, None for an upload with an API token.
        """
        if identity is None:
            raise RefusedAttestationsError("Attestations are only supported when using Trusted Publishing")
        attestations = _parse_attestations(text)
        verifier = Verifier(trusted_root=self._trusted_root)
        seen: set[str] = set()
        for attestation in attestations:
            try:
                predicate = _verified_predicate_type(verifier, attestation, identity, filename, sha256)
            except VerificationError as error:
                raise RefusedAttestationsError(
                    f"Could not verify the uploaded artifact using the included attestation: {error}"
                ) from error
            except Exception as error:
                # PyPI does the same: whatever else its libraries raise is an unknown error, and a 400.
                raise RefusedAttestationsError(
                    f"Unknown error while trying to verify included attestations: {error}"
                ) from error
            if predicate not in SUPPORTED_PREDICATES:
                raise RefusedAttestationsError(f"Attestation with unsupported predicate type: {predicate}")
            if predicate in seen:
                raise RefusedAttestationsError(
                    "Multiple attestations for the same file with the same predicate type "
                    f"({predicate}) are not supported"
                )
            seen.add(predicate)
        bundle = AttestationBundle(publisher=identity, attestations=attestations)
        return Provenance(attestation_bundles=[bundle]).model_dump(mode="json")


def _parse_attestations(text: str) -> list[Attestation]:
    try:
        attestations = _ATTESTATIONS.validate_json(text)
    except ValidationError as error:
        raise RefusedAttestationsError(f"Malformed attestations: {error}") from error
    if not attestations:
        raise RefusedAttestationsError("Malformed attestations: an empty attestation set is not permitted")
    if len(attestations) > MAX_ATTESTATIONS:
        raise RefusedAttestationsError(f"A maximum of {MAX_ATTESTATIONS} attestations per file are supported")
    return attestations


def _verified_predicate_type(
    verifier: Verifier, attestation: Attestation, identity: Identity, filename: str, sha256: str
) -> str:
    """Return the predicate type of an attestation of this file by this identity; raises VerificationError."""
    policy = identity._as_policy()  # noqa: SLF001 - the policy that PyPI uses has no public name
    try:
        kind, payload = verifier.verify_dsse(attestation.to_bundle(), policy)
    except sigstore.errors.VerificationError as error:
        raise VerificationError(str(error)) from error
    if kind != _ENVELOPE_TYPE:
        raise VerificationError(f"expected JSON envelope, got {kind}")
    statement = json.loads(payload)
    subjects = statement["subject"]
    if len(subjects) != 1:
        raise VerificationError("too many subjects in statement (must be exactly one)")
    name = subjects[0].get("name")
    if not name:
        raise VerificationError("invalid subject: missing name")
    try:
        same = DistributionFilename.parse(name).identity == DistributionFilename.parse(filename).identity
    except InvalidFilename as error:
        raise VerificationError(f"invalid subject: {error}") from error
    if not same:
        raise VerificationError(f"subject does not match distribution name: {name} != {filename}")
    if subjects[0]["digest"].get("sha256") != sha256:
        raise VerificationError("subject does not match distribution digest")
    predicate = str(statement["predicateType"])
    if predicate not in set(AttestationType):
        raise VerificationError(f"unknown attestation type: {predicate}")
    return predicate
