"""The help of every command ends with examples that work and the exit codes that it can have."""

import pytest

from ci_publish.app.commands import COMMANDS
from ci_publish.cli.arguments import parse_command_line
from ci_publish.cli.help_examples import EXAMPLES, exit_codes_of_command, help_epilog
from ci_publish.errors import error_classes


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_examples_that_can_be_typed(command: str) -> None:
    for arguments, what in EXAMPLES[command]:
        assert parse_command_line(arguments.split()).command == command
        assert what


@pytest.mark.parametrize("command", COMMANDS)
def test_every_exit_code_is_one_that_exists(command: str) -> None:
    known = {each.exit_code for each in error_classes()} | {0, 12}
    codes = [code for code, _ in exit_codes_of_command(command)]
    assert codes == sorted(set(codes))
    assert set(codes) <= known
    assert f"/reference/commands/#{command}" in help_epilog(command)
