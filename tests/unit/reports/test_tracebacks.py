"""Tracebacks for who asked for them: every cause, no secret, no command for a runner."""

import io

import pytest

from ci_publish.errors import IndexUnavailable, InternalError
from ci_publish.model.events import Outcome, RunFinished, RunStarted
from ci_publish.reports.tracebacks import TracebackReport


def failed() -> RunFinished:
    def refuse() -> None:
        raise OSError("::error::https://alice:hunter2@corp.example/ refused canary")

    def connect() -> None:
        try:
            refuse()
        except OSError as error:
            raise IndexUnavailable("The index cannot be reached.") from error

    with pytest.raises(IndexUnavailable) as caught:
        connect()
    return RunFinished(outcome=Outcome.FAILED, exit_code=10, time=0.0, error=caught.value)


def test_every_cause_is_shown_redacted_and_harmless() -> None:
    stream = io.StringIO()
    report = TracebackReport(stream, redact=lambda text: text.replace("canary", "***"))
    report(RunStarted("publish", 0.0))
    assert stream.getvalue() == ""
    report(failed())
    report.close()
    text = stream.getvalue()
    assert text.count("Traceback (most recent call last):") == 2
    assert "test_tracebacks.py" in text
    assert "OSError: ::error::https://***@corp.example/ refused ***\n" in text
    assert "IndexUnavailable: The index cannot be reached.\n" in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_a_run_that_ended_well_has_none() -> None:
    stream = io.StringIO()
    TracebackReport(stream)(RunFinished(outcome=Outcome.PUBLISHED, exit_code=0, time=0.0))
    assert stream.getvalue() == ""


def test_a_bug_is_the_cause_of_its_report() -> None:
    bug = ZeroDivisionError("division by zero")
    stream = io.StringIO()
    TracebackReport(stream)(
        RunFinished(outcome=Outcome.FAILED, exit_code=1, time=0.0, error=InternalError.from_exception(bug))
    )
    assert "ZeroDivisionError: division by zero\n\nThe above exception was the direct cause" in stream.getvalue()
