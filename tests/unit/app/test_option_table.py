"""Every option, with every command, through every front end: honoured, skipped or refused, each cell run.

The cells are generated from the declarations. Only the last step is replaced: what a command would do is recorded.
"""

import itertools
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest

from ci_publish.app.commands import COMMANDS, Command, Job, execute
from ci_publish.app.options import Option, Source, Use, use
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings, options
from ci_publish.app.settings_sources import component_variable, load, variable
from ci_publish.cli.arguments import parse
from ci_publish.errors import ConfigurationError
from ci_publish.model.events import Outcome
from ci_publish.model.identity import Secret

RUNNING = [name for name in COMMANDS if name != "settings"]
FRONT_ENDS = (Source.FLAG, Source.PYTHON, Source.COMPONENT, Source.VARIABLE, Source.INPUT, Source.FILE)
WORDS: Mapping[str, str] = {
    "repository_url": "testpypi",
    "index_url": "https://index.example/simple/",
    "password": "pypi-x",
    "config_file": "pypirc",
    "attested_by": "github:octo-org/demo:release.yml",
    "publisher": "gitlab:octo-group/demo",
    "builder": "github:octo-org/ci:build.yml",
    "source": "github:octo-org/demo",
}


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
    for (name, option), command, source in itertools.product(options().items(), RUNNING, FRONT_ENDS):
        if can_say(name, option, source):
            yield name, command, source


def can_say(name: str, option: Option, source: Source) -> bool:
    match source:
        case Source.FLAG:
            return option.flag or name == "paths"
        case Source.PYTHON:
            return True
        case Source.COMPONENT:
            return bool(option.inputs) and option.file
        case Source.INPUT:
            return bool(option.inputs)
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
            def run(job: Job) -> Outcome:
                self.command, self.settings = name, job.settings
                return Outcome.READY

            return replace(COMMANDS[name], run=run)

        return {name: recording(name) for name in COMMANDS}


def ask(name: str, command: str, source: Source, recorded: Recorded) -> None:
    """Give the option to the command through a front end, in the current folder."""
    text, environ, flags = value_of(name), dict[str, str](), list[str]()
    match source:
        case Source.FLAG if name == "paths":
            flags = [text]
        case Source.FLAG if Settings.model_fields[name].annotation is bool:
            flags = [f"--{'no-' if text == 'false' else ''}{name.replace('_', '-')}"]
        case Source.FLAG:
            flags = [f"--{name.replace('_', '-')}", text]
        case Source.COMPONENT:
            environ = {component_variable(name): text}
        case Source.VARIABLE:
            environ = {variable(name): text}
        case Source.INPUT:
            environ = {"CI_PUBLISH_ACTION": "docker", f"INPUT_{options()[name].inputs[0].upper()}": text}
        case Source.FILE:
            Path("pyproject.toml").write_text(f"[tool.ci-publish]\n{name} = {literal(name, text)}\n")
        case _:
            execute(command, Settings(**argument(name, text)), RuntimeContext(environ={}), commands=recorded.table())
            return
    arguments = parse([command, *flags])
    loaded = load(arguments.flags, environ, Path("pyproject.toml"))
    execute(command, loaded, RuntimeContext(environ=environ), commands=recorded.table())


def argument(name: str, text: str) -> dict[str, Any]:
    return {name: text}


def literal(name: str, text: str) -> str:
    annotation = Settings.model_fields[name].annotation
    return text if annotation in (bool, int, float, float | None) else f'"{text}"'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pypirc").write_text("")


@pytest.mark.parametrize(("name", "command", "source"), [*cells()])
def test_a_cell_of_the_table(name: str, command: str, source: Source) -> None:
    recorded = Recorded()
    expected = use(options()[name], command, source)
    if expected is Use.REFUSED:
        with pytest.raises(ConfigurationError) as caught:
            ask(name, command, source, recorded)
        told = caught.value.summary.replace("_", "-")
        assert name.replace("_", "-") in told or (name == "paths" and "7" in told), "the option is named"
        assert recorded.settings is None, "nothing ran"
        return
    ask(name, command, source, recorded)
    assert recorded.settings is not None
    found, default = getattr(recorded.settings, name), Settings.model_fields[name].default
    if expected is Use.HONOURED:
        wanted = Settings(**argument(name, value_of(name)))
        assert found == getattr(wanted, name)
        assert found != default
    else:
        assert found == default
    assert recorded.command == turned(name, command)


def turned(name: str, command: str) -> str:
    """Return the command that an option turns another one into."""
    if name == "rehearse" and command in {"publish", "plan"}:
        return "rehearse"
    return "plan" if name == "dry_run" and command == "publish" else command


def test_the_table_has_every_kind_of_cell_and_enough_of_them() -> None:
    found = [use(options()[name], command, source) for name, command, source in cells()]
    assert len(found) > 1000
    assert all(found.count(kind) > 50 for kind in Use)


@pytest.mark.parametrize("command", ["publish", "plan", "attest", "rehearse", "doctor"])
def test_no_intent_is_ever_skipped_by_a_command_that_acts(command: str) -> None:
    for name, option in options().items():
        if option.intent:
            assert use(option, command, Source.VARIABLE) is not Use.SKIPPED, name


INTENT = {
    "repository_url", "index_profile", "user", "password", "password_stdin", "keyring", "config_file", "anonymous",
    "on_conflict", "skip_existing", "dry_run", "rehearse",
}  # fmt: skip


def test_what_says_where_as_whom_and_whether_is_an_intent() -> None:
    assert {name for name, option in options().items() if option.intent} >= INTENT


def test_a_plan_that_rehearses_only_plans() -> None:
    recorded = Recorded()
    execute("plan", Settings(rehearse=True), RuntimeContext(environ={}), commands=recorded.table())
    assert recorded.command == "rehearse"
    assert recorded.settings is not None
    assert recorded.settings.dry_run


def test_doctor_does_not_exchange_a_token_in_a_dry_run() -> None:
    with pytest.raises(ConfigurationError, match="dry run"):
        execute("doctor", Settings(mint=True, dry_run=True), RuntimeContext(environ={}), commands=Recorded().table())


def test_a_default_and_an_empty_secret_ask_for_nothing() -> None:
    recorded = Recorded()
    environ = {"CI_PUBLISH_DRY_RUN": "false", "CI_PUBLISH_USER": "__token__", "CI_PUBLISH_PASSWORD": ""}
    execute("attest", Settings(), RuntimeContext(environ=environ), commands=recorded.table())
    assert recorded.command == "attest"
    assert recorded.settings is not None
    assert recorded.settings.password in {None, Secret("")}


def test_other_tools_never_stop_commands_that_contact_no_index() -> None:
    environ = {"TWINE_PASSWORD": "hunter2", "TWINE_REPOSITORY": "testpypi", "UV_PUBLISH_URL": "https://u.example/"}
    for command in ("check", "attest"):
        execute(command, Settings(), RuntimeContext(environ=environ), commands=Recorded().table())
    for command in ("publish", "plan", "verify", "rehearse", "doctor"):
        with pytest.raises(ConfigurationError, match="TWINE_REPOSITORY"):
            execute(command, Settings(), RuntimeContext(environ=environ), commands=Recorded().table())
