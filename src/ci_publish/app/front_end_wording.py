"""The front end of a run, its command, and how options are spelled there."""

import shlex
import typing
from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum

from ci_publish.app.options import ALL, Option
from ci_publish.app.settings import Settings, declared_options
from ci_publish.app.settings_sources import ACTION_MARK, COMPONENT_PREFIX, option_variable
from ci_publish.errors import CiPublishError
from ci_publish.hints import OptionNamed, hints_for_reader
from ci_publish.model.events import Checked, Compared, Event, FileFinished, Noted, RunFinished
from ci_publish.model.finding import Finding
from ci_publish.model.frozen import frozen
from ci_publish.model.problem import Problem


class FrontEnd(StrEnum):
    """How the command was started."""

    COMMAND_LINE = "command line"
    ACTION = "action"
    COMPONENT = "GitLab component"
    PYTHON = "Python"


def front_end_of_process(environ: Mapping[str, str]) -> FrontEnd:
    """Return the front end of a process; Python code that calls a command knows itself."""
    if environ.get(ACTION_MARK):
        return FrontEnd.ACTION
    component = any(name.startswith(COMPONENT_PREFIX) for name in environ)
    return FrontEnd.COMPONENT if component else FrontEnd.COMMAND_LINE


@frozen
class FrontEndWording:
    """Words hints for a reader who used *front_end* to run *command*; implements ``hints.Reader``."""

    front_end: FrontEnd
    command: str

    def spell_option(self, named: OptionNamed) -> str | None:
        """Return how the reader writes an option; None if the front end or the command does not have it."""
        declared = declared_options()[named.name]
        if self.command in ALL - declared.commands:
            return None
        match self.front_end:
            case FrontEnd.COMMAND_LINE:
                return _spell_as_flag(named, declared)
            case FrontEnd.PYTHON:
                return _spell_as_argument(named) if declared.python else None
            case FrontEnd.ACTION | FrontEnd.COMPONENT:
                title, value = declared.input_name, named.value
                if not title or (self.front_end is FrontEnd.COMPONENT and not declared.file):
                    return _spell_as_variable(named, declared)
                return f"the input {title}" if value is None else f"{title}: {value}"

    def reword_hints(self, hints: tuple[str, ...]) -> tuple[str, ...]:
        """Return *hints* in the words of the reader."""
        return hints_for_reader(self, hints)

    def reword_error(self, error: CiPublishError) -> None:
        """Put the hints of *error* into the words of the reader."""
        error.hints = self.reword_hints(error.hints)

    def reword_event(self, event: Event) -> Event:
        """Return *event* with hints and advice in the words of the reader."""
        match event:
            case Noted() | Finding():
                return replace(event, hints=self.reword_hints(event.hints))
            case Checked():
                return replace(event, problems=self._reword_problems(event.problems))
            case Compared(diff=diff):
                return replace(event, diff=replace(diff, findings=self._reword_problems(diff.findings)))
            case FileFinished(error=CiPublishError() as error) | RunFinished(error=CiPublishError() as error):
                self.reword_error(error)
                return event
            case _:
                return event

    def _reword_problems(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        return tuple(replace(each, advice="".join(self.reword_hints((each.advice,)))) for each in problems)


def _spell_as_flag(named: OptionNamed, declared: Option) -> str | None:
    name, value = named
    if name == "paths":
        return value or "PATH"
    if not declared.flag:
        return _spell_as_variable(named, declared)
    flag = name.replace("_", "-")
    if value is None:
        return f"--{flag}"
    if Settings.model_fields[name].annotation is bool:
        return f"--{flag}" if value == "true" else f"--no-{flag}"
    return f"--{flag} {shlex.quote(value)}"


def _spell_as_variable(named: OptionNamed, declared: Option) -> str | None:
    if not (declared.file or named.name == "password"):
        return None
    return option_variable(named.name) if named.value is None else f"{option_variable(named.name)}={named.value}"


def _spell_as_argument(named: OptionNamed) -> str:
    name, value = named
    if value is None:
        return f"Settings({name}=…)"
    annotation = Settings.model_fields[name].annotation
    if annotation is bool:
        return f"Settings({name}={value.capitalize()})"
    written = value if value.isupper() else repr(value)
    return f"Settings({name}=({written},))" if typing.get_origin(annotation) is tuple else f"Settings({name}={written})"
