"""The in-toto statement in an attestation, compared with a distribution (pure).

The rules are PEP 740's and those of ``pypi_attestations.Attestation.verify``: exactly one subject, whose name parses
to the same distribution and whose SHA-256 is the file's, and a predicate type that PyPI knows. In addition, build
provenance must be what SLSA v1 describes, and the JSON must be unambiguous.
"""

import json
from typing import Any, NoReturn

from ci_publish.attestations.slsa_model import slsa_predicate_fault
from ci_publish.model.attestation import SLSA_PROVENANCE_V1, SUPPORTED_PREDICATES, Subject
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


class WrongStatement(ValueError):
    """A statement is not about the file, or an index would not accept it; the message is a clause that says why."""


@frozen
class Statement:
    """What an in-toto statement about a file says: the type of its predicate, and the predicate (any JSON value)."""

    predicate_type: str
    predicate: Any


def in_toto_statement(subject: Subject, predicate_type: str, predicate: Any) -> bytes:  # noqa: ANN401  (any JSON value)
    """Return the statement with *predicate* about *subject*, as it is signed."""
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": subject.filename, "digest": {"sha256": subject.sha256}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    return json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode()


def parse_in_toto_statement(payload: bytes, subject: Subject) -> Statement:
    """Return the content of a statement about *subject*. Raises WrongStatement."""
    statement = _parse_unambiguous_statement(payload)
    match statement.get("subject"):
        case [dict() as stated]:
            name, digests = stated.get("name"), stated.get("digest")
        case _:
            raise WrongStatement("its statement does not have exactly one subject")
    named = DistributionFilename.parse_or_none(name) if isinstance(name, str) else None
    expected = DistributionFilename.parse_or_none(subject.filename)
    if named is None or expected is None or named.identity != expected.identity:
        raise WrongStatement(f"it is for another file ({name})")
    digest = digests.get("sha256") if isinstance(digests, dict) else None
    if digest != subject.sha256:
        raise WrongStatement(f"it is for different content (SHA-256 {digest}, but the file has {subject.sha256})")
    predicate_type, predicate = statement.get("predicateType"), statement.get("predicate")
    if predicate_type not in SUPPORTED_PREDICATES:
        raise WrongStatement(f"indexes do not accept its predicate type ({predicate_type})")
    fault = slsa_predicate_fault(predicate) if predicate_type == SLSA_PROVENANCE_V1 else None
    if fault is not None:
        raise WrongStatement(f"it is not SLSA provenance: {fault}")
    return Statement(str(predicate_type), predicate)


def _parse_unambiguous_statement(payload: bytes) -> dict[str, Any]:
    """Parse a statement strictly: UTF-8, no duplicate names in an object, no NaN or Infinity."""
    try:
        statement = json.loads(
            payload.decode(),
            object_pairs_hook=_json_object_without_duplicates,
            parse_constant=_refuse_json_constant_in_statement,
        )
    except (ValueError, RecursionError) as error:
        raise WrongStatement("its statement is not valid, unambiguous JSON") from error
    if not isinstance(statement, dict) or statement.get("_type") != STATEMENT_TYPE:
        raise WrongStatement("it contains no in-toto v1 statement")
    return statement


def _json_object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        message = "a name appears more than once in an object"
        raise ValueError(message)
    return made


def _refuse_json_constant_in_statement(constant: str) -> NoReturn:
    message = f"{constant} is not JSON"
    raise ValueError(message)
