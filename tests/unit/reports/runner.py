"""A port of the GitHub runner's parser: the commands that it would find in what a job printed.

actions/runner 258d6c85, ``src/Runner.Common/ActionCommand.cs`` (TryParseV2, then TryParse) over lines as .NET's
StreamReader.ReadLine yields them. .NET compares strings by culture where the runner does not say otherwise, so that
characters without weight do not count: the port takes them away first, which finds more commands, never fewer.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

COMMANDS = frozenset(
    {
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "internal-set-repo-path",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    }
)


@dataclass(frozen=True)
class Command:
    name: str
    properties: tuple[tuple[str, str], ...]
    data: str


def commands(output: str) -> list[Command]:
    """Return every command that the runner would obey in *output*."""
    return [found for line in _lines(output) if (found := _version_2(line) or _version_1(line)) is not None]


def _lines(output: str) -> Iterator[str]:
    for line in re.split(r"\r\n|\n|\r", output):
        yield line
        yield "".join(each for each in line if unicodedata.category(each) not in {"Cc", "Cf", "Mn"} or each == "\t")


def _version_2(line: str) -> Command | None:
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, properties = line[2:end].partition(" ")
    if name not in COMMANDS:
        return None
    pairs = (pair.split("=", 1) for pair in properties.strip().split(",") if "=" in pair)
    return Command(name, tuple((key, _decode(value)) for key, value in pairs), _decode(line[end + 2 :]))


def _version_1(line: str) -> Command | None:
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, _ = line[start + 3 : end].partition(" ")
    return Command(name, (), line[end + 1 :]) if name in COMMANDS else None


def _decode(value: str) -> str:
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        value = value.replace(code, character)
    return value


def file_commands(content: str) -> dict[str, str]:
    """Return the values of a ``GITHUB_OUTPUT`` file, as ``FileCommandManager.cs`` reads them; raise on a bad one."""
    values: dict[str, str] = {}
    lines = iter(content.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, _, value = line.partition("=")
        elif heredoc >= 0:
            name, _, delimiter = line.partition("<<")
            value = "\n".join(_until(delimiter, lines))
        else:
            message = f"Invalid format '{line}'"
            raise ValueError(message)
        values[name] = value
    return values


def _until(delimiter: str, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == delimiter:
            return
        yield line
    message = f"Invalid value. Matching delimiter not found '{delimiter}'"
    raise ValueError(message)
