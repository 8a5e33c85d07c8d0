"""``--install`` runs other people's code, which finds no secret of the job: not in its environment, not in ours."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.installable import sdist, wheel

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's"),
]

MARKER = "canary-7f3a91"
# What a job may have, each with a marker in its value.
PLANTED = (
    *("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_CACHE_URL"),
    *("PYPI_ID_TOKEN", "SIGSTORE_ID_TOKEN", "INPUT_ANYTHING", "TWINE_PASSWORD"),
    *("UV_PUBLISH_TOKEN", "CI_PUBLISH_WHATEVER_ELSE", "GITHUB_TOKEN", "MY_OWN_SECRET", "CI_JOB_TOKEN"),
)
FILE_COMMANDS = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")

# Dumps what it can see: its variables, those of every process that it may read, their arguments and open files, and
# what the runner's files hold at that moment. It also leaves a process behind that no process group holds.
SPY = """
import os, subprocess, sys
def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        return str(error).encode()
with open({dump!r}, "ab") as dump:
    dump.write(repr(dict(os.environ)).encode())
    for number in filter(str.isdigit, os.listdir("/proc")):
        dump.write(b"\\n" + read("/proc/" + number + "/environ") + b"\\n" + read("/proc/" + number + "/cmdline"))
        try:
            files = os.listdir("/proc/" + number + "/fd")
        except OSError:
            files = []
        for name in files:
            try:
                target = os.readlink("/proc/" + number + "/fd/" + name)
                dump.write(target.encode())
                if "memfd" in target or "(deleted)" in target:
                    dump.write(read("/proc/" + number + "/fd/" + name)[:1000000])
            except OSError:
                pass
    for path in {files!r}:
        dump.write(read(path))
nothing = subprocess.DEVNULL
command = [sys.executable, "-c", "import time; time.sleep(300)", {stray!r}]
subprocess.Popen(command, start_new_session=True, stdin=nothing, stdout=nothing, stderr=nothing)
"""


def test_installed_code_finds_no_marker(tmp_path: Path) -> None:
    dump, stray = tmp_path / "dump", f"stray-of-{tmp_path.name}-{os.getpid()}"
    commands = {name: tmp_path / f"{MARKER}-{name}" for name in FILE_COMMANDS}
    for path in commands.values():
        path.touch()
    spy = SPY.format(dump=str(dump), files=[str(path) for path in commands.values()], stray=stray)
    wheel(tmp_path / "dist", files={"demo/__init__.py": spy})
    sdist(tmp_path / "dist", before="".join(f"    {line}\n" for line in spy.splitlines()))
    environ = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "GITHUB_ACTIONS": "true",
        "CI_PUBLISH_ACTION": "docker",
        "INPUT_INSTALL-WITH-CREDENTIALS": "true",
        **{name: f"https://127.0.0.1/{MARKER}-{name}" for name in PLANTED},
        **{name: str(path) for name, path in commands.items()},
        "INPUT_PASSWORD": f"pypi-{MARKER}",
    }
    command = (sys.executable, "-m", "ci_publish", "rehearse", "dist", "--install", "--upstream", "dist")
    receipt = ("--receipt", "receipt.json", "--run", "python -c 'import demo'")
    result = subprocess.run(
        [*command, *receipt], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr
    seen = dump.read_bytes()
    assert seen.count(b"HOME") > 3, "the spy saw nothing"
    assert MARKER.encode() not in seen.replace(str(dump).encode(), b""), _around(seen)
    # What the runner reads is written after the last of that code has ended, by the process that still knows where.
    assert "\nrehearsed\n" in commands["GITHUB_OUTPUT"].read_text()
    assert "demo" in commands["GITHUB_STEP_SUMMARY"].read_text()
    assert MARKER not in (tmp_path / "receipt.json").read_text()
    assert not _running(stray), "what the installed code left behind still runs"


def _around(seen: bytes) -> bytes:
    at = seen.find(MARKER.encode())
    return seen[max(0, at - 200) : at + 100]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _running(mark: str) -> list[str]:
    found = []
    for _ in range(20):
        arguments = [_read(folder / "cmdline") for folder in Path("/proc").glob("[0-9]*")]
        found = [line for line in arguments if mark in line]
        if not found:
            break
        time.sleep(0.1)
    return found


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        (
            {
                "GITHUB_ACTIONS": "true",
                "ACTIONS_ID_TOKEN_REQUEST_URL": "https://x",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
            },
            "without `id-token: write`",
        ),
        ({"GITLAB_CI": "true", "PYPI_ID_TOKEN": "x"}, "without `id_tokens:`"),
        ({"CI_PUBLISH_PASSWORD": "pypi-x"}, "could read the password or API token of this run"),
        ({"TWINE_PASSWORD": "pypi-x"}, "TWINE_PASSWORD"),
        ({"HATCH_INDEX_AUTH": "x"}, "could read HATCH_INDEX_AUTH"),
    ],
)
def test_nothing_is_installed_within_reach_of_a_credential(tmp_path: Path, environ: dict[str, str], said: str) -> None:
    wheel(tmp_path / "dist", files={"demo/__init__.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n"})
    command = (sys.executable, "-m", "ci_publish", "rehearse", "dist", "--install", "--upstream", "dist")
    result = subprocess.run(
        [*command, "--receipt", "receipt.json"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 2, result.stdout + result.stderr
    assert said in result.stdout
    assert "install-with-credentials" in result.stdout
    assert not (tmp_path / "ran").exists()
    assert json.loads((tmp_path / "receipt.json").read_text())["error"]["slug"] == "install-with-credentials"
