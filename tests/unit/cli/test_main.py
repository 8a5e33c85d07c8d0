"""The front door in-process: arguments, settings, exit codes, receipts and what is printed where."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.distributions import make_release, make_wheel
from tests.unit.cli.in_process_shell import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def test_check_prints_and_writes_a_receipt(shell: Shell) -> None:
    make_release(shell.folder / "dist")
    assert shell("check", "--receipt", "r.json", "--print-hash") == 0
    assert "no problems" in shell.out.getvalue()
    assert json.loads((shell.folder / "r.json").read_text())["outcome"] == "checked"
    assert shell.err.getvalue() == ""


def test_a_mistake_on_the_command_line_has_a_receipt_too(shell: Shell) -> None:
    for arguments in (["--receipt", "r.json"], ["--receipt=r.json"]):
        assert shell("publish", "--jobs", "many", *arguments) == 2
        receipt = json.loads((shell.folder / "r.json").read_text())
        assert receipt["error"]["slug"] == "configuration"
        assert receipt["command"] == "publish"
    assert shell("publish", "--jobs", "many", "--output", "json") == 2
    assert json.loads(shell.out.getvalue())["exit_code"] == 2


def test_settings_shows_values_and_sources_but_no_secret(shell: Shell) -> None:
    assert shell("settings", "--jobs", "3", CI_PUBLISH_PASSWORD="canary", CI_PUBLISH_STRICT="yes") == 0
    lines = {line.split()[0]: line for line in shell.out.getvalue().splitlines()}
    assert "flag --jobs" in lines["jobs"]
    assert "environment CI_PUBLISH_STRICT" in lines["strict"]
    assert "***" in lines["password"]
    assert "canary" not in shell.out.getvalue()
    assert "default" in lines["keep-going"]
    assert shell("settings", "--output", "json") == 0
    assert json.loads(shell.out.getvalue())["jobs"] == {"value": "8", "source": "default", "not_used_by": []}
    assert shell("settings", CI_PUBLISH_WORLD="w") == 0
    assert "(not used by publish, plan, check" in shell.out.getvalue()


HOSTILE = "a\x1b[31m::stop-commands::x\n::stop-commands::y\r##[error]z\u202e"


@pytest.mark.parametrize("option", ["attestations-dir", "receipt", "world", "user", "paths"])
@pytest.mark.parametrize("output", ["console", "json"])
def test_settings_prints_no_value_that_a_runner_or_a_terminal_obeys(shell: Shell, option: str, output: str) -> None:
    value = json.dumps(HOSTILE)
    line = f"{option} = [{value}]" if option == "paths" else f"{option} = {value}"
    (shell.folder / "pyproject.toml").write_text(f"[tool.ci-publish]\n{line}\n", encoding="utf-8")
    assert shell("settings", "--output", output) == 0
    text = shell.out.getvalue()
    assert "stop-commands" in text
    assert not any(line.lstrip().startswith("::") for line in re.split(r"[\r\n]", text))
    assert "##[" not in text
    assert not set("\x1b\r\u202e") & set(text)


@pytest.mark.parametrize("option", ["deadline", "timeout", "verify-timeout"])
@pytest.mark.parametrize("seconds", ["inf", "nan", "1e300", "-1"])
def test_a_wait_is_a_number_of_seconds_up_to_a_week(shell: Shell, option: str, seconds: str) -> None:
    assert shell("publish", f"--{option}={seconds}") == 2
    assert option in shell.out.getvalue()


@pytest.mark.parametrize("option", ["sigstore-trust-config", "receipt", "repository-url", "paths", "reports-dir"])
def test_a_null_character_is_a_wrong_setting(shell: Shell, option: str) -> None:
    value = '["a\\u0000b"]' if option == "paths" else '"a\\u0000b"'
    (shell.folder / "pyproject.toml").write_text(f"[tool.ci-publish]\n{option} = {value}\n")
    assert shell("publish") == 2
    assert f"Invalid setting: [tool.ci-publish] {option} must not contain a null character" in shell.out.getvalue()


def test_a_null_character_in_a_flag_is_named_with_the_flag(shell: Shell) -> None:
    assert shell("publish", "--index-url", "https://corp.example/\0") == 2
    assert "Invalid setting: --index-url must not contain a null character" in shell.out.getvalue()


@pytest.mark.parametrize("text", ["a = " + "[" * 3000, "a = " + "{b=" * 3000, "a = " + "1" * 5000])
def test_a_file_that_python_cannot_read_is_a_wrong_setting(shell: Shell, text: str) -> None:
    (shell.folder / "pyproject.toml").write_text(f"{text}\n[tool.ci-publish]\n")
    assert shell("publish") == 2
    assert "cannot be read" in shell.out.getvalue()


def test_the_password_may_come_from_standard_input(shell: Shell) -> None:
    shell.stdin = "canary\nmore"
    assert shell("settings", "--password-stdin") == 0
    assert "***" in shell.out.getvalue()
    shell.stdin = ""
    assert shell("settings", "--password-stdin") == 0
    assert "(empty)" in shell.out.getvalue()


def test_publish_may_be_a_plan_by_flag_or_input(shell: Shell) -> None:
    make_wheel(shell.folder / "dist", tag="py3-none-linux_x86_64")
    assert shell("publish", "--dry-run", "--receipt", "r.json") == 4
    assert json.loads((shell.folder / "r.json").read_text())["command"] == "plan"
    assert shell("publish", "--receipt", "r.json", **{"CI_PUBLISH_ACTION": "1", "INPUT_DRY-RUN": "true"}) == 4
    assert json.loads((shell.folder / "r.json").read_text())["command"] == "plan"


def test_certificates_are_named_for_every_client(shell: Shell) -> None:
    make_release(shell.folder / "dist")
    assert shell("check", SSL_CERT_FILE=str(shell.folder / "none.pem")) == 2
    assert "SSL_CERT_FILE" in shell.out.getvalue()


def test_a_rehearsal_runs_in_process(shell: Shell) -> None:
    make_release(shell.folder / "dist")
    before = dict(os.environ)
    assert shell("rehearse", "--receipt", "r.json") == 0
    receipt = json.loads((shell.folder / "r.json").read_text())
    assert receipt["outcome"] == "rehearsed"
    assert all(file["provenance_verified"] for file in receipt["files"])
    assert dict(os.environ) == before


def test_the_input_rehearse_is_a_rehearsal(shell: Shell) -> None:
    assert shell("publish", CI_PUBLISH_ACTION="1", INPUT_REHEARSE="true") == 3
    assert "rehearse" in shell.out.getvalue().splitlines()[0]


@pytest.mark.parametrize("name", ["INPUT_REHEARSE", "INPUT_DRY-RUN"])
def test_a_docker_step_that_asks_for_no_publishing_publishes_nothing(shell: Shell, name: str) -> None:
    make_release(shell.folder / "dist")
    assert shell("publish", "--receipt", "r.json", **{name: "true"}) == 2
    assert f"{name} is true" in shell.out.getvalue() + shell.err.getvalue()
    assert json.loads((shell.folder / "r.json").read_text())["exit_code"] == 2


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_is_piped_is_utf_8_whatever_the_locale_is(tmp_path: Path, stream: str) -> None:
    command = [sys.executable, "-m", "ci_publish", "check", "b\u00fccher \u00b7"]
    command += ["--output", "json"] if stream == "stderr" else []
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": "cp1252"}, capture_output=True, check=False
    )
    assert "b\u00fccher \u00b7".encode() in getattr(done, stream)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--receipt", "out/r.json"),
        ("check", "--reports-dir", "out"),
        ("check", "--reports-dir", "out/a", "--receipt", "r.json"),
        ("plan", "--attestations-dir", "out", "--receipt", "r.json"),
        ("attest", "--output-dir", "out/a", "--receipt", "r.json"),
        ("check", "--receipt", "out/r.json", "--no-such-option"),
        ("check", "--receipt", "out/r.json", "--jobs", "none"),
    ],
)
def test_nothing_is_written_through_a_link_that_leads_out_of_the_folder(
    shell: Shell, tmp_path_factory: pytest.TempPathFactory, arguments: tuple[str, ...]
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (shell.folder / "out").symlink_to(elsewhere)
    make_release(shell.folder / "dist")
    assert shell(*arguments) == 2
    assert list(elsewhere.iterdir()) == []
    if "r.json" in arguments:
        receipt = json.loads((shell.folder / "r.json").read_text())
        assert "is a link to a path outside the working folder" in receipt["error"]["summary"]


@pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")
def test_a_secret_that_is_typed_is_not_shown() -> None:
    import pty  # noqa: PLC0415  (not on Windows)

    terminal, inner = pty.openpty()
    command = [sys.executable, "-m", "ci_publish", "settings", "--password-stdin"]
    child = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, start_new_session=True)
    os.close(inner)
    shown = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(terminal, 4096):
            shown += chunk
            if shown.endswith(b": "):
                os.write(terminal, b"pypi-hunter2\n")
    assert child.wait() == 0
    os.close(terminal)
    assert b"API token or password (it is not shown): " in shown
    assert b"hunter2" not in shown
    assert b"***" in shown
