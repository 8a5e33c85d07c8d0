"""The published model of SLSA v1 provenance, as a validator of predicates (pure).

The messages and fields of ``provenance.proto`` and ``resource_descriptor.proto`` in the JSON form of protobuf, as
published at https://github.com/slsa-framework/slsa/blob/main/docs/spec/v1.0/schema/provenance.proto and
https://github.com/in-toto/attestation/tree/main/protos/in_toto_attestation, with the fields that
https://slsa.dev/spec/v1.0/provenance requires. As both specifications demand, unknown fields are ignored, and a field
that is null counts as absent.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ci_publish.model.frozen import frozen

# Paths of workflow files may hold blanks, and GitHub's own builder writes them as they are.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x1f]+")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z")
_DIGEST = re.compile(r"[0-9a-f]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_LIST = "list of "
_ONE_OF = ("uri", "digest", "content")


@frozen
class _Field:
    name: str
    kind: str
    required: bool = False


_MESSAGES: Final[Mapping[str, tuple[_Field, ...]]] = {
    "Provenance": (
        _Field("buildDefinition", "BuildDefinition", required=True),
        _Field("runDetails", "RunDetails", required=True),
    ),
    "BuildDefinition": (
        _Field("buildType", "URI", required=True),
        _Field("externalParameters", "object", required=True),
        _Field("internalParameters", "object"),
        _Field("resolvedDependencies", f"{_LIST}ResourceDescriptor"),
    ),
    "RunDetails": (
        _Field("builder", "Builder", required=True),
        _Field("metadata", "BuildMetadata"),
        _Field("byproducts", f"{_LIST}ResourceDescriptor"),
    ),
    "Builder": (
        _Field("id", "URI", required=True),
        _Field("version", "map of strings"),
        _Field("builderDependencies", f"{_LIST}ResourceDescriptor"),
    ),
    "BuildMetadata": (
        _Field("invocationId", "string"),
        _Field("startedOn", "timestamp"),
        _Field("finishedOn", "timestamp"),
    ),
    "ResourceDescriptor": (
        _Field("name", "string"),
        _Field("uri", "URI"),
        _Field("digest", "set of digests"),
        _Field("content", "base64 string"),
        _Field("downloadLocation", "URI"),
        _Field("mediaType", "string"),
        _Field("annotations", "object"),
    ),
}


def _is_slsa_string_map(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) and pattern.fullmatch(each) for each in value.values())


_SCALARS: Final[Mapping[str, Callable[[object], object]]] = {
    "URI": lambda value: isinstance(value, str) and _URI.fullmatch(value),
    "string": lambda value: isinstance(value, str),
    "base64 string": lambda value: isinstance(value, str) and _BASE64.fullmatch(value),
    "timestamp": lambda value: isinstance(value, str) and _TIME.fullmatch(value),
    "object": lambda value: isinstance(value, dict),
    "map of strings": lambda value: _is_slsa_string_map(value, re.compile(r"(?s).*")),
    "set of digests": lambda value: _is_slsa_string_map(value, _DIGEST),
}


def slsa_predicate_fault(predicate: object) -> str | None:
    """Return what makes *predicate* not a SLSA v1 provenance predicate, as a clause; None for a valid one."""
    return _slsa_value_fault(predicate, "Provenance", "predicate")


def _slsa_value_fault(value: object, kind: str, place: str) -> str | None:
    """Return what is wrong with one value of the type *kind*."""
    if kind in _SCALARS:
        return None if _SCALARS[kind](value) else f"{place} is not a valid {kind}"
    if kind.startswith(_LIST):
        if not isinstance(value, list):
            return f"{place} is not a list"
        inside = kind.removeprefix(_LIST)
        faults = (_slsa_value_fault(each, inside, f"{place}[{number}]") for number, each in enumerate(value))
        return next(filter(None, faults), None)
    if not isinstance(value, dict):
        return f"{place} is not an object"
    return next(_slsa_message_faults(value, kind, place), None)


def _slsa_message_faults(value: Mapping[str, object], kind: str, place: str) -> Iterator[str]:
    for field in _MESSAGES[kind]:
        inside, stated = f"{place}.{field.name}", value.get(field.name)
        if stated is None and field.required:
            yield f"{inside} is missing"
        elif stated is not None and (fault := _slsa_value_fault(stated, field.kind, inside)) is not None:
            yield fault
    if kind == "ResourceDescriptor" and not any(value.get(name) for name in _ONE_OF):
        yield f"{place} has neither uri nor digest nor content"
