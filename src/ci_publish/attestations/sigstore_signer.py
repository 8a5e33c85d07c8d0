"""Signs distributions with a Sigstore instance, and adopts attestations found next to them."""

from collections.abc import Sequence
from dataclasses import replace

from ci_publish.attestations.adoption import adopt_attestations
from ci_publish.attestations.attestation_publishers import (
    ISSUERS,
    attestation_publisher_of_claims,
    facts_made_public,
    pipeline_elsewhere_attestation_error,
    unattestable_workflow_error,
)
from ci_publish.attestations.provenance_predicates import why_build_is_unprovable
from ci_publish.attestations.signers import AcceptedSigners
from ci_publish.attestations.signing_identity import AUDIENCE, SigningIdentity, SigningIdentitySource
from ci_publish.attestations.signing_run import POLL_SECONDS, SigningAuthority, SigningContext, SigningRun, SigningTask
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.errors import BuildUnprovable, SigningFailed
from ci_publish.hints import Hint, option
from ci_publish.model.attestation import (
    PUBLISH_V1,
    SLSA_PROVENANCE_V1,
    Attestation,
    Signable,
    SigningResult,
    Subject,
)
from ci_publish.model.distribution import Distribution, FoundAttestation
from ci_publish.model.events import Noted
from ci_publish.model.identity import Claims


class SigstoreSigner:
    """Implements ``publishing.ports.Signer`` with a Sigstore instance.

    *signers* are those whose attestation files are accepted, as far as they are known without an identity token.
    *authority* is for tests.
    """

    def __init__(
        self,
        *,
        identity: SigningIdentitySource,
        trust: TrustSource,
        context: SigningContext,
        signers: AcceptedSigners | None = None,
        authority: SigningAuthority | None = None,
    ) -> None:
        self._identity = identity
        self._trust = trust
        self._context = context
        self._signers = signers or AcceptedSigners()
        self._authority = authority

    def prefetch(self) -> None:
        """Start the imports and the fetch of the trust root, which signing will need. Never raises."""
        self._trust.prefetch()

    def inspect(self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution]) -> None:
        """Verify attestation files found next to the distributions, before the identity of this run is known.

        Raises AttestationInvalid, naming every file that does not verify; emits nothing.
        """
        adopt_attestations(found, distributions, trust=self._trust, signers=self._signers, emit=lambda _: None)

    def adopt(
        self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution], claims: Claims | None
    ) -> dict[str, tuple[Attestation, ...]]:
        """Verify attestation files found next to the distributions; nothing is imported when there are none.

        *claims* are those of this run's identity, where it is known. Raises AttestationInvalid, naming every file that
        does not verify.
        """
        signers = self._signers
        if claims is not None:
            commit = claims.get("sha")
            signers = replace(
                signers, own=attestation_publisher_of_claims(claims), commit=commit if isinstance(commit, str) else None
            )
        return adopt_attestations(found, distributions, trust=self._trust, signers=signers, emit=self._context.emit)

    def sign(self, files: Sequence[Signable], predicate_types: Sequence[str] = (PUBLISH_V1,)) -> SigningResult:
        """Make and verify an attestation of each type for each file. Emits Signed, Retrying and Noted.

        Files that could not be attested are in the result, with the reason. Raises IdentityUnavailable when the CI
        gives no identity for Sigstore, ConfigurationError when the trust configuration is bad.
        """
        if not files:
            return SigningResult()
        self.prefetch()
        # Half of the remaining time is for the upload: an outage of Sigstore must end as one, not as a deadline.
        context = self._context
        patience = replace(context.patience, budget=min(context.patience.budget, context.waiting.left() / 2))
        ends = context.clocks.monotonic() + patience.budget
        token = self._identity.token(AUDIENCE)
        if (mismatch := _unsignable_job_error(token.claims, predicate_types)) is not None:
            return SigningResult(failures={file.filename: mismatch for file in files}, claims=token.claims)
        self._note_what_becomes_public(token.claims)
        while (
            not self._trust.wait_until_ready(POLL_SECONDS)
            and not context.waiting.stopped
            and context.clocks.monotonic() < ends
        ):
            pass
        subjects = (Subject(file.filename, file.sha256) for file in files)
        tasks = [SigningTask(subject, predicate_type) for subject in subjects for predicate_type in predicate_types]
        run = SigningRun(
            identity=SigningIdentity(self._identity, token, context.clocks.wall),
            authority=self._sigstore_authority(),
            tasks=tasks,
            context=replace(context, patience=replace(patience, until=ends)),
        )
        run.sign_all_files()
        return replace(run.signing_result(), claims=token.claims)

    def _sigstore_authority(self) -> SigningAuthority:
        if self._authority is None:
            from ci_publish.attestations.authority import SigstoreAuthority  # noqa: PLC0415  (takes 0.3 s)

            self._authority = SigstoreAuthority(
                trust=self._trust,
                seconds=self._context.patience.request,
                emit=self._context.emit,
                wall=self._context.clocks.wall,
            )
        return self._authority

    def _note_what_becomes_public(self, claims: Claims) -> None:
        if facts := facts_made_public(claims):
            message = "The project is not public, but its attestations are: Sigstore's log permanently shows "
            hint = Hint(
                "Publish without attestations if this must not become public: ",
                option("attestations", "off"),
                not_for=["attest"],
            )
            self._context.emit(Noted(slug="private-project", message=f"{message}{', '.join(facts)}.", hints=(hint,)))
        publisher = attestation_publisher_of_claims(claims)
        if not publisher.known:
            message = (
                "The identity token lacks the claims of a Trusted Publisher: PyPI would not accept these attestations."
                if publisher.issuer in ISSUERS
                else f"PyPI does not support publishers on {publisher.label}, so it would not accept these"
                " attestations."
            )
            self._context.emit(Noted(slug="publisher-unknown", message=message))


def _unsignable_job_error(claims: Claims, predicate_types: Sequence[str]) -> SigningFailed | None:
    """Return the error for a job whose attestations of these types no index accepts; None for other jobs.

    A reusable workflow is no obstacle to build provenance: PyPI compares the workflow that was started, and the
    certificate names the one that is called as the builder.
    """
    if SLSA_PROVENANCE_V1 in predicate_types and (reason := why_build_is_unprovable(claims)) is not None:
        return BuildUnprovable(
            "Cannot create build provenance for this job: its identity token lacks information about the build.",
            detail=reason,
            hints=("Create it in a GitHub Actions job on GitHub.com or a GitLab CI job on GitLab.com.",),
        )
    return (
        unattestable_workflow_error(claims)
        if PUBLISH_V1 in predicate_types
        else pipeline_elsewhere_attestation_error(claims)
    )
