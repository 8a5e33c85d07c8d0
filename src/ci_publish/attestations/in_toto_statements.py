"""What an attestation says: the in-toto statement inside it, compared with a distribution (pure).

The rules are PEP 740's and those of ``pypi_attestations.Attestation.verify``: exactly one subject, whose name parses
to the same distribution and whose SHA-256 is the file's, and a predicate type that PyPI knows. Besides, build
provenance must be what SLSA v1 describes, and the JSON such that no two readers take it for different statements.
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
    """A statement is not about the file, or not one that an index takes; the message is a clause that says why."""


@frozen
class Statement:
    """What an in-toto statement about a file says: the type of its predicate, and the predicate (any JSON value)."""

    predicate_type: str
    predicate: Any


def in_toto_statement(subject: Subject, predicate_type: str, predicate: Any) -> bytes:  # noqa: ANN401  (any JSON value)
    """Return the statement that says *predicate* of *subject*, as it is signed."""
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": subject.filename, "digest": {"sha256": subject.sha256}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    return json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode()


def parse_in_toto_statement(payload: bytes, subject: Subject) -> Statement:
    """Return what a statement about *subject* says. Raises WrongStatement."""
    statement = _parse_unambiguous_statement(payload)
    named = _single_statement_subject(statement)
    if not _is_statement_about_file(named.get("name"), subject.filename):
        raise WrongStatement(f"it is about another file ({named.get('name')})")
    digests = named.get("digest")
    digest = digests.get("sha256") if isinstance(digests, dict) else None
    if digest != subject.sha256:
        raise WrongStatement(f"it is about other bytes (SHA-256 {digest}, the file has {subject.sha256})")
    predicate_type, predicate = statement.get("predicateType"), statement.get("predicate")
    if predicate_type not in SUPPORTED_PREDICATES:
        raise WrongStatement(f"indexes do not take its predicate type ({predicate_type})")
    fault = slsa_predicate_fault(predicate) if predicate_type == SLSA_PROVENANCE_V1 else None
    if fault is not None:
        raise WrongStatement(f"it is not SLSA provenance: {fault}")
    return Statement(str(predicate_type), predicate)


def _parse_unambiguous_statement(payload: bytes) -> dict[str, Any]:
    """Read a statement as every reader does: UTF-8, no name twice in an object, and no number that JSON lacks."""
    try:
        statement = json.loads(
            payload.decode(),
            object_pairs_hook=_json_object_without_duplicates,
            parse_constant=_refuse_json_constant_in_statement,
        )
    except (ValueError, RecursionError) as error:
        raise WrongStatement("its statement is not JSON that every reader understands alike") from error
    if not isinstance(statement, dict) or statement.get("_type") != STATEMENT_TYPE:
        raise WrongStatement("it holds no in-toto v1 statement")
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


def _single_statement_subject(statement: dict[str, Any]) -> dict[str, Any]:
    match statement.get("subject"):
        case [dict() as subject]:
            return subject
        case _:
            raise WrongStatement("its statement does not have exactly one subject")


def _is_statement_about_file(name: object, filename: str) -> bool:
    if not isinstance(name, str):
        return False
    named, expected = map(DistributionFilename.parse_or_none, (name, filename))
    return named is not None and expected is not None and named.identity == expected.identity
