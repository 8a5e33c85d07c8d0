"""The only table of commands, for the command line and for Python: from settings to a receipt.

What an option means is decided here, below every front end: which command it turns another one into, whether the
command can honour it, and which reports it asks for.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from ci_publish.app.action_inputs import refuse_ignored_inputs
from ci_publish.app.command_intent import prepare_command
from ci_publish.app.connections import LISTING_COMMANDS, RunConnections
from ci_publish.app.file_reports import files_reported
from ci_publish.app.front_end_wording import FrontEnd, FrontEndWording, front_end_of_process
from ci_publish.app.options import DEFAULT, Source
from ci_publish.app.output_files import (
    refuse_inputs_as_output_files,
    refuse_outputs_linked_outside,
    require_writable_outputs,
    without_unusable_reports,
)
from ci_publish.app.recording import record_command, run_emitting_also_to
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.app.settings_sources import Loaded, load_settings
from ci_publish.app.untrusted_project_settings import project_destination_notes, refuse_untrusted_project_settings
from ci_publish.errors import ConfigurationError
from ci_publish.model.events import Outcome
from ci_publish.model.frozen import frozen
from ci_publish.model.receipt import Receipt
from ci_publish.model.receipt_building import build_receipt

if TYPE_CHECKING:
    from ci_publish.publishing.context import Run

What: TypeAlias = "Settings | Loaded | Run | None"

_SINGLE_EQUALS_SIGN: Final = re.compile(r"([\w.-]+)=([\w.!+-]+)")

TAKE_RUNS = frozenset({"publish", "plan", "check", "diff", "attest", "verify"})
"""The commands that take a ``Run`` with collaborators of one's own."""


@frozen
class CommandJob:
    """One command to run: its settings, with their origins, and its context."""

    settings: Settings
    loaded: Loaded
    context: RuntimeContext


@frozen
class Command:
    """A command: what it is for, and what runs it. ``recorded`` is False for one that makes no receipt."""

    help: str
    run: Callable[[CommandJob], Outcome]
    recorded: bool = True


def publish(what: What = None, *, context: RuntimeContext | None = None) -> Receipt:
    """Publish; return the receipt. See ``execute`` for what is raised."""
    return execute("publish", what, context)


def plan(what: What = None, *, context: RuntimeContext | None = None) -> Receipt:
    """Report what ``publish`` would do, without sending anything."""
    return execute("plan", what, context)


def check(what: What = None, *, context: RuntimeContext | None = None) -> Receipt:
    """Run all local checks; no network."""
    return execute("check", what, context)


def diff(what: What = None, *, context: RuntimeContext | None = None) -> Receipt:
    """Compare the releases with the previous ones on the index; sends nothing. See the receipt's ``changes``."""
    return execute("diff", what, context)


def attest(what: What = None, *, context: RuntimeContext | None = None) -> Receipt:
    """Attest every distribution and write the attestations into ``output_dir``."""
    return execute("attest", what, context)


def verify(what: What = None, *, context: RuntimeContext | None = None) -> Receipt:
    """Check whether the index shows these files, or a ``PROJECT==VERSION``, with provenance that verifies."""
    return execute("verify", what, context)


def doctor(what: Settings | Loaded | None = None, *, context: RuntimeContext | None = None) -> Receipt:
    """Check whether Trusted Publishing would work from here; raise the error that publishing would end with."""
    return execute("doctor", what, context)


def rehearse(what: Settings | Loaded | None = None, *, context: RuntimeContext | None = None) -> Receipt:
    """Publish to an index, an identity provider and a Sigstore on loopback; needs the extra ``rehearsal``."""
    return execute("rehearse", what, context)


def execute(
    command: str,
    what: What = None,
    context: RuntimeContext | None = None,
    *,
    commands: "Mapping[str, Command] | None" = None,
) -> Receipt:
    """Run a command and return its receipt.

    *what* is settings (by default those of a plain ``publish dist``), or a ``Run`` with collaborators of your own. What
    settings do not say is read from the same places as for the command line: variables, action inputs, pyproject.toml,
    other tools' variables. Raises the CiPublishError that ended the run, with the receipt of what happened until then
    as its ``receipt``; a bug surfaces as InternalError.
    """
    context = context or RuntimeContext()
    table = COMMANDS if commands is None else commands
    if command in TAKE_RUNS and what is not None and not isinstance(what, Settings | Loaded):
        from ci_publish.publishing.context import Run  # noqa: PLC0415  (late: only when the connection has begun)

        if isinstance(what, Run):
            run = what
            return record_command(
                lambda recording: _run_pipeline_command(command, run_emitting_also_to(run, recording.emit)),
                context,
                FrontEndWording(FrontEnd.PYTHON, command),
            )
    used = front_end_of_process(context.environ) if isinstance(what, Loaded) else FrontEnd.PYTHON
    loaded = Loaded(settings=what if isinstance(what, Settings) else Settings(), origins={})
    try:
        loaded = _load_command_settings(command, what, context)
        refuse_ignored_inputs(command, loaded.settings, context.environ)
        effective, settings = prepare_command(command, loaded)
        if settings.rules:
            from ci_publish.distributions.checks.severities import parse_rule_severities  # noqa: PLC0415  (for one option)

            parse_rule_severities(settings.rules, source=loaded.origin("rules").spelled)
        refuse_outputs_linked_outside(settings)
        if table[effective].recorded:
            require_writable_outputs(settings, signs=False)
            refuse_inputs_as_output_files(settings)
        refuse_untrusted_project_settings(FrontEndWording(used, effective), settings, loaded, context.environ)
    except ConfigurationError as error:
        return _report_refused_command(error, loaded, context, FrontEndWording(used, command))
    notes = (*context.notes, *project_destination_notes(effective, loaded), *loaded.notes)
    context = replace(context, notes=notes, password_name=loaded.password_name())
    if not table[effective].recorded:
        table[effective].run(CommandJob(settings, loaded, context))
        return build_receipt([])
    reader = FrontEndWording(used, effective)
    with files_reported(settings=settings, loaded=loaded, reader=reader, context=context) as reporting:
        return record_command(
            lambda recording: table[effective].run(CommandJob(settings, loaded, recording)), reporting, reader
        )


def _report_refused_command(
    error: ConfigurationError, loaded: Loaded, context: RuntimeContext, reader: FrontEndWording
) -> Receipt:
    """Report *error*, which prevents the run, and raise it."""

    def fail(_: RuntimeContext) -> Outcome:
        raise error

    settings = without_unusable_reports(loaded.settings)
    with files_reported(settings=settings, loaded=loaded, reader=reader, context=context) as reporting:
        return record_command(fail, reporting, reader)


def _load_command_settings(command: str, what: What, context: RuntimeContext) -> Loaded:
    if isinstance(what, Loaded):
        return what
    settings = Settings() if what is None else what
    if not isinstance(settings, Settings):
        raise ConfigurationError(
            f"{command}() takes Settings{' or a Run' if command in TAKE_RUNS else ''},"
            f" but was given {type(settings).__name__}.",
            hints=(f'Write: ci_publish.{command}(ci_publish.Settings(paths=("dist",)))',),
        )
    given = {name: getattr(settings, name) for name in sorted(settings.model_fields_set)}
    return load_settings(given, context.environ, Path("pyproject.toml"), source=Source.PYTHON)


def _run_pipeline_command(command: str, run: "Run") -> Outcome:
    """Run the part of the pipeline that is *command*; imported only now: the index may already be answering."""
    from ci_publish.publishing import attest, publish, release_diff  # noqa: PLC0415

    commands: Mapping[str, Callable[[Run], Outcome]] = {
        "publish": publish.publish,
        "plan": publish.plan,
        "check": publish.check,
        "diff": release_diff.diff,
        "attest": attest.attest,
        "verify": _verify_files_or_release,
    }
    return commands[command](run)


def _verify_files_or_release(run: "Run") -> Outcome:
    """Verify local files, or every file of a PROJECT==VERSION."""
    from ci_publish.app.release_argument import listed_file_as_distribution, parse_release_argument  # noqa: PLC0415  (for one command)
    from ci_publish.publishing import verify  # noqa: PLC0415  (see ``_run_pipeline_command``)

    named = [path for path in run.options.paths if "==" in path]
    if not named:
        _refuse_single_equals_sign(run.options.paths)
        return verify.verify(run)
    if len(run.options.paths) > 1:
        message = "PROJECT==VERSION must be the only argument: it cannot be combined with paths or another release."
        raise ConfigurationError(message, hints=("Run verify once for each release.",))
    project, version = parse_release_argument(named[0])
    return verify.verify_release(
        run, project, version, lambda file: listed_file_as_distribution(file, project, version)
    )


def _refuse_single_equals_sign(paths: Sequence[str]) -> None:
    """Raise ConfigurationError for PROJECT=VERSION. A path or a pattern may have an equals sign, too."""
    for path in paths:
        found = _SINGLE_EQUALS_SIGN.fullmatch(path)
        if found is not None and not os.path.lexists(path):
            raise ConfigurationError(
                f"No file or folder is called {path}.", hints=(f"Did you mean the release {found[1]}=={found[2]}?",)
            )


def _pipeline_command(command: str) -> Callable[[CommandJob], Outcome]:
    def run(job: CommandJob) -> Outcome:
        with closing(RunConnections(job.settings, job.context)) as connections:
            if command in LISTING_COMMANDS:
                connections.preconnect_if_accepted()
            from ci_publish.app.composition import Composition  # noqa: PLC0415  (while the connection is being made)

            with closing(Composition(job.settings, job.context, connections=connections)) as composition:
                return _run_pipeline_command(command, composition.compose_run(command))

    return run


def _run_doctor(job: CommandJob) -> Outcome:
    from ci_publish.app.composition import Composition  # noqa: PLC0415  (late, see ``_pipeline_command``)
    from ci_publish.app.doctor_command import diagnose_all_indexes  # noqa: PLC0415  (for one command)

    with closing(Composition(job.settings, job.context)) as composition:
        return diagnose_all_indexes(composition)


def _run_rehearsal(job: CommandJob) -> Outcome:
    try:
        from ci_publish.app.rehearse import rehearse as run_rehearsal  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        from ci_publish.installation import Installation  # noqa: PLC0415  (late: hardly ever needed)

        raise ConfigurationError(
            f"A rehearsal requires the extra `rehearsal`, but {error.name} is not installed.",
            hints=(f"Install it: {Installation.current().install('rehearsal')}",),
        ) from error
    return run_rehearsal(job.settings, job.context, paths_given=job.loaded.origin("paths") is not DEFAULT)


def _show_settings(job: CommandJob) -> Outcome:
    from ci_publish.app.settings_view import write_settings  # noqa: PLC0415  (for one command)

    if job.context.stdout is not None:
        write_settings(job.loaded, job.context.stdout)
    return Outcome.READY


COMMANDS: Final[Mapping[str, Command]] = {
    "publish": Command(
        "Check, attest and upload distributions, and wait until the index lists them.",
        _pipeline_command("publish"),
    ),
    "plan": Command(
        "Show what publish would do, without sending anything (the same as publish --dry-run).",
        _pipeline_command("plan"),
    ),
    "check": Command("Run all local checks, without network access.", _pipeline_command("check")),
    "diff": Command(
        help="Show what changed since the previous release; sends nothing and needs no credential.",
        run=_pipeline_command("diff"),
    ),
    "attest": Command("Sign every distribution and write the attestations to a folder.", _pipeline_command("attest")),
    "verify": Command(
        "Check that the index lists exactly these files (or PROJECT==VERSION), with provenance that verifies.",
        _pipeline_command("verify"),
    ),
    "rehearse": Command(
        "Publish to a local index, with its own CI identity provider and Sigstore, on loopback.", _run_rehearsal
    ),
    "doctor": Command("Find out whether Trusted Publishing would work from here and, if not, why.", _run_doctor),
    "settings": Command("Show every effective setting and where it came from.", _show_settings, recorded=False),
}
"""Every command by name."""
