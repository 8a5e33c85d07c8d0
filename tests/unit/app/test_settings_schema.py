"""The schema of `[tool.ci-publish]` has every key of the file, and agrees with what is read from it."""

import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pydantic import BeforeValidator

from ci_publish.app.settings import Settings, declared_options
from ci_publish.app.settings_schema import ADDRESS, INPUTS, tool_schema
from ci_publish.app.settings_sources import load_settings
from ci_publish.errors import ConfigurationError

SCHEMA = tool_schema()
VALIDATOR = Draft7Validator(SCHEMA)


def as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


def is_read(folder: Path, key: str, value: object) -> bool:
    """Whether the settings take *value* from the file."""
    pyproject = folder / "pyproject.toml"
    pyproject.write_text(f"[tool.ci-publish]\n{key} = {as_toml(value)}\n", encoding="utf-8")
    try:
        load_settings({}, {}, pyproject)
    except ConfigurationError:
        return False
    return True


def test_it_is_a_schema_of_draft_07_with_an_address_of_ours() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert SCHEMA["$id"] == ADDRESS
    assert (Path(__file__).parents[3] / "docs" / ADDRESS.rpartition("/")[2]).is_file()


def test_every_option_that_the_file_may_hold_is_in_it_and_no_other() -> None:
    keys = {name.replace("_", "-") for name, option in declared_options().items() if option.key}
    assert set(SCHEMA["properties"]) == keys
    assert {"password", "token-for"} & keys == set()
    assert [key for key in keys if not SCHEMA["properties"][key]["description"]] == []


def test_every_validator_of_an_option_says_what_it_reads() -> None:
    used = {
        item.func
        for name, option in declared_options().items()
        for item in Settings.model_fields[name].metadata
        if option.key and isinstance(item, BeforeValidator)
    }
    assert used - set(INPUTS) == set()


def test_every_default_is_valid() -> None:
    defaults = {key: each["default"] for key, each in SCHEMA["properties"].items() if "default" in each}
    assert len(defaults) > 20
    VALIDATOR.validate(defaults)


TAKEN: list[tuple[str, Any]] = [
    ("paths", ["dist"]),
    ("paths", "dist"),
    ("strict", True),
    ("jobs", 1),
    ("timeout", 0.5),
    ("deadline", 60),
    ("attestations", "required"),
    ("attestations", False),
    ("compare-downloads", "off"),
    ("compare-downloads", "25MiB"),
    ("compare-downloads", 1000),
    ("index-profile", "generic"),
    ("receipt", "receipt.json"),
    ("allow-http", ["corp.example"]),
    ("publisher", "github:octo/demo"),
    ("publisher", ["github:octo/demo"]),
    ("rules", {"size-limit": "error"}),
    ("install", True),
    ("install", {"python": ["3.12"], "timeout": 60}),
]
REFUSED: list[tuple[str, Any]] = [
    ("paths", [1]),
    ("paths", {"a": "b"}),
    ("strict", "perhaps"),
    ("jobs", 0),
    ("jobs", 65),
    ("jobs", 1.5),
    ("timeout", 0),
    ("deadline", []),
    ("attestations", "perhaps"),
    ("compare-downloads", "a lot"),
    ("index-profile", "devpi"),
    ("receipt", 1),
    ("on-conflict", "ignore"),
    ("on-conflicts", "fail"),
    ("password", "pypi-AgEI"),
    ("token-for", ["corp.example"]),
    ("install", {"pythn": ["3.12"]}),
    ("install", {"timeout": 0}),
]


@pytest.mark.parametrize(("key", "value"), TAKEN)
def test_what_it_allows_is_read(tmp_path: Path, key: str, value: object) -> None:
    assert VALIDATOR.is_valid({key: value})
    assert is_read(tmp_path, key, value)


@pytest.mark.parametrize(("key", "value"), REFUSED)
def test_what_it_refuses_is_refused(tmp_path: Path, key: str, value: object) -> None:
    assert not VALIDATOR.is_valid({key: value})
    assert not is_read(tmp_path, key, value)


def test_validate_pyproject_finds_it() -> None:
    (found,) = entry_points(group="validate_pyproject.tool_schema", name="ci-publish")
    assert found.load()("ci-publish") == SCHEMA
