"""What became of each file, as the receipt tells it."""

from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish.errors import IndexUnavailable, InvalidDistribution, PublishingDeferred
from ci_publish.model.attestation import ProvenanceInvalid, ProvenanceMissing, Subject
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
from ci_publish.model.index import (
    AlreadyPublished,
    Conflict,
    Deferred,
    KeptPublished,
    PlannedFile,
    PublishedFile,
    Upload,
)
from ci_publish.model.receipt_building import build_receipt
from tests.unit.model.receipt_schema import written
from tests.unit.reports.recorded_runs import (
    BEGIN,
    PYPI,
    SDIST,
    WHEEL,
    beginning,
    distribution,
    planned,
    published_file,
    statuses,
    uploaded,
)


def test_an_upload_whose_end_is_unknown_is_unknown_unless_the_index_lists_it() -> None:
    events = [*beginning(SDIST), UploadStarted(index="pypi", filename=SDIST.filename, size=1, attempt=3)]
    assert statuses(build_receipt(events)) == ["unknown"]
    assert build_receipt(events).files[0].attempts == 3
    listed = FileListed(index="pypi", filename=SDIST.filename, listed=True, published=published_file(SDIST))
    assert statuses(build_receipt([*events, listed])) == ["uploaded"]
    assert build_receipt([*events, listed]).files[0].url == published_file(SDIST).url


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
    receipt = build_receipt(events)
    assert statuses(receipt) == ["planned", "conflict", "kept-published", "already-published"]
    assert [file.listed for file in receipt.files] == [False, False, False, True]
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
    receipt = build_receipt([*beginning(SDIST), ProvenanceChecked("pypi", SDIST.filename, outcome)])
    assert receipt.files[0].provenance_verified is False


def test_a_file_with_an_error_of_its_own_has_that() -> None:
    done = FileFinished(
        index="pypi", distribution=SDIST, status=FileStatus.FAILED, attempts=2, error=IndexUnavailable("gone")
    )
    document = written([Collected((SDIST,)), done])
    assert document["files"][0]["error"]["slug"] == "index-unavailable"


@pytest.mark.parametrize(
    ("decision", "status", "listed"),
    [
        (Upload(SDIST), None, False),
        (Upload(SDIST, known=False), None, None),
        (Upload(SDIST, known=False), FileStatus.NOT_ATTEMPTED, None),
        (AlreadyPublished(SDIST, published_file(SDIST), md5_only=True), None, None),
        (AlreadyPublished(SDIST, published_file(SDIST)), None, True),
        (Upload(SDIST), FileStatus.REFUSED, False),
        (Upload(SDIST), FileStatus.UNKNOWN, None),
        (Upload(SDIST), FileStatus.UPLOADED, None),
        (Upload(SDIST), FileStatus.ALREADY_PUBLISHED, None),
    ],
)
def test_the_listing_that_the_plan_was_made_from_counts_until_the_file_may_be_there(
    decision: PlannedFile, status: FileStatus | None, listed: bool | None
) -> None:
    events = [*beginning(SDIST), *planned(decision)]
    if status is not None:
        events.append(FileFinished(index="pypi", distribution=SDIST, status=status, attempts=1))
    assert [file.listed for file in build_receipt(events).files] == [listed]


def test_a_file_that_is_left_for_a_later_run_is_deferred() -> None:
    events = [*beginning(SDIST), *planned(Deferred(SDIST, PublishingDeferred("Later.")))]
    assert statuses(build_receipt(events)) == ["deferred"]


def test_a_subject_that_is_not_present_has_the_digest_it_is_attested_with() -> None:
    subject = Subject(WHEEL.filename, "a" * 64)
    (file,) = build_receipt([RunStarted("attest", BEGIN), Collected((), subjects=(subject,))]).files
    assert (file.filename, file.project, file.sha256, file.path) == (WHEEL.filename, "demo", "a" * 64, None)
    assert (file.status, file.size, file.error) == (FileStatus.NOT_ATTEMPTED, None, None)
