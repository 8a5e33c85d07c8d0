"""The JSON schema (draft-07) of ``[tool.ci-publish]``, computed from the options.

Offered to validate-pyproject by the entry point ``validate_pyproject.tool_schema``, published with the documentation as
``settings.schema.json``. What a key may be in the file is what its validator reads, which is more than the type that
comes of it: ``INPUTS`` says so for each validator.
"""

from collections.abc import Mapping
from types import GenericAlias, UnionType
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from pydantic import BeforeValidator, Field, TypeAdapter
from pydantic.fields import FieldInfo

from ci_publish.about import DOCS_URL
from ci_publish.app import setting_values
from ci_publish.app.option_groups.installation import TABLE
from ci_publish.app.options import Option
from ci_publish.app.settings import Settings, declared_options
from ci_publish.model.attestation import AttestationPolicy

TOOL: Final = "ci-publish"
ADDRESS: Final = f"{DOCS_URL}/settings.schema.json"

Texts = str | list[str]
Size = (
    Literal["off"] | Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=r"^[0-9]{1,12} ?[KMGkmg]?[Ii]?[Bb]?$")]
)

INPUTS: Final[Mapping[object, Any]] = {
    setting_values.split_setting_lines: Texts,
    setting_values.parse_commands: Texts,
    setting_values.parse_setting_entries: Texts | dict[str, Literal["off", "note", "warning", "error"]],
    setting_values.split_setting_hosts: Texts,
    setting_values.parse_publisher_identities: Texts,
    setting_values.parse_builder_identities: Texts,
    setting_values.parse_size_setting: Size,
    setting_values.parse_attestation_policy: bool | AttestationPolicy,
}
"""What each validator reads from the file. A validator that is not here has no schema: the key cannot be described."""


def tool_schema(tool: str = TOOL) -> dict[str, Any]:  # noqa: ARG001  (validate-pyproject passes the name that it looked up)
    """Return the schema of the table, with every key that the file may hold."""
    definitions: dict[str, Any] = {}
    properties: dict[str, dict[str, Any]] = {}
    for name, option in declared_options().items():
        if option.key:
            field = Settings.model_fields[name]
            schema = TypeAdapter(_schema_input_type(field)).json_schema(ref_template="#/definitions/{model}")
            definitions |= schema.pop("$defs", {})
            schema.pop("title", None)
            schema.pop("format", None)  # of a path: no format of draft-07, which validators may refuse
            default = TypeAdapter(Any).dump_python(field.default, mode="json")
            stated = {} if default in (None, []) else {"default": default}
            properties[name.replace("_", "-")] = {"description": option.help, **schema, **stated}
    table = {key: properties[name.replace("_", "-")] for key, name in TABLE.items()}
    nested = {"type": "object", "additionalProperties": False, "properties": table}
    properties["install"] = {
        "description": properties["install"]["description"],
        "anyOf": [{"type": "boolean"}, nested],
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": ADDRESS,
        "title": "Settings of ci-publish",
        "description": f"The table [tool.ci-publish] of pyproject.toml: {DOCS_URL}/reference/options/",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        **({"definitions": definitions} if definitions else {}),
    }


def _schema_input_type(field: FieldInfo) -> Any:  # noqa: ANN401  (a type, or what typing makes of one)
    """Return the type of what the file may hold; TOML has no null."""
    validators = [item.func for item in field.metadata if isinstance(item, BeforeValidator)]
    if validators:
        return INPUTS[validators[0]]
    annotation: Any = field.annotation
    if isinstance(annotation, UnionType):
        annotation = next(item for item in get_args(annotation) if item is not type(None))
    if get_origin(annotation) is tuple:
        annotation = GenericAlias(list, (get_args(annotation)[0],))
    limits = [item for item in field.metadata if not isinstance(item, Option)]
    return Annotated[annotation, *limits] if limits else annotation
