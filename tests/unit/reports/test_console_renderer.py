"""A run as lines: what every console shows."""

import io
from typing import get_args

import pytest

from ci_publish.errors import IndexUnavailable, UploadRejected
from ci_publish.model.events import (
    Event,
    FileFinished,
    FileListed,
    FileStatus,
    Noted,
    Outcome,
    RunFinished,
    Step,
    StepStarted,
    UploadStarted,
)
from ci_publish.model.finding import Finding, FindingStatus
from ci_publish.model.index import Upload
from ci_publish.reports.console import Clocks, open_console
from ci_publish.reports.console_lines import Line
from ci_publish.reports.console_renderer import ConsoleRenderer
from tests.unit.reports.recorded_runs import (
    BEGIN,
    PYPI,
    SDIST,
    WHEEL,
    a_conflict,
    a_failed_check,
    a_good_run,
    beginning,
    distribution,
    every_event,
    planned,
    uploaded,
)

BUILT = (
    "built by https://github.com/octo-org/demo/.github/workflows/release.yml@refs/tags/v1.0 from"
    f" github:octo-org/demo:release.yml at commit {'c' * 40}"
)


def told(events: list[Event], *, verbose: bool = False, print_hash: bool = False) -> str:
    """Return what a plain console writes about *events*, which are a quarter of a second apart."""
    stream, seconds = io.StringIO(), [0.0]
    report = open_console(stream, {}, clocks=Clocks(lambda: seconds[0]), verbose=verbose, print_hash=print_hash)
    for event in events:
        seconds[0] += 0.25
        report(event)
    report.close()
    return stream.getvalue()


def test_a_good_run_reads_as_a_story() -> None:
    assert told(a_good_run()).splitlines()[1:] == [
        "collect   demo-1.0.tar.gz            sdist   12.3 kB",
        "collect   demo-1.0-py3-none-any.whl  wheel    1.5 MB",
        "check     no problems",
        "index     pypi (pypi rules): https://upload.pypi.org/legacy/",
        "plan      already published  demo-1.0.tar.gz             12.3 kB  already on the index (same SHA-256)",
        "plan      to be uploaded     demo-1.0-py3-none-any.whl    1.5 MB  not on the index",
        "identity  Trusted Publishing (github), upload token until 2026-11-18 11:21:40 UTC",
        f"sign      demo-1.0-py3-none-any.whl  build provenance verified, transparency log index 123456; {BUILT}",
        "sign      demo-1.0-py3-none-any.whl  attestation verified, transparency log index 123456",
        "retry     demo-1.0-py3-none-any.whl: the index responded with 503; attempt 2 in 1.5 s",
        "upload    demo-1.0-py3-none-any.whl  sending 1.5 MB",
        "upload    demo-1.0-py3-none-any.whl  accepted in 0.5 s  1.5 MB",
        "identity  Trusted Publishing (github), upload token burned",
        (
            "confirm   demo-1.0-py3-none-any.whl  listed with this SHA-256; provenance verified: octo-org/demo, log"
            " index 123456"
        ),
        "",
        "Published: 1 uploaded, 1 already published.",
        "  https://pypi.org/project/demo/1.0/",
    ]


def test_an_upload_is_timed_from_its_first_attempt_to_its_end() -> None:
    first, again = (
        UploadStarted(index="pypi", filename=WHEEL.filename, size=WHEEL.size, attempt=attempt) for attempt in (1, 2)
    )
    end = FileFinished(index="pypi", distribution=WHEEL, status=FileStatus.UPLOADED, attempts=2)
    untimed = FileFinished(index="pypi", distribution=SDIST, status=FileStatus.UPLOADED, attempts=1)
    lines = told([*beginning(), first, again, end, untimed]).splitlines()
    assert [line for line in lines if "accepted" in line] == [
        "check     demo-1.0-py3-none-any.whl  accepted in 0.5 s  1.5 MB  2 attempts",
        "check     demo-1.0.tar.gz  accepted  12.3 kB",
    ]


def test_verbose_adds_requests_and_times_and_print_hash_the_digests() -> None:
    text = told(a_good_run(), verbose=True, print_hash=True)
    assert "http      POST https://upload.pypi.org/legacy/: 503 Service Unavailable (0.4 s)" in text
    assert "upload    took 2.0 s at pypi" in text
    assert f"          sha256 {WHEEL.sha256}" in text


def test_an_error_says_what_why_what_to_do_and_where_to_read_on() -> None:
    assert told(a_conflict()).splitlines()[-10:] == [
        "error: The index has other content under demo-1.0.tar.gz.",
        f"  ours    {SDIST.sha256}",
        f"  theirs  {'0' * 64}",
        "What to do:",
        "  - Raise the version and build again.",
        "  - on-conflict: keep-published",
        "More information: https://ci-publish.github.io/ci-publish/errors/content-conflict/",
        "exit code 8 · content-conflict",
        "Public on pypi now: 0 of 2 files; 1 conflict; 1 not attempted.",
        "A re-run recognises published files by their digest, and uploads only the rest.",
    ]


def test_problems_name_file_rule_and_cure() -> None:
    lines = told(a_failed_check()).splitlines()
    assert "check     error: demo-1.0-py3-none-any.whl: wheel-tags" in lines
    assert "            Build it again." in lines
    assert "check     1 error, 1 warning, 1 note" in lines
    assert lines[-2:] == ["exit code 4 · invalid-distribution", "Nothing was uploaded."]


def test_failures_of_single_files_are_told_before_the_end_unless_the_end_tells_them() -> None:
    refused = UploadRejected("The index rejects demo-1.0.tar.gz.", hints=("one:\n  two: three",))
    end = UploadRejected("1 of 2 files was refused.")
    events = [
        *beginning(SDIST, WHEEL),
        FileFinished(index="pypi", distribution=SDIST, status=FileStatus.REFUSED, attempts=3, error=refused),
        RunFinished(outcome=Outcome.FAILED, exit_code=9, time=BEGIN, error=end),
    ]
    text = told(events)
    assert "demo-1.0.tar.gz  refused  12.3 kB  3 attempts: The index rejects demo-1.0.tar.gz." in text
    assert "  - one:\n      two: three\n" in text
    assert text.index("error: The index rejects") < text.index("error: 1 of 2 files")
    events[-1] = RunFinished(outcome=Outcome.FAILED, exit_code=9, time=BEGIN, error=refused)
    assert told(events).count("error: The index rejects") == 1
    events[-1] = RunFinished(
        outcome=Outcome.FAILED, exit_code=9, time=BEGIN, error=UploadRejected("x", detail="demo-1.0.tar.gz: refused")
    )
    assert "error: The index rejects" not in told(events)


def test_equal_failures_of_many_files_are_one() -> None:
    files = [distribution(f"demo-{number}.tar.gz") for number in range(23)]
    error = IndexUnavailable("gone")
    failed = [
        FileFinished(
            index="pypi", distribution=file, status=FileStatus.FAILED, attempts=5, error=IndexUnavailable("away")
        )
        for file in files
    ]
    text = told(
        [*beginning(*files), *failed, RunFinished(outcome=Outcome.FAILED, exit_code=10, time=BEGIN, error=error)]
    )
    assert text.count("error: away") == 1
    assert "demo-0.tar.gz, demo-1.tar.gz, demo-2.tar.gz and 20 more, at pypi" in text
    assert "13 more files: failed index-unavailable" in text
    assert "  - Run it again: completed work is kept." in text


def test_verify_speaks_its_own_words() -> None:
    events: list[Event] = [
        *beginning(SDIST, WHEEL, command="verify"),
        StepStarted(Step.CONFIRM, "pypi"),
        FileFinished(index="pypi", distribution=SDIST, status=FileStatus.CONFLICT),
        FileFinished(index="pypi", distribution=WHEEL, status=FileStatus.NOT_ATTEMPTED),
        FileListed(index="pypi", filename=WHEEL.filename, listed=False),
        RunFinished(outcome=Outcome.FAILED, exit_code=8, time=BEGIN),
    ]
    text = told(events)
    assert "confirm   demo-1.0.tar.gz  conflict  12.3 kB" in text
    assert "confirm   demo-1.0-py3-none-any.whl  not listed with this SHA-256" in text
    assert "Failed: 1 published with different content, 1 not on the index." in text


def test_several_indexes_are_told_apart() -> None:
    other = beginning(endpoints=type(PYPI)(name="private", profile=PYPI.profile, upload="https://x/"))[-1]
    text = told([*beginning(SDIST), other, *planned(Upload(SDIST), index="private"), *uploaded(SDIST, "private")])
    assert "accepted in 0.5 s  12.3 kB  at private" in text


def test_a_note_names_its_file_once() -> None:
    about, named = (Noted(slug="x", message=text, filename="a.whl") for text in ("It is yanked.", "a.whl is yanked."))
    assert told([about]).split() == ["warning", "a.whl:", "It", "is", "yanked."]
    assert told([named]).split() == ["warning", "a.whl", "is", "yanked."]


def test_doctor_keeps_the_columns_of_claims() -> None:
    finding = Finding(
        name="claims", status=FindingStatus.FAIL, message="differ\n  sub  a\n  ref  b", hints=("Change the\n  form.",)
    )
    assert told([finding]).splitlines() == [
        "fail      claims: differ",
        "              sub  a",
        "              ref  b",
        "          - Change the",
        "              form.",
    ]


def test_every_event_has_its_place_in_the_story() -> None:
    kinds = {type(event) for event in every_event("x")}
    assert kinds == set(get_args(Event))
    renderer = ConsoleRenderer(clock=lambda: 0.0, verbose=True)
    assert all(isinstance(line, Line) for event in every_event("x") for line in renderer.render_event(event))


def test_an_unknown_event_is_a_bug() -> None:
    with pytest.raises(TypeError, match="no lines for str"):
        ConsoleRenderer(clock=lambda: 0.0).render_event("no event")  # type: ignore[arg-type]
