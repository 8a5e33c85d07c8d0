"""Installs one file for one interpreter and tries it: consistency, version, imports, scripts, extras, commands."""

import re
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from ci_publish.distributions.checks.severities import RuleSeverities
from ci_publish.distributions.checks.table import RULES, problem_of_rule_fault
from ci_publish.distributions.faults import Fault
from ci_publish.model.distribution import Distribution, Kind
from ci_publish.model.events import Tried
from ci_publish.model.frozen import frozen
from ci_publish.model.problem import Severity
from ci_publish.rehearsal.installation.command_processes import CommandProcesses, EndedCommand
from ci_publish.rehearsal.installation.conflicts import find_unmet_requirements
from ci_publish.rehearsal.installation.installers import Installer, python_of_environment, scripts_folder
from ci_publish.rehearsal.installation.interpreter_matching import (
    applying_requirements,
    requirements_without_sibling_version,
)
from ci_publish.rehearsal.installation.interpreters import FoundInterpreter
from ci_publish.rehearsal.installation.probe_facts import (
    ProbeFacts,
    installed_file_faults,
    missing_outside_modules,
    parse_probe_facts,
    split_off_failures_cured_by_extras,
)

_OTHER_VERSION: Final = ("does not match given version", "inconsistent version", "does not match the given version")
_UNSUPPORTED: Final = ("is not a supported wheel on this platform", "is not compatible with the current")
# The last line of a traceback, as the interpreter prints it: short enough to be read.
_PYTHON_ERROR: Final = re.compile(r"^[ |]*([A-Za-z_][A-Za-z0-9_.]{0,80}(?:Error|Exception): .{1,200})", re.MULTILINE)
_FACTS_BYTES: Final = 16 * 1024 * 1024


@frozen(kw_only=True)
class TrialPlan:
    """What is tested, and where the files come from.

    ``index`` is the root of the overlay's Simple API, ``addresses`` are those of the files, by name. ``siblings`` holds
    the versions of each project of the run. ``probe`` is the program that inspects an environment.
    ``require_upstream`` is called when something could not be installed, and raises the error that ends the run if the
    reason is that dependencies are unavailable. ``commands`` are the user's; ``seconds`` is the deadline of each
    command. ``severities`` are the severities that the user gives to rules.
    """

    index: str
    addresses: Mapping[str, str]
    siblings: Mapping[str, Sequence[str]]
    probe: Path
    require_upstream: Callable[[], None]
    commands: tuple[str, ...] = ()
    imports: bool = True
    seconds: float = 600.0
    severities: RuleSeverities = RuleSeverities({})


class InstallationTrial:
    """One file in a fresh environment of one interpreter, below *folder*, which is made."""

    def __init__(  # noqa: PLR0913  (collaborators, by name)
        self,
        *,
        file: Distribution,
        interpreter: FoundInterpreter,
        installer: Installer,
        processes: CommandProcesses,
        plan: TrialPlan,
        folder: Path,
    ) -> None:
        self._file = file
        self._interpreter = interpreter
        self._installer = installer
        self._processes = processes
        self._plan = plan
        self._folder = folder
        self._environment = folder / "environment"
        self._python = python_of_environment(self._environment)
        self._done: list[str] = []
        self._outputs: list[str] = []

    def run(self) -> Tried:
        """Install and test the file; its problems are part of the result. Raises the error that ends the run."""
        began = time.monotonic()
        self._folder.mkdir(parents=True)
        problems = self._plan.severities.apply_to_problems(
            problem_of_rule_fault(
                fault, self._file.filename, RULES[fault.rule].severity_for_profiles(()) or Severity.NOTE
            )
            for fault in self._trial_faults()
        )
        passed = not any(each.severity is Severity.ERROR for each in problems)
        return Tried(
            filename=self._file.filename,
            interpreter=f"{self._interpreter.implementation} {self._interpreter.version}",
            installer=self._installer.name,
            commands=tuple(self._done),
            problems=problems,
            seconds=time.monotonic() - began,
            passed=passed,
            output="" if passed else "\n\n".join(self._outputs),
        )

    def _trial_faults(self) -> Iterator[Fault]:
        python = self._interpreter.name
        created = self._run_trial_command(
            self._installer.create_environment_command(self._interpreter.executable, self._environment), ""
        )
        if created.failed:
            yield self._fault_with_output(
                "install-failed", f"Cannot create a virtual environment with {python}", created
            )
            return
        installed = self._install_file()
        if installed.failed:
            yield from self._failed_installation_faults(installed)
            return
        checked = self._run_trial_command(self._installer.check_consistency_command(self._python), "check")
        if checked.failed:
            message = (
                f"Installed on {python}, the environment is inconsistent: {_last_line_of_installer_output(checked)}"
            )
            yield self._fault_with_output("install-inconsistent", message, checked)
        facts, probed = self._run_probe("facts", imports=self._plan.imports)
        yield from self._extras_faults()
        yield from self._test_command_faults()
        yield from self._probe_faults(facts, probed)

    # --- installing

    def _install_file(self, *options: str, extras: Sequence[str] = ()) -> EndedCommand:
        requirement = f"{self._file.project}[{','.join(extras)}]" if extras else self._file.project
        source = f"{requirement} @ {self._plan.addresses[self._file.filename]}#sha256={self._file.sha256}"
        command = self._installer.install_command(self._python, (source,), self._plan.index, *options)
        return self._run_trial_command(command, " ".join(("install", *options, requirement)))

    def _failed_installation_faults(self, installed: EndedCommand) -> Iterator[Fault]:
        """Return the cause: the file itself, or its requirements."""
        python = self._interpreter.name
        missing = requirements_without_sibling_version(self._file, self._plan.siblings, self._interpreter)
        for requirement in missing:
            name = canonicalize_name(requirement.name)
            there = ", ".join(sorted(self._plan.siblings[name]))
            message = f"It requires {requirement}, but this run has {name} {there}."
            yield self._fault_with_output("install-sibling-pin", message, installed)
        if missing:
            return
        built = self._file.kind is Kind.SDIST
        if built and not _mentions_any(installed, _OTHER_VERSION):
            self._plan.require_upstream()  # before a second build waits for it
        alone = self._install_file("--no-deps")
        if not alone.failed:
            self._plan.require_upstream()
            rule, message = "install-unresolvable", f"Installing it with its requirements on {python}"
            if installed.code is not None:
                message = f"{self._unmet_requirements_text() or 'Its requirements cannot be met'} on {python}"
        elif _mentions_any(alone, _OTHER_VERSION):
            shown = _last_line_of_installer_output(alone)
            rule = "install-wrong-version"
            message = f"On {python}, its version is not {self._file.version}: {shown}"
        elif built:
            raised = _PYTHON_ERROR.findall(alone.output)
            rule, message = "install-sdist-build", f"It does not build on {python}{f': {raised[-1]}' if raised else ''}"
        elif _mentions_any(alone, _UNSUPPORTED):
            rule, message = "install-tag", f"{self._installer.name} rejects it for {python}, although its tags match"
        else:
            rule, message = "install-failed", f"{self._installer.name} cannot install it on {python}"
        yield self._fault_with_output(rule, message, alone if alone.failed else installed)

    def _extras_faults(self) -> Iterator[Fault]:
        """Resolve the extras, all at once where that works: then each works alone."""
        extras = self._file.metadata.all("provides-extra")
        if not extras or (len(extras) > 1 and not self._install_file("--dry-run", extras=extras).failed):
            return
        for extra in extras:
            resolved = self._install_file("--dry-run", extras=(extra,))
            if resolved.failed:
                self._plan.require_upstream()
                culprits = self._unmet_requirements_text((extra,))
                why = f": {culprits}" if culprits else ""
                message = f"Its extra {extra} does not resolve on {self._interpreter.name}{why}"
                yield self._fault_with_output("install-unresolvable", message, resolved)

    def _unmet_requirements_text(self, extras: Sequence[str] = ()) -> str:
        """Return which requirements cannot be met, "" where that is not known before the deadline of one command."""
        end = time.monotonic() + self._plan.seconds

        def resolves(requirements: Sequence[str]) -> bool:
            command = self._installer.install_command(self._python, requirements, self._plan.index, "--dry-run")
            left = max(0.0, end - time.monotonic())
            ended = self._processes.run(command, folder=self._new_empty_folder(), seconds=left)
            if ended.code is None:
                raise TimeoutError
            return not ended.failed

        required = tuple(map(str, applying_requirements(self._file, self._interpreter, extras)))
        try:
            found = find_unmet_requirements(required, resolves)
        except TimeoutError:
            return ""
        if not found:
            return "Its requirements resolve but cannot be installed" if required and not extras else ""
        return f"{' and '.join(found)} cannot be met{' together' if len(found) > 1 else ''}"

    # --- trying

    def _run_probe(self, name: str, *, imports: bool) -> tuple[ProbeFacts, EndedCommand]:
        facts = self._folder / name
        skipped = "" if imports else "imports"
        command = [self._python, "-I", "-X", "utf8", str(self._plan.probe), self._file.project, str(facts), skipped]
        ended = self._run_trial_command(command, "import" if imports else "locate")
        text = ""
        with suppress(OSError), facts.open("rb") as file:
            text = file.read(_FACTS_BYTES).decode("utf-8", "replace")
        unfinished = (
            "the interpreter crashed while running it" if ended.code is not None else self._command_timeout_text()
        )
        return parse_probe_facts(text, unfinished), ended

    def _probe_faults(self, facts: ProbeFacts, probed: EndedCommand) -> Iterator[Fault]:
        python = self._interpreter.name
        if not any(each.error for each in facts.attempts):
            if probed.code is None:
                yield self._fault_with_output("install-import", f"Importing it on {python}", probed)
            elif not facts.ended:
                yield self._fault_with_output("install-import", f"Inspecting it on {python} failed", probed)
        facts, notes = self._split_off_failures_cured_by_extras(facts)
        yield from notes
        faults = list(installed_file_faults(self._file, facts, python))
        if faults:
            self._remember_command_output(probed)
        yield from faults

    def _split_off_failures_cured_by_extras(self, facts: ProbeFacts) -> tuple[ProbeFacts, Sequence[Fault]]:
        """Return *facts* without the failures that an installation with all extras cures; those are notes."""
        extras = self._file.metadata.all("provides-extra")
        if not extras or not missing_outside_modules(facts):
            return facts, ()
        if self._install_file(extras=extras).failed:
            self._plan.require_upstream()
            return facts, ()
        kept, cured = split_off_failures_cured_by_extras(facts, self._run_probe("facts-with-extras", imports=True)[0])
        names = ", ".join(extras)
        notes = [
            Fault(
                rule="install-extra-module",
                message=f"`import {each.name.partition(':')[0]}` needs {each.missing}, of an extra ({names}).",
            )
            for each in cured
        ]
        return kept, notes

    def _test_command_faults(self) -> Iterator[Fault]:
        scripts = str(scripts_folder(self._environment))
        path = f"{scripts}:{self._processes.environ.get('PATH', '')}"
        for command in self._plan.commands:
            words = shlex.split(command)
            environ = {"PATH": path, "VIRTUAL_ENV": str(self._environment)}
            ended = self._run_trial_command(words, command, environ=environ)
            if ended.failed:
                message = f"`{command}` fails on {self._interpreter.name}"
                code = "" if ended.code is None else f" with exit code {ended.code}"
                yield self._fault_with_output("install-command", f"{message}{code}", ended)

    # --- details

    def _run_trial_command(
        self, command: Sequence[str], shown: str, *, environ: Mapping[str, str] | None = None
    ) -> EndedCommand:
        if shown:
            self._done.append(shown)
        return self._processes.run(
            command, folder=self._new_empty_folder(), seconds=self._plan.seconds, environ=environ
        )

    def _new_empty_folder(self) -> Path:
        """Return a new folder: what one command leaves behind is not there for the next."""
        return Path(tempfile.mkdtemp(prefix="empty-", dir=self._folder))

    def _fault_with_output(self, rule: str, message: str, ended: EndedCommand) -> Fault:
        """Return a fault; what *ended* printed is shown with it."""
        self._remember_command_output(ended)
        late = f": {self._command_timeout_text()}." if ended.code is None else "."
        return Fault(rule=rule, message=message.rstrip(".") + late)

    def _remember_command_output(self, ended: EndedCommand) -> None:
        if ended.output not in self._outputs:
            self._outputs.append(ended.output)

    def _command_timeout_text(self) -> str:
        return f"it did not finish within {self._plan.seconds:g} s"


def _last_line_of_installer_output(ended: EndedCommand) -> str:
    """Return the line of an installer that says most: the last one that is not blank."""
    lines = [line.strip() for line in ended.output.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def _mentions_any(ended: EndedCommand, texts: Sequence[str]) -> bool:
    return any(text in ended.output for text in texts)
