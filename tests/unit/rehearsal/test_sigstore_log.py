"""The transparency log: entries, proofs and refusals."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pypi_attestations import (
    Attestation,
    Distribution,
)
from werkzeug.test import Client

from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.sigstore import LOG_ENTRIES_PATH, RehearsalSigstore
from tests.unit.rehearsal.served_sigstore import ServedSigstore, served_sigstore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ci_publish.rehearsal.sigstore_log import LogEntry


@pytest.fixture
def world() -> Iterator[ServedSigstore]:
    with served_sigstore() as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "demo-1.0.0.tar.gz"
    path.write_bytes(b"the bytes of a distribution")
    return path


def test_the_same_request_again_is_a_conflict_that_names_the_first(world: ServedSigstore, file: Path) -> None:
    with world.signer() as signer:
        Attestation.sign(signer, Distribution.from_file(file))
        client = Client(world.sigstore.app)
        entry = world.sigstore.entries[0]
        answer = client.post(LOG_ENTRIES_PATH, json=proposed(entry.envelope, verifier_of(entry.body)))

    assert answer.status_code == 409
    uuid = entry.uuid
    assert answer.json == {
        "code": 409,
        "message": f"an equivalent entry already exists in the transparency log with UUID {uuid}",
    }
    assert answer.headers["Location"] == f"{LOG_ENTRIES_PATH}/{uuid}"
    assert len(world.sigstore.entries) == 1


def test_signing_again_is_a_new_entry(world: ServedSigstore, file: Path) -> None:
    with world.signer() as signer:
        first, second = (Attestation.sign(signer, Distribution.from_file(file)) for _ in range(2))
    indexes = [
        int(attestation.verification_material.transparency_entries[0]["logIndex"]) for attestation in (first, second)
    ]
    assert indexes[1] == indexes[0] + 1


def test_an_entry_can_be_read_by_index_and_by_uuid_with_a_proof_in_the_tree_of_now(
    world: ServedSigstore, file: Path
) -> None:
    for _ in range(3):
        world.attest(file)
    client = Client(world.sigstore.app)
    entry = world.sigstore.entries[0]

    by_index = read(client, f"{LOG_ENTRIES_PATH}?logIndex={entry.log_index}")
    by_uuid = read(client, f"{LOG_ENTRIES_PATH}/{entry.uuid}")
    by_leaf = read(client, f"{LOG_ENTRIES_PATH}/{entry.uuid[16:]}")

    assert list(by_index) == list(by_uuid) == list(by_leaf) == [entry.uuid]
    proof = by_index[entry.uuid]["verification"]["inclusionProof"]
    assert (proof["treeSize"], proof["logIndex"], len(proof["hashes"])) == (3, 0, 2)
    state = read(client, "/api/v1/log")
    assert (state["treeSize"], state["rootHash"]) == (3, proof["rootHash"])
    assert state["signedTreeHead"].startswith(f"localhost - {state['treeID']}\n3\n")


def read(client: Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200
    return dict(answer.json or {})


@pytest.mark.parametrize(
    "path",
    [
        LOG_ENTRIES_PATH,
        f"{LOG_ENTRIES_PATH}?logIndex=0",
        f"{LOG_ENTRIES_PATH}?logIndex=99999999",
        f"{LOG_ENTRIES_PATH}?logIndex=x",
        f"{LOG_ENTRIES_PATH}/00",
        "/api/v1/nothing",
    ],
)
def test_what_is_not_there_is_404(path: str) -> None:
    answer = Client(RehearsalSigstore(identity_provider=RehearsalIdentityProvider()).app).get(path)
    assert answer.status_code == 404
    assert (answer.json or {})["code"] == 404


def proposed(envelope: str, *verifiers: str) -> dict[str, object]:
    content = {"envelope": envelope, "verifiers": list(verifiers)}
    return {"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": content}}


def verifier_of(body: bytes) -> str:
    return str(json.loads(body)["spec"]["signatures"][0]["verifier"])


def verifier_with(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    now = dt.datetime.now(tz=dt.UTC)
    name, serial, until = x509.Name([]), x509.random_serial_number(), now + dt.timedelta(hours=1)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), serial, now, until).sign(key, hashes.SHA256())
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.PEM)).decode()


def with_signature(envelope: str, signature: str) -> str:
    return json.dumps({**json.loads(envelope), "signatures": [{"sig": signature, "keyid": ""}]})


class TestRefusedEntries:
    """Rekor takes a DSSE envelope only when all signatures verify."""

    @pytest.fixture
    def entry(self, world: ServedSigstore, file: Path) -> LogEntry:
        world.attest(file)
        return world.sigstore.entries[0]

    @staticmethod
    def refusal(world: ServedSigstore, content: object) -> str:
        answer = Client(world.sigstore.app).post(LOG_ENTRIES_PATH, json=content)
        assert answer.status_code == 400
        assert answer.json is not None
        assert answer.json["code"] == 400
        assert len(world.sigstore.entries) == 1
        return str(answer.json["message"])

    @pytest.mark.parametrize(
        "content",
        [
            None,
            [],
            {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {}},
            {"apiVersion": "0.0.2", "kind": "dsse", "spec": {"proposedContent": {"envelope": "", "verifiers": ["x"]}}},
            {"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": {"envelope": "{}", "verifiers": []}}},
        ],
    )
    def test_other_content(self, world: ServedSigstore, entry: LogEntry, content: object) -> None:
        assert "accepts only proposed dsse entries" in self.refusal(world, content)

    @pytest.mark.parametrize("verifier", ["%", "bm90IGEgY2VydGlmaWNhdGU="])
    def test_no_certificate(self, world: ServedSigstore, entry: LogEntry, verifier: str) -> None:
        reason = self.refusal(world, proposed(entry.envelope, verifier))
        assert reason.startswith("error processing entry: could not parse public key as x509: ")

    @pytest.mark.parametrize(
        "envelope", ["", "{", "[]", "{}", '{"payload": "%", "payloadType": "x", "signatures": []}']
    )
    def test_no_envelope(self, world: ServedSigstore, entry: LogEntry, envelope: str) -> None:
        reason = self.refusal(world, proposed(envelope, verifier_of(entry.body)))
        assert "the envelope cannot be read" in reason

    def test_no_signature(self, world: ServedSigstore, entry: LogEntry) -> None:
        envelope = json.dumps({**json.loads(entry.envelope), "signatures": []})
        assert "no signatures found" in self.refusal(world, proposed(envelope, verifier_of(entry.body)))

    @pytest.mark.parametrize("signature", ["%", "AAAA"])
    def test_an_invalid_signature(self, world: ServedSigstore, entry: LogEntry, signature: str) -> None:
        envelope = with_signature(entry.envelope, signature)
        reason = self.refusal(world, proposed(envelope, verifier_of(entry.body)))
        assert "all signatures must have a key that verifies it" in reason

    @pytest.mark.parametrize(
        "key",
        [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(public_exponent=65537, key_size=2048)],
        ids=["ec", "rsa"],
    )
    def test_somebody_elses_key(
        self, world: ServedSigstore, entry: LogEntry, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    ) -> None:
        other = verifier_with(key)
        assert "all signatures must have a key" in self.refusal(world, proposed(entry.envelope, other))
        surplus = self.refusal(world, proposed(entry.envelope, verifier_of(entry.body), other))
        assert "could not verify envelope" in surplus
