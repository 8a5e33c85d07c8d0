"""The receipt as JSON (pure).

Text from outside appears as received; ``dump_printable_json`` escapes it so that no runner finds a workflow command in
the document.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ci_publish.model.receipt import Receipt, Redact


def receipt_as_dict(receipt: Receipt, redact: Redact = str) -> dict[str, Any]:
    """Return *receipt* as the JSON object of the schema, in the order of the documentation."""
    return {each.name: _receipt_json_value(each.name, getattr(receipt, each.name), redact) for each in fields(receipt)}


def to_json(receipt: Receipt, redact: Redact = str, *, indent: int | None = 2) -> str:
    """Return *receipt* as a JSON document of ASCII characters, ending with a line break."""
    return dump_printable_json(receipt_as_dict(receipt, redact), indent=indent) + "\n"


def dump_printable_json(value: object, *, indent: int | None = None) -> str:
    """Return *value* as JSON that is safe to print: ASCII without control characters or ``##[`` commands."""
    text = json.dumps(value, indent=indent, ensure_ascii=True, allow_nan=False)
    return text.replace("\x7f", "\\u007f").replace("##", "#\\u0023")


_FREE_TEXT = frozenset(
    {"summary", "detail", "hints", "message", "reason", "commands", "url", "repository_url", "index_url", "path"}
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def _receipt_json_value(name: str, value: Any, redact: Redact) -> Any:  # noqa: ANN401  (JSON)
    """Return *value* in JSON's own types; free text loses its secrets and what UTF-8 cannot encode."""
    match value:
        case str():
            text = redact(value) if name in _FREE_TEXT else str(value)
            return _SURROGATES.sub("\ufffd", text)
        case tuple():
            return [_receipt_json_value(name, each, redact) for each in value]
        case Mapping():
            return dict(value)
        case bool() | int() | float() | None:
            return value
        case _:
            return {
                each.name: _receipt_json_value(each.name, getattr(value, each.name), redact) for each in fields(value)
            }
