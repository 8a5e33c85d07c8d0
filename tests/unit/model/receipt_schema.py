"""The published schemas of the receipt, and receipts compared with them."""

import json
from pathlib import Path
from typing import Any

import jsonschema

from ci_publish.model.events import (
    Event,
)
from ci_publish.model.receipt_building import build_receipt
from ci_publish.model.receipt_json import to_json

DOCS = Path(__file__).parents[3] / "docs"


SCHEMA = json.loads((DOCS / "receipt-2.schema.json").read_text(encoding="utf-8"))


FIRST_SCHEMA = json.loads((DOCS / "receipt.schema.json").read_text(encoding="utf-8"))


VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def strict(schema: Any) -> Any:  # noqa: ANN401  (JSON)
    """Return *schema* as one that allows no fields but those that it describes."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if "properties" in schema else {}
    return {**{name: strict(value) for name, value in schema.items()}, **closed}


STRICT = jsonschema.Draft202012Validator(strict(SCHEMA))


def written(events: list[Event]) -> Any:  # noqa: ANN401  (JSON)
    """Return the receipt as a reader gets it, valid by the schema."""
    document = json.loads(to_json(build_receipt(events)))
    VALIDATOR.validate(document)
    STRICT.validate(document)
    return document
