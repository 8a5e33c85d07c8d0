"""A clean user: a home, an index on loopback with our wheel and what it needs, and the usual installers."""

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.distributions import make_release
from tests.setup.loopback_index import serving

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent


@dataclass(frozen=True)
class User:
    """Somebody in a folder with distributions in `dist/`, whose shell knows one index."""

    folder: Path
    environ: dict[str, str]

    def shell(self, line: str, code: int = 0) -> str:
        """Run one line as it would be pasted; return what it printed."""
        done = subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-c", line],
            cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == code, f"$ {line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with this project's sdist and wheel."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), ".")
    return folder


@pytest.fixture(scope="session")
def index(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an index on loopback with the wheel, and the locked files of all that it needs, also to be built."""
    folder = tmp_path_factory.mktemp("locked")
    locks = [option for name in ("rehearsal", "build", "channels") for option in ("-r", f"requirements/{name}.txt")]
    exactly = ("--no-deps", "--require-hashes", "--only-binary", ":all:")
    run(sys.executable, "-m", "pip", "download", "--quiet", *exactly, "--dest", str(folder), *locks)
    files = (*folder.glob("*.whl"), *built.glob("*.whl"))
    with serving({path.name: path.read_bytes() for path in files}) as url:
        yield url


@pytest.fixture
def user(tmp_path: Path, index: str) -> User:
    folder, home, environment = tmp_path / "project", tmp_path / "home", tmp_path / "environment"
    make_release(folder / "dist")
    venv.create(environment, with_pip=True)
    home.mkdir()
    for tool in ("uv", "uvx", "pipx", "pre-commit"):
        (home / "tools").mkdir(exist_ok=True)
        (home / "tools" / tool).symlink_to(TOOLS / tool)
    path = (environment / "bin", home / ".local" / "bin", home / "tools", Path("/usr/bin"), Path("/bin"))
    clone = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{ROOT}.insteadOf"}
    return User(
        folder,
        {
            "HOME": str(home),
            "PATH": os.pathsep.join(map(str, path)),
            "PIP_INDEX_URL": index,
            "UV_DEFAULT_INDEX": index,
            "UV_PYTHON": sys.executable,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **clone,
            "GIT_CONFIG_VALUE_0": "https://github.com/ci-publish/ci-publish",
        },
    )
