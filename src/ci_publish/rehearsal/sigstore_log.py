"""The rehearsal's transparency log: Rekor v1 with `dsse` entries.

Sources: Rekor's `openapi.yaml`, `pkg/types/dsse/v0.0.1` (what an entry holds), `pkg/api/entries.go` (promise and
proof), `pkg/util/checkpoint.go` and `signed_note.go` (checkpoint); DSSE's `protocol.md`.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import secrets
import threading
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.merkle import MerkleTree, merkle_leaf_hash
from ci_publish.rehearsal.sigstore_authority import subject_public_key_info

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OLDER_SHARDS: Final = 4_163_431  # as in the public log: an entry's global index is not its index in the tree


class EntryError(ValueError):
    """The proposed entry is not a DSSE envelope whose signatures all verify; the message says what is wrong."""


class EquivalentEntryError(Exception):
    """The very same entry is in the log already."""

    def __init__(self, entry: LogEntry) -> None:
        """Name the existing entry."""
        super().__init__(f"an equivalent entry already exists in the transparency log with UUID {entry.uuid}")
        self.entry = entry


@frozen(kw_only=True)
class LogEntry:
    """One entry of the log.

    `envelope` is the DSSE envelope as it was sent. The log itself (like the real one) holds only its digest, in `body`:
    the envelope is kept for tests that inspect what a rehearsal has signed.
    """

    uuid: str
    tree_index: int
    log_index: int
    integrated_time: int
    body: bytes
    signed_entry_timestamp: bytes
    envelope: str


class RehearsalTransparencyLog:
    """An append-only log with a key of its own; safe across threads."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """Make an empty log. `clock` gives Unix time."""
        self._clock = clock
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._tree_id = secrets.randbits(62) | 1 << 62
        self._lock = threading.Lock()
        self._tree = MerkleTree()
        self._entries: list[LogEntry] = []
        self._by_uuid: dict[str, LogEntry] = {}

    @property
    def public_key(self) -> bytes:
        """The log's public key, a DER SubjectPublicKeyInfo."""
        return subject_public_key_info(self._key.public_key())

    @property
    def log_id(self) -> bytes:
        """The log's identity: the SHA-256 of its public key."""
        return hashlib.sha256(self.public_key).digest()

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        """All entries, oldest first."""
        with self._lock:
            return tuple(self._entries)

    def append_log_entry(self, proposed: object) -> LogEntry:
        """Verify and add a proposed `dsse` entry (Rekor's JSON, parsed).

        Raises `EntryError` when it is not acceptable and `EquivalentEntryError` when it is there already.
        """
        envelope, verifiers = _parse_proposed_entry(proposed)
        body = _canonical_entry_body(envelope, verifiers)
        with self._lock:
            uuid = f"{self._tree_id:016x}{merkle_leaf_hash(body).hex()}"
            if (existing := self._by_uuid.get(uuid)) is not None:
                raise EquivalentEntryError(existing)
            tree_index, integrated_time = len(self._entries), int(self._clock())
            log_index = _OLDER_SHARDS + tree_index
            promised = _canonical_json(self._signed_entry_timestamp_content(body, integrated_time, log_index))
            entry = LogEntry(
                uuid=uuid,
                tree_index=tree_index,
                log_index=log_index,
                integrated_time=integrated_time,
                body=body,
                signed_entry_timestamp=self._sign_with_transparency_log_key(promised),
                envelope=envelope,
            )
            self._tree.append(merkle_leaf_hash(body))
            self._entries.append(entry)
            self._by_uuid[uuid] = entry
            return entry

    def entry_by_index(self, log_index: int) -> LogEntry | None:
        """Return the entry with this global index."""
        position = log_index - _OLDER_SHARDS
        with self._lock:
            return self._entries[position] if 0 <= position < len(self._entries) else None

    def entry_by_uuid(self, uuid: str) -> LogEntry | None:
        """Return the entry with this UUID, with or without the tree's part in front."""
        with self._lock:
            return self._by_uuid.get(uuid) or self._by_uuid.get(f"{self._tree_id:016x}{uuid}")

    def describe_entry(self, entry: LogEntry, name: str) -> dict[str, object]:
        """Return an entry as Rekor serves it, with an inclusion proof in the tree of now and a checkpoint by `name`.

        `name` is the log's host name: verifiers compare it with the log's base URL.
        """
        with self._lock:
            size, root = len(self._tree), self._tree.root()
            proof = self._tree.inclusion_proof(entry.tree_index)
        inclusion = {
            "checkpoint": self._signed_checkpoint(name, size, root),
            "hashes": [node.hex() for node in proof],
            "logIndex": entry.tree_index,
            "rootHash": root.hex(),
            "treeSize": size,
        }
        verification = {
            "inclusionProof": inclusion,
            "signedEntryTimestamp": base64_text(entry.signed_entry_timestamp),
        }
        return {
            entry.uuid: {
                **self._signed_entry_timestamp_content(entry.body, entry.integrated_time, entry.log_index),
                "verification": verification,
            }
        }

    def log_state(self, name: str) -> dict[str, object]:
        """Return the log's state as Rekor's `GET /api/v1/log` serves it."""
        with self._lock:
            size, root = len(self._tree), self._tree.root()
        return {
            "inactiveShards": [],
            "rootHash": root.hex(),
            "signedTreeHead": self._signed_checkpoint(name, size, root),
            "treeID": str(self._tree_id),
            "treeSize": size,
        }

    def _signed_entry_timestamp_content(self, body: bytes, integrated_time: int, log_index: int) -> dict[str, object]:
        """Return what the signed entry timestamp covers."""
        return {
            "body": base64_text(body),
            "integratedTime": integrated_time,
            "logID": self.log_id.hex(),
            "logIndex": log_index,
        }

    def _signed_checkpoint(self, name: str, size: int, root: bytes) -> str:
        note = f"{name} - {self._tree_id}\n{size}\n{base64_text(root)}\n"
        signature = base64_text(self.log_id[:4] + self._sign_with_transparency_log_key(note.encode()))
        return f"{note}\n\N{EM DASH} {name} {signature}\n"

    def _sign_with_transparency_log_key(self, data: bytes) -> bytes:
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))


def _parse_proposed_entry(proposed: object) -> tuple[str, list[x509.Certificate]]:
    match proposed:
        case {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {"proposedContent": {"envelope": str(envelope), "verifiers": [str(), *_] as verifiers}},
        }:
            pass
        case _:
            raise EntryError("this log accepts only proposed dsse entries of version 0.0.1")
    try:
        texts = [base64.b64decode(str(verifier), validate=True) for verifier in verifiers]
        return envelope, [x509.load_pem_x509_certificate(text) for text in texts]
    except ValueError as error:  # binascii.Error is one
        raise EntryError(f"could not parse public key as x509: {error}") from error


def _canonical_entry_body(envelope: str, verifiers: list[x509.Certificate]) -> bytes:
    """Return what the log keeps of an envelope; raises `EntryError` unless signatures and verifiers go together."""
    payload_type, payload, signatures = _parse_dsse_envelope(envelope)
    signed = f"DSSEv1 {len(payload_type.encode())} {payload_type} {len(payload)} ".encode() + payload
    found = {signature: _find_verifying_certificate(signature, signed, verifiers) for signature in signatures}
    if len(set(found.values())) < len(set(verifiers)):
        raise EntryError("could not verify envelope: accepted signatures do not match threshold, Found: 0, Expected 1")
    spec = {
        "envelopeHash": _sha256_entry(envelope.encode()),
        "payloadHash": _sha256_entry(payload),
        "signatures": [
            {"signature": signature, "verifier": base64_text(verifier.public_bytes(serialization.Encoding.PEM))}
            for signature, verifier in sorted(found.items(), key=lambda item: item[0])
        ],
    }
    return _canonical_json({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})


def _parse_dsse_envelope(envelope: str) -> tuple[str, bytes, list[str]]:
    try:
        content = json.loads(envelope)
        payload = base64.b64decode(content["payload"], validate=True)
        signatures = [str(signature["sig"]) for signature in content["signatures"]]
        payload_type = str(content["payloadType"])
    except (ValueError, KeyError, TypeError) as error:
        raise EntryError(f"the envelope cannot be read: {error!r}") from error
    if not signatures:
        raise EntryError("could not verify envelope: no signatures found")
    return payload_type, payload, signatures


def _find_verifying_certificate(signature: str, signed: bytes, verifiers: list[x509.Certificate]) -> x509.Certificate:
    for verifier in verifiers:
        key = verifier.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey):
            with contextlib.suppress(InvalidSignature, binascii.Error):
                key.verify(base64.b64decode(signature, validate=True), signed, ec.ECDSA(hashes.SHA256()))
                return verifier
    raise EntryError("all signatures must have a key that verifies it")


def _sha256_entry(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _canonical_json(content: Mapping[str, object]) -> bytes:
    """Return RFC 8785's form: for ASCII keys, strings and small integers that is sorted and without blanks."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def base64_text(data: bytes) -> str:
    """Return *data* as Base64, in a string."""
    return base64.b64encode(data).decode()
