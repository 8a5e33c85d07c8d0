"""Runs become receipts, bugs become reports."""

import pytest

import ci_publish
from ci_publish import RuntimeContext
from ci_publish.app import recording
from ci_publish.app.front_end_wording import FrontEnd, FrontEndWording
from ci_publish.errors import (
    ContentConflict,
    IndexUnavailable,
    InternalError,
    Interrupted,
)
from ci_publish.model.events import Event, Noted, Outcome, Retrying, Step, StepStarted
from ci_publish.publishing.interruption import Interruption
from tests.unit.app.contexts import context
from tests.unit.fakes import FakeIndex, fake_run, published, sha, wheel


def test_an_error_carries_the_receipt_of_what_happened() -> None:
    file = wheel()
    played = fake_run(file, index=FakeIndex(files={file.filename: published(file, sha256=sha("x"))}))
    run = played.run()
    with pytest.raises(ContentConflict) as caught:
        ci_publish.plan(run)
    assert caught.value.receipt is not None
    assert caught.value.receipt.exit_code == 8
    assert caught.value.receipt.outcome == "failed"


def test_a_bug_is_reported_as_one() -> None:
    def fail(_: RuntimeContext) -> Outcome:
        raise ZeroDivisionError("of all things")

    with pytest.raises(InternalError) as caught:
        recording.record_command(fail, context(), PUBLISHING)
    assert caught.value.exit_code == 1
    assert "ZeroDivisionError: of all things" in caught.value.detail
    assert "test_recording.py" in caught.value.detail
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_interruption_is_an_outcome_of_its_own() -> None:
    def stop(_: RuntimeContext) -> Outcome:
        raise Interrupted("stopped")

    with pytest.raises(Interrupted) as caught:
        recording.record_command(stop, context(), PUBLISHING)
    assert caught.value.receipt is not None
    assert caught.value.receipt.outcome == "interrupted"


def test_notes_come_first() -> None:
    events: list[Event] = []
    recording.record_command(
        lambda _: Outcome.CHECKED, context(events, notes=(Noted(slug="n", message="m"),)), PUBLISHING
    )
    assert isinstance(events[1], Noted)


PUBLISHING = FrontEndWording(FrontEnd.COMMAND_LINE, "publish")


@pytest.mark.parametrize(("next_step", "said"), [(False, "connection refused"), (True, "was slow")])
def test_the_failure_that_the_deadline_interrupts_is_its_cause_until_the_next_step(
    said: str, *, next_step: bool
) -> None:
    interruption = Interruption(0.0)

    def work(job: RuntimeContext) -> Outcome:
        job.emit(Retrying(what="demo", attempt=2, reason="connection refused", wait=1.0))
        if next_step:
            job.emit(StepStarted(Step.UPLOAD))
        raise IndexUnavailable("cut")

    reader = FrontEndWording(FrontEnd.COMMAND_LINE, "publish")
    with pytest.raises(IndexUnavailable, match="deadline") as caught:
        recording.record_command(work, RuntimeContext(environ={}, interruption=interruption), reader)
    assert said in caught.value.detail
