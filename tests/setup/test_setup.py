"""Set-up does not depend on what the registry serves that day: what make installs from a lock is the lock.

Each test runs the Makefile's own recipes against an index on loopback that has a higher version of every locked
distribution. Those that need other versions of pip, and the locked files themselves, fetch them from the registry.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.setup.loopback_index import Locked, lock_of, make_wheel, newer_wheels, read_lock, serving

ROOT = Path(__file__).resolve().parents[2]
PIPS = ("pip==22.3", "pip==23.2.1", "pip")
"""The oldest that knows `--python`, which the native action uses; that of Python 3.11.7 and 3.12.1; the newest."""
INSTALLERS = {"pip", "setuptools"}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the Makefile's environments are laid out for POSIX")


def made_for(locked: Iterable[Locked]) -> dict[str, bytes]:
    """A wheel for each locked version, which requires the next one: any version of it, with an extra."""
    entries = list(locked)
    following = [*entries[1:], entries[0]]
    return dict(
        make_wheel(entry.name, entry.version, f"{other.name}[extra]")
        for entry, other in zip(entries, following, strict=True)
    )


def settings(index: str) -> dict[str, str]:
    """The environment of an installation for which there is no other index and no setting of the user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "MAKE", "VENV"))}
    return {**kept, "PIP_INDEX_URL": index, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PIP_NO_INPUT": "1"}


def run(*command: str, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=600)


def make(target: str, checkout: Path, index: str) -> None:
    done = run("make", target, f"PYTHON={sys.executable}", cwd=checkout, env=settings(index))
    assert done.returncode == 0, done.stdout + done.stderr


def installed(checkout: Path) -> dict[str, str]:
    """What is in the environment of *checkout*, but for what came with it."""
    python = str(checkout / ".venv" / "bin" / "python")
    program = (
        "import importlib.metadata, json, sys; "
        "print(json.dumps([(each.name, each.version) for each in importlib.metadata.distributions()]))"
    )
    done = run(python, "-IBc", program, cwd=checkout)
    found = {canonicalize_name(name): version for name, version in json.loads(done.stdout)}
    return {name: found[name] for name in found if name not in {*INSTALLERS, "ci-publish"}}


def wanted(locked: Iterable[Locked]) -> dict[str, str]:
    return {canonicalize_name(entry.name): str(Version(entry.version)) for entry in locked if entry.wanted}


def with_pip(checkout: Path, pip: str) -> None:
    """Make the environment that the Makefile would make, with another pip in it."""
    folder = checkout / ".venv"
    venv.create(folder, with_pip=True)
    done = run(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--upgrade", pip, cwd=checkout)
    assert done.returncode == 0, done.stderr
    (folder / ".stamps").mkdir()
    (folder / ".stamps" / "venv").touch()


def with_made_lock(checkout: Path, name: str) -> tuple[list[Locked], dict[str, bytes]]:
    """Copy the Makefile beside a lock of the same versions, whose files are made here: all but what installs them."""
    locked = [entry for entry in read_lock(ROOT / "requirements" / f"{name}.txt") if entry.name not in INSTALLERS]
    wheels = made_for(locked)
    (checkout / "requirements").mkdir(parents=True)
    (checkout / "requirements" / f"{name}.txt").write_text(lock_of(locked, wheels), encoding="utf-8")
    shutil.copy(ROOT / "Makefile", checkout)
    return locked, {**wheels, **newer_wheels(locked)}


def test_make_installs_exactly_the_lock_where_everything_has_a_newer_release(tmp_path: Path) -> None:
    locked, wheels = with_made_lock(tmp_path, "rehearsal")
    with serving(wheels) as index:
        make(".venv/.stamps/rehearsal.txt", tmp_path, index)
    assert installed(tmp_path) == wanted(locked)


@pytest.mark.setup
@pytest.mark.parametrize("pip", PIPS)
def test_with_any_pip_make_installs_exactly_the_lock(tmp_path: Path, pip: str) -> None:
    locked, wheels = with_made_lock(tmp_path, "dev")
    with_pip(tmp_path, pip)
    with serving(wheels) as index:
        make(".venv/.stamps/dev.txt", tmp_path, index)
    assert installed(tmp_path) == wanted(locked)


@pytest.mark.setup
def test_an_installation_that_resolves_does_not_install_the_lock(tmp_path: Path) -> None:
    """The control: on this index, the same installation without --no-deps fails."""
    _, wheels = with_made_lock(tmp_path, "rehearsal")
    makefile = (tmp_path / "Makefile").read_text(encoding="utf-8")
    assert " --no-deps --require-hashes" in makefile
    (tmp_path / "Makefile").write_text(makefile.replace(" --no-deps --require-hashes", " --require-hashes"))
    with_pip(tmp_path, "pip==23.2.1")
    with serving(wheels) as index:
        done = run("make", ".venv/.stamps/rehearsal.txt", cwd=tmp_path, env=settings(index))
    assert done.returncode != 0
    assert "all requirements must have their versions pinned with ==" in done.stderr


@pytest.fixture(scope="session")
def locked_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files that are locked for `make demo`, from the registry."""
    folder = tmp_path_factory.mktemp("locked")
    locks = [option for name in ("rehearsal", "build") for option in ("-r", f"requirements/{name}.txt")]
    exactly = ("--no-deps", "--require-hashes", "--only-binary", ":all:")
    command = (sys.executable, "-m", "pip", "download", "--quiet", *exactly, "--dest", str(folder), *locks)
    done = run(*command, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.setup
@pytest.mark.parametrize("pip", PIPS)
def test_with_any_pip_the_environment_of_the_demo_has_the_locked_files(
    tmp_path: Path, pip: str, locked_files: Mapping[str, bytes]
) -> None:
    checkout = tmp_path / "checkout"
    tracked = run(
        "git", "ls-files", "-z", "Makefile", "pyproject.toml", "README.md", "LICENSE", "requirements", "src", cwd=ROOT
    )
    for name in tracked.stdout.split("\0")[:-1]:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    locked = [entry for name in ("rehearsal", "build") for entry in read_lock(ROOT / "requirements" / f"{name}.txt")]
    with_pip(checkout, pip)
    with serving({**locked_files, **newer_wheels(locked)}) as index:
        make("env-demo", checkout, index)
    assert installed(checkout) == wanted(locked)
    done = run(str(checkout / ".venv" / "bin" / "ci-publish"), "--version", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
