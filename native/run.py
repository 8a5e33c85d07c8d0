"""The steps of the native action, with nothing but the standard library.

    prepare LOCK     make a private environment from requirements/LOCK.txt of this commit; say where it is
    publish          run ci-publish in it (started with the environment's own Python)
    build ARGUMENT…  run `build` in it
    attest FOLDER    create build provenance in it, for the files that NATIVE_INPUTS lists
    clean            remove it

The environment is used once and by nobody else, so it needs neither an installed package (each process adds this
commit's source to its path) nor an activation. The job's settings of installers and of Python do not change what is
in it.
"""

import ast
import json
import os
import re
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
# Added to sys.path, not named in a path file: Python 3.11 and 3.12 read those in the locale's encoding.
SOURCE = str(ROOT / "src")
NAME = "ci-publish-"
# The lock is complete (--no-deps), every file has its digest there, and none is built (no code runs to install it).
EXACTLY = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement")
# Internal to the action's steps; not passed on to the program.
PRIVATE = ("NATIVE_ACTION", "NATIVE_FOLDER", "NATIVE_INPUTS", "NATIVE_PYTHON")
SECONDS = 600

# Where distributions come from and how to get there: the only settings of the job's installers that count.
PIP_KEPT = frozenset(
    f"PIP_{name}"
    for name in (
        *("INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX", "TRUSTED_HOST", "KEYRING_PROVIDER"),
        *("PROXY", "CERT", "CLIENT_CERT", "TIMEOUT", "DEFAULT_TIMEOUT", "RETRIES"),
    )
)
UV_KEPT = re.compile(
    "UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|INDEX_STRATEGY|INDEX_.+_(USERNAME|PASSWORD)"
    "|INSECURE_HOST|KEYRING_PROVIDER|NATIVE_TLS|SYSTEM_CERTS|(HTTP|HTTPS|ALL|NO)_PROXY"
    "|(HTTP|REQUEST|HTTP_CONNECT)_TIMEOUT|HTTP_RETRIES)"
)
# pip's settings under uv's names.
AS_UV = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_NO_INDEX": "UV_NO_INDEX",
    "PIP_TRUSTED_HOST": "UV_INSECURE_HOST",
    "PIP_PROXY": "ALL_PROXY",
    "PIP_CERT": "SSL_CERT_FILE",
    "PIP_CLIENT_CERT": "SSL_CLIENT_CERT",
}

# What each lock is for; it is imported before the environment counts as ready.
IMPORTED = {
    "rehearsal": (
        "import ci_publish.cli.command_invocation, ci_publish.app.commands, ci_publish.publishing.publish"
        "; import cryptography.hazmat.bindings._rust, comrak, nh3"
    ),
    "build": "import build.__main__",
    "runtime": (
        "import ci_publish.cli.command_invocation, ci_publish.app.commands, ci_publish.publishing.attest"
        ", ci_publish.attestations.authority; import cryptography.hazmat.bindings._rust"
    ),
}


class SetupFailed(Exception):
    """The environment could not be made: what happened, why, and the exit code."""

    def __init__(self, title: str, reason: str, code: int) -> None:
        super().__init__(title)
        self.title, self.reason, self.code = title, reason, code


def main(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int:
    """Run one step and return its exit code; a failure is an annotation, never a traceback."""
    try:
        return step(arguments, environ)
    except SetupFailed as error:
        annotate(error.title, error.reason)
        return error.code
    except Exception as error:  # noqa: BLE001  (whatever it is, a traceback helps nobody who reads the log)
        annotate("ci-publish could not be started", f"{type(error).__name__}: {error}")
        return 1


def step(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int:
    """Run one step and return its exit code. Raises SetupFailed."""
    match arguments:
        case ["prepare", lock]:
            return prepare(lock, environ)
        case ["publish"]:
            return publish(environ)
        case ["attest", output_dir]:
            return attest(output_dir, environ)
        case ["build", *words]:
            return build(words)
        case ["clean"]:
            return clean(Path(environ["NATIVE_FOLDER"]))
        case _:
            raise ValueError(arguments)


def prepare(lock: str, environ: Mapping[str, str]) -> int:
    """Fill a new folder below RUNNER_TEMP; its path is an output at once, so that a failure leaves nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix=NAME, dir=environ.get("RUNNER_TEMP") or None))
    output(environ, "folder", str(folder))
    python = make_environment(folder / "environment")
    install(folder, python, ROOT / "requirements" / f"{lock}.txt", environ)
    require_imports(folder, python, IMPORTED[lock], environ)
    output(environ, "python", str(python))
    return 0


def make_environment(folder: Path) -> Path:
    """Make a virtual environment without pip; return its Python."""
    venv.EnvBuilder(symlinks=os.name != "nt").create(folder)
    places = sysconfig.get_paths("venv", vars={"base": str(folder), "platbase": str(folder)})
    return Path(places["scripts"], "python.exe" if os.name == "nt" else "python")


def install(folder: Path, python: Path, lock: Path, environ: Mapping[str, str]) -> None:
    """Fill the environment of *python* from *lock*: with the runner's uv, else with one that the runner's pip brings.

    Nothing stays in a cache. Raises SetupFailed.
    """
    pip = pip_settings(environ)
    uv = shutil.which("uv")
    if uv is None:
        if find_spec("pip") is None:
            title = "ci-publish found neither uv nor pip"
            raise SetupFailed(title, f"{sys.executable} has no pip, and uv is not on PATH.", 2)
        pip = pip_configuration(folder, environ)
        uv = fetch_uv(folder, {**plain(environ), **pip, "PIP_CONFIG_FILE": os.devnull})
    options = ("--quiet", "--no-config", "--no-cache", "--no-progress", "--python", str(python))
    run((uv, "pip", "install", *options, *EXACTLY, str(lock)), folder, uv_environment(environ, pip))


def fetch_uv(folder: Path, environment: Mapping[str, str]) -> str:
    """Install the locked uv below *folder* with the runner's pip; return its path. Raises SetupFailed."""
    target = folder / "uv"
    pip = (
        *(sys.executable, "-IB", "-X", "utf8", "-m", "pip"),
        *("--disable-pip-version-check", "--no-input", "install", "--quiet"),
    )
    options = ("--no-cache-dir", "--no-compile", "--target", str(target))
    run((*pip, *options, *EXACTLY, str(ROOT / "requirements" / "uv.txt")), folder, environment)
    found = shutil.which("uv", path=os.pathsep.join(str(target / name) for name in ("bin", "Scripts")))
    if found is None:
        raise SetupFailed("What ci-publish needs could not be installed", "pip installed a uv without a program.", 10)
    return found


def plain(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the job's variables without what installers and Python would make of them."""
    ours = ("PIP_", "UV_", "PYTHON")
    return {name: value for name, value in environ.items() if not name.upper().startswith(ours)}


def pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of pip that count."""
    return {name: value for name, value in environ.items() if name in PIP_KEPT and value}


def uv_environment(environ: Mapping[str, str], pip: Mapping[str, str]) -> dict[str, str]:
    """Return uv's environment: the variables of uv that count, else *pip*'s settings under uv's names.

    As pip does, uv trusts the authorities that the machine trusts, and takes a file from any index that has it (all are
    locked by digest).
    """
    own = {name: value for name, value in environ.items() if UV_KEPT.fullmatch(name) and value}
    indexes = any("INDEX" in name or "FIND_LINKS" in name for name in own)
    from_pip = {AS_UV[name]: value for name, value in pip.items() if name in AS_UV}
    if indexes:
        from_pip = {name: value for name, value in from_pip.items() if not name.startswith("UV_")}
    if "UV_FIND_LINKS" in from_pip:
        from_pip["UV_FIND_LINKS"] = ",".join(from_pip["UV_FIND_LINKS"].split())
    defaults = {"UV_SYSTEM_CERTS": "1", "UV_INDEX_STRATEGY": "unsafe-best-match"}
    return {**defaults, **from_pip, **plain(environ), **own}


def pip_configuration(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what counts of pip's variables and configuration files, as variables."""
    if not pip_has_configuration(environ):
        return pip_settings(environ)
    command = (
        *(sys.executable, "-IB", "-X", "utf8", "-m", "pip"),
        *("--disable-pip-version-check", "--no-input", "config", "list"),
    )
    given = environ.get("PIP_CONFIG_FILE")
    named = {"PIP_CONFIG_FILE": os.path.abspath(given)} if given else {}  # noqa: PTH100  (the null device stays itself)
    # As settings in these files they are options of `pip config`, too, and would hide the other files.
    everything = {"PIP_USER": "0", "PIP_GLOBAL": "0", "PIP_SITE": "0"}
    listed = run(command, folder, {**plain(environ), **named, **everything})
    found: dict[str, str] = {}
    for section in ("global", "install"):
        for key, value in re.findall(rf"^{section}\.(\S+?)=('.*'|\".*\")$", listed, re.MULTILINE):
            found[f"PIP_{key.upper().replace('-', '_')}"] = " ".join(ast.literal_eval(value).split())
    return {**pip_settings(found), **pip_settings(environ)}


def pip_has_configuration(environ: Mapping[str, str]) -> bool:
    """Return whether any configuration file of pip exists; asking pip what they say takes a third of a second."""
    try:
        from pip._internal.configuration import get_configuration_files  # noqa: PLC0415  (there may be no pip)

        files = [file for some in get_configuration_files().values() for file in some]
    except Exception:  # noqa: BLE001  (another pip: ask it)
        return True
    return bool(environ.get("PIP_CONFIG_FILE")) or any(os.path.exists(file) for file in files)  # noqa: PTH110


def require_imports(folder: Path, python: Path, program: str, environ: Mapping[str, str]) -> None:
    """Import what the environment is for. What is compiled for it serves the next step. Raises SetupFailed."""
    command = (str(python), "-I", "-X", "utf8", "-X", f"pycache_prefix={folder / 'bytecode'}", "-c")
    program = f"import sys; sys.path.append({SOURCE!a}); {program}"
    try:
        run((*command, program), folder, plain(environ))
    except SetupFailed as error:
        title = "What ci-publish needs was installed and does not work"
        raise SetupFailed(title, error.reason, 1) from error


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """Run *command* in *folder* and return what it printed. Raises SetupFailed with its last words."""
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        reason = f"{Path(command[0]).name} took more than {SECONDS} seconds."
        raise SetupFailed("What ci-publish needs could not be installed", reason, 10) from error
    if result.returncode:
        words = last_words(result.stdout)
        reason = f"{Path(command[0]).name} ended with exit code {result.returncode}:\n{words}"
        raise SetupFailed("What ci-publish needs could not be installed", reason, 10)
    return result.stdout


def last_words(text: str) -> str:
    """Return the end of what a program printed; of a traceback only what it says."""
    lines = text.strip().splitlines()
    return "\n".join(lines[-1:] if any("Traceback" in line for line in lines) else lines[-10:])


def annotate(title: str, reason: str) -> None:
    """Print an error annotation."""
    text = reason.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::error title={title}::{text}")


def publish(environ: MutableMapping[str, str]) -> int:
    """Run `ci-publish publish`; the inputs come as one JSON object."""
    inputs = json.loads(environ["NATIVE_INPUTS"])
    environ["CI_PUBLISH_ACTION"] = "native"
    environ.update({f"INPUT_{name.replace(' ', '_').upper()}": as_text(value) for name, value in inputs.items()})
    return ci_publish(["publish"], environ)


def attest(output_dir: str, environ: MutableMapping[str, str]) -> int:
    """Create build provenance in *output_dir* for the files that NATIVE_INPUTS lists, which are not on this machine."""
    subjects = Path(environ["NATIVE_FOLDER"], "subjects.json")
    subjects.write_text(environ["NATIVE_INPUTS"], encoding="utf-8")
    return ci_publish(["attest", "--build", "--subjects", str(subjects), "--output-dir", output_dir], environ)


def ci_publish(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int:
    """Run ci-publish in this process, which is the environment's Python."""
    for name in PRIVATE:
        environ.pop(name, None)
    environ.update(caches(Path(sys.prefix).absolute().parent))
    sys.path.append(SOURCE)
    sys.argv = ["ci-publish", *arguments]
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
