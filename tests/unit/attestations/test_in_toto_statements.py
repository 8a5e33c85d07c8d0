from __future__ import annotations

import json

import pytest

from ci_publish.attestations.in_toto_statements import (
    STATEMENT_TYPE,
    Statement,
    WrongStatement,
    parse_in_toto_statement,
)
from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1, Subject
from tests.unit.attestations.provenance_cases import predicate as provenance

SHA = "a" * 64
WHEEL = Subject("Demo_Project-1.0-py2.py3-none-any.whl", SHA)
SDIST = Subject("demo_project-1.0.tar.gz", SHA)


def statement(**changes: object) -> bytes:
    return json.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": WHEEL.filename, "digest": {"sha256": SHA}}],
            "predicateType": PUBLISH_V1,
            "predicate": None,
            **changes,
        }
    ).encode()


@pytest.mark.parametrize(
    ("kind", "predicate"), [(PUBLISH_V1, None), (PUBLISH_V1, {"x": 1}), (SLSA_PROVENANCE_V1, provenance())]
)
def test_a_statement_about_the_file_gives_its_predicate(kind: str, predicate: object) -> None:
    payload = statement(predicateType=kind, predicate=predicate)

    assert parse_in_toto_statement(payload, WHEEL) == Statement(kind, predicate)


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("demo_project-1.0-py3.py2-none-any.whl", WHEEL),
        ("Demo.Project-1.0.0.tar.gz", SDIST),
    ],
)
def test_names_are_compared_as_distributions(name: str, subject: Subject) -> None:
    payload = statement(subject=[{"name": name, "digest": {"sha256": SHA}}])

    assert parse_in_toto_statement(payload, subject).predicate_type == PUBLISH_V1


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"{", "not valid, unambiguous JSON"),
        (b"\xff", "not valid, unambiguous JSON"),
        (b"[]", "no in-toto v1 statement"),
        (statement(_type="https://in-toto.io/Statement/v0.1"), "no in-toto v1 statement"),
        (statement(subject=[]), "exactly one subject"),
        (statement(subject={}), "exactly one subject"),
        (statement(subject=["x"]), "exactly one subject"),
        (statement(subject=[{}, {}]), "exactly one subject"),
        (statement(subject=[{"digest": {"sha256": SHA}}]), "another file (None)"),
        (statement(subject=[{"name": "x", "digest": {"sha256": SHA}}]), "another file (x)"),
        (statement(subject=[{"name": "demo_project-2.0-py2.py3-none-any.whl"}]), "another file"),
        (statement(subject=[{"name": WHEEL.filename, "digest": {"sha256": "b" * 64}}]), "different content"),
        (statement(subject=[{"name": WHEEL.filename, "digest": {"sha512": SHA}}]), "different content"),
        (statement(subject=[{"name": WHEEL.filename, "digest": SHA}]), "different content"),
        (statement(predicateType="https://example.org/mine/v1"), "predicate type (https://example.org/mine/v1)"),
        (statement(predicateType=None), "predicate type (None)"),
        (statement(predicateType=SLSA_PROVENANCE_V1), "not SLSA provenance: predicate is not an object"),
        (statement(predicateType=SLSA_PROVENANCE_V1, predicate={}), "predicate.buildDefinition is missing"),
        (statement().decode().encode("utf-16"), "unambiguous JSON"),
        (b"\xef\xbb\xbf" + statement(), "unambiguous JSON"),
        (statement().replace(b'"predicate": null', b'"predicate": null, "predicate": {}'), "unambiguous JSON"),
        (statement().replace(b'"sha256":', b'"sha256": "", "sha256":'), "unambiguous JSON"),
        (statement(predicate=float("nan")), "unambiguous JSON"),
        (b"[" * 200_000, "unambiguous JSON"),
    ],
)
def test_a_statement_about_anything_else_is_refused_with_its_reason(payload: bytes, words: str) -> None:
    with pytest.raises(WrongStatement) as caught:
        parse_in_toto_statement(payload, WHEEL)

    assert words in str(caught.value)
