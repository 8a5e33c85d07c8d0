import json
from dataclasses import replace

import jsonschema

from ci_publish.model.events import (
    FileStatus,
    Outcome,
    Step,
)
from ci_publish.model.identity import CredentialKind
from ci_publish.model.problem import Severity
from ci_publish.model.receipt import ChangeEntry, RetryCause, TriedEntry, WaveEntry
from ci_publish.model.receipt_building import build_receipt
from ci_publish.model.receipt_json import to_json
from tests.unit.model.receipt_schema import DOCS, FIRST_SCHEMA, SCHEMA, STRICT
from tests.unit.reports.recorded_runs import (
    a_good_run,
)


def test_both_schemas_are_schemas() -> None:
    for schema in (FIRST_SCHEMA, SCHEMA):
        jsonschema.Draft202012Validator.check_schema(schema)
    assert FIRST_SCHEMA["properties"]["schema_version"]["const"] == 1


def test_there_is_room_for_changes_waves_and_installations() -> None:
    receipt = build_receipt(a_good_run())
    tried = TriedEntry(
        interpreter="CPython 3.12", installer="uv", commands=('python -c "import demo"',), result="passed", seconds=1.5
    )
    change = ChangeEntry(
        project="demo",
        version="1.0",
        against="0.9",
        rule="wheel-lost",
        severity=Severity.WARNING,
        message="lost: macOS",
        docs="https://x.example/",
    )
    full = replace(
        receipt,
        files=(replace(receipt.files[0], tried=(tried,)),),
        changes=(change,),
        waves=(WaveEntry("pypi", ("core", "plugin")), WaveEntry("pypi", ("meta",))),
    )
    document = json.loads(to_json(full))
    STRICT.validate(document)
    assert document["files"][0]["tried"][0]["commands"] == ['python -c "import demo"']
    assert [wave["projects"] for wave in document["waves"]] == [["core", "plugin"], ["meta"]]
    assert document["changes"][0]["against"] == "0.9"


def test_the_page_about_the_receipt_names_every_field_and_word_of_the_schema() -> None:
    page = (DOCS / "reference" / "receipt.md").read_text(encoding="utf-8")
    objects = [SCHEMA, *SCHEMA["$defs"].values(), SCHEMA["$defs"]["index"]["properties"]["credential"]]
    fields = {name for each in objects for name in each["properties"]}
    words = {word for each in objects for value in each["properties"].values() for word in value.get("enum", [])}
    assert {name for name in fields | words - {None} if f"`{name}`" not in page} == set()


def test_the_schema_knows_every_word_of_the_model() -> None:
    files = SCHEMA["$defs"]["file"]["properties"]
    assert SCHEMA["properties"]["outcome"]["enum"] == [outcome.value for outcome in Outcome]
    assert files["status"]["enum"] == [status.value for status in FileStatus]
    assert SCHEMA["$defs"]["retry"]["properties"]["cause"]["enum"] == [*(cause.value for cause in RetryCause), None]
    assert set(SCHEMA["properties"]["timings"]["properties"]) == {step.value for step in Step}
    credential = SCHEMA["$defs"]["index"]["properties"]["credential"]["properties"]
    assert credential["kind"]["enum"] == [kind.value for kind in CredentialKind]
