"""The receipt as JSON: redacted, ASCII, valid against its schema."""

import json

from ci_publish.model.receipt_building import build_receipt
from ci_publish.model.receipt_json import dump_printable_json, receipt_as_dict, to_json
from tests.unit.model.receipt_schema import SCHEMA, STRICT, VALIDATOR, written
from tests.unit.reports.recorded_runs import (
    SDIST,
    a_conflict,
    a_good_run,
    every_event,
    hostile_texts,
)
from tests.unit.reports.runner import commands


def test_readers_accept_fields_that_the_schema_does_not_describe() -> None:
    assert "additionalProperties" not in json.dumps(SCHEMA)
    document = written(a_good_run())
    document["new"] = document["files"][0]["new"] = document["timings"]["new"] = 1
    VALIDATOR.validate(document)
    assert not STRICT.is_valid(document)


def test_the_fields_stand_in_the_order_of_the_documentation() -> None:
    document = written(a_good_run())
    assert list(document) == [
        "schema_version",
        "tool",
        "command",
        "outcome",
        "exit_code",
        "error",
        "indexes",
        "files",
        "problems",
        "started",
        "finished",
        "timings",
        "resume_after",
        "changes",
        "waves",
    ]
    assert list(document) == list(SCHEMA["properties"])
    assert list(document["files"][0]) == list(SCHEMA["$defs"]["file"]["properties"])


def test_secrets_leave_free_text_but_not_the_words_of_the_schema() -> None:
    events = a_conflict()
    hidden = receipt_as_dict(build_receipt(events), lambda text: text.replace("conflict", "***").replace("demo", "***"))
    VALIDATOR.validate(hidden)
    assert hidden["files"][0]["status"] == "conflict"
    assert "demo" not in hidden["error"]["summary"]
    assert hidden["files"][0]["filename"] == SDIST.filename


def test_every_receipt_of_hostile_text_is_valid_ascii_and_without_commands() -> None:
    for text in hostile_texts():
        events = every_event(text)
        document = to_json(build_receipt(events))
        assert document.isascii()
        assert document.replace("\n", "").isprintable()
        assert commands(document) == []
        assert commands(dump_printable_json(receipt_as_dict(build_receipt(events)))) == []
        assert json.loads(document)["error"]["summary"] == text.replace("\udc80", "\ufffd")
        VALIDATOR.validate(json.loads(document))
