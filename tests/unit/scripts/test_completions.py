"""Completions: every command and option, its choices, and paths where there are some; tried in bash."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_publish.app.commands import COMMANDS
from ci_publish.app.settings import declared_options
from ci_publish.cli.arguments import COMPLETIONS
from ci_publish.errors import ConfigurationError
from scripts.completions import ROOT, described, subparsers

BASH = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
function=$(complete -p ci-publish | sed 's/.*-F \([^ ]*\).*/\1/')
"$function" ci-publish "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""

Complete = Callable[..., list[str]]


@pytest.fixture
def complete(tmp_path: Path) -> Complete:
    (tmp_path / "dist").mkdir()
    (tmp_path / "receipt.json").touch()

    def run(*words: str) -> list[str]:
        command = ["bash", "--norc", "-c", BASH, "bash", str(ROOT / COMPLETIONS["bash"]), "ci-publish", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.split()

    return run


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_options_choices_and_paths(complete: Complete) -> None:
    assert complete("pu") == ["publish"]
    assert set(complete("")) >= set(COMMANDS)
    assert complete("publish", "--on-c") == ["--on-conflict"]
    assert complete("publish", "--on-conflict", "") == ["fail", "keep-published"]
    assert complete("verify", "--attestations", "i") == ["if-possible"]
    assert complete("check", "d") == ["dist"]
    assert complete("check", "--receipt", "r") == ["receipt.json"]
    assert complete("--print-completion", "") == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("name", COMPLETIONS.values())
def test_every_command_and_option_is_in_the_file(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    flags = [f"--{name.replace('_', '-')}" for name, option in declared_options().items() if option.flag]
    assert [word for word in (*COMMANDS, *flags) if word.removeprefix("--") not in text] == []


def test_every_command_has_a_parser_with_its_choices() -> None:
    assert set(subparsers(described())) == set(COMMANDS)
    parsed = subparsers(described())["publish"].parse_args(["--on-conflict", "fail"])
    assert parsed.on_conflict == "fail"
    with pytest.raises(ConfigurationError, match="invalid choice"):
        subparsers(described())["publish"].parse_args(["--on-conflict", "ignore"])
