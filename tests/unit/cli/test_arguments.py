"""The command line, generated from the settings, and its mistakes."""

from pathlib import Path

import pytest

from ci_publish.app.settings import Settings, declared_options
from ci_publish.cli.arguments import COMPLETIONS, build_parser, option_choices_text, parse_command_line
from ci_publish.errors import ConfigurationError
from tests.unit.cli.in_process_shell import Shell

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def test_without_a_command_the_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse_command_line([])
    assert caught.value.code == 2
    assert "publish             Check, attest and upload" in capsys.readouterr().out


@pytest.mark.parametrize("flag", ["--password=canary", "--token", "-p"])
def test_a_secret_on_the_command_line_is_refused_unseen(shell: Shell, flag: str) -> None:
    assert shell("publish", flag, "canary") == 2
    assert "canary" not in shell.out.getvalue() + shell.err.getvalue()


def test_options_are_declared_once_and_all_reachable() -> None:
    for command in ("publish", "plan", "check", "attest", "verify", "rehearse", "doctor", "settings"):
        assert parse_command_line([command]).flags == {}
    text = build_parser().format_help()
    assert "publish" in text
    flags = parse_command_line(["publish", "a", "b", "--allow-http", "h", "--allow-http", "i", "--no-verify"]).flags
    assert flags == {"paths": ("a", "b"), "allow_http": ("h", "i"), "verify": False}
    with pytest.raises(ConfigurationError):
        parse_command_line(["publish", "--job", "3"])
    assert option_choices_text(Settings.model_fields["attestations"].annotation) == "auto|required|if-possible|off"
    assert option_choices_text(Settings.model_fields["receipt"].annotation) == "PATH"
    assert all(option.help.endswith(".") for option in declared_options().values())


@pytest.mark.parametrize(("shell", "name"), COMPLETIONS.items())
def test_the_completion_of_a_shell_is_printed(shell: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_command_line(["--print-completion", shell])
    assert ended.value.code in {0, None}
    assert "ci-publish" in capsys.readouterr().out
    assert (ROOT / name).is_file()


def test_no_other_shell_has_a_completion() -> None:
    with pytest.raises(ConfigurationError, match="invalid choice: 'cmd'"):
        parse_command_line(["--print-completion", "cmd"])


@pytest.mark.parametrize("command", ["publish", "plan", "diff"])
def test_limits_that_nobody_states_have_no_default(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_command_line([command, "--help"])
    text = " ".join(capsys.readouterr().out.split())

    assert "--file-size-limit off|SIZE" in text
    assert text.count("There is no default.") == 2
    assert "Default: 0 " not in text
