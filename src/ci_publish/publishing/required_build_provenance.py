"""Build provenance (SLSA): what a run requires before it publishes, and what an index must serve."""

from collections.abc import Mapping, Sequence

from ci_publish.errors import BuildProvenanceMissing, BuildProvenanceUnverified, ConfigurationError, Unverified
from ci_publish.hints import Hint, option
from ci_publish.model.attestation import (
    FILE_TYPES,
    SLSA_PROVENANCE_V1,
    Attestation,
    BuildProvenancePolicy,
    ProvenanceOutcome,
    ProvenanceVerified,
)
from ci_publish.model.distribution import FoundAttestation
from ci_publish.model.index import Endpoints
from ci_publish.model.publisher_identity import PublisherIdentity
from ci_publish.publishing.context import RunOptions
from ci_publish.publishing.messages import SHOWN, count_files

FILE_TYPE = FILE_TYPES[SLSA_PROVENANCE_V1]
"""What a file with build provenance has in its name."""


def relevant_attestation_files(options: RunOptions, found: Sequence[FoundAttestation]) -> list[FoundAttestation]:
    """Return the attestation files that a run uses: if build provenance is off, none with build provenance."""
    off = options.build_provenance is BuildProvenancePolicy.OFF
    return [each for each in found if not (off and each.type == FILE_TYPE)]


def require_local_build_provenance(filenames: Sequence[str], found: Sequence[FoundAttestation]) -> None:
    """Raise BuildProvenanceMissing for files without build provenance next to them. Called if it is required."""
    with_provenance = {each.distribution for each in found if each.type == FILE_TYPE}
    missing = [name for name in filenames if name not in with_provenance]
    if not missing:
        return
    files = f"{missing[0]} has" if len(missing) == 1 else f"{count_files(len(missing))} have"
    raise BuildProvenanceMissing(
        f"{files} no build provenance, but it is required; nothing was uploaded.",
        detail="\n".join(f"{name}: no {name}.{FILE_TYPE}.attestation" for name in missing[:SHOWN]),
        hints=(
            Hint(
                "Put each <distribution>.slsa.attestation next to its distribution",
                Hint(", or in ", option("attestations_dir", "DIR")),
                ".",
            ),
            "On GitHub, build-with-provenance.yml creates them; elsewhere, use `ci-publish attest --build`.",
            Hint("To publish files that have none: ", option("build_provenance", "if-present")),
        ),
    )


def require_published_build_provenance(endpoints: Endpoints, outcomes: Mapping[str, ProvenanceOutcome]) -> None:
    """Raise BuildProvenanceMissing for published files whose provenance has no build provenance."""
    lacking = [
        name
        for name, outcome in outcomes.items()
        if not (isinstance(outcome, ProvenanceVerified) and SLSA_PROVENANCE_V1 in _served_predicate_types(outcome))
    ]
    if not lacking:
        return
    files = f"{lacking[0]} is" if len(lacking) == 1 else f"{count_files(len(lacking))} are"
    raise BuildProvenanceMissing(
        f"{files} on {endpoints.name} without build provenance, and it is too late to add it.",
        detail="\n".join([*lacking[:SHOWN], "Nothing was uploaded."]),
        hints=(
            "Publish a new version whose files all have build provenance.",
            Hint("To complete this release without it: ", option("build_provenance", "if-present")),
        ),
    )


def attestations_not_sent_error() -> ConfigurationError:
    """Return the error for build provenance that is required for an index that is sent no attestations."""
    return ConfigurationError(
        "Build provenance is required, but attestations are not sent to one of the indexes.",
        detail="PyPI accepts attestations only with Trusted Publishing; they are sent to other indexes on request.",
        hints=(
            Hint("On PyPI: omit ", option("password"), " to use Trusted Publishing."),
            Hint("For another index that accepts attestations: ", option("attestations", "required")),
        ),
    )


def require_sent_attestations_served(
    endpoints: Endpoints,
    outcomes: Mapping[str, ProvenanceOutcome],
    sent: Mapping[str, tuple[Attestation, ...]],
) -> None:
    """Raise Unverified if an index serves provenance without an attestation that it was sent."""
    lacking = {
        name: sorted({each.predicate_type for each in sent.get(name, ())} - _served_predicate_types(outcome))
        for name, outcome in outcomes.items()
        if isinstance(outcome, ProvenanceVerified)
    }
    if not any(lacking.values()):
        return
    raise Unverified(
        f"{endpoints.name} accepted attestations that its provenance does not show.",
        detail="\n".join(f"{name}: {', '.join(types)}" for name, types in lacking.items() if types),
        hints=("The files are published. Check again later with `ci-publish verify`, and report it to the index.",),
    )


def _served_predicate_types(outcome: ProvenanceVerified) -> set[str]:
    return {each.predicate_type for each in outcome.attestations}


def is_build_provenance_demanded(options: RunOptions) -> bool:
    """Return whether ``verify`` requires build provenance, or names its builder or source."""
    return options.require_build_provenance or bool(options.builder) or bool(options.source)


def require_demanded_build_provenance(
    endpoints: Endpoints, outcomes: Mapping[str, ProvenanceOutcome], options: RunOptions
) -> None:
    """Raise BuildProvenanceUnverified if verified provenance lacks the build provenance that the user requires."""
    faults = {
        name: fault
        for name, outcome in outcomes.items()
        if isinstance(outcome, ProvenanceVerified) and (fault := _build_provenance_fault(outcome, options)) is not None
    }
    if not faults:
        return
    raise BuildProvenanceUnverified(
        f"{endpoints.name} does not serve the required build provenance for {count_files(len(faults))}.",
        detail="\n".join(f"{name}: {fault}" for name, fault in list(faults.items())[:SHOWN]),
        hints=(
            "Attestations cannot be added to a published file; the next release can have build provenance.",
            Hint("Specify who may build and release this project: ", option("builder"), " and ", option("source")),
        ),
    )


def _build_provenance_fault(outcome: ProvenanceVerified, options: RunOptions) -> str | None:
    """Return why a file has no build provenance that meets the requirements; None if it has."""
    found = [each for each in outcome.attestations if each.predicate_type == SLSA_PROVENANCE_V1]
    if not found:
        return "no build provenance is served"
    faults = [
        _identity_difference("by", options.builder, each.builder, each.signer)
        or _identity_difference("from", options.source, each.identity, each.source)
        for each in found
    ]
    return faults[0] if all(faults) else None


def _identity_difference(
    word: str, expected: Sequence[PublisherIdentity], found: PublisherIdentity | None, otherwise: str | None
) -> str:
    """Return how an identity (or *otherwise*, if it is None) differs from the expected ones; empty if it does not."""
    if not expected or any(each.accepts(found) for each in expected):
        return ""
    return f"it was built {word} {found or otherwise}, not {word} {' or '.join(map(str, expected))}"
