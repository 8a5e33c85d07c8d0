"""Provenance as an index serves it, and the verdict on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ci_publish.attestations.provenance_verification import ProvenanceJudge
from ci_publish.model.attestation import (
    ProvenanceInvalid,
)
from tests.unit.attestations.signing_harness import SigningHarness, wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ci_publish.model.attestation import ProvenanceOutcome
    from ci_publish.model.identity import Claims


GITHUB = {"kind": "GitHub", "repository": "octo-org/demo", "workflow": "release.yml", "environment": ""}


GITLAB = {"kind": "GitLab", "repository": "octo-group/demo", "workflow_filepath": ".gitlab-ci.yml"}


GOOGLE = {"kind": "Google", "email": "publisher@demo-project.iam.gserviceaccount.com"}


CIRCLECI = {
    "kind": "CircleCI",
    "project_id": "f1d6a9b2-5b7c-4c6d-8e9f-0a1b2c3d4e5f",
    "pipeline_definition_id": "0c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f",
    "vcs_origin": "github.com/octo-org/demo",
    "vcs_ref": "refs/tags/v1.0.0",
}


def made(world: SigningHarness, claims: Mapping[str, object] | None = None, number: int = 0) -> object:
    result = world.signer(world.identity(claims)).sign([wheel(number)])
    return json.loads(result.attestations[wheel(number).filename][0].json)


def provenance(*attestations: object, publisher: Mapping[str, object] = GITHUB, **more: object) -> bytes:
    """Return what PyPI's Integrity API serves (with the `claims` that it adds)."""
    bundle = {"publisher": {"claims": None, **publisher}, "attestations": attestations}
    return json.dumps({"version": 1, "attestation_bundles": [bundle], **more}).encode()


def verdict(world: SigningHarness, served: bytes, *, run: Claims | None = None, number: int = 0) -> ProvenanceOutcome:
    return ProvenanceJudge(world.trust).verify(wheel(number), served, run)


def reason(outcome: ProvenanceOutcome) -> str:
    assert isinstance(outcome, ProvenanceInvalid)
    return outcome.reason
