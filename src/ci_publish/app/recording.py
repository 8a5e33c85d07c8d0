"""Runs a command between its first and last event, and builds the receipt of what happened."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ci_publish.app.front_end_wording import FrontEndWording
from ci_publish.app.other_tools import unused_secret_variables
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.errors import CiPublishError, IdentityUnavailable, InternalError, PublishingDeferred
from ci_publish.hints import Hint, option
from ci_publish.http.certificates import FILES, ignored_ca_variables
from ci_publish.model.events import Emit, Event, Outcome, Retrying, RunFinished, RunStarted, StepStarted
from ci_publish.model.receipt import Receipt
from ci_publish.model.receipt_building import build_receipt
from ci_publish.model.receipt_facts import format_rfc3339

if TYPE_CHECKING:
    from ci_publish.publishing.context import Run


def run_emitting_also_to(run: "Run", emit: Emit) -> "Run":
    """Return *run* with its events sent to *emit* as well: the receipt is made of them."""

    def emit_to_both(event: Event) -> None:
        run.emit(event)
        emit(event)

    return replace(run, emit=emit_to_both)


def record_command(
    work: Callable[[RuntimeContext], Outcome], context: RuntimeContext, reader: FrontEndWording
) -> Receipt:
    """Do *work* between RunStarted and RunFinished, keeping every event for the receipt.

    Hints reach listeners, the receipt and the caller in the words of *reader*.
    """
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(said := reader.reword_event(event))
        if isinstance(event, Retrying | StepStarted) and context.interruption is not None:
            context.interruption.remember_failure(event.reason if isinstance(event, Retrying) else "")
        context.emit(said)

    emit(RunStarted(reader.command, time.time()))
    for note in context.notes:
        emit(note)
    error: CiPublishError | None = None
    outcome = Outcome.FAILED
    extra: dict[str, str] = {}
    try:
        outcome = work(replace(context, emit=emit))
    except CiPublishError as caught:
        error = caught if context.interruption is None else context.interruption.error_instead_of(caught)
        _add_hints_about_other_tools(error, context.environ)
        if isinstance(error, PublishingDeferred):  # a later run can go on then, if that is known
            outcome = Outcome.DEFERRED
            extra["resume-after"] = "" if error.resume_after is None else format_rfc3339(error.resume_after) or ""
        elif error.exit_code in {130, 143}:
            outcome = Outcome.INTERRUPTED
    except Exception as caught:  # noqa: BLE001  (a bug: reported as one, never as a traceback)
        error = InternalError.from_exception(caught)
    emit(
        RunFinished(
            outcome=outcome,
            exit_code=error.exit_code if error else 0,
            time=time.time(),
            error=error,
            extra=extra,
        )
    )
    receipt = build_receipt(events)
    if error is not None:
        error.receipt = receipt
        raise error
    return receipt


def _add_hints_about_other_tools(error: CiPublishError, environ: Mapping[str, str]) -> None:
    """Add to *error* what other tools' variables could have helped with, had they counted here."""
    names = unused_secret_variables(environ)
    if names and isinstance(error, IdentityUnavailable):
        theirs = "It is for another tool" if len(names) == 1 else "They are for other tools"
        error.hints += (
            Hint(f"{', '.join(names)}: not used. {theirs}; to use one here, pass it as ", option("password"), "."),
        )
    bundles = ignored_ca_variables(environ)
    if bundles and FILES in " ".join((error.summary, error.detail, *error.hints)):
        error.hints += (f"{', '.join(bundles)}: not followed. Set {FILES} to the same file.",)
