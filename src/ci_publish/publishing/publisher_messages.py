"""Words for a publisher that is expected and not found (pure)."""

from collections.abc import Mapping

from ci_publish.errors import ConfigurationError, UnexpectedPublisher
from ci_publish.model.attestation import ProvenanceByAnother
from ci_publish.model.index import Endpoints
from ci_publish.model.publisher_identity import parse_identity


def unexpected_publisher(
    endpoints: Endpoints, found: Mapping[str, ProvenanceByAnother], *, own_repository: bool
) -> UnexpectedPublisher:
    """The index serves provenance that verifies, by another identity than the one that the user or the run expects."""
    expected = "the job's own repository" if own_repository else "the expected publisher"
    files = "1 file" if len(found) == 1 else f"{len(found)} files"
    named = next((outcome.publisher for outcome in found.values() if _can_be_named(outcome.publisher)), None)
    return UnexpectedPublisher(
        f"{endpoints.name} serves provenance of {files} that is not by {expected}.",
        detail="\n".join(f"{name}: {outcome.reason}" for name, outcome in found.items()),
        hints=(
            "Do not announce this release before it is clear who published these files.",
            *([f"If that is who should publish them: ci-publish verify --publisher {named}"] if named else ()),
        ),
    )


def publisher_without_attestations() -> ConfigurationError:
    """`verify --publisher … --attestations off`: who signed cannot be known without reading attestations."""
    return ConfigurationError(
        "The settings publisher and attestations contradict each other: who signed the files is to be verified, and"
        " attestations are off.",
        hints=("Remove one of them.",),
    )


def _can_be_named(publisher: str) -> bool:
    try:
        parse_identity(publisher)
    except ValueError:
        return False
    return True
