"""The errors with which signing ends (pure)."""

from ci_publish.attestations.sigstore_trouble import IdentityRefusal, Trouble, Unsound, Untrusted
from ci_publish.errors import (
    AttestationUnsound,
    SigningFailed,
    SigstoreIdentityRejected,
    SigstoreRefused,
    SigstoreUnavailable,
    UntrustedCertificate,
)
from ci_publish.hints import WITHOUT_ATTESTATIONS, Hint, option
from ci_publish.model.attestation import Subject

_STATUS_PAGE = "https://status.sigstore.dev"


def final_signing_error(trouble: Trouble, subject: Subject | None) -> SigningFailed | UntrustedCertificate:
    """Return the error for a trouble that no repetition will cure."""
    what = "the signing certificate" if subject is None else subject.filename
    match trouble:
        case Untrusted():
            return UntrustedCertificate(f"No file could be signed: {trouble.reason}.")
        case IdentityRefusal():
            return SigstoreIdentityRejected(
                f"Sigstore does not certify the identity of this job: {trouble.reason}.",
                detail="Its certificate authority supports only the identity providers of the hosted CI services.",
                hints=(
                    Hint(
                        "With a self-hosted CI, use a Sigstore instance that supports it: ",
                        option("sigstore_trust_config", "FILE"),
                    ),
                    WITHOUT_ATTESTATIONS,
                ),
            )
        case Unsound():
            return AttestationUnsound(
                f"The new attestation of {what} does not verify: {trouble.reason}.",
                detail="An index would reject it, so nothing was uploaded.",
                hints=(
                    "Check whether a proxy changes Sigstore's responses.",
                    "If there is no such proxy, report this problem with the message above.",
                ),
            )
        case _:
            return SigstoreRefused(
                f"Sigstore rejected the request for {what}: {trouble.reason}.",
                detail="Sending it again would not change that. Nothing was uploaded.",
                hints=(
                    f"Check whether {_STATUS_PAGE} reports an outage, and whether a proxy interferes.",
                    WITHOUT_ATTESTATIONS,
                ),
            )


def sigstore_unavailable_error(missing: int, files: int, seconds: float, reason: str) -> SigstoreUnavailable:
    """Return the error for *missing* of *files* that were not attested in time; *reason* is the last trouble's."""
    return SigstoreUnavailable(
        f"Sigstore did not create attestations for {missing} of {files} files within {round(seconds, 1):g} s"
        f"{f': {reason}' if reason else ''}.",
        detail="Sigstore is a public service that sometimes has outages.",
        hints=(
            f"Check {_STATUS_PAGE} and try again later: nothing was uploaded.",
            Hint(
                "To publish without attestations when Sigstore is down: ",
                option("attestations", "if-possible"),
                not_for=["attest"],
            ),
            Hint(
                "To wait longer: ",
                option("signing_timeout", "SECONDS"),
                " (at most half of the time left before the deadline).",
            ),
        ),
    )
