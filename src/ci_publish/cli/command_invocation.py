"""One command of the command line: its reports, its signals, and what it returns to the shell."""

import contextlib
import gc
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from types import FrameType

from ci_publish.app.commands import COMMANDS, execute
from ci_publish.app.output_files import give_outputs_to_workspace_owner
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings_sources import Loaded
from ci_publish.app.settings_view import settings_rows
from ci_publish.app.token_guard import TokenGuard
from ci_publish.cli.run_reports import Reporting, ReportOptions
from ci_publish.cli.streams import Streams
from ci_publish.cli.watcher import Watcher
from ci_publish.errors import CiPublishError
from ci_publish.identity.keyring import keyring_at_terminal
from ci_publish.identity.static_credentials import TOKEN_USER
from ci_publish.model.events import Emit, Outcome, RunFinished
from ci_publish.model.frozen import frozen
from ci_publish.publishing.interruption import Interruption

_LAST_REPORT = 0.6


@frozen(kw_only=True)
class Invocation:
    """One command of a user, with its settings, and where it runs."""

    command: str
    loaded: Loaded
    environ: Mapping[str, str]
    streams: Streams


class Ending:
    """Reaches all reports of a run, also those that are made below the command line, for an end that it cannot tell."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit

    def report_through(self, emit: Emit) -> None:
        """Reach the reports behind *emit* from now on."""
        self.emit = emit


def invoke_command(invocation: Invocation) -> int:
    """Run the command, report it, and return the exit code."""
    streams = invocation.streams
    if not COMMANDS[invocation.command].recorded:
        execute(
            invocation.command, invocation.loaded, RuntimeContext(environ=invocation.environ, stdout=streams.stdout)
        )
        return 0
    reporting = Reporting(
        environ=invocation.environ, stdout=streams.stdout, stderr=streams.stderr, options=_report_options(invocation)
    )
    ending = Ending(reporting.emit)
    interruption = Interruption(invocation.loaded.settings.deadline)
    guard = partial(TokenGuard, left=interruption.left(), environ=invocation.environ) if os.name == "posix" else None
    with _handling_signals(
        interruption, Watcher(interruption, partial(_report_and_end_process, reporting, ending), guard)
    ):
        try:
            return _run_reported_command(invocation, reporting, interruption, ending)
        finally:
            reporting.emit.close()
            give_outputs_to_workspace_owner(invocation.loaded.settings, invocation.environ)


def _run_reported_command(
    invocation: Invocation, reporting: Reporting, interruption: Interruption, ending: Ending
) -> int:
    _enable_garbage_collection()
    context = RuntimeContext(
        environ=invocation.environ,
        emit=reporting.emit,
        mask=partial(reporting.masker.mask, users=(TOKEN_USER, invocation.loaded.settings.user)),
        interruption=interruption,
        keyring=keyring_at_terminal(invocation.environ),
        stdout=invocation.streams.stdout,
        reached=ending.report_through,
    )
    try:
        execute(invocation.command, invocation.loaded, context)
    except CiPublishError as error:
        return error.exit_code
    return 0


def _report_options(invocation: Invocation) -> ReportOptions:
    settings = invocation.loaded.settings
    rehearsing = settings.rehearse or invocation.command == "rehearse"
    return ReportOptions(
        json=settings.output == "json" and not settings.serve,
        markdown=settings.output == "markdown" and not settings.serve,
        machine=settings.output != "console",
        verbose=settings.verbose,
        print_hash=settings.print_hash,
        receipt=settings.receipt,
        attestations_dir=settings.attestations_dir or settings.output_dir,
        settings=settings_rows(invocation.loaded),
        public_log=settings.sigstore_trust_config is None and not rehearsing,
    )


def _enable_garbage_collection() -> None:
    """Begin to, where ``entry`` put it off, and leave alone what is there already: it stays until the end."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


# details ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _handling_signals(interruption: Interruption, watcher: Watcher) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and the deadline into a run that ends in order, for as long as the block runs.

    SIGALRM is what the watcher wakes the main thread with at the deadline.
    """

    def handle(number: int, _: FrameType | None) -> None:
        interruption.request_stop(number)

    def wake(_number: int, _: FrameType | None) -> None:
        interruption.raise_in_immediate_step()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    if hasattr(signal, "SIGALRM"):
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, wake)
    try:
        with watcher:
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report_and_end_process(reporting: Reporting, ending: Ending, error: CiPublishError) -> None:
    """Report a run that did not end by itself, as far as the reports still can, and end this process."""

    def report() -> None:
        outcome = Outcome.INTERRUPTED if error.exit_code in {130, 143} else Outcome.FAILED
        ending.emit(RunFinished(outcome=outcome, exit_code=error.exit_code, time=time.time(), error=error))
        reporting.emit.close()

    reporter = threading.Thread(target=report, name="last report", daemon=True)
    reporter.start()
    reporter.join(_LAST_REPORT)
    os._exit(error.exit_code)
