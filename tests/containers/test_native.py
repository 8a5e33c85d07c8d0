"""The steps of the native action, as a runner starts them, with the runner's own pip and with uv."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.containers.engine import ROOT
from tests.containers.github_runner import read_yaml
from tests.distributions import make_release
from tests.unit.reports.runner import commands, file_commands

NATIVE = ROOT / "native"
PUBLISH = next(step["run"] for step in read_yaml(NATIVE / "action.yml")["runs"]["steps"] if step.get("id") == "publish")
BASH = shutil.which("bash") or "bash"


class Runner:
    """One composite action's steps: each with its own output file, all with one workspace and one temporary folder."""

    def __init__(self, folder: Path, path: list[str]) -> None:
        self.workspace, self.temporary = folder / "workspace", folder / "temporary"
        self._outputs = folder / "output"
        self._environment = {"PATH": os.pathsep.join(path), "HOME": str(folder), "RUNNER_TEMP": str(self.temporary)}
        for name in (self.workspace, self.temporary):
            name.mkdir()

    def bash(self, *command: str, **environment: str) -> "tuple[subprocess.CompletedProcess[str], dict[str, str]]":
        self._outputs.write_text("")
        result = subprocess.run(
            [BASH, "--noprofile", "--norc", *command],
            cwd=self.workspace,
            env={**self._environment, "GITHUB_OUTPUT": str(self._outputs), "GITHUB_ACTIONS": "true", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=200,
        )
        return result, file_commands(self._outputs.read_text())

    def native(self, *words: str, **environment: str) -> "tuple[subprocess.CompletedProcess[str], dict[str, str]]":
        return self.bash(str(NATIVE / "python.sh"), str(NATIVE / "run.py"), *words, **environment)


def tools(folder: Path, names: dict[str, str]) -> list[str]:
    """Return a PATH on which only these programs are found."""
    folder.mkdir()
    for name, target in names.items():
        (folder / name).symlink_to(target)
    return [str(folder)]


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_it_rehearses_and_leaves_nothing_behind(tmp_path: Path, installer: str) -> None:
    programs = {"python3": sys.executable} | ({"uv": str(shutil.which("uv"))} if installer == "uv" else {})
    runner = Runner(tmp_path, tools(tmp_path / "bin", programs))
    make_release(runner.workspace / "dist", "native")

    prepared, made = runner.native("prepare", "rehearsal")
    assert prepared.returncode == 0, prepared.stdout
    ran, outputs = runner.bash(
        "-c",
        PUBLISH,
        NATIVE_ACTION=str(NATIVE),
        NATIVE_FOLDER=made["folder"],
        NATIVE_PYTHON=made["python"],
        NATIVE_INPUTS='{"rehearse": "true", "packages-dir": "dist", "password": "", "skip_existing": "false"}',
    )
    cleaned, _ = runner.native("clean", NATIVE_FOLDER=made["folder"])

    assert (ran.returncode, outputs["outcome"], outputs["uploaded"]) == (0, "rehearsed", "2"), ran.stdout
    assert cleaned.returncode == 0
    assert not list(runner.temporary.iterdir())
    assert sorted(path.name for path in runner.workspace.iterdir()) == ["dist"]
    assert not (tmp_path / ".cache").exists()


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_the_job_s_settings_of_installers_and_of_python_change_nothing(tmp_path: Path, installer: str) -> None:
    programs = {"python3": sys.executable} | ({"uv": str(shutil.which("uv"))} if installer == "uv" else {})
    runner = Runner(tmp_path, tools(tmp_path / "bin", programs))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "pydantic.py").write_text("raise SystemExit('IMPORTED')\n")
    configuration = elsewhere / "pip.conf"
    configuration.write_text(f"[install]\ntarget = {elsewhere}/t\nconstraint = {elsewhere}/none.txt\ndry-run = true\n")
    (elsewhere / "uv.toml").write_text('exclude-newer = "2001-01-01"\n')
    hostile = {
        **{f"PIP_{name}": str(elsewhere / name) for name in ("TARGET", "PREFIX", "ROOT", "CONSTRAINT")},
        **dict.fromkeys(("PIP_DRY_RUN", "PIP_USER", "UV_DRY_RUN", "UV_OFFLINE"), "1"),
        **{f"UV_{name}": str(elsewhere / name) for name in ("CONSTRAINT", "OVERRIDE", "PROJECT", "TARGET")},
        "PIP_CONFIG_FILE": str(configuration),
        "UV_CONFIG_FILE": str(elsewhere / "uv.toml"),
        "UV_EXCLUDE_NEWER": "2001-01-01",
        "UV_LINK_MODE": "symlink",
        "PYTHONHOME": str(elsewhere),
        "PYTHONPATH": str(elsewhere),
    }

    prepared, made = runner.native("prepare", "rehearsal", **hostile)
    assert prepared.returncode == 0, prepared.stdout
    ran, outputs = runner.bash(
        "-c",
        PUBLISH,
        **{**hostile, "NATIVE_ACTION": str(NATIVE), "NATIVE_FOLDER": made["folder"], "NATIVE_PYTHON": made["python"]},
        NATIVE_INPUTS='{"packages-dir": "none"}',
    )

    assert (ran.returncode, outputs["exit-code"]) == (3, "3"), ran.stdout
    assert sorted(path.name for path in elsewhere.iterdir()) == ["pip.conf", "pydantic.py", "uv.toml"]


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_the_job_s_index_counts_and_a_failed_installation_is_an_annotation(tmp_path: Path, installer: str) -> None:
    programs = {"python3": sys.executable} | ({"uv": str(shutil.which("uv"))} if installer == "uv" else {})
    runner = Runner(tmp_path, tools(tmp_path / "bin", programs))
    nobody = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple/", "PIP_RETRIES": "0", "UV_HTTP_RETRIES": "0"}
    # What this machine's own pip.conf names besides must not help.
    nobody |= {"PIP_CONFIG_FILE": os.devnull}

    result, outputs = runner.native("prepare", "rehearsal", **nobody)

    assert (result.returncode, set(outputs)) == (10, {"folder"})
    assert {command.name for command in commands(result.stdout)} == {"error"}
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere sigstore's folders are not for a variable to say")
def test_sigstore_keeps_its_trust_root_in_the_private_folder(tmp_path: Path) -> None:
    runner = Runner(tmp_path, tools(tmp_path / "bin", {"python3": sys.executable}))
    prepared, made = runner.native("prepare", "rehearsal")
    assert prepared.returncode == 0, prepared.stdout
    program = (
        "import json, os, pathlib, runpy\n"
        f"caches = runpy.run_path({str(NATIVE / 'run.py')!r})['caches']\n"
        "os.environ.update(caches(pathlib.Path(os.environ['FOLDER'])))\n"
        "from sigstore._internal.tuf import _get_dirs\n"
        "print(json.dumps([str(folder) for folder in _get_dirs('https://tuf.example')]))\n"
    )

    ran, _ = runner.bash(
        "-c", 'exec "$PYTHON" -IBc "$PROGRAM"', PYTHON=made["python"], PROGRAM=program, FOLDER=made["folder"]
    )
    runner.native("clean", NATIVE_FOLDER=made["folder"])

    kept = json.loads(ran.stdout)
    assert len(kept) == 2
    assert all(folder.startswith(f"{made['folder']}{os.sep}") for folder in kept), kept


def test_without_a_python_it_says_what_to_do(tmp_path: Path) -> None:
    runner = Runner(tmp_path, tools(tmp_path / "bin", {"python3": str(shutil.which("false"))}))

    result, outputs = runner.native("prepare", "rehearsal")

    assert (result.returncode, outputs) == (2, {})
    assert [command.name for command in commands(result.stdout)] == ["error", "error"]
    assert "actions/setup-python" in result.stdout


def test_it_removes_nothing_but_its_own_folder(tmp_path: Path) -> None:
    runner = Runner(tmp_path, tools(tmp_path / "bin", {"python3": sys.executable}))

    runner.native("clean", NATIVE_FOLDER=str(runner.workspace))

    assert runner.workspace.is_dir()
