"""What an attestation says: the in-toto statement inside it, compared with a distribution (pure).

The rules are PEP 740's and those of ``pypi_attestations.Attestation.verify``: exactly one subject, whose name parses
to the same distribution and whose SHA-256 is the file's, and a predicate type that PyPI knows.
"""

import json
from typing import Any

from ci_publish.model.attestation import SUPPORTED_PREDICATES
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


@frozen
class Subject:
    """The file that an attestation must be about: its name, and the SHA-256 of its bytes in lower-case hexadecimal."""

    filename: str
    sha256: str


class WrongStatement(ValueError):
    """A statement is not about the file, or not one that an index takes; the message is a clause that says why."""


def predicate_of(payload: bytes, subject: Subject) -> str:
    """Return the predicate type of a statement about *subject*. Raises WrongStatement."""
    statement = _read(payload)
    named = _only_subject(statement)
    if not _same_distribution(named.get("name"), subject.filename):
        raise WrongStatement(f"it is about another file ({named.get('name')})")
    digests = named.get("digest")
    digest = digests.get("sha256") if isinstance(digests, dict) else None
    if digest != subject.sha256:
        raise WrongStatement(f"it is about other bytes (SHA-256 {digest}, the file has {subject.sha256})")
    predicate = statement.get("predicateType")
    if predicate not in SUPPORTED_PREDICATES:
        raise WrongStatement(f"indexes do not take its predicate type ({predicate})")
    return str(predicate)


def _read(payload: bytes) -> dict[str, Any]:
    try:
        statement = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise WrongStatement("its statement is not JSON") from error
    if not isinstance(statement, dict) or statement.get("_type") != STATEMENT_TYPE:
        raise WrongStatement("it holds no in-toto v1 statement")
    return statement


def _only_subject(statement: dict[str, Any]) -> dict[str, Any]:
    match statement.get("subject"):
        case [dict() as subject]:
            return subject
        case _:
            raise WrongStatement("its statement does not have exactly one subject")


def _same_distribution(name: object, filename: str) -> bool:
    if not isinstance(name, str):
        return False
    named, expected = map(DistributionFilename.parse_or_none, (name, filename))
    return named is not None and expected is not None and named.identity == expected.identity
