"""Installing what was rehearsed: which pairs are tried, with which installer, and how a run ends because of them."""

import os
import sys
from pathlib import Path

import pytest

from ci_publish.app.installing import choose_installer, installation_failed_error
from ci_publish.errors import ConfigurationError
from ci_publish.model.events import Checked, Step, StepFinished, StepStarted, Tried
from ci_publish.model.problem import Problem, Severity
from ci_publish.publishing.interruption import Interruption
from ci_publish.rehearsal.installation.command_processes import CommandProcesses
from ci_publish.rehearsal.installation.installers import Pip, Uv
from tests.installable import tried, wheel

FOREIGN = "cp39-cp39-win_amd64"


def problem(filename: str, message: str = "bad", severity: Severity = Severity.ERROR) -> Problem:
    return Problem(filename=filename, rule="install-import", severity=severity, message=message, advice="Fix it.")


def trial(*problems: Problem) -> Tried:
    return Tried(
        filename="a", interpreter="x", installer="y", commands=(), problems=problems, seconds=1.0, passed=not problems
    )


def test_the_error_names_files_rules_and_what_to_do() -> None:
    problems = [problem("a.whl"), problem("a.whl", "worse"), problem("b.whl")]
    error = installation_failed_error(problems, [trial(*problems), trial()])

    assert error.summary == "1 of 2 installations failed: a.whl and 1 more."
    assert error.detail.splitlines()[1] == "a.whl: worse [install-import]"
    assert error.hints == ("Fix it.",)
    assert installation_failed_error([problem("a.whl")], []).summary == "Not every file was tested: a.whl."


def test_a_file_that_fits_nothing_is_named_with_what_it_needs(tmp_path: Path) -> None:
    path = wheel(tmp_path / "dist", tag=FOREIGN)
    result = tried(tmp_path / "upstream", path)
    required = tried(tmp_path / "upstream", path, require_tried=True)

    (found,) = [event for event in result.events if isinstance(event, Checked)]
    assert result.error is None
    assert (found.problems[0].rule, found.problems[0].severity) == ("install-not-tried", Severity.NOTE)
    assert (
        f"it requires {FOREIGN}; given: Python {sys.version_info[0]}.{sys.version_info[1]}."
        in found.problems[0].message
    )
    assert required.error is not None
    assert required.error.exit_code == 4


@pytest.mark.parametrize(("rules", "code"), [(("install-not-tried=error",), 4), (("install-not-tried=off",), None)])
def test_the_user_s_word_about_a_rule_counts(tmp_path: Path, rules: tuple[str, ...], code: int | None) -> None:
    result = tried(tmp_path / "upstream", wheel(tmp_path / "dist", tag=FOREIGN), rules=rules)

    assert (result.error.exit_code if result.error else None) == code
    assert any(isinstance(event, Checked) for event in result.events) is (code is not None)


def test_the_step_is_told_and_timed(tmp_path: Path) -> None:
    result = tried(tmp_path / "upstream", wheel(tmp_path / "dist", tag=FOREIGN))

    steps = [event for event in result.events if isinstance(event, StepStarted | StepFinished)]
    assert [event.step for event in steps] == [Step.INSTALL, Step.INSTALL]


@pytest.mark.skipif(os.name != "posix", reason="scripts are POSIX's")
def test_uv_is_taken_where_it_is_on_path_and_works(tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    for script, expected in (("echo uv 9.8.7 rest", Uv(str(uv), "9.8.7")), ("exit 1", None)):
        uv.write_text(f"#!/bin/sh\n{script}\n")
        uv.chmod(0o755)
        found = choose_installer(CommandProcesses({"PATH": str(tmp_path)}, Interruption(60.0)), tmp_path)
        assert found == expected if expected else isinstance(found, Pip)


def test_otherwise_it_is_the_pip_of_this_python(tmp_path: Path) -> None:
    found = choose_installer(CommandProcesses({"PATH": ""}, Interruption(60.0)), tmp_path)

    assert isinstance(found, Pip)
    assert found.version[0].isdigit()


def test_without_both_there_is_nothing_to_install_with(tmp_path: Path) -> None:
    class Without(CommandProcesses):
        def run(self, command, **options):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN003, ANN202
            answer = super().run(command, **options)
            return super().run(("false",), **options) if "import pip" in command[-1] else answer

    with pytest.raises(ConfigurationError, match="Neither uv nor pip"):
        choose_installer(Without({"PATH": "/usr/bin:/bin"}, Interruption(60.0)), tmp_path)
