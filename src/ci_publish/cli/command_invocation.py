"""One command of the command line: its reports, its signals, and its exit code."""

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
from ci_publish.app.token_guard import TokenGuard
from ci_publish.cli.run_reports import Reporting
from ci_publish.cli.streams import Streams
from ci_publish.cli.watcher import Watcher
from ci_publish.errors import CiPublishError
from ci_publish.identity.keyring import keyring_at_terminal
from ci_publish.identity.static_credentials import TOKEN_USER
from ci_publish.model.events import Outcome, RunFinished
from ci_publish.publishing.interruption import Interruption

_LAST_REPORT = 0.6


def invoke_command(*, command: str, loaded: Loaded, environ: Mapping[str, str], streams: Streams) -> int:
    """Run *command*, report it, and return the exit code."""
    if not COMMANDS[command].recorded:
        execute(command, loaded, RuntimeContext(environ=environ, stdout=streams.stdout))
        return 0
    settings = loaded.settings
    reporting = Reporting(command=command, loaded=loaded, environ=environ, streams=streams)
    interruption = Interruption(settings.deadline)
    guard = partial(TokenGuard, left=interruption.left(), environ=environ) if os.name == "posix" else None
    with _handling_signals(interruption, Watcher(interruption, partial(_report_and_end_process, reporting), guard)):
        try:
            if not gc.isenabled():  # ``entry`` put it off; what is there already stays until the end
                gc.freeze()
                gc.enable()
            context = RuntimeContext(
                environ=environ,
                emit=reporting.emit,
                mask=partial(reporting.masker.mask, users=(TOKEN_USER, settings.user)),
                interruption=interruption,
                keyring=keyring_at_terminal(environ),
                stdout=streams.stdout,
                reached=reporting.report_through,
            )
            execute(command, loaded, context)
        except CiPublishError as error:
            return error.exit_code
        finally:
            reporting.emit.close()
            give_outputs_to_workspace_owner(settings, environ)
    return 0


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


def _report_and_end_process(reporting: Reporting, error: CiPublishError) -> None:
    """Report a run that did not end by itself, as far as possible, and end this process."""

    def report() -> None:
        outcome = Outcome.INTERRUPTED if error.exit_code in {130, 143} else Outcome.FAILED
        reporting.emit_to_all(RunFinished(outcome=outcome, exit_code=error.exit_code, time=time.time(), error=error))
        reporting.emit.close()

    reporter = threading.Thread(target=report, name="last report", daemon=True)
    reporter.start()
    reporter.join(_LAST_REPORT)
    os._exit(error.exit_code)
