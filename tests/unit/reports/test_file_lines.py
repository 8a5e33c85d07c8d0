"""What happens to files: few are named, many are counted."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from ci_publish.model.attestation import ProvenanceMissing, ProvenanceVerified
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import (
    Checked,
    Collected,
    Event,
    FileListed,
    Outcome,
    Planned,
    ProvenanceChecked,
    RunFinished,
    Signed,
    Step,
    StepFinished,
    StepStarted,
)
from ci_publish.model.index import AlreadyPublished, Plan, Upload
from ci_publish.reports.console_lines import Line
from ci_publish.reports.file_lines import FileLines
from ci_publish.reports.neutral import neutral_line
from tests.unit.reports.recorded_runs import (
    BEGIN,
    a_failed_check,
    attestation,
    beginning,
    distribution,
    planned,
    problems,
    published_file,
    uploaded,
)
from tests.unit.reports.test_console_renderer import told

MANY = [distribution(f"demo-1.0-cp3{number}-none-any.whl") for number in range(200)]


def lines(*, every: bool = False, print_hash: bool = False) -> FileLines:
    return FileLines(neutral=neutral_line, at=lambda _: "", every=every, print_hash=print_hash)


def texts(found: Iterable[Line]) -> list[str]:
    return [line.text for line in found]


def a_run_of(files: Sequence[Distribution]) -> list[Event]:
    return [
        *beginning(*files),
        *planned(*(Upload(file) for file in files)),
        StepStarted(Step.SIGN),
        *(Signed(attestation(file)) for file in files),
        StepFinished(Step.SIGN, 1.0),
        StepStarted(Step.UPLOAD, "pypi"),
        *(event for file in files for event in uploaded(file)),
        StepFinished(Step.UPLOAD, 1.0, "pypi"),
        StepStarted(Step.CONFIRM, "pypi"),
        *(FileListed(index="pypi", filename=each.filename, listed=True) for each in files),
        *(
            ProvenanceChecked("pypi", each.filename, ProvenanceVerified("octo-org/demo", number))
            for number, each in enumerate(files)
        ),
        StepFinished(Step.CONFIRM, 1.0, "pypi"),
        RunFinished(outcome=Outcome.PUBLISHED, exit_code=0, time=BEGIN),
    ]


def test_two_hundred_files_are_at_most_four_hundred_and_twenty_lines() -> None:
    text = told(a_run_of(MANY)).splitlines()
    assert len(text) <= 420
    assert "collect   200 files: 200 wheels, 2.5 MB" in text
    assert "plan      to be uploaded  200 files  2.5 MB  not on the index" in text
    assert "sign      200 attestations verified, transparency log index 123456 to 123456" in text
    assert "confirm   200 files  listed with this SHA-256; provenance by octo-org/demo" in text
    assert len([line for line in text if "sending" in line]) == 200
    assert len(told(a_run_of(MANY), verbose=True).splitlines()) > 1000


def test_a_mistake_in_two_hundred_wheels_is_at_most_twenty_lines() -> None:
    wrong = Checked(tuple(replace(problems()[0], filename=file.filename) for file in MANY))
    assert len(told([*beginning(*MANY)[:5], wrong, *a_failed_check()[4:]]).splitlines()) <= 20


def test_few_files_are_named() -> None:
    text = told(a_run_of(MANY[:2]))
    assert text.count("provenance verified: octo-org/demo, log index ") == 2
    assert "200 files" not in text


def test_digests_are_shown_of_every_file() -> None:
    found = texts(lines(print_hash=True).collected_file_lines(Collected(tuple(MANY))))
    assert len(found) == 400


def test_what_the_plan_has_shown_is_not_listed_again() -> None:
    files = lines()
    there = AlreadyPublished(MANY[0], published_file(MANY[0]))
    assert len(texts(files.planned_file_lines(Planned(Plan("pypi", (there,)))))) == 1
    assert (
        texts(files.listed_file_lines_or_postpone(FileListed(index="pypi", filename=MANY[0].filename, listed=True)))
        == []
    )
    assert texts(files.take_postponed_lines()) == []


@pytest.mark.parametrize(("listed", "said"), [(False, "not listed"), (None, "unavailable")])
def test_what_is_not_as_it_should_be_is_said_at_once(listed: bool | None, said: str) -> None:
    found = texts(lines().listed_file_lines_or_postpone(FileListed(index="pypi", filename="x.whl", listed=listed)))
    assert said in found[0]


def test_provenance_that_is_missing_is_said_at_once() -> None:
    files = lines()
    assert texts(files.listed_file_lines_or_postpone(FileListed(index="pypi", filename="x.whl", listed=True))) == []
    found = texts(
        files.provenance_lines_or_postpone(ProvenanceChecked("pypi", "x.whl", ProvenanceMissing("none is served")))
    )
    assert found == ["confirm   x.whl  listed with this SHA-256; no provenance: none is served"]


def test_what_differs_from_the_many_is_named() -> None:
    files = lines()
    for number in range(12):
        event = ProvenanceChecked("pypi", f"{number}.whl", ProvenanceVerified("me" if number else "somebody", None))
        assert texts(files.provenance_lines_or_postpone(event)) == []
    found = texts(files.take_postponed_lines())
    assert found == [
        "confirm   0.whl  provenance verified: somebody",
        "confirm   11 files  on the index; provenance by me",
    ]


def test_attestations_that_are_not_verified_are_not_called_so() -> None:
    files = lines()
    made = replace(attestation(MANY[0]), verified=False, log_index=None)
    assert texts(files.signed_file_lines_or_postpone(made, files=200)) == []
    assert texts(files.take_postponed_lines()) == ["sign      1 attestation not all verified"]
