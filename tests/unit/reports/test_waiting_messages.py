"""No wait is silent for long: what is said, and when."""

from ci_publish.model.events import (
    Event,
    FileFinished,
    FileStatus,
    Noted,
    Outcome,
    Planned,
    Retrying,
    RunFinished,
    Signed,
    Step,
    StepFinished,
    StepStarted,
    UploadProgressed,
    UploadStarted,
    WaitStarted,
)
from ci_publish.model.index import Plan, Upload
from ci_publish.reports.waiting_messages import FIRST, WaitingMessages
from tests.unit.reports.recorded_runs import SDIST, WHEEL, attestation

BEGIN = 1_800_000_000.0


class Heard:
    """A run that is listened to, second by second."""

    def __init__(self, *events: Event) -> None:
        self.seconds = 0.0
        self.waiting_messages = WaitingMessages(lambda: self.seconds, lambda: BEGIN + self.seconds)
        self.take(*events)

    def take(self, *events: Event, spoke: bool = False) -> None:
        for event in events:
            self.waiting_messages.track_event(event, spoke=spoke)

    def until(self, seconds: float) -> dict[float, str]:
        """Return what is said by then, and when."""
        said = {}
        while self.seconds < seconds:
            self.seconds += 1.0
            if line := self.waiting_messages.due_waiting_message():
                said[self.seconds] = line
        return said


def test_a_wait_is_said_after_ten_seconds_and_then_every_thirty() -> None:
    heard = Heard(StepStarted(Step.CONFIRM, "pypi"), WaitStarted("pypi to list 2 files", 300.0))
    said = heard.until(100.0)
    assert list(said) == [FIRST, 40.0, 70.0, 100.0]
    assert said[FIRST] == "waiting for pypi to list 2 files (10.0 s, until 08:05:00 UTC at the latest)"


def test_a_line_about_an_event_begins_the_silence_again() -> None:
    heard = Heard(StepStarted(Step.CHECK))
    assert list(heard.until(9.0)) == []
    heard.take(Noted(slug="x", message="m"), spoke=True)
    assert list(heard.until(25.0)) == [19.0]


def test_each_step_says_what_it_waits_for() -> None:
    for step in Step:
        said = Heard(StepStarted(step, "pypi", 60.0)).until(10.0)
        assert said[FIRST].endswith("(10.0 s, until 08:01:00 UTC at the latest)"), step


def test_a_retry_says_what_is_tried_again_and_when() -> None:
    said = Heard(Retrying(what="demo.whl", attempt=1, reason="503", wait=60.0)).until(10.0)
    assert said[FIRST] == "waiting to retry demo.whl (10.0 s, until 08:01:00 UTC at the latest)"


def test_after_the_pause_before_a_retry_the_wait_itself_goes_on() -> None:
    heard = Heard(StepStarted(Step.SIGN), WaitStarted("Sigstore to attest 3 files", 300.0))
    heard.take(Retrying(what="signing certificate", attempt=1, reason="503", wait=2.0), spoke=True)
    assert heard.waiting_messages.waiting_message().startswith("waiting to retry signing certificate (0.0 s")
    said = heard.until(10.0)[FIRST]
    assert said.startswith("waiting for Sigstore to attest 3 files, 0 attestations so far (10.0 s, until 08:05:00 UTC")


def test_a_large_file_says_how_much_of_it_was_sent() -> None:
    heard = Heard(
        StepStarted(Step.UPLOAD, "pypi"),
        Planned(Plan("pypi", (Upload(SDIST), Upload(WHEEL)))),
        UploadStarted(index="pypi", filename=WHEEL.filename, size=1_000_000_000),
        UploadStarted(index="pypi", filename=SDIST.filename, size=10),
        UploadProgressed(index="pypi", filename=WHEEL.filename, sent=410_000_000, total=1_000_000_000),
    )
    assert heard.until(10.0)[FIRST] == f"sending {WHEEL.filename}: 41 % of 1.0 GB and 1 more; 0 of 2 files sent"
    heard.take(FileFinished(index="pypi", distribution=SDIST, status=FileStatus.UPLOADED, attempts=1))
    assert heard.waiting_messages.waiting_message() == f"sending {WHEEL.filename}: 41 % of 1.0 GB; 1 of 2 files sent"


def test_a_file_that_was_sent_waits_for_the_index() -> None:
    heard = Heard(UploadStarted(index="pypi", filename=WHEEL.filename, size=10))
    heard.take(UploadProgressed(index="pypi", filename=WHEEL.filename, sent=10, total=10))
    assert heard.waiting_messages.waiting_message() == f"waiting for pypi to accept {WHEEL.filename}"


def test_one_file_alone_is_not_counted() -> None:
    heard = Heard(UploadStarted(index="pypi", filename=WHEEL.filename, size=10))
    assert heard.waiting_messages.waiting_message() == f"sending {WHEEL.filename}: 0 % of 10 B"


def test_signing_says_how_many_are_done() -> None:
    heard = Heard(StepStarted(Step.SIGN), WaitStarted("Sigstore to attest 3 files", 60.0), Signed(attestation(WHEEL)))
    assert heard.waiting_messages.waiting_message().startswith(
        "waiting for Sigstore to attest 3 files, 1 attestation so far"
    )


def test_between_steps_nothing_is_waited_for() -> None:
    heard = Heard(StepStarted(Step.PLAN, "pypi"), StepFinished(Step.PLAN, 1.0, "pypi"))
    assert heard.until(60.0) == {}
    assert heard.waiting_messages.waiting_message() == ""
    heard = Heard(StepStarted(Step.SIGN), RunFinished(outcome=Outcome.FAILED, exit_code=1, time=0.0))
    assert heard.until(60.0) == {}


def test_a_terminal_shows_a_wait_that_lasts() -> None:
    heard = Heard(StepStarted(Step.SIGN))
    assert heard.waiting_messages.long_waiting_message() == ""
    heard.seconds = FIRST
    assert heard.waiting_messages.long_waiting_message() == "waiting for Sigstore, 0 attestations so far (10.0 s)"
