"""The entry point of the command line: arguments → settings → command → exit code. No failure ends in a traceback."""

import atexit
import contextlib
import gc
import os
import sys
import time
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, TextIO

from ci_publish.about import NAME
from ci_publish.cli import signals
from ci_publish.cli.raw_options import raw_option_value
from ci_publish.cli.streams import Streams
from ci_publish.errors import CiPublishError, InternalError
from ci_publish.model.events import Outcome, RunFinished, RunStarted
from ci_publish.model.identity import Secret

if TYPE_CHECKING:
    from ci_publish.app.settings_sources import Loaded
    from ci_publish.cli.arguments import Arguments

_MOST_PASSWORD = 64 * 1024


def entry() -> NoReturn:
    """Run the command line of this process and exit."""
    run_command_line_and_exit(sys.argv[1:], os.environ, may_restart=True)


def entry_after_restart() -> NoReturn:
    """Run the command line of a process that was started again, and exit."""
    from ci_publish.cli.clean_process import read_passed_variables  # noqa: PLC0415  (for one option)
    from ci_publish.http.certificates import apply_ca_variables  # noqa: PLC0415

    environ = read_passed_variables(int(sys.argv[1]))
    apply_ca_variables(os.environ)
    run_command_line_and_exit(sys.argv[2:], environ, may_restart=False)


def run_command_line_and_exit(argv: Sequence[str], environ: MutableMapping[str, str], *, may_restart: bool) -> NoReturn:
    """Run a command line and exit; see ``main``."""
    gc.disable()  # what importing makes is kept, and looking through it again and again takes a tenth of a short run
    # The thread that connects waits for the imports of this one as long as that, each time.
    sys.setswitchinterval(0.001)
    signals.end_process_on_signal()
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # looking for them reads the metadata of every package
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Programs read our output as UTF-8 (GitHub's and GitLab's runners do), whatever the locale of this machine.
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
    try:
        code = main(argv, environ, Streams(sys.stdin, sys.stdout, sys.stderr), may_restart=may_restart)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 0  # whoever read our output has read enough
    signals.ignore_signals()
    # Exit at once: without waiting for daemon threads, without tearing down five hundred modules (30 ms).
    atexit._run_exitfuncs()  # noqa: SLF001  (there is no public name for it)
    with contextlib.suppress(OSError):  # nobody who stopped reading our output gets a complaint
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def main(
    argv: Sequence[str],
    environ: MutableMapping[str, str],
    streams: Streams,
    *,
    may_restart: bool = False,
) -> int:
    """Run one command and return its exit code; every failure is reported, none is raised.

    *environ* is the process's own environment: certificate authorities that one variable names are set in all variables
    that the HTTP libraries read, and a password is removed, since child processes (a CI's own tools) would inherit it.
    *may_restart*: this process is replaced by one without secrets where the command will start other people's code.
    """
    given = dict(environ)
    try:
        arguments, loaded = _parse_arguments_and_settings(argv, environ, streams.stdin)
        if may_restart and loaded.settings.install:
            from ci_publish.app.install_credentials import refuse_install_with_credentials, restarts_without_secrets  # noqa: PLC0415  (for one option)
            from ci_publish.cli.clean_process import restart_process  # noqa: PLC0415  (for one option)

            if restarts_without_secrets(arguments.command, loaded.settings):
                refuse_install_with_credentials(loaded.settings, given)
                restart_process(argv, given)
        from ci_publish.cli.command_invocation import invoke_command  # noqa: PLC0415  (late: --help must be quick)

        return invoke_command(command=arguments.command, loaded=loaded, environ=environ, streams=streams)
    except BrokenPipeError:
        raise
    except CiPublishError as error:
        return _report_error_without_settings(error, argv, environ, streams)
    except Exception as error:  # noqa: BLE001  (a bug: reported as one, never as a traceback)
        return _report_error_without_settings(InternalError.from_exception(error), argv, environ, streams)


def _parse_arguments_and_settings(
    argv: Sequence[str], environ: MutableMapping[str, str], stdin: TextIO
) -> "tuple[Arguments, Loaded]":
    from ci_publish.app.secret_variables import forget_secret_variables  # noqa: PLC0415
    from ci_publish.app.settings_sources import load_settings  # noqa: PLC0415
    from ci_publish.cli.arguments import parse_command_line  # noqa: PLC0415  (late: imports pydantic)
    from ci_publish.http.certificates import apply_ca_variables  # noqa: PLC0415

    arguments = parse_command_line(argv)
    apply_ca_variables(environ)
    flags = dict(arguments.flags)
    if flags.get("password_stdin"):
        flags["password"] = Secret(_read_password_from_stdin(stdin))
    loaded = load_settings(flags, environ, Path("pyproject.toml"))
    forget_secret_variables(environ)
    return arguments, loaded


def _read_password_from_stdin(stdin: TextIO) -> str:
    """Read a secret from *stdin*: a line of a pipe or file; from a person at a terminal, without showing it."""
    if stdin.isatty():
        from getpass import getpass  # noqa: PLC0415  (only for a person)

        return getpass("API token or password (it is not shown): ")
    return stdin.readline(_MOST_PASSWORD).rstrip("\r\n")


def _report_error_without_settings(
    error: CiPublishError, argv: Sequence[str], environ: Mapping[str, str], streams: Streams
) -> int:
    """Report an error that occurred before the settings were loaded, as the raw options request."""
    from ci_publish.app.front_end_wording import FrontEndWording, front_end_of_process  # noqa: PLC0415
    from ci_publish.app.output_files import give_outputs_to_workspace_owner, without_unusable_reports  # noqa: PLC0415
    from ci_publish.app.secret_variables import secret_variables  # noqa: PLC0415
    from ci_publish.app.settings import Settings  # noqa: PLC0415
    from ci_publish.app.settings_sources import Loaded  # noqa: PLC0415
    from ci_publish.cli.run_reports import Reporting  # noqa: PLC0415
    from ci_publish.reports.dispatcher import Dispatcher  # noqa: PLC0415
    from ci_publish.reports.receipt_file import ReceiptFile  # noqa: PLC0415

    receipt = _peek_option_value("receipt", argv, environ)
    usable = Path(receipt) if receipt and "\0" not in receipt else None
    output: Literal["json", "console"] = "json" if _peek_option_value("output", argv, environ) == "json" else "console"
    settings = without_unusable_reports(Settings(receipt=usable, output=output))
    command = next((word for word in argv if not word.startswith("-")), NAME)
    reporting = Reporting(
        command=command, loaded=Loaded(settings=settings, origins={}), environ=environ, streams=streams
    )
    for name in secret_variables():
        reporting.masker.mask(Secret(environ.get(name, "")))
    files = Dispatcher([ReceiptFile(settings.receipt, reporting.emit)] if settings.receipt else [])
    FrontEndWording(front_end_of_process(environ), command).reword_error(error)
    for event in (
        RunStarted(command, time.time()),
        RunFinished(outcome=Outcome.FAILED, exit_code=error.exit_code, time=time.time(), error=error),
    ):
        files(event)
        reporting.emit(event)
    reporting.emit.close()
    give_outputs_to_workspace_owner(settings, environ)
    return error.exit_code


def _peek_option_value(option: str, argv: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return an option's value from arguments that are invalid elsewhere."""
    if given := raw_option_value(option, argv, environ):
        return given
    from ci_publish.app.project_file import read_project_tables  # noqa: PLC0415  (late: hardly ever needed)

    try:
        value = read_project_tables(Path("pyproject.toml")).ours.get(option)
    except CiPublishError:
        return None
    return value if isinstance(value, str) else None
