"""The command line, generated from the settings: one parser, its help, and errors that exit like all others."""

import argparse
import types
import typing
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal, NoReturn

from ci_publish.about import DOCS_URL, NAME, __version__
from ci_publish.app.settings import Option, Settings, options
from ci_publish.app.settings_sources import variable
from ci_publish.errors import ConfigurationError
from ci_publish.model.frozen import frozen

COMMANDS = {
    "publish": "Publish distributions: checks, attestations, uploads, and the proof that the index shows them.",
    "plan": "Say what publish would do; sends nothing (the same as publish --dry-run).",
    "check": "Run all local checks, without any network.",
    "attest": "Sign every distribution and write the attestations into a folder.",
    "verify": "Does the index show these very files (or PROJECT==VERSION), with provenance that verifies?",
    "rehearse": "Publish to an index, a CI identity provider and a Sigstore of its own, on loopback.",
    "doctor": "Would Trusted Publishing work from here, and why not?",
    "settings": "Show every effective setting and where it came from.",
}

_SECRET_FLAGS = ("--password", "--token", "-p")


@frozen
class Arguments:
    """A command and the options that stood on the command line, and nothing else."""

    command: str
    flags: dict[str, Any]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(
            f"{message[0].upper()}{message[1:]}.", hints=(f"`{self.prog} --help` lists what there is.",)
        )


def parse(argv: Sequence[str]) -> Arguments:
    """Parse the command line. Raises ConfigurationError; exits by itself only for --help and --version."""
    _refuse_secrets(argv)
    values = vars(parser(_named(argv)).parse_args(list(argv)))
    command = values.pop("command")
    if command is None:
        message = "No command was given."
        raise ConfigurationError(message, hints=(f"`{NAME} --help` lists the commands; the main one is `publish`.",))
    if not values.get("paths"):
        values.pop("paths", None)
    return Arguments(
        command, {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    )


def _named(argv: Sequence[str]) -> str | None:
    """Return the command that stands first, which is then the only one that is needed."""
    return argv[0] if argv and argv[0] in COMMANDS else None


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """Build the parser from the settings; with all commands, or *only* one."""
    top = _Parser(
        prog=NAME,
        description="Publish Python distributions from CI without stored secrets.",
        epilog=f"Options can be set by variable, action input and pyproject.toml, too: {DOCS_URL}/reference/options/",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"{NAME} {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for command, description in COMMANDS.items():
        if only not in {command, None}:
            continue
        sub = commands.add_parser(command, help=description, description=description, allow_abbrev=False)
        for name, option in options().items():
            if command in option.commands:
                _add(sub, command, name, option)
    return top


def _refuse_secrets(argv: Sequence[str]) -> None:
    for argument in argv:
        if argument.split("=", 1)[0] in _SECRET_FLAGS:
            message = "A password or token on a command line can be read by every process and stays in logs."
            raise ConfigurationError(
                message,
                hints=(
                    f"Set {variable('password')}, or pass it with --password-stdin.",
                    "Revoke the one that was used.",
                ),
            )


def _add(sub: argparse.ArgumentParser, command: str, name: str, option: Option) -> None:
    field = Settings.model_fields[name]
    if name == "paths":
        metavar = "PATH or PROJECT==VERSION" if command == "verify" else "PATH"
        sub.add_argument("paths", nargs="*", metavar=metavar, help=f"{option.help} Default: dist")
        return
    if not option.flag:
        return
    flag = f"--{name.replace('_', '-')}"
    text = _help(option, field.default).replace("%", "%%")
    if field.annotation is bool:
        action: Any = argparse.BooleanOptionalAction if option.file else "store_true"
        sub.add_argument(flag, dest=name, action=action, default=argparse.SUPPRESS, help=text)
        return
    several = typing.get_origin(field.annotation) is tuple
    sub.add_argument(
        flag,
        dest=name,
        action="append" if several else "store",
        default=argparse.SUPPRESS,
        metavar=option.metavar or choices(field.annotation),
        help=text,
    )


def choices(annotation: object) -> str:
    """Return the allowed values of an option as ``a|b|c``."""
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return "|".join(annotation)
    if typing.get_origin(annotation) is Literal:
        return "|".join(str(item) for item in typing.get_args(annotation))
    if isinstance(annotation, types.UnionType):
        return choices(typing.get_args(annotation)[0])
    return getattr(annotation, "__name__", "VALUE").upper()


def _help(option: Option, default: object) -> str:
    if default is None or default is False or default == ():
        return option.help
    shown = ", ".join(default) if isinstance(default, tuple) else "on" if default is True else str(default)
    return f"{option.help} Default: {shown}"
