"""Say whether the container tests can run here; exit 0 when they can, and 3 after a notice that nobody overlooks.

Asked in earnest, by running a container from the image that ours is built on: an engine that is installed but cannot
run anything is worth as much as none. BASE_IMAGE names another image, REQUIRE_CONTAINERS=1 makes the notice a failure.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

BAR = "!" * 100
BASE_IMAGE = "docker.io/library/python:3.13-slim"
# Long enough to pull the image, once, over a slow line.
SECONDS = 180


def fault(image: str) -> str | None:
    """Return why no container can be run from *image*, None when one was."""
    podman = shutil.which("podman")
    if podman is None:
        return "podman is not installed"
    command = [podman, "run", "--rm", "--network=none", image, "python3", "-c", "pass"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"podman did not get {image} to run within {SECONDS} s"
    last_words = (result.stderr.strip() or result.stdout.strip() or f"exit {result.returncode}").splitlines()[-1]
    return None if result.returncode == 0 else f"podman cannot run {image}: {last_words}"


def main(environment: Mapping[str, str]) -> int:
    """Print the notice to stdout and, on GitHub, as a warning annotation too."""
    reason = fault(environment.get("BASE_IMAGE", BASE_IMAGE))
    if reason is None:
        return 0
    headline = f"THE CONTAINER TESTS DID NOT RUN: {reason}"
    print(BAR, headline, "Nothing is known about the image and the actions of this checkout.", BAR, sep="\n")
    if environment.get("GITHUB_ACTIONS") == "true":
        print(f"::warning title=Container tests did not run::{headline}")
    return 4 if environment.get("REQUIRE_CONTAINERS") == "1" else 3


if __name__ == "__main__":
    sys.exit(main(os.environ))
