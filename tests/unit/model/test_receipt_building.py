"""The receipt as a fold over the events of a run."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1
from ci_publish.model.events import (
    Outcome,
    RunFinished,
    RunStarted,
)
from ci_publish.model.index import Upload
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
    every_event,
    planned,
    uploaded,
)


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
    assert wheel["retries"] == [{"attempt": 1, "reason": "the index responded with 503", "wait": 1.5, "cause": None}]
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


STORIES = (a_good_run, a_conflict, a_failed_check)


@settings(max_examples=300 if STRESS else 40, deadline=None)
@given(st.data())
def test_any_part_of_any_run_in_any_order_makes_a_valid_receipt(data: st.DataObject) -> None:
    text = data.draw(st.text(max_size=20))
    pool = [*data.draw(st.sampled_from(STORIES))(), *every_event(text), RunStarted("plan", BEGIN)]
    events = data.draw(st.lists(st.sampled_from(range(len(pool))), max_size=25))
    written([pool[number] for number in events])
