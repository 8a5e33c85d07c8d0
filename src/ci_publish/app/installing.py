"""``rehearse --install``: installs and tests every rehearsed file with every interpreter that it supports."""

import importlib.resources
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ci_publish.app.install_credentials import refuse_secrets_in_process_environment, secrets_to_mask
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.distributions.checks.severities import parse_rule_severities
from ci_publish.distributions.checks.table import problem_of_rule_fault
from ci_publish.distributions.faults import Fault
from ci_publish.errors import ConfigurationError, InstallationFailed
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Checked, Step, StepFinished, StepStarted, Tried
from ci_publish.model.problem import Problem, Severity
from ci_publish.publishing.interruption import Interruption
from ci_publish.rehearsal.installation.child_environment import child_environment
from ci_publish.rehearsal.installation.command_processes import CommandProcesses, stray_processes_ended
from ci_publish.rehearsal.installation.installation_trial import InstallationTrial, TrialPlan
from ci_publish.rehearsal.installation.installers import Installer, Pip, Uv
from ci_publish.rehearsal.installation.interpreter_matching import describe_needed_interpreter, fits_interpreter
from ci_publish.rehearsal.installation.interpreters import FoundInterpreter, find_interpreters, query_interpreter
from ci_publish.rehearsal.world import RehearsalWorld

_AT_ONCE: Final = 4
_SECONDS: Final = 30.0


def install_rehearsed_files(
    world: RehearsalWorld,
    files: Sequence[Distribution],
    settings: Settings,
    context: RuntimeContext,
    require_upstream: Callable[[], None],
) -> None:
    """Install and test *files* from the index of *world*, which also serves their dependencies.

    Raises InstallationFailed for what is wrong with a file, ConfigurationError if nothing can be tried, and what
    *require_upstream* raises if the index's upstream does not respond.
    """
    refuse_secrets_in_process_environment()
    for secret in secrets_to_mask(settings, context.environ):
        context.mask(secret)
    began = time.monotonic()
    context.emit(StepStarted(Step.INSTALL))
    try:
        with (
            tempfile.TemporaryDirectory(prefix="ci-publish-install-", ignore_cleanup_errors=True) as temporary,
            stray_processes_ended(),
        ):
            folder = Path(temporary)
            for name in ("home", "tmp", "trials"):
                (folder / name).mkdir()
            environ = {**child_environment(context.environ, folder), **world.tls_environment}
            processes = CommandProcesses(environ, context.interruption or Interruption(settings.deadline))
            found = find_interpreters(settings.python, sys.executable, processes, folder)
            pairs = [
                (file, interpreter) for file in files for interpreter in found if fits_interpreter(file, interpreter)
            ]
            plan = _installation_plan(world, files, settings, folder, require_upstream)
            tried = list(_run_installation_trials(pairs, plan, processes, context, folder))
    finally:
        context.emit(StepFinished(Step.INSTALL, time.monotonic() - began))
    untried = _untried_problems(files, found, required=settings.require_tried)
    problems = (*(each for trial in tried for each in trial.problems), *plan.severities.apply_to_problems(untried))
    if problems:
        context.emit(Checked(problems))
    errors = [each for each in problems if each.severity is Severity.ERROR]
    if errors:
        raise installation_failed_error(errors, tried)


def installation_failed_error(errors: Sequence[Problem], tried: Sequence[Tried]) -> InstallationFailed:
    """Return the error that a run ends with because of *errors*."""
    names = list(dict.fromkeys(each.filename or "" for each in errors))
    trials = sum(not trial.passed for trial in tried)
    what = f"{trials} of {len(tried)} installations failed" if trials else "Not every file was tested"
    return InstallationFailed(
        f"{what}: {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}.",
        detail="\n".join(f"{each.filename}: {each.message} [{each.rule}]" for each in errors[:5]),
        hints=tuple(dict.fromkeys(each.advice for each in errors))[:3],
    )


def _run_installation_trials(
    pairs: Sequence[tuple[Distribution, FoundInterpreter]],
    plan: TrialPlan,
    processes: CommandProcesses,
    context: RuntimeContext,
    folder: Path,
) -> Iterator[Tried]:
    """Run the trials, several at once; yield and emit the results in the order of *pairs*."""
    if not pairs:
        return
    installer = choose_installer(processes, folder)
    trials = [
        InstallationTrial(
            file=file,
            interpreter=interpreter,
            installer=installer,
            processes=processes,
            plan=plan,
            folder=folder / "trials" / str(number),
        )
        for number, (file, interpreter) in enumerate(pairs)
    ]
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, os.cpu_count() or 1), thread_name_prefix="install") as pool:
        for result in pool.map(lambda trial: trial.run(), trials):
            context.emit(result)
            yield result


def _installation_plan(
    world: RehearsalWorld,
    files: Sequence[Distribution],
    settings: Settings,
    folder: Path,
    require_upstream: Callable[[], None],
) -> TrialPlan:
    projects = world.index.state.projects.values()
    stored = world.index.files
    probe = folder / "probe.py"
    package = importlib.resources.files("ci_publish.rehearsal.installation")
    probe.write_bytes((package / "probe.py").read_bytes())
    return TrialPlan(
        index=world.index_url,
        addresses={each.filename: f"{world.base_url}/packages/{quote(stored[each.filename].path)}" for each in files},
        siblings={each.normalized: sorted({file.version for file in each.visible_files}) for each in projects},
        probe=probe,
        require_upstream=require_upstream,
        commands=settings.run,
        imports=not settings.no_import,
        seconds=settings.install_timeout,
        severities=parse_rule_severities(settings.rules, strict=settings.strict),
    )


def choose_installer(processes: CommandProcesses, folder: Path) -> Installer:
    """Return uv where it is on PATH, else the pip of this Python or of the one that its environment was made from.

    Raises ConfigurationError if there is neither.
    """
    uv = shutil.which("uv", path=processes.environ.get("PATH"))
    if uv is not None:
        answer = processes.run((uv, "--version"), folder=folder, seconds=_SECONDS)
        words = answer.output.split()
        if not answer.failed and len(words) > 1:
            return Uv(uv, words[1])
    here = query_interpreter(sys.executable, processes, folder)
    for executable, has_pip in ((here.executable, here.has_pip), (here.base, None)):
        if has_pip is not False:
            command = (executable, "-I", "-c", "import pip; print(pip.__version__)")
            answer = processes.run(command, folder=folder, seconds=_SECONDS)
            if not answer.failed:
                return Pip(executable, answer.output.strip())
    raise ConfigurationError(
        "Neither uv nor pip is available to install the files.",
        detail=f"uv is not on PATH, and {sys.executable} has no pip.",
        hints=("Install one of them: python3 -m pip install uv",),
    )


def _untried_problems(
    files: Sequence[Distribution], found: Sequence[FoundInterpreter], *, required: bool
) -> Iterator[Problem]:
    """Yield a problem for each file that supports none of the interpreters."""
    given = ", ".join(each.name for each in found)
    severity = Severity.ERROR if required else Severity.NOTE
    for file in files:
        if not any(fits_interpreter(file, interpreter) for interpreter in found):
            message = f"Not tested: it requires {describe_needed_interpreter(file)}; given: {given}."
            yield problem_of_rule_fault(Fault(rule="install-not-tried", message=message), file.filename, severity)
