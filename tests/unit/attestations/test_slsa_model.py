"""The validator against the specification's rules, and against sigstore-python's model of the same specification."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError
from sigstore.dsse._predicate import SLSAPredicateV1_0  # an independent model of the same specification

from ci_publish.attestations.slsa_model import slsa_predicate_fault
from tests.unit.attestations.provenance_cases import GITLAB, changed, predicate

RESOURCE = "buildDefinition.resolvedDependencies.0"
VALID = [
    ("buildDefinition.internalParameters", ...),
    ("buildDefinition.resolvedDependencies", ...),
    ("buildDefinition.resolvedDependencies", []),
    ("buildDefinition.externalParameters", {"any": [1, None, {"thing": True}]}),
    ("runDetails.metadata", ...),
    ("runDetails.metadata", None),
    ("runDetails.metadata", {"startedOn": "2026-11-28T17:00:00Z", "finishedOn": "2026-11-28T17:00:00.5Z"}),
    ("runDetails.byproducts", [{"name": "log", "uri": "https://example.org/log", "mediaType": "text/plain"}]),
    ("runDetails.byproducts", [{"content": "aGFsbG8=", "annotations": {"a": 1}}]),
    ("runDetails.byproducts", [{"downloadLocation": "https://example.org/x", "digest": {"sha256": "ab"}}]),
    ("runDetails.builder.version", {"runner": "2.3"}),
    ("runDetails.builder.builderDependencies", [{"uri": "pkg:pypi/build@1.0"}]),
]
INVALID = [
    ("buildDefinition", ..., "predicate.buildDefinition is missing"),
    ("buildDefinition", [], "predicate.buildDefinition is not an object"),
    ("buildDefinition.buildType", ..., "buildType is missing"),
    ("buildDefinition.buildType", 7, "buildType is not a valid URI"),
    ("buildDefinition.externalParameters", ..., "externalParameters is missing"),
    ("buildDefinition.externalParameters", "none", "externalParameters is not a valid object"),
    ("buildDefinition.internalParameters", [], "internalParameters is not a valid object"),
    ("buildDefinition.resolvedDependencies", {}, "resolvedDependencies is not a list"),
    (RESOURCE, {"name": "source"}, "resolvedDependencies[0] has neither uri nor digest nor content"),
    (f"{RESOURCE}.digest", {"gitCommit": 5}, "digest is not a valid set of digests"),
    (f"{RESOURCE}.digest", "ab", "digest is not a valid set of digests"),
    (f"{RESOURCE}.annotations", [], "annotations is not a valid object"),
    ("runDetails", ..., "runDetails is missing"),
    ("runDetails.builder", ..., "builder is missing"),
    ("runDetails.builder", "https://example.org", "builder is not an object"),
    ("runDetails.builder.id", ..., "id is missing"),
    ("runDetails.builder.id", None, "id is missing"),
    ("runDetails.builder.version", {"runner": 2}, "version is not a valid map of strings"),
    ("runDetails.metadata.invocationId", 7, "invocationId is not a valid string"),
    ("runDetails.metadata.startedOn", 1, "startedOn is not a valid timestamp"),
]
# sigstore's model takes any text for these, the specification does not.
STRICTER = [
    ("buildDefinition.buildType", "", "buildType is not a valid URI"),
    ("buildDefinition.buildType", "workflow", "buildType is not a valid URI"),
    ("runDetails.builder.id", "two words", "id is not a valid URI"),
    ("runDetails.metadata.startedOn", "yesterday", "startedOn is not a valid timestamp"),
    ("runDetails.metadata.startedOn", "2026-11-28T17:00:00+01:00", "startedOn is not a valid timestamp"),
    (f"{RESOURCE}.digest", {"gitCommit": "AB"}, "digest is not a valid set of digests"),
]


def accepted_by_sigstore(value: object) -> bool:
    try:
        SLSAPredicateV1_0.model_validate_json(json.dumps(value))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("made", [predicate(), predicate(GITLAB)])
def test_what_we_make_is_valid(made: object) -> None:
    assert slsa_predicate_fault(made) is None
    assert accepted_by_sigstore(made)


@pytest.mark.parametrize(("path", "value"), VALID)
def test_what_the_specification_allows_is_valid(path: str, value: object) -> None:
    made = changed(predicate(), path, value)

    assert slsa_predicate_fault(made) is None
    assert accepted_by_sigstore(made)


@pytest.mark.parametrize(("path", "value", "words"), INVALID)
def test_what_the_specification_excludes_is_named(path: str, value: object, words: str) -> None:
    made = changed(predicate(), path, value)

    assert words in str(slsa_predicate_fault(made))
    assert not accepted_by_sigstore(made)


@pytest.mark.parametrize(("path", "value", "words"), STRICTER)
def test_values_have_the_form_that_the_specification_gives_them(path: str, value: object, words: str) -> None:
    assert words in str(slsa_predicate_fault(changed(predicate(), path, value)))


def test_unknown_fields_are_ignored_as_the_specification_demands() -> None:
    assert slsa_predicate_fault({**predicate(), "mine_extension": 1}) is None


@pytest.mark.parametrize("value", [None, [], "predicate", 7])
def test_what_is_no_object_is_no_predicate(value: object) -> None:
    assert slsa_predicate_fault(value) == "predicate is not an object"
