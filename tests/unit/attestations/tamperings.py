"""Build provenance that somebody tampered with: after it was signed, or as a job that signs what is not true.

Each tampering makes a PEP 740 attestation (JSON) for the distribution at hand, beside which a sound one exists for
another distribution (``second``) and by another job (``stranger``).
"""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypi_attestations import Attestation as Pep740Attestation
from sigstore.dsse import Statement
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

from ci_publish.attestations.in_toto_statements import STATEMENT_TYPE, in_toto_statement
from ci_publish.attestations.provenance_predicates import build_provenance_predicate
from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1, Signable, Subject
from tests.unit.attestations.provenance_cases import changed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider

BUILDER_ID = "runDetails.builder.id"
SOURCE = "buildDefinition.resolvedDependencies.0"
OTHER_REPOSITORY = {
    "repository": "octo-org/other",
    "workflow_ref": "octo-org/other/.github/workflows/release.yml@refs/tags/v1.0.0",
}
WORKFLOW = "buildDefinition.externalParameters.workflow"


@dataclass(frozen=True)
class Bench:
    """A job that signs, with the claims that it has; and what it signed soundly."""

    trust_config: str
    provider: RehearsalIdentityProvider
    claims: Mapping[str, object]
    file: Signable
    other_file: Signable

    @property
    def subject(self) -> Subject:
        return Subject(self.file.filename, self.file.sha256)

    @property
    def predicate(self) -> dict[str, Any]:
        return build_provenance_predicate(self.claims)

    def sign(self, payload: bytes, **claims: object) -> dict[str, Any]:
        """Sign any bytes as a statement, as a job with *claims* besides the usual ones."""
        config = ClientTrustConfig.from_json(self.trust_config)
        token = IdentityToken(self.provider.issue("sigstore", {**self.claims, **claims}))
        statement = Statement(in_toto_statement(self.subject, SLSA_PROVENANCE_V1, self.predicate))
        statement._contents = payload  # noqa: SLF001  (sigstore itself signs nothing but valid statements)
        with SigningContext.from_trust_config(config).signer(token) as signer:
            made: dict[str, Any] = json.loads(
                Pep740Attestation.from_bundle(signer.sign_dsse(statement)).model_dump_json()
            )
        return made

    def sound(self, file: Signable | None = None, **claims: object) -> dict[str, Any]:
        """Return build provenance as it should be, of *file* or of the file at hand."""
        said = build_provenance_predicate({**self.claims, **claims})
        subject = self.subject if file is None else Subject(file.filename, file.sha256)
        return self.sign(in_toto_statement(subject, SLSA_PROVENANCE_V1, said), **claims)

    def lie(self, path: str, value: object) -> dict[str, Any]:
        """Sign a statement whose predicate differs from the truth in one place."""
        return self.sign(in_toto_statement(self.subject, SLSA_PROVENANCE_V1, changed(self.predicate, path, value)))

    def statement(self, **changes: object) -> dict[str, Any]:
        """Sign a statement with other fields than it should have."""
        sound = json.loads(in_toto_statement(self.subject, SLSA_PROVENANCE_V1, self.predicate))
        return self.sign(json.dumps({**sound, **changes}).encode())

    def edited(self, edit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Return sound build provenance whose statement was edited afterwards."""
        made = self.sound()
        statement = json.loads(base64.b64decode(made["envelope"]["statement"]))
        edit(statement)
        made["envelope"]["statement"] = base64.b64encode(json.dumps(statement).encode()).decode()
        return made

    def mixed(self, part: str, donor: dict[str, Any]) -> dict[str, Any]:
        """Return sound build provenance with one part of another attestation."""
        made = self.sound()
        section, name = part.split(".")
        made[section][name] = copy.deepcopy(donor[section][name])
        return made


def _subject(name: str, sha256: str) -> dict[str, object]:
    return {"name": name, "digest": {"sha256": sha256}}


def _other_bytes(statement: dict[str, Any]) -> None:
    statement["subject"][0]["digest"]["sha256"] = "0" * 64


def _other_name(statement: dict[str, Any]) -> None:
    statement["subject"][0]["name"] = "other-1.0.tar.gz"


def _other_builder(statement: dict[str, Any]) -> None:
    statement["predicate"]["runDetails"]["builder"]["id"] = "https://github.com/evil/evil/.github/workflows/b.yml@v1"


def _other_commit(statement: dict[str, Any]) -> None:
    statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"]["gitCommit"] = "b" * 40


def _other_type(statement: dict[str, Any]) -> None:
    statement["predicateType"] = PUBLISH_V1


def _same_in_other_bytes(statement: dict[str, Any]) -> None:
    statement["predicate"] = dict(reversed(statement["predicate"].items()))


def _reversed_proof(bench: Bench) -> dict[str, Any]:
    def hashes(attestation: dict[str, Any]) -> list[str]:
        found: list[str] = attestation["verification_material"]["transparency_entries"][0]["inclusionProof"]["hashes"]
        return found

    made = bench.sound()
    while len(hashes(made)) < 2:  # until the log's tree is so large that a proof has an order
        made = bench.sound()
    hashes(made).reverse()
    return made


def _later(bench: Bench) -> dict[str, Any]:
    made = bench.sound()
    entry = made["verification_material"]["transparency_entries"][0]
    entry["integratedTime"] = str(int(entry["integratedTime"]) + 1)
    return made


def _two_entries(bench: Bench) -> dict[str, Any]:
    made = bench.sound()
    entries = made["verification_material"]["transparency_entries"]
    entries.insert(0, bench.sound(bench.other_file)["verification_material"]["transparency_entries"][0])
    return made


def _cut(bench: Bench) -> dict[str, Any]:
    made = bench.sound()
    made["envelope"]["statement"] = made["envelope"]["statement"][:-8]
    return made


def _payload(bench: Bench) -> bytes:
    return in_toto_statement(bench.subject, SLSA_PROVENANCE_V1, bench.predicate)


TAMPERINGS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    # the statement, after it was signed
    "subject: other bytes": lambda bench: bench.edited(_other_bytes),
    "subject: other name": lambda bench: bench.edited(_other_name),
    "predicate: other commit": lambda bench: bench.edited(_other_commit),
    "predicate: other type": lambda bench: bench.edited(_other_type),
    "builder: another one": lambda bench: bench.edited(_other_builder),
    "encoding: the same JSON in other bytes": lambda bench: bench.edited(_same_in_other_bytes),
    "encoding: cut": _cut,
    # parts of other attestations
    "order: the statement of another file": lambda bench: bench.sound(bench.other_file),
    "order: the log entry of another file": lambda bench: bench.mixed(
        "verification_material.transparency_entries", bench.sound(bench.other_file)
    ),
    "order: the signature of another file": lambda bench: bench.mixed(
        "envelope.signature", bench.sound(bench.other_file)
    ),
    "order: two log entries": _two_entries,
    "order: the inclusion proof reversed": _reversed_proof,
    "log: another time": _later,
    "certificate: of another repository": lambda bench: bench.mixed(
        "verification_material.certificate", bench.sound(None, **OTHER_REPOSITORY)
    ),
    "certificate: of the same job, for another key": lambda bench: bench.mixed(
        "verification_material.certificate", bench.sound()
    ),
    # signed by the very job that is expected
    "subject: two of them": lambda bench: bench.statement(
        subject=[_subject(bench.file.filename, bench.file.sha256), _subject("other-1.0.tar.gz", "0" * 64)]
    ),
    "subject: the file is the second one": lambda bench: bench.statement(
        subject=[_subject("other-1.0.tar.gz", "0" * 64), _subject(bench.file.filename, bench.file.sha256)]
    ),
    "subject: another digest algorithm": lambda bench: bench.statement(
        subject=[{"name": bench.file.filename, "digest": {"sha512": bench.file.sha256}}]
    ),
    "predicate: none": lambda bench: bench.statement(predicate=None),
    "predicate: no builder": lambda bench: bench.lie("runDetails.builder", ...),
    "predicate: SLSA v0.2": lambda bench: bench.statement(predicateType="https://slsa.dev/provenance/v0.2"),
    "predicate: another repository": lambda bench: bench.lie(f"{SOURCE}.uri", "git+https://github.com/evil/demo@main"),
    "predicate: a commit that was not built": lambda bench: bench.lie(f"{SOURCE}.digest.gitCommit", "b" * 40),
    "predicate: another workflow": lambda bench: bench.lie(f"{WORKFLOW}.path", ".github/workflows/other.yml"),
    "predicate: another run": lambda bench: bench.lie(
        "runDetails.metadata.invocationId", "https://github.com/octo-org/demo/actions/runs/1/attempts/1"
    ),
    "builder: one that did not sign": lambda bench: bench.lie(
        BUILDER_ID, "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/b.yml@refs/tags/v2.0.0"
    ),
    "builder: a hosted runner's name for a self-hosted job": lambda bench: bench.sign(
        in_toto_statement(
            bench.subject,
            SLSA_PROVENANCE_V1,
            changed(bench.predicate, BUILDER_ID, "https://github.com/actions/runner/github-hosted"),
        ),
        runner_environment="self-hosted",
    ),
    "statement: of another kind": lambda bench: bench.statement(_type=f"{STATEMENT_TYPE}.1"),
    "encoding: a name twice": lambda bench: bench.sign(
        _payload(bench).replace(b'"predicateType":', b'"predicateType":"https://example.org","predicateType":', 1)
    ),
    "encoding: a name twice, deep inside": lambda bench: bench.sign(
        _payload(bench).replace(b'"gitCommit":', b'"gitCommit":"' + b"b" * 40 + b'","gitCommit":', 1)
    ),
    "encoding: UTF-16": lambda bench: bench.sign(_payload(bench).decode().encode("utf-16")),
    "encoding: a byte order mark": lambda bench: bench.sign(b"\xef\xbb\xbf" + _payload(bench)),
    "encoding: not JSON's NaN": lambda bench: bench.sign(
        _payload(bench).replace(b'"predicate":{', b'"x":NaN,"predicate":{', 1)
    ),
}
"""Tamperings that neither ``publish`` nor ``verify`` takes, by what they change."""

STRANGERS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "certificate: another repository signs for ours": lambda bench: bench.sign(
        _payload(bench), repository="octo-org/other"
    ),
    "certificate: another repository, truthfully": lambda bench: bench.sound(None, **OTHER_REPOSITORY),
}
"""Statements that are signed as they are, by somebody else."""
