"""Completions for bash, zsh and fish, from the parser that the options make.

They are installed where shells look (`shared-data` in pyproject.toml), and `ci-publish --print-completion SHELL` prints
them. `make generate` writes them.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import shtab

from ci_publish.cli.arguments import COMPLETIONS, build_parser

ROOT: Final = Path(__file__).resolve().parent.parent
FILES: Final = ("PATH", "FILE")
FOLDERS: Final = ("DIR",)


def described() -> argparse.ArgumentParser:
    """Return the parser, with what shtab wants to know about each value: its choices, or that it is a path."""
    top = build_parser()
    for each in (top, *subparsers(top).values()):
        for action in each._actions:  # noqa: SLF001  (shtab reads the same attribute)
            metavar = action.metavar if isinstance(action.metavar, str) else ""
            if "|" in metavar:
                action.choices = [word for word in metavar.split("|") if word.islower()]
            elif metavar.startswith(FILES):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif metavar in FOLDERS:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    return top


def subparsers(top: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command."""
    (commands,) = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    return dict(commands.choices)


def files() -> Iterator[tuple[Path, str]]:
    """Yield the completions as they should be."""
    for shell, name in COMPLETIONS.items():
        yield ROOT / name, shtab.complete(described(), shell=shell)
