from dataclasses import replace

import pytest

from ci_publish.errors import IndexUnavailable, InvalidDistribution
from ci_publish.model.attestation import (
    ProvenanceByAnother,
    ProvenanceInvalid,
    ProvenanceMissing,
    ProvenanceOutcome,
    ProvenanceVerified,
)
from ci_publish.model.events import (
    CredentialChanged,
    Event,
    FileFinished,
    FileListed,
    FileStatus,
    IndexChosen,
    Outcome,
    ProvenanceChecked,
    RunFinished,
    RunStarted,
)
from ci_publish.model.identity import CredentialKind, CredentialState
from ci_publish.model.index import AlreadyPublished, Conflict, KeptPublished, PlannedFile, PublishedFile, Upload
from ci_publish.model.receipt_building import build_receipt
from ci_publish.reports import wording
from tests.unit.reports.recorded_runs import (
    BEGIN,
    PYPI,
    SDIST,
    WHEEL,
    a_good_run,
    beginning,
    planned,
    published_file,
    uploaded,
)

THEIRS = published_file(SDIST, sha256="0" * 64)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (12.34, "12.3 s"), (60, "1 min 00 s"), (125.4, "2 min 05 s")]
)
def test_durations(seconds: float, text: str) -> None:
    assert wording.format_duration(seconds) == text


def test_a_moment_that_no_calendar_holds() -> None:
    assert wording.format_utc_date_time(0) == "1970-01-01 00:00:00 UTC"
    assert wording.format_utc_date_time(1e99) == "an unknown time"


@pytest.mark.parametrize(
    ("planned", "status", "why"),
    [
        (Upload(SDIST), FileStatus.PLANNED, "not on the index"),
        (Upload(SDIST, known=False), FileStatus.PLANNED, "unavailable"),
        (AlreadyPublished(SDIST, THEIRS), FileStatus.ALREADY_PUBLISHED, "same SHA-256"),
        (KeptPublished(SDIST, THEIRS, "as you said"), FileStatus.KEPT_PUBLISHED, "as you said"),
        (Conflict(SDIST, THEIRS), FileStatus.CONFLICT, "on the index sha256:000000000000…"),
        (Conflict(SDIST, replace(THEIRS, sha256=None)), FileStatus.CONFLICT, "no digest to compare"),
    ],
)
def test_decisions(planned: PlannedFile, status: FileStatus, why: str) -> None:
    assert wording.describe_plan_decision(planned)[0] is status
    assert why in wording.describe_plan_decision(planned)[1]


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (CredentialState(kind=CredentialKind.NONE), "no credential"),
        (CredentialState(kind=CredentialKind.API_TOKEN), "API token"),
        (CredentialState(kind=CredentialKind.TRUSTED_PUBLISHING, provider="github"), "Trusted Publishing (github)"),
        (
            CredentialState(kind=CredentialKind.TRUSTED_PUBLISHING, provider="gitlab", expires=0, burnt=False),
            "Trusted Publishing (gitlab), upload token until 1970-01-01 00:00:00 UTC",
        ),
        (
            CredentialState(kind=CredentialKind.TRUSTED_PUBLISHING, provider="gitlab", expires=0, burnt=True),
            "Trusted Publishing (gitlab), upload token burned",
        ),
    ],
)
def test_credentials(state: CredentialState, text: str) -> None:
    assert wording.describe_credential(state) == text


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (ProvenanceVerified("octo/demo"), "provenance verified: octo/demo"),
        (ProvenanceVerified("octo/demo", 7), "provenance verified: octo/demo, log index 7"),
        (
            ProvenanceByAnother("github:a/b", ("github:c/d", "google:e@f.example")),
            "provenance of another publisher: it is signed by github:a/b, not by github:c/d or google:e@f.example",
        ),
        (ProvenanceMissing("not yet"), "no provenance: not yet"),
        (ProvenanceInvalid("other bytes"), "provenance does not verify: other bytes"),
    ],
)
def test_provenance(outcome: ProvenanceOutcome, text: str) -> None:
    assert wording.describe_provenance(outcome) == text


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (FileListed(index="pypi", filename=SDIST.filename, listed=True), "listed with this SHA-256"),
        (FileListed(index="pypi", filename=SDIST.filename, listed=True, compared=False), "listed"),
        (
            FileListed(index="pypi", filename=SDIST.filename, listed=None, same_md5=True),
            "listed with the same MD5; the index shows no SHA-256",
        ),
        (FileListed(index="pypi", filename=SDIST.filename, listed=False), "not listed with this SHA-256"),
        (FileListed(index="pypi", filename=SDIST.filename, listed=None), "file list unavailable"),
        (FileListed(index="pypi", filename=SDIST.filename, listed=None, asked=False), "file list not checked"),
        (
            FileListed(index="pypi", filename=SDIST.filename, listed=None, published=THEIRS),
            "listed, but without a digest to compare",
        ),
    ],
)
def test_what_the_listing_says(event: FileListed, text: str) -> None:
    assert wording.describe_listing(event) == text


def test_running_again_is_advised_once_and_only_where_it_helps() -> None:
    assert wording.hints_with_rerun(IndexUnavailable("x", hints=("Look.",))) == (
        "Look.",
        "Run it again: completed work is kept.",
    )
    assert wording.hints_with_rerun(IndexUnavailable("x", hints=("Run it again later.",))) == ("Run it again later.",)
    assert wording.hints_with_rerun(InvalidDistribution("x", hints=("Look.",))) == ("Look.",)


def test_a_run_without_an_index_counts_files_and_a_failed_one_nothing() -> None:
    checked = [*beginning(SDIST)[:-1], RunFinished(outcome=Outcome.CHECKED, exit_code=0, time=BEGIN)]
    assert wording.describe_run_outcome(build_receipt(checked)) == "Checked: 1 file"
    assert wording.describe_run_outcome(build_receipt(checked[-1:])) == "Nothing to check: no wheel or sdist was found"
    assert (
        wording.describe_run_outcome(
            build_receipt([*checked[:-1], RunFinished(outcome=Outcome.FAILED, exit_code=4, time=BEGIN)])
        )
        == "Failed"
    )
    assert (
        wording.describe_run_outcome(build_receipt([RunFinished(outcome=Outcome.READY, exit_code=0, time=BEGIN)]))
        == "Ready to publish"
    )


@pytest.mark.parametrize(
    ("publishers", "text"),
    [
        ([], "Verified: 1 published; 1 file without verified provenance"),
        (["github:a/b"], "Verified: 1 published; signed by github:a/b"),
        (["github:a/b", "github:a/b"], "Verified: 2 published; signed by github:a/b"),
        (
            ["github:a/1", "github:a/2", "github:a/3", "github:a/4", "github:a/5"],
            "Verified: 5 published; signed by github:a/1, github:a/2, github:a/3 and 2 more",
        ),
    ],
)
def test_the_headline_of_verify_says_who_signed(publishers: list[str], text: str) -> None:
    events: list[Event] = [RunStarted("verify", BEGIN)]
    names = [f"demo-1.0-{number}-py3-none-any.whl" for number in range(max(1, len(publishers)))]
    events += [
        FileListed(
            index="pypi",
            filename=name,
            listed=True,
            published=PublishedFile(filename=name, url="https://x/y", sha256="a" * 64),
        )
        for name in names
    ]
    events += [
        ProvenanceChecked("pypi", name, ProvenanceVerified(each)) for name, each in zip(names, publishers, strict=False)
    ] or [ProvenanceChecked("pypi", names[0], ProvenanceMissing("none is served"))]
    assert (
        wording.describe_run_outcome(
            build_receipt([*events, RunFinished(outcome=Outcome.VERIFIED, exit_code=0, time=BEGIN)])
        )
        == text
    )


def test_release_pages_are_those_of_releases_that_are_there() -> None:
    assert wording.release_page_addresses(build_receipt(a_good_run()), a_good_run()) == (
        "https://pypi.org/project/demo/1.0/",
    )
    begun = beginning(SDIST)
    assert wording.release_page_addresses(build_receipt(begun), begun) == ()
    elsewhere = [*beginning(SDIST, endpoints=replace(PYPI, web=None)), *uploaded(SDIST)]
    assert wording.release_page_addresses(build_receipt(elsewhere), elsewhere) == ()


def test_a_file_by_its_md5_says_so() -> None:
    status, why = wording.describe_plan_decision(AlreadyPublished(SDIST, replace(THEIRS, sha256=None), md5_only=True))
    assert (status, "MD5" in why) == (FileStatus.SAME_MD5, True)


def test_a_release_that_only_the_index_has_is_published_and_not_compared_with_files_here() -> None:
    found = FileListed(index="pypi", filename=SDIST.filename, listed=True, published=published_file(SDIST))
    receipt = build_receipt(
        [*beginning(command="verify"), found, RunFinished(outcome=Outcome.VERIFIED, exit_code=0, time=BEGIN)]
    )
    assert wording.describe_run_outcome(receipt) == "Verified: 1 published"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (CredentialState(kind=CredentialKind.API_TOKEN), ()),
        (CredentialState(kind=CredentialKind.TRUSTED_PUBLISHING), ()),
        (
            CredentialState(kind=CredentialKind.TRUSTED_PUBLISHING, burnt=True),
            ("The upload token for pypi was burned.",),
        ),
        (
            CredentialState(kind=CredentialKind.TRUSTED_PUBLISHING, burnt=False),
            ("The upload token for pypi was not burned; it expires by itself.",),
        ),
        (
            CredentialState(kind=CredentialKind.TRUSTED_PUBLISHING, expires=BEGIN, burnt=False),
            ("The upload token for pypi was not burned; it expires by itself at 2026-11-18T11:06:40Z.",),
        ),
    ],
)
def test_the_last_lines_of_a_failure_say_what_is_public_and_what_became_of_the_token(
    state: CredentialState, said: tuple[str, ...]
) -> None:
    events = [
        *beginning(SDIST, WHEEL),
        FileFinished(index="pypi", distribution=SDIST, status=FileStatus.UPLOADED, attempts=1),
        FileListed(index="pypi", filename=SDIST.filename, listed=True),
        FileFinished(index="pypi", distribution=WHEEL, status=FileStatus.UNKNOWN, attempts=1),
        CredentialChanged("pypi", state),
        RunFinished(outcome=Outcome.FAILED, exit_code=10, time=BEGIN, error=IndexUnavailable("away")),
    ]
    assert wording.public_state_and_rerun_lines(build_receipt(events)) == (
        "Public on pypi now: 1 of 2 files; 1 unknown (the response was lost).",
        "A re-run recognises published files by their digest, and uploads only the rest.",
        *said,
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (FileStatus.REFUSED, "refused"),
        (FileStatus.CONFLICT, "conflict"),
        (FileStatus.FAILED, "failed"),
        (FileStatus.DEFERRED, "deferred"),
        (FileStatus.UPLOADED, "uploaded, not confirmed"),
    ],
)
def test_every_file_of_a_failure_is_counted_in_one_of_the_states(status: FileStatus, said: str) -> None:
    error = IndexUnavailable("away")
    events = [
        *beginning(SDIST, WHEEL),
        *planned(Upload(SDIST), Upload(WHEEL)),
        FileFinished(
            index="pypi",
            distribution=SDIST,
            status=status,
            attempts=1,
            error=None if status is FileStatus.UPLOADED else error,
        ),
        FileListed(index="pypi", filename=SDIST.filename, listed=False),
        RunFinished(outcome=Outcome.FAILED, exit_code=10, time=BEGIN, error=error),
    ]
    assert (
        wording.public_state_and_rerun_lines(build_receipt(events))[0]
        == f"Public on pypi now: 0 of 2 files; 1 {said}; 1 not attempted."
    )


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([], "Public on pypi: not known, its file list was not read; 2 not attempted."),
        (
            planned(Upload(SDIST, known=False), Upload(WHEEL, known=False)),
            "Public on pypi: not known, its file list was not read; 2 not attempted.",
        ),
        (
            [FileFinished(index="pypi", distribution=SDIST, status=FileStatus.UNKNOWN, attempts=1)],
            (
                "Public on pypi: not known, its file list was not read after the uploads;"
                " 1 unknown (the response was lost); 1 not attempted."
            ),
        ),
        (
            planned(Upload(SDIST), Upload(WHEEL, known=False)),
            "Public on pypi now: 0 of 2 files; 2 not attempted; not known for 1 file whose file list was not read.",
        ),
        (planned(Upload(SDIST), Upload(WHEEL)), "Public on pypi now: 0 of 2 files; 2 not attempted."),
    ],
)
def test_what_no_listing_was_read_for_is_not_said_to_be_absent(told: list[Event], said: str) -> None:
    ends = RunFinished(outcome=Outcome.FAILED, exit_code=10, time=BEGIN, error=IndexUnavailable("away"))
    receipt = build_receipt([*beginning(SDIST, WHEEL), *told, ends])
    assert wording.public_state_and_rerun_lines(receipt)[0] == said


def test_a_failed_confirmation_of_everything_needs_no_word_about_the_rest() -> None:
    events = [
        *beginning(SDIST),
        FileFinished(index="pypi", distribution=SDIST, status=FileStatus.UPLOADED, attempts=1),
        FileListed(index="pypi", filename=SDIST.filename, listed=True),
        RunFinished(outcome=Outcome.FAILED, exit_code=11, time=BEGIN, error=IndexUnavailable("provenance")),
    ]
    assert wording.public_state_and_rerun_lines(build_receipt(events)) == ("Public on pypi now: 1 of 1 file.",)


def test_what_failed_in_a_rehearsal_is_not_public() -> None:
    rehearsed = [
        *beginning(SDIST, WHEEL, command="rehearse"),
        FileFinished(index="pypi", distribution=SDIST, status=FileStatus.UPLOADED, attempts=1),
        FileListed(index="pypi", filename=SDIST.filename, listed=True),
    ]
    failed = RunFinished(outcome=Outcome.FAILED, exit_code=13, time=BEGIN, error=IndexUnavailable("away"))

    (said,) = wording.public_state_and_rerun_lines(build_receipt([*rehearsed, failed]))
    assert said == "On the rehearsal index now: 1 of 2 files; 1 not attempted; nothing is public."

    second = IndexChosen(replace(PYPI, name="second"))
    assert wording.public_state_and_rerun_lines(build_receipt([*rehearsed, second, failed])) == (
        "On the rehearsal index pypi now: 1 of 2 files; 1 not attempted; nothing is public.",
        "On the rehearsal index second now: 0 of 2 files; 2 not attempted; nothing is public.",
    )
