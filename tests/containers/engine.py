"""podman, and the image of this checkout built with it."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The machine's own certificate authorities, so that a build also gets through a proxy that has one.
AUTHORITIES = Path("/etc/ssl/certs")


def engine() -> str:
    """Return podman's path; `make test-containers` has made sure that there is one."""
    found = shutil.which("podman")
    assert found is not None, "podman is not on PATH: use `make test-containers`, which says so"
    return found


def build(tag: str, context: Path, *arguments: str) -> str:
    """Build the Dockerfile in *context*, pulling only what is not there, and return the image's id."""
    trust = ["-v", f"{AUTHORITIES}:{AUTHORITIES}:ro"] if AUTHORITIES.is_dir() else []
    command = [engine(), "build", "--quiet", "--pull=missing", "--network=host", *trust, "--timestamp", "0"]
    result = subprocess.run(
        [*command, *arguments, "--tag", tag, str(context)], capture_output=True, text=True, check=False, timeout=300
    )
    assert result.returncode == 0, result.stderr[-4_000:]
    return result.stdout.split()[-1]


@dataclass(frozen=True)
class Ran:
    """How a container ended."""

    code: int
    log: str


@dataclass(frozen=True)
class Container:
    """One run of an image: what `docker run` is given. Removed afterwards, also after a timeout.

    On the host's network, where the worlds of the tests are, unless the flags say something else.
    """

    image: str
    arguments: Sequence[object] = ()
    flags: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, seconds: float = 120) -> Ran:
        """Run it; values travel from the environment of the engine's client, as with the runner."""
        name = f"ci-publish-test-{uuid.uuid4().hex}"
        names = [part for key in self.environment for part in ("-e", key)]
        network = [] if any(flag.startswith("--network") for flag in self.flags) else ["--network=host"]
        command = [engine(), "run", "--rm", "--name", name, *network, *names, *self.flags]
        try:
            result = subprocess.run(
                [*command, self.image, *map(str, self.arguments)],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            subprocess.run([engine(), "rm", "--force", name], capture_output=True, check=False)
            raise
        return Ran(result.returncode, result.stdout)
