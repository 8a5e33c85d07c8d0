"""Which reports listen to a run."""

import json
from pathlib import Path

import pytest

from tests.distributions import make_release, make_wheel
from tests.unit.cli.in_process_shell import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def test_json_output_keeps_stdout_for_the_receipt(shell: Shell) -> None:
    make_release(shell.folder / "dist")
    assert shell("check", "--output", "json") == 0
    assert json.loads(shell.out.getvalue())["outcome"] == "checked"
    assert "no problems" in shell.err.getvalue()


def test_github_gets_groups_annotations_summary_and_outputs(shell: Shell) -> None:
    make_wheel(shell.folder / "dist", tag="py3-none-linux_x86_64")
    files = {"GITHUB_OUTPUT": str(shell.folder / "output"), "GITHUB_STEP_SUMMARY": str(shell.folder / "summary")}
    for path in files.values():
        Path(path).touch()
    assert shell("check", GITHUB_ACTIONS="true", **files) == 4
    text = shell.out.getvalue()
    assert "::group::check" in text
    assert "::error " in text
    assert "exit-code<<" in Path(files["GITHUB_OUTPUT"]).read_text()
    assert "exit code 4" in Path(files["GITHUB_STEP_SUMMARY"]).read_text()


def test_reports_dir_writes_for_any_ci_and_sections_are_for_gitlab(shell: Shell) -> None:
    make_release(shell.folder / "dist")
    assert shell("check", "--reports-dir", "reports") == 0
    assert {path.name for path in (shell.folder / "reports").iterdir()} == {"publish.env", "junit.xml", "summary.md"}
    assert "section_start" not in shell.out.getvalue()
    assert shell("check", GITLAB_CI="true") == 0
    assert "section_start" in shell.out.getvalue()


def test_debugging_shows_every_cause_before_the_last_lines(shell: Shell) -> None:
    assert shell("publish", "--index-url", "https://corp.example/\0", CI_PUBLISH_DEBUG="1") == 2
    text = shell.out.getvalue()
    assert text.count("Traceback (most recent call last):") == 2
    assert "pydantic_core._pydantic_core.ValidationError: " in text
    assert "The above exception was the direct cause of the following exception:" in text
    assert text.rindex("Traceback") < text.index("error: Invalid setting")
    assert text.rstrip().endswith("Nothing was uploaded.")


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_without_debugging_there_is_no_traceback(shell: Shell, value: str) -> None:
    assert shell("publish", "--index-url", "https://corp.example/\0", CI_PUBLISH_DEBUG=value) == 2
    assert "Traceback" not in shell.out.getvalue()


def test_debugging_leaves_the_receipt_on_standard_output_alone(shell: Shell) -> None:
    assert shell("check", "nothing", "--output", "json", CI_PUBLISH_DEBUG="1") == 3
    assert json.loads(shell.out.getvalue())["exit_code"] == 3
    assert "NothingToPublish" in shell.err.getvalue()


def test_debugging_shows_no_secret_of_settings_that_are_wrong(shell: Shell) -> None:
    address = "https://alice:canary-of-url@corp.example:port/"
    code = shell("publish", "--repository-url", address, CI_PUBLISH_DEBUG="1", CI_PUBLISH_PASSWORD="canary-password")
    assert code == 2
    assert "Traceback" in shell.out.getvalue()
    assert "canary" not in shell.out.getvalue() + shell.err.getvalue()
