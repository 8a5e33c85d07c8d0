"""Signing, uploading and verifying files in a rehearsal."""

import json
from pathlib import Path
from typing import Any

import httpx
from pypi_attestations import Attestation, Distribution, Provenance
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier

from ci_publish.rehearsal.trusted_publishing import AUDIENCE
from ci_publish.rehearsal.world import RehearsalWorld
from tests.unit.rehearsal.served_index import form_of


def mint(client: httpx.Client, world: RehearsalWorld, claims: dict[str, object]) -> str:
    token = world.identity_provider.issue(AUDIENCE, claims)
    answer = client.post(f"{world.base_url}/_/oidc/mint-token", json={"token": token})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def sign(world: RehearsalWorld, path: Path, claims: dict[str, object]) -> str:
    config = ClientTrustConfig.from_json(world.trust_config_path.read_text(encoding="utf-8"))
    token = IdentityToken(world.identity_provider.issue("sigstore", claims))
    with SigningContext.from_trust_config(config).signer(token) as signer:
        return Attestation.sign(signer, Distribution.from_file(path)).model_dump_json()


def upload(
    client: httpx.Client, world: RehearsalWorld, path: Path, token: str, attestations: str | None = None
) -> tuple[int, str]:
    form: dict[str, Any] = form_of(path.name, path.read_bytes())
    if attestations is not None:
        form["attestations"] = attestations
    files = {"content": (path.name, path.read_bytes(), "application/octet-stream")}
    answer = client.post(world.repository_url, data=form, files=files, auth=("__token__", token))
    return answer.status_code, answer.reason_phrase


def provenance(client: httpx.Client, world: RehearsalWorld, path: Path) -> httpx.Response:
    project, version = path.name.removesuffix(".tar.gz").split("-")[:2]
    return client.get(f"{world.base_url}/integrity/{project}/{version}/{path.name}/provenance")


def verified(world: RehearsalWorld, answer: httpx.Response) -> dict[str, Any]:
    """Verify provenance with pypi-attestations and the world's trust root, and return the statement."""
    config = ClientTrustConfig.from_json(world.trust_config_path.read_text(encoding="utf-8"))
    (bundle,) = Provenance.model_validate_json(answer.content).attestation_bundles
    (attestation,) = bundle.attestations
    policy = bundle.publisher._as_policy()  # noqa: SLF001 - it has no public name
    _, payload = Verifier(trusted_root=config.trusted_root).verify_dsse(attestation.to_bundle(), policy)
    statement: dict[str, Any] = json.loads(payload)
    return statement
