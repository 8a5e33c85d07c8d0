"""The command line, generated from the settings: one parser, its help, and errors that exit like all others."""

import argparse
import re
import sys
import types
import typing
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, NoReturn

from ci_publish.about import DOCS_URL, NAME, __version__
from ci_publish.app.commands import COMMANDS
from ci_publish.app.options import Option
from ci_publish.app.settings import Settings, declared_options, options_by_heading
from ci_publish.app.settings_sources import option_variable
from ci_publish.cli.help_examples import help_epilog
from ci_publish.cli.other_tools_flags import translate_other_tool_flags
from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.http.urls import url_has_secrets
from ci_publish.model.frozen import frozen

COMPLETIONS = {
    "bash": "share/bash-completion/completions/ci-publish",
    "zsh": "share/zsh/site-functions/_ci-publish",
    "fish": "share/fish/vendor_completions.d/ci-publish.fish",
}
"""The file for each shell, below the environment's prefix; ``make generate`` writes them."""

_SECRET_FLAGS = ("--password", "--token", "-p", "-t")
_INVALID_CHOICE = re.compile(r"^argument COMMAND: invalid choice: '([^']*)'")


@frozen
class Arguments:
    """A command and the options of the command line, and nothing else."""

    command: str
    flags: dict[str, Any]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        wrong = _INVALID_CHOICE.search(message)
        meant = get_close_matches(wrong[1], COMMANDS, 1) if wrong else ()
        raise ConfigurationError(
            f"Unknown command: {wrong[1]}." if wrong else f"{message[0].upper()}{message[1:]}.",
            detail=f"The commands are {', '.join(COMMANDS)}." if wrong else "The command line is invalid.",
            hints=(*(f"Did you mean {each}?" for each in meant), f"`{self.prog} --help` lists the commands."),
        )


class _PrintCompletion(argparse.Action):
    """Prints the file that completes commands and options in a shell, and exits."""

    def __call__(
        self, parser: argparse.ArgumentParser, _namespace: object, shell: object, _flag: object = None
    ) -> None:
        from importlib.metadata import PackageNotFoundError, files  # noqa: PLC0415  (late: hardly ever needed)

        try:
            installed = files(NAME) or []
        except PackageNotFoundError:
            installed = []
        found = next((file for file in installed if file.as_posix().endswith(COMPLETIONS[str(shell)])), None)
        if found is None:
            message = "The completions are not part of this installation."
            raise ConfigurationError(message, hints=("Install ci-publish with pip, pipx or uv.",))
        sys.stdout.write(Path(found.locate()).read_text(encoding="utf-8"))
        parser.exit()


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Adds to each option the variable and the input that set it, too."""

    def _expand_help(self, action: argparse.Action) -> str:
        said = super()._expand_help(action)
        declared = declared_options().get(action.dest)
        if declared is None or not declared.file:
            return said
        names = [option_variable(action.dest), *([f"input {declared.input_name}"] if declared.input_name else [])]
        return f"{said} [{', '.join(names)}]"


def _unknown_arguments_error(words: Sequence[str], command: str) -> ConfigurationError:
    """Return the error for arguments that *command* does not have, with suggestions."""
    wrong = [word for word in words if word.startswith("-")] or list(words)
    flags = [
        f"--{name.replace('_', '-')}"
        for name, each in declared_options().items()
        if command in each.commands and each.flag
    ]
    known = (*translate_other_tool_flags(wrong), *_options_of_other_commands(wrong))
    close = [] if known else [match for word in wrong for match in get_close_matches(word.split("=", 1)[0], flags, 1)]
    return ConfigurationError(
        f"Unknown {'option' if len(wrong) == 1 else 'options'} of {command}: {', '.join(wrong)}.",
        detail="Unknown options are never ignored; nothing was done.",
        hints=(
            *known,
            *(f"Did you mean {flag}?" for flag in close),
            f"`{NAME} {command} --help` lists the options of {command}.",
        ),
    )


def _options_of_other_commands(words: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each of *words* that is an option of another command."""
    for word in words:
        name = word.split("=", 1)[0].removeprefix("--").replace("-", "_")
        found = declared_options().get(name.removeprefix("no_") if name.startswith("no_") else name)
        if word.startswith("--rehearse"):
            yield f"Rehearsing is a command: {NAME} rehearse"
        elif word.startswith("--") and found is not None and found.flag:
            commands = [command for command in COMMANDS if command in found.commands]
            yield f"{word.split('=', 1)[0]} is an option of {', '.join(commands)}."


def parse_command_line(argv: Sequence[str]) -> Arguments:
    """Parse the command line. Raises ConfigurationError; exits by itself only for --help, --version and no command."""
    _refuse_secrets_in_arguments(argv)
    only = argv[0] if argv and argv[0] in COMMANDS else None  # where the command comes first, its parser is enough
    namespace, unknown = build_parser(only).parse_known_args(list(argv))
    values = vars(namespace)
    command = values.pop("command")
    if command is None:
        everything = build_parser()
        everything.print_help()
        everything.exit(2)
    if unknown:
        raise _unknown_arguments_error(unknown, command)
    if not values.get("paths"):
        values.pop("paths", None)
    if url_has_secrets(values.get("upstream", "")):
        message = "A password in the address of --upstream is visible to every process and ends up in logs."
        raise ConfigurationError(
            message,
            hints=("Set CI_PUBLISH_UPSTREAM to the address, or pip's index-url.", "Revoke the secret that was given."),
        )
    return Arguments(
        command, {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    )


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Build the parser from the settings; with all commands, or *only* one."""
    top = _Parser(
        prog=NAME,
        description="Publish Python distributions from CI without stored secrets.",
        epilog=f"Options can also be set by variable, action input and pyproject.toml: {DOCS_URL}/reference/options/",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"{NAME} {__version__}")
    top.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=tuple(COMPLETIONS),
        dest=argparse.SUPPRESS,
        default=argparse.SUPPRESS,
        metavar="SHELL",
        help="Print the completions for bash, zsh or fish.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for command, declared in COMMANDS.items():
        if only not in {command, None}:
            continue
        sub = commands.add_parser(
            command,
            help=declared.help,
            description=declared.help,
            epilog=help_epilog(command),
            formatter_class=_Formatter,
            allow_abbrev=False,
        )
        for heading, options in options_by_heading().items():
            used = {name: each for name, each in options.items() if command in each.commands}
            if used:
                group = sub.add_argument_group(heading)
                for name, each in used.items():
                    _add_option_to_parser(group, command, name, each)
    return top


def _refuse_secrets_in_arguments(argv: Sequence[str]) -> None:
    for argument in argv:
        if argument.split("=", 1)[0] in _SECRET_FLAGS:
            message = "A password or token was given on the command line."
            raise ConfigurationError(
                message,
                detail="Every process on this machine can see it there, and it ends up in logs.",
                hints=(
                    Hint(
                        "Set ",
                        option("password"),
                        Hint(", or pass it on standard input with ", option("password_stdin")),
                        ".",
                    ),
                    "Revoke the secret that was given.",
                ),
            )


def _add_option_to_parser(sub: argparse._ArgumentGroup, command: str, name: str, option: Option) -> None:
    field = Settings.model_fields[name]
    if name == "paths":
        metavar = "PATH or PROJECT==VERSION" if command == "verify" else "PATH"
        sub.add_argument("paths", nargs="*", metavar=metavar, help=f"{option.help} Default: dist")
        return
    if not option.flag:
        return
    flag = f"--{name.replace('_', '-')}"
    text = _option_help_text(option, field.default).replace("%", "%%")
    if field.annotation is bool:
        either = option.file and not name.startswith("no_")
        action: Any = argparse.BooleanOptionalAction if either else "store_true"
        sub.add_argument(flag, dest=name, action=action, default=argparse.SUPPRESS, help=text)
        return
    several = typing.get_origin(field.annotation) is tuple
    sub.add_argument(
        flag,
        dest=name,
        action="append" if several else "store",
        default=argparse.SUPPRESS,
        metavar=option.metavar or option_choices_text(field.annotation),
        help=text,
    )


def option_choices_text(annotation: object) -> str:
    """Return the allowed values of an option as ``a|b|c``."""
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return "|".join(annotation)
    if typing.get_origin(annotation) is Literal:
        return "|".join(str(item) for item in typing.get_args(annotation))
    if isinstance(annotation, types.UnionType):
        return option_choices_text(typing.get_args(annotation)[0])
    return getattr(annotation, "__name__", "VALUE").upper()


def _option_help_text(option: Option, default: object) -> str:
    if default is None or default is False or default == ():
        return option.help
    if isinstance(default, tuple):
        shown = ", ".join(default)
    elif isinstance(default, float):
        shown = f"{default:g}"
    else:
        shown = "on" if default is True else str(default)
    return f"{option.help} Default: {shown}"
