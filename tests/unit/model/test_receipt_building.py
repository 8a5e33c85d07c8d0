"""The receipt as a fold over the events of a run."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_publish.errors import IndexUnavailable, InvalidDistribution
from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1, ProvenanceInvalid, ProvenanceMissing
from ci_publish.model.distribution import UnreadableFile
from ci_publish.model.events import (
    Collected,
    Event,
    FileFinished,
    FileListed,
    FileStatus,
    Outcome,
    ProvenanceChecked,
    RunFinished,
    RunStarted,
    UploadStarted,
)
from ci_publish.model.index import AlreadyPublished, Conflict, KeptPublished, PublishedFile, Upload
from ci_publish.model.receipt import Receipt
from ci_publish.model.receipt_building import receipt_of
from tests.unit.model.receipt_schema import written
from tests.unit.reports.recorded_runs import (
    BEGIN,
    PYPI,
    SDIST,
    STRESS,
    WHEEL,
    a_conflict,
    a_failed_check,
    a_good_run,
    beginning,
    distribution,
    every_event,
    planned,
    published_file,
    uploaded,
)


def statuses(receipt: Receipt) -> list[str]:
    return [file.status.value for file in receipt.files]


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


def test_a_deferred_run_says_when_it_can_go_on() -> None:
    resume = {"resume-after": "2026-11-19T00:00:00Z"}
    document = written(
        [*beginning(SDIST), RunFinished(outcome=Outcome.DEFERRED, exit_code=12, time=BEGIN, extra=resume)]
    )
    assert (document["outcome"], document["resume_after"]) == ("deferred", "2026-11-19T00:00:00Z")
    assert (
        written([RunFinished(outcome=Outcome.DEFERRED, exit_code=12, time=BEGIN, extra={"resume-after": ""})])[
            "resume_after"
        ]
        is None
    )


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
    events = [*beginning(SDIST), UploadStarted(index="pypi", filename=SDIST.filename, size=1, attempt=3)]
    assert statuses(receipt_of(events)) == ["unknown"]
    assert receipt_of(events).files[0].attempts == 3
    listed = FileListed(index="pypi", filename=SDIST.filename, listed=True, published=published_file(SDIST))
    assert statuses(receipt_of([*events, listed])) == ["uploaded"]
    assert receipt_of([*events, listed]).files[0].url == published_file(SDIST).url


@pytest.mark.parametrize("status", [FileStatus.UPLOADED, FileStatus.NOT_CONFIRMED, FileStatus.UNKNOWN])
def test_only_the_listing_makes_a_file_uploaded(status: FileStatus) -> None:
    events = [
        *beginning(SDIST),
        *planned(Upload(SDIST)),
        FileFinished(index="pypi", distribution=SDIST, status=status, attempts=1),
    ]
    error = IndexUnavailable("gone")
    ends = [RunFinished(outcome=Outcome.FAILED, exit_code=10, time=BEGIN, error=error)]
    for listed in (None, False):
        document = written([*events, FileListed(index="pypi", filename=SDIST.filename, listed=listed), *ends])
        expected = "unknown" if status is FileStatus.UNKNOWN else "uploaded-not-confirmed"
        assert document["files"][0]["status"] == expected
        assert document["files"][0]["error"]["slug"] == "index-unavailable"
    document = written([*events, FileListed(index="pypi", filename=SDIST.filename, listed=True), *ends])
    assert (document["files"][0]["status"], document["files"][0]["error"]) == ("uploaded", None)


def test_a_file_that_cannot_be_read_is_among_the_files() -> None:
    broken = UnreadableFile(Path("dist/demo-1.0-py3-none-any.whl"), "demo-1.0-py3-none-any.whl")
    ends = RunFinished(outcome=Outcome.FAILED, exit_code=4, time=BEGIN, error=InvalidDistribution("1 problem"))

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
    ends = RunFinished(outcome=Outcome.FAILED, exit_code=4, time=BEGIN, error=InvalidDistribution("1 problem"))
    assert written([RunStarted("check", BEGIN), Collected((SDIST,)), ends])["files"][0]["error"] is None
    published = written([RunStarted("publish", BEGIN), Collected((SDIST,)), ends])["files"][0]
    assert published["error"]["slug"] == "invalid-distribution"


@pytest.mark.parametrize("ends", [[], [RunFinished(outcome=Outcome.PLANNED, exit_code=0, time=BEGIN)]])
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
    published = None if shown is None else PublishedFile(filename=filename, url="https://x/y", sha256=shown, size=7)
    found = FileListed(index="pypi", filename=filename, listed=True, published=published)
    document = written([*beginning(command="verify"), found, FileListed(index="other", filename="z.whl", listed=None)])
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


def test_a_finished_file_needs_no_collection() -> None:
    done = FileFinished(
        index="pypi", distribution=SDIST, status=FileStatus.FAILED, attempts=2, error=IndexUnavailable("gone")
    )
    document = written([done])
    assert document["files"][0]["error"]["slug"] == "index-unavailable"


STORIES = (a_good_run, a_conflict, a_failed_check)


@settings(max_examples=300 if STRESS else 40, deadline=None)
@given(st.data())
def test_any_part_of_any_run_in_any_order_makes_a_valid_receipt(data: st.DataObject) -> None:
    text = data.draw(st.text(max_size=20))
    pool = [*data.draw(st.sampled_from(STORIES))(), *every_event(text), RunStarted("plan", BEGIN)]
    events = data.draw(st.lists(st.sampled_from(range(len(pool))), max_size=25))
    written([pool[number] for number in events])
