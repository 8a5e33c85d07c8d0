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

# What is public, by its module.
_HOMES = {
    "app.commands": ("attest", "check", "diff", "doctor", "plan", "publish", "rehearse", "verify"),
    "app.runtime_context": ("RuntimeContext",),
    "app.settings": ("Settings",),
    "attestations.provenance_verification": ("ProvenanceJudge",),
    "attestations.sigstore_trust": ("TrustSource",),
    "distributions.local": ("LocalDistributions",),
    "errors": ("CiPublishError",),
    "http.messages": ("Authorization",),
    "identity.static_credentials": ("AnonymousCredential",),
    "model.attestation": ("Attestation", "AttestationPolicy", "BuildProvenancePolicy", "SigningResult"),
    "model.completion": ("CompletionTurn", "UNSCHEDULED"),
    "model.distribution": ("Distribution", "FoundAttestation"),
    "model.events": ("Event", "StepFinished", "UploadProgressed"),
    "model.identity": ("Secret",),
    "model.index": (
        "Accepted",
        "Endpoints",
        "IndexProfile",
        "IndexState",
        "NoSuchProject",
        "ProjectListing",
        "PublishedFile",
        "UploadOutcome",
    ),
    "model.publisher_identity": ("PublisherIdentity", "parse_identity"),
    "model.receipt": ("Receipt",),
    "model.receipt_json": ("to_json",),
    "publishing.context": ("Destination", "Run"),
    "publishing.interruption": ("Interruption",),
    "rehearsal.world": ("RehearsalWorld",),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (the types are those of the TYPE_CHECKING block)
    """Import a public name when it is first used (PEP 562)."""
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415  (see above)

    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
