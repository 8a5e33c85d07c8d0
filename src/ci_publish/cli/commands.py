"""What each command does with its settings."""

import contextlib
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from ci_publish.app import settings_sources
from ci_publish.app.output_files import give_to_workspace
from ci_publish.cli.main import Streams
from ci_publish.cli.reporting import Reporting, Wishes
from ci_publish.cli.watcher import Watcher
from ci_publish.errors import CiPublishError, ConfigurationError
from ci_publish.identity.keyring import keyring_for_people
from ci_publish.identity.static import TOKEN_USER
from ci_publish.model.events import Outcome, RunFinished
from ci_publish.model.frozen import frozen
from ci_publish.model.receipt import dump
from ci_publish.publishing.interruption import Interruption
from ci_publish.reports.neutral import one_line
from ci_publish.reports.writer import Lines

if TYPE_CHECKING:
    from ci_publish.app.composition import Surroundings

_LAST_REPORT = 0.6


@frozen
class Invocation:
    """One command of a user, with its settings, and where it runs."""

    command: str
    loaded: settings_sources.Loaded
    environ: Mapping[str, str]
    streams: Streams


def invoke(invocation: Invocation) -> int:
    """Run the command, report it, and return the exit code."""
    if invocation.command == "settings":
        return _show_settings(invocation)
    streams = invocation.streams
    reporting = Reporting(invocation.environ, streams.stdout, streams.stderr, _wishes(invocation))
    leave = partial(_leave, reporting)
    with _interruption(invocation.loaded.settings.deadline, leave) as interruption:
        try:
            return _run(invocation, reporting, interruption)
        finally:
            reporting.emit.close()
            give_to_workspace(invocation.loaded.settings, invocation.environ)


def _run(invocation: Invocation, reporting: Reporting, interruption: Interruption) -> int:
    from ci_publish.app.commands import execute  # noqa: PLC0415  (late: the rooms)
    from ci_publish.app.composition import Surroundings  # noqa: PLC0415

    _collect_garbage()
    around = Surroundings(
        invocation.environ,
        reporting.emit,
        partial(reporting.masker.mask, users=(TOKEN_USER, invocation.loaded.settings.user)),
        interruption,
        _password_name(invocation.loaded),
        keyring_for_people(invocation.environ),
        invocation.loaded.notes,
    )
    settings = invocation.loaded.settings
    command = _command(invocation)
    try:
        if command == "rehearse":
            _rehearse(invocation, around)
        else:
            execute(command, settings, around)
    except CiPublishError as error:
        return error.exit_code
    return 0


def _command(invocation: Invocation) -> str:
    """``publish`` may be turned into a plan or a rehearsal, by flag or by input."""
    settings = invocation.loaded.settings
    if invocation.command != "publish":
        return invocation.command
    return "rehearse" if settings.rehearse else "plan" if settings.dry_run else "publish"


def _rehearse(invocation: Invocation, around: "Surroundings") -> None:
    try:
        from ci_publish.app.rehearse import rehearse  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        from ci_publish.app.commands import recorded  # noqa: PLC0415

        missing = ConfigurationError(
            f"A rehearsal needs the extra `rehearsal`, and {error.name} is not installed.",
            hints=('Install it: python3 -m pip install "ci-publish[rehearsal]"',),
        )
        missing.__cause__ = error

        def fail(_: "Surroundings") -> None:
            raise missing

        recorded("rehearse", fail, around)  # type: ignore[arg-type]
        return
    given = invocation.loaded.origin("paths") is not settings_sources.DEFAULT
    rehearse(invocation.loaded.settings, around, invocation.streams.stdout, paths_given=given)


def _wishes(invocation: Invocation) -> Wishes:
    settings = invocation.loaded.settings
    return Wishes(
        json=settings.output == "json" and not settings.serve,
        machine=settings.output == "json",
        verbose=settings.verbose,
        print_hash=settings.print_hash,
        receipt=settings.receipt,
        attestations_dir=settings.attestations_dir or settings.output_dir,
        reports_dir=settings.reports_dir,
        settings=_rows(invocation.loaded),
        public_log=settings.sigstore_trust_config is None and _command(invocation) != "rehearse",
    )


def _collect_garbage() -> None:
    """Begin to, where ``entry`` put it off, and leave alone what is there already: it stays until the end."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


# details ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _interruption(deadline: float, leave: Callable[[CiPublishError], None]) -> Iterator[Interruption]:
    """Turn SIGINT, SIGTERM and the deadline into a run that ends in order, for as long as the block runs.

    SIGALRM is what the watcher wakes the main thread with at the deadline. *leave*: see ``Watcher``.
    """
    interruption = Interruption(deadline)

    def handle(number: int, _: FrameType | None) -> None:
        interruption.request(number)

    def wake(_number: int, _: FrameType | None) -> None:
        interruption.leave_step()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    if hasattr(signal, "SIGALRM"):
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, wake)
    try:
        with Watcher(interruption, leave):
            yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(reporting: Reporting, error: CiPublishError) -> None:
    """Report a run that did not end by itself, as far as the reports still can, and end this process."""

    def report() -> None:
        outcome = Outcome.INTERRUPTED if error.exit_code in {130, 143} else Outcome.FAILED
        reporting.emit(RunFinished(outcome, error.exit_code, time.time(), error))
        reporting.emit.close()

    reporter = threading.Thread(target=report, name="last report", daemon=True)
    reporter.start()
    reporter.join(_LAST_REPORT)
    os._exit(error.exit_code)


def _password_name(loaded: settings_sources.Loaded) -> str:
    origin = loaded.origin("password")
    return {"action input": f"The input {origin.spelled}", "flag": "The password on standard input"}.get(
        origin.source, origin.spelled if origin.source != "default" else "The password"
    )


def _show_settings(invocation: Invocation) -> int:
    loaded, stream = invocation.loaded, invocation.streams.stdout
    rows = _rows(loaded)
    if loaded.settings.output == "json":
        Lines(stream).say(
            *dump({name: {"value": value, "source": source} for name, value, source in rows}, indent=2).splitlines()
        )
        return 0
    neutral = [tuple(map(one_line, row)) for row in rows]
    widths = [max(len(row[column]) for row in neutral) for column in (0, 1)]
    Lines(stream).say(*(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}" for name, value, source in neutral))
    return 0


def _rows(loaded: settings_sources.Loaded) -> list[tuple[str, str, str]]:
    return [
        (name.replace("_", "-"), settings_sources.shown(name, loaded.settings), _where(loaded.origin(name)))
        for name in type(loaded.settings).model_fields
    ]


def _where(origin: settings_sources.Origin) -> str:
    return origin.source if origin.spelled == origin.source else f"{origin.source} {origin.spelled}"
