import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_publish.errors import IndexUnavailable, InvalidDistribution
from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1, ProvenanceInvalid, ProvenanceMissing
from ci_publish.model.distribution import UnreadableFile
from ci_publish.model.events import (
    Collected,
    CredentialChanged,
    Event,
    FileFinished,
    FileListed,
    FileStatus,
    Outcome,
    ProvenanceChecked,
    Retrying,
    RunFinished,
    RunStarted,
    Signed,
    Step,
    UploadsCollided,
    UploadStarted,
)
from ci_publish.model.identity import CredentialKind, CredentialState
from ci_publish.model.index import AlreadyPublished, Conflict, KeptPublished, PublishedFile, Upload
from ci_publish.model.problem import Severity
from ci_publish.model.receipt import ChangeEntry, Receipt, RetryCause, TriedEntry, WaveEntry
from ci_publish.model.receipt_building import receipt_of
from ci_publish.model.receipt_json import dump, to_dict, to_json
from tests.unit.reports.recorded_runs import (
    BEGIN,
    PYPI,
    SDIST,
    STRESS,
    WHEEL,
    a_conflict,
    a_failed_check,
    a_good_run,
    attestation,
    beginning,
    distribution,
    every_event,
    hostile_texts,
    planned,
    published_file,
    uploaded,
)
from tests.unit.reports.runner import commands

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
    document = json.loads(to_json(receipt_of(events)))
    VALIDATOR.validate(document)
    STRICT.validate(document)
    return document


def statuses(receipt: Receipt) -> list[str]:
    return [file.status.value for file in receipt.files]


def test_both_schemas_are_schemas() -> None:
    for schema in (FIRST_SCHEMA, SCHEMA):
        jsonschema.Draft202012Validator.check_schema(schema)
    assert FIRST_SCHEMA["properties"]["schema_version"]["const"] == 1


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


def test_a_good_run_is_told_whole() -> None:
    document = written(a_good_run())
    assert document["outcome"] == "published"
    assert document["exit_code"] == 0
    assert document["error"] is None
    assert document["started"] == "2026-11-18T11:06:40Z"
    assert document["timings"]["upload"] == 2.0
    assert document["indexes"] == [
        {
            "name": "pypi",
            "profile": "pypi",
            "repository_url": PYPI.upload,
            "index_url": PYPI.simple,
            "credential": {
                "kind": "trusted-publishing",
                "provider": "github",
                "expires": "2026-11-18T11:21:40Z",
                "burnt": True,
            },
        }
    ]
    sdist, wheel = document["files"]
    assert (sdist["status"], sdist["attempts"], sdist["listed"]) == ("already-published", 0, True)
    assert (wheel["status"], wheel["attempts"], wheel["provenance_verified"]) == ("uploaded", 1, True)
    assert [entry["predicate_type"] for entry in wheel["attestations"]] == [PUBLISH_V1, SLSA_PROVENANCE_V1]
    assert wheel["attestations"][0] == {
        "predicate_type": PUBLISH_V1,
        "signer": "https://github.com/octo-org/demo/.github/workflows/release.yml@refs/tags/v1.0",
        "identity": "github:octo-org/demo:release.yml",
        "source": "https://github.com/octo-org/demo",
        "commit": "c" * 40,
        "log_index": 123_456,
        "integrated_time": "2026-11-18T11:06:43Z",
        "verified": True,
    }
    assert wheel["provenance_publisher"] == "octo-org/demo"
    assert wheel["retries"] == [{"attempt": 1, "reason": "the index answered 503", "wait": 1.5, "cause": None}]
    assert (sdist["attestations"], sdist["retries"], sdist["tried"]) == ([], [], [])
    assert (document["resume_after"], document["changes"], document["waves"]) == (None, [], [])


def test_a_retry_of_an_index_that_was_busy_with_our_own_uploads_has_a_cause() -> None:
    busy = UploadsCollided("pypi", SDIST.filename, "demo", "1.0")
    again = Retrying(SDIST.filename, 2, "the index answered 503", 1.23456, "pypi")
    document = written([*beginning(SDIST), *planned(Upload(SDIST)), busy, again, *uploaded(SDIST), busy])
    first, second, third = document["files"][0]["retries"]
    assert (first["attempt"], first["wait"], first["cause"]) == (1, 0.0, "concurrent-uploads")
    assert "another file of this release" in first["reason"]
    assert second == {"attempt": 2, "reason": "the index answered 503", "wait": 1.235, "cause": None}
    assert third["attempt"] == 1


def test_a_deferred_run_says_when_it_can_go_on() -> None:
    resume = {"resume-after": "2026-11-19T00:00:00Z"}
    document = written([*beginning(SDIST), RunFinished(Outcome.DEFERRED, 12, BEGIN, extra=resume)])
    assert (document["outcome"], document["resume_after"]) == ("deferred", "2026-11-19T00:00:00Z")
    assert written([RunFinished(Outcome.DEFERRED, 12, BEGIN, extra={"resume-after": ""})])["resume_after"] is None


def test_there_is_room_for_changes_waves_and_installations() -> None:
    receipt = receipt_of(a_good_run())
    tried = TriedEntry("CPython 3.12", "uv", ('python -c "import demo"',), "passed", 1.5)
    change = ChangeEntry("demo", "1.0", "0.9", "wheel-lost", Severity.WARNING, "lost: macOS", "https://x.example/")
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


def test_a_conflict_carries_its_error_and_leaves_the_rest_unattempted() -> None:
    document = written(a_conflict())
    assert [file["status"] for file in document["files"]] == ["conflict", "not-attempted"]
    assert document["error"]["slug"] == "content-conflict"
    assert document["files"][0]["error"] == document["error"]
    assert document["files"][1]["error"] == document["error"]


def test_a_failed_check_shows_the_problems_and_files_without_an_index() -> None:
    document = written(a_failed_check())
    assert [(file["index"], file["status"]) for file in document["files"]] == [(None, "not-attempted")] * 2
    assert [problem["rule"] for problem in document["problems"]] == ["wheel-tags", "wheel-size", "set-versions"]
    assert document["indexes"] == []


def test_a_run_that_never_ended_is_interrupted() -> None:
    document = written([*beginning(SDIST, WHEEL), *planned(Upload(SDIST), Upload(WHEEL)), *uploaded(SDIST)])
    assert (document["outcome"], document["exit_code"], document["finished"]) == ("interrupted", None, None)
    assert [file["status"] for file in document["files"]] == ["uploaded-not-confirmed", "not-attempted"]
    assert [file["error"]["slug"] for file in document["files"]] == ["interrupted", "interrupted"]


def test_no_events_make_a_valid_receipt() -> None:
    assert written([])["files"] == []


def test_an_upload_whose_end_is_unknown_is_unknown_unless_the_index_lists_it() -> None:
    events = [*beginning(SDIST), UploadStarted("pypi", SDIST.filename, 1, attempt=3)]
    assert statuses(receipt_of(events)) == ["unknown"]
    assert receipt_of(events).files[0].attempts == 3
    listed = FileListed("pypi", SDIST.filename, listed=True, published=published_file(SDIST))
    assert statuses(receipt_of([*events, listed])) == ["uploaded"]
    assert receipt_of([*events, listed]).files[0].url == published_file(SDIST).url


@pytest.mark.parametrize("status", [FileStatus.UPLOADED, FileStatus.NOT_CONFIRMED, FileStatus.UNKNOWN])
def test_only_the_listing_makes_a_file_uploaded(status: FileStatus) -> None:
    events = [*beginning(SDIST), *planned(Upload(SDIST)), FileFinished("pypi", SDIST, status, 1)]
    error = IndexUnavailable("gone")
    ends = [RunFinished(Outcome.FAILED, 10, BEGIN, error)]
    for listed in (None, False):
        document = written([*events, FileListed("pypi", SDIST.filename, listed), *ends])
        expected = "unknown" if status is FileStatus.UNKNOWN else "uploaded-not-confirmed"
        assert document["files"][0]["status"] == expected
        assert document["files"][0]["error"]["slug"] == "index-unavailable"
    document = written([*events, FileListed("pypi", SDIST.filename, listed=True), *ends])
    assert (document["files"][0]["status"], document["files"][0]["error"]) == ("uploaded", None)


def test_a_file_that_cannot_be_read_is_among_the_files() -> None:
    broken = UnreadableFile(Path("dist/demo-1.0-py3-none-any.whl"), "demo-1.0-py3-none-any.whl")
    ends = RunFinished(Outcome.FAILED, 4, BEGIN, InvalidDistribution("1 problem"))

    files = written([RunStarted("publish", BEGIN), Collected((SDIST,), (broken,)), ends])["files"]

    assert [file["filename"] for file in files] == [SDIST.filename, broken.filename]
    expected: dict[str, object] = {
        "path": "dist/demo-1.0-py3-none-any.whl",
        "project": "demo",
        "version": "1.0",
        "kind": "wheel",
    }
    expected |= {"size": None, "sha256": None, "status": "not-attempted", "index": None}
    assert {name: files[1][name] for name in expected} == expected
    assert files[1]["error"]["slug"] == "invalid-distribution"


def test_a_file_of_check_has_no_desired_state() -> None:
    ends = RunFinished(Outcome.FAILED, 4, BEGIN, InvalidDistribution("1 problem"))
    assert written([RunStarted("check", BEGIN), Collected((SDIST,)), ends])["files"][0]["error"] is None
    published = written([RunStarted("publish", BEGIN), Collected((SDIST,)), ends])["files"][0]
    assert published["error"]["slug"] == "invalid-distribution"


@pytest.mark.parametrize("ends", [[], [RunFinished(Outcome.PLANNED, 0, BEGIN)]])
def test_a_plan_tells_what_it_would_do(ends: list[Event]) -> None:
    other = published_file(WHEEL, sha256="0" * 64)
    third = distribution("demo-1.0-py2-none-any.whl")
    fourth = distribution("demo-1.0-cp311-none-any.whl")
    decisions = (
        Upload(SDIST),
        Conflict(WHEEL, other),
        KeptPublished(third, published_file(third), "kept"),
        AlreadyPublished(fourth, published_file(fourth)),
    )
    command = "publish" if ends else "plan"
    events = [*beginning(SDIST, WHEEL, third, fourth, command=command), *planned(*decisions), *ends]
    receipt = receipt_of(events)
    assert statuses(receipt) == ["planned", "conflict", "kept-published", "already-published"]
    assert [file.listed for file in receipt.files] == [None, None, None, True]
    assert receipt.count(FileStatus.PLANNED, FileStatus.CONFLICT) == 2


def test_each_index_has_an_entry_for_each_file() -> None:
    other = replace(PYPI, name="private", upload="https://user:secret@index.example/up", simple=None)
    document = written([*beginning(SDIST), *beginning(SDIST, endpoints=other), *uploaded(SDIST, "private")])
    assert [(file["index"], file["status"]) for file in document["files"]] == [
        ("pypi", "not-attempted"),
        ("private", "uploaded-not-confirmed"),
    ]
    assert document["indexes"][1]["repository_url"] == "https://index.example/up"
    assert document["indexes"][1]["index_url"] is None
    assert document["indexes"][1]["credential"]["kind"] == "none"


@pytest.mark.parametrize(
    ("filename", "named"),
    [
        ("demo-1.0-py3-none-any.whl", ("demo", "1.0", "wheel")),
        ("demo-1.0.tar.gz", ("demo", "1.0", "sdist")),
        ("what.whl", (None, None, None)),
        ("what", (None, None, None)),
    ],
)
@pytest.mark.parametrize("shown", [None, "A" * 64, "md5", "unknown"])
def test_files_that_only_the_index_has_are_told_by_their_name(
    filename: str, named: tuple[str | None, ...], shown: str | None
) -> None:
    published = None if shown is None else PublishedFile(filename, "https://x/y", shown, 7)
    found = FileListed("pypi", filename, listed=True, published=published)
    document = written([*beginning(command="verify"), found, FileListed("other", "z.whl", listed=None)])
    file = document["files"][0]
    assert (file["project"], file["version"], file["kind"]) == named
    assert (file["path"], file["status"]) == (None, "already-published")
    assert file["sha256"] == ("a" * 64 if shown == "A" * 64 else None)
    assert file["size"] == (None if shown is None else 7)
    assert document["files"][1]["index"] == "other"


@pytest.mark.parametrize("outcome", [ProvenanceMissing("late"), ProvenanceInvalid("other bytes")])
def test_provenance_that_is_not_there_is_not_verified(outcome: ProvenanceMissing | ProvenanceInvalid) -> None:
    receipt = receipt_of([*beginning(SDIST), ProvenanceChecked("pypi", SDIST.filename, outcome)])
    assert receipt.files[0].provenance_verified is False


@pytest.mark.parametrize("first", [0, 1])
def test_attestations_are_listed_once_for_each_predicate_type(first: int) -> None:
    both = [Signed(attestation(SDIST)), Signed(attestation(SDIST, SLSA_PROVENANCE_V1))]
    receipt = receipt_of([*beginning(SDIST), both[first], both[1 - first], both[first]])
    assert [entry.predicate_type for entry in receipt.files[0].attestations] == [PUBLISH_V1, SLSA_PROVENANCE_V1]


def test_files_of_one_name_in_two_folders_are_two_files() -> None:
    twin = distribution(SDIST.filename, folder="other")
    assert len(receipt_of([Collected((SDIST, twin))]).files) == 2


def test_a_finished_file_needs_no_collection() -> None:
    done = FileFinished("pypi", SDIST, FileStatus.FAILED, 2, error=IndexUnavailable("gone"))
    document = written([done])
    assert document["files"][0]["error"]["slug"] == "index-unavailable"


def test_a_time_that_no_calendar_holds_is_unknown() -> None:
    state = CredentialState(CredentialKind.API_TOKEN, expires=1e99)
    document = written([*beginning(SDIST), CredentialChanged("pypi", state)])
    assert document["indexes"][0]["credential"]["expires"] is None


def test_secrets_leave_free_text_but_not_the_words_of_the_schema() -> None:
    events = a_conflict()
    hidden = to_dict(receipt_of(events), lambda text: text.replace("conflict", "***").replace("demo", "***"))
    VALIDATOR.validate(hidden)
    assert hidden["files"][0]["status"] == "conflict"
    assert "demo" not in hidden["error"]["summary"]
    assert hidden["files"][0]["filename"] == SDIST.filename


def test_every_receipt_of_hostile_text_is_valid_ascii_and_without_commands() -> None:
    for text in hostile_texts():
        events = every_event(text)
        document = to_json(receipt_of(events))
        assert document.isascii()
        assert document.replace("\n", "").isprintable()
        assert commands(document) == []
        assert commands(dump(to_dict(receipt_of(events)))) == []
        assert json.loads(document)["error"]["summary"] == text.replace("\udc80", "\ufffd")
        VALIDATOR.validate(json.loads(document))


STORIES = (a_good_run, a_conflict, a_failed_check)


@settings(max_examples=300 if STRESS else 40, deadline=None)
@given(st.data())
def test_any_part_of_any_run_in_any_order_makes_a_valid_receipt(data: st.DataObject) -> None:
    text = data.draw(st.text(max_size=20))
    pool = [*data.draw(st.sampled_from(STORIES))(), *every_event(text), RunStarted("plan", BEGIN)]
    events = data.draw(st.lists(st.sampled_from(range(len(pool))), max_size=25))
    written([pool[number] for number in events])


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
