"""The manual page: every command, option and exit code; nothing that roff takes for a request."""

import re

import pytest

from ci_publish.app.commands import COMMANDS
from ci_publish.app.settings import declared_options
from ci_publish.errors import error_classes
from scripts.docs_reference import flag
from scripts.man_page import escaped, lines

REQUESTS = {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".I", ".UR", ".UE", '.\\"'}


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        (".pypirc is read", "\\&.pypirc is read"),
        ("'x'", "\\&'x'"),
        ("a-b \\ c\n d", "a\\-b \\e c d"),
        ("PATH \u2026", "PATH \\[u2026]"),
    ],
)
def test_a_text_shows_its_own_characters(text: str, roff: str) -> None:
    assert escaped(text) == roff


def test_every_command_option_and_exit_code_is_there() -> None:
    terms = set(re.findall(r"^\\fB(.*)\\fR$", "\n".join(lines()), re.MULTILINE))
    codes = {str(each.exit_code) for each in error_classes()}
    flags = {escaped(flag(name, option)) for name, option in declared_options().items() if flag(name, option)}
    assert {*COMMANDS, *codes, *flags} - terms == set()


def test_every_line_with_a_dot_is_a_request() -> None:
    assert {line.split(" ")[0] for line in lines() if line.startswith((".", "'"))} <= REQUESTS
    assert [line for line in lines() if not line.isascii() or "\n" in line or not line] == []
