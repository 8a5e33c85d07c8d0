"""Publish Python distributions from CI without stored secrets.

    import ci_publish

    receipt = ci_publish.publish(ci_publish.Settings(paths=("dist",)))

Importing this package is cheap; everything is imported when a name is first used.
"""

from typing import TYPE_CHECKING, Any

from ci_publish.about import __version__

if TYPE_CHECKING:
    from ci_publish.app.commands import attest, check, diff, doctor, plan, publish, rehearse, verify
    from ci_publish.app.runtime_context import RuntimeContext
    from ci_publish.app.settings import Settings
    from ci_publish.attestations.provenance_verification import ProvenanceJudge
    from ci_publish.attestations.sigstore_trust import TrustSource
    from ci_publish.distributions.local import LocalDistributions
    from ci_publish.errors import CiPublishError
    from ci_publish.http.messages import Authorization
    from ci_publish.identity.static_credentials import AnonymousCredential
    from ci_publish.model.attestation import Attestation, AttestationPolicy, BuildProvenancePolicy, SigningResult
    from ci_publish.model.completion import UNSCHEDULED, CompletionTurn
    from ci_publish.model.distribution import Distribution, FoundAttestation
    from ci_publish.model.events import Event, StepFinished, UploadProgressed
    from ci_publish.model.identity import Secret
    from ci_publish.model.index import (
        Accepted,
        Endpoints,
        IndexProfile,
        IndexState,
        NoSuchProject,
        ProjectListing,
        PublishedFile,
        UploadOutcome,
    )
    from ci_publish.model.publisher_identity import PublisherIdentity, parse_identity
    from ci_publish.model.receipt import Receipt
    from ci_publish.model.receipt_json import to_json
    from ci_publish.publishing.context import Destination, Run
    from ci_publish.publishing.interruption import Interruption
    from ci_publish.rehearsal.world import RehearsalWorld

__all__ = [
    "UNSCHEDULED",
    "Accepted",
    "AnonymousCredential",
    "Attestation",
    "AttestationPolicy",
    "Authorization",
    "BuildProvenancePolicy",
    "CiPublishError",
    "CompletionTurn",
    "Destination",
    "Distribution",
    "Endpoints",
    "Event",
    "FoundAttestation",
    "IndexProfile",
    "IndexState",
    "Interruption",
    "LocalDistributions",
    "NoSuchProject",
    "ProjectListing",
    "ProvenanceJudge",
    "PublishedFile",
    "PublisherIdentity",
    "Receipt",
    "RehearsalWorld",
    "Run",
    "RuntimeContext",
    "Secret",
    "Settings",
    "SigningResult",
    "StepFinished",
    "TrustSource",
    "UploadOutcome",
    "UploadProgressed",
    "__version__",
    "attest",
    "check",
    "diff",
    "doctor",
    "parse_identity",
    "plan",
    "publish",
    "rehearse",
    "to_json",
    "verify",
]

_HOMES = {
    "Accepted": "model.index",
    "AnonymousCredential": "identity.static_credentials",
    "Attestation": "model.attestation",
    "AttestationPolicy": "model.attestation",
    "BuildProvenancePolicy": "model.attestation",
    "Authorization": "http.messages",
    "CiPublishError": "errors",
    "CompletionTurn": "model.completion",
    "Destination": "publishing.context",
    "Distribution": "model.distribution",
    "Endpoints": "model.index",
    "Event": "model.events",
    "FoundAttestation": "model.distribution",
    "IndexProfile": "model.index",
    "IndexState": "model.index",
    "Interruption": "publishing.interruption",
    "LocalDistributions": "distributions.local",
    "NoSuchProject": "model.index",
    "ProjectListing": "model.index",
    "ProvenanceJudge": "attestations.provenance_verification",
    "PublishedFile": "model.index",
    "PublisherIdentity": "model.publisher_identity",
    "Receipt": "model.receipt",
    "RehearsalWorld": "rehearsal.world",
    "Run": "publishing.context",
    "Secret": "model.identity",
    "Settings": "app.settings",
    "SigningResult": "model.attestation",
    "StepFinished": "model.events",
    "UploadProgressed": "model.events",
    "RuntimeContext": "app.runtime_context",
    "TrustSource": "attestations.sigstore_trust",
    "UNSCHEDULED": "model.completion",
    "UploadOutcome": "model.index",
    "attest": "app.commands",
    "check": "app.commands",
    "diff": "app.commands",
    "doctor": "app.commands",
    "parse_identity": "model.publisher_identity",
    "plan": "app.commands",
    "publish": "app.commands",
    "rehearse": "app.commands",
    "to_json": "model.receipt_json",
    "verify": "app.commands",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (the types are those of the TYPE_CHECKING block)
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415  (see above)

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
