"""The steps of the native action, with nothing but the standard library.

    prepare LOCK     make a private environment from requirements/LOCK.txt of this commit; say where it is
    publish          run ci-publish in it (started with the environment's own Python)
    build ARGUMENT…  run `build` in it
    clean            remove it

The environment is used once and by nobody else, so it needs neither an installed package (a path file names this
commit's source), nor bytecode, nor an activation.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Mapping, MutableMapping, Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "ci-publish-"
# The lock is complete (--no-deps), every file has its digest there, and none is built (no code runs to install it).
EXACTLY = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement")
# What the action's steps tell each other is no business of the program.
PRIVATE = ("NATIVE_ACTION", "NATIVE_FOLDER", "NATIVE_INPUTS", "NATIVE_PYTHON")
SECONDS = 600


def main(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int:
    """Run one step and return its exit code."""
    match arguments:
        case ["prepare", lock]:
            return prepare(ROOT / "requirements" / f"{lock}.txt", environ)
        case ["publish"]:
            return publish(environ)
        case ["build", *words]:
            return build(words)
        case ["clean"]:
            return clean(Path(environ["NATIVE_FOLDER"]))
        case _:
            raise ValueError(arguments)


def prepare(lock: Path, environ: Mapping[str, str]) -> int:
    """Fill a new folder below RUNNER_TEMP; its path is an output at once, so that a failure leaves nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix=NAME, dir=environ.get("RUNNER_TEMP") or None))
    output(environ, "folder", str(folder))
    python = make_environment(folder / "environment")
    uv = shutil.which("uv")
    if uv is None and find_spec("pip") is None:
        print(f"::error title=ci-publish found neither uv nor pip::{sys.executable} has no pip, and uv is not on PATH.")
        return 2
    try:
        # As pip does: trust the authorities that the machine trusts, unless somebody said otherwise.
        trusting = {"UV_SYSTEM_CERTS": "1", **environ}
        subprocess.run((*installer(uv, python), str(lock)), cwd=folder, env=trusting, check=True, timeout=SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"::error title=What ci-publish needs could not be installed::{reason(error)}")
        return 10
    output(environ, "python", str(python))
    return 0


def make_environment(folder: Path) -> Path:
    """Make a virtual environment without pip, in which this commit's source can be imported; return its Python."""
    venv.EnvBuilder(symlinks=os.name != "nt").create(folder)
    places = sysconfig.get_paths("venv", vars={"base": str(folder), "platbase": str(folder)})
    Path(places["purelib"], "ci-publish.pth").write_text(f"{ROOT / 'src'}\n", encoding="utf-8")
    return Path(places["scripts"], "python.exe" if os.name == "nt" else "python")


def installer(uv: str | None, python: Path) -> Sequence[str]:
    """Return the command that fills the environment of *python*, but for the path of the lock, which comes last.

    uv where the runner has it, else the runner's pip; neither leaves anything in a cache of its own.
    """
    if uv is not None:
        return (
            uv,
            "pip",
            "install",
            "--quiet",
            "--no-config",
            "--no-cache",
            "--no-progress",
            "--python",
            str(python),
            *EXACTLY,
        )
    pip = (sys.executable, "-IB", "-m", "pip", "--python", str(python), "--disable-pip-version-check", "--no-input")
    return (*pip, "install", "--quiet", "--no-cache-dir", "--no-compile", *EXACTLY)


def reason(error: subprocess.SubprocessError) -> str:
    """Say what became of the installer, whose own words stand above in the log."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"The installer ended with exit code {error.returncode}; its words are in the log of this step."
    return f"The installer took more than {SECONDS} seconds."


def publish(environ: MutableMapping[str, str]) -> int:
    """Run ci-publish in this process, which is the environment's Python; the inputs come as one JSON object."""
    inputs = json.loads(environ["NATIVE_INPUTS"])
    for name in PRIVATE:
        environ.pop(name, None)
    environ["CI_PUBLISH_ACTION"] = "native"
    environ.update(caches(Path(sys.prefix).absolute().parent))
    environ.update({f"INPUT_{name.replace(' ', '_').upper()}": as_text(value) for name, value in inputs.items()})
    sys.argv = ["ci-publish", "publish"]
    from ci_publish.__main__ import entry  # noqa: PLC0415  (there is none outside of the private environment)

    entry()
    return 0


def caches(folder: Path) -> dict[str, str]:
    """Return the variables by which what sigstore keeps, its trust root, lies in the private *folder* and goes with it.

    They are those of Linux. On macOS and Windows there are none: it stays in the user's own folder there.
    """
    return {"XDG_CACHE_HOME": str(folder / "cache"), "XDG_DATA_HOME": str(folder / "data")}


def build(arguments: Sequence[str]) -> int:
    """Run the build frontend in this process; its own environments are filled by uv where the runner has it."""
    from build.__main__ import main as run_build  # noqa: PLC0415  (there is none outside of the private environment)

    run_build([*(["--installer", "uv"] if shutil.which("uv") else []), *arguments])
    return 0


def as_text(value: object) -> str:
    """Return an input as the runner would put it into a variable."""
    return "" if value is None else str(value)


def clean(folder: Path) -> int:
    """Remove the environment; what cannot be removed is left to the runner, which empties RUNNER_TEMP."""
    if folder.name.startswith(NAME):
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def output(environ: Mapping[str, str], name: str, value: str) -> None:
    """Set an output of this step."""
    with Path(environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
