"""Commands that are recorded and not run."""

import itertools
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from ci_publish.app.commands import COMMANDS, Command, CommandJob, execute
from ci_publish.app.options import Option, Source
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings, declared_options
from ci_publish.app.settings_sources import component_input_variable, load_settings, option_variable
from ci_publish.cli.arguments import parse_command_line
from ci_publish.model.events import Outcome

RUNNING = [name for name in COMMANDS if name != "settings"]


FRONT_ENDS = (Source.FLAG, Source.PYTHON, Source.COMPONENT, Source.VARIABLE, Source.INPUT, Source.FILE)


WORDS: Mapping[str, str] = {
    "repository_url": "testpypi",
    "index_url": "https://pypi.org/simple/",
    "password": "pypi-x",
    "config_file": "pypirc",
    "attested_by": "github:octo-org/demo:release.yml",
    "publisher": "gitlab:octo-group/demo",
    "builder": "github:octo-org/ci:build.yml",
    "source": "github:octo-org/demo",
    "rules": "wheel-lost=error",
    "release_diff": "listing",
}

# What has an effect only in a rehearsal, beside another option; elsewhere refused, except in shared variables.
BESIDE: Mapping[str, str] = {
    **dict.fromkeys(("python", "run", "no_import", "require_tried", "upstream"), "install"),
    **dict.fromkeys(("install_timeout", "install_with_credentials"), "install"),
    **dict.fromkeys(("env_file", "shell", "as_ci"), "serve"),
}


def without_rehearsal(name: str, command: str, source: Source) -> bool:
    """Return whether the option needs a rehearsal that this command is not, and *source* does not say it for others."""
    if name not in {"install", *BESIDE} or command == "rehearse" or command not in declared_options()[name].commands:
        return False
    return source != Source.FILE and (source != Source.VARIABLE or name == "install")


def value_of(name: str) -> str:
    """Return a text that asks for something other than the default."""
    field = Settings.model_fields[name]
    if name in WORDS:
        return WORDS[name]
    if field.annotation is bool:
        return str(not field.default).lower()
    if typing.get_origin(field.annotation) is Literal:
        return str(next(word for word in typing.get_args(field.annotation) if word != field.default))
    if isinstance(field.annotation, type) and issubclass(field.annotation, StrEnum):
        return next(word.value for word in field.annotation if word != field.default)
    return "7"


def cells() -> Iterator[tuple[str, str, Source]]:
    for (name, option), command, source in itertools.product(declared_options().items(), RUNNING, FRONT_ENDS):
        if can_say(name, option, source):
            yield name, command, source


def can_say(name: str, option: Option, source: Source) -> bool:
    match source:
        case Source.FLAG:
            return option.flag or name == "paths"
        case Source.PYTHON:
            return True
        case Source.COMPONENT:
            return option.input_name is not None and option.file
        case Source.INPUT:
            return option.input_name is not None
        case Source.FILE:
            return option.key
        case _:
            return option.file or name == "password"


@dataclass
class Recorded:
    """What ran instead of a command."""

    command: str = ""
    settings: Settings | None = None

    def table(self) -> dict[str, Command]:
        def recording(name: str) -> Command:
            def run(job: CommandJob) -> Outcome:
                self.command, self.settings = name, job.settings
                return Outcome.READY

            return replace(COMMANDS[name], run=run)

        return {name: recording(name) for name in COMMANDS}


def ask(name: str, command: str, source: Source, recorded: Recorded) -> None:
    """Give the option to the command through a front end, in the current folder."""
    text, environ, flags = value_of(name), dict[str, str](), list[str]()
    beside = BESIDE.get(name) if command == "rehearse" else None
    match source:
        case Source.FLAG if name == "paths":
            flags = [text]
        case Source.FLAG if Settings.model_fields[name].annotation is bool:
            flags = [f"--{'no-' if text == 'false' else ''}{name.replace('_', '-')}"]
        case Source.FLAG:
            flags = [f"--{name.replace('_', '-')}", text]
        case Source.COMPONENT:
            environ = {component_input_variable(name): text}
        case Source.VARIABLE:
            environ = {option_variable(name): text}
        case Source.INPUT:
            environ = {"CI_PUBLISH_ACTION": "docker", f"INPUT_{str(declared_options()[name].input_name).upper()}": text}
        case Source.FILE:
            Path("pyproject.toml").write_text(f"[tool.ci-publish]\n{name} = {literal(name, text)}\n")
        case _:
            given = {**argument(name, text), **({beside: True} if beside else {})}
            execute(command, Settings(**given), RuntimeContext(environ={}), commands=recorded.table())
            return
    arguments = parse_command_line([command, *flags, *([f"--{beside}"] if beside else [])])
    loaded = load_settings(arguments.flags, environ, Path("pyproject.toml"))
    execute(command, loaded, RuntimeContext(environ=environ), commands=recorded.table())


def argument(name: str, text: str) -> dict[str, Any]:
    return {name: text}


def literal(name: str, text: str) -> str:
    annotation = Settings.model_fields[name].annotation
    return text if annotation in (bool, int, float, float | None) else f'"{text}"'
