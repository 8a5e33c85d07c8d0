"""The programs that play GitHub's and GitLab's runners here: from PATH, or from the folder that CI_RUNTIMES names.

Nobody must have them, and nobody may overlook that they are missing: a test that needs one says so in large letters,
and fails where REQUIRE_CONTAINERS=1 says that they are there.
"""

import os
import shutil
from pathlib import Path

import pytest

BAR = "!" * 100
# Below the folder that CI_RUNTIMES names.
_PLACES = {"act": "venv/bin/act", "gitlab-ci-local": "gcl"}
missing: set[str] = set()


def runtime(name: str) -> str:
    """Return the path of *name*, or skip the test, or fail it where all must be there; the last words repeat it."""
    folder = os.environ.get("CI_RUNTIMES")
    kept = Path(folder, _PLACES[name]) if folder else None
    found = str(kept) if kept and kept.exists() else shutil.which(name)
    if found is None:
        missing.add(name)
        if os.environ.get("REQUIRE_CONTAINERS") == "1":
            pytest.fail(f"{name} is not installed, and REQUIRE_CONTAINERS=1 requires it")
        pytest.skip(f"{name} is not installed")
    return found


def notice() -> str:
    """Return what to say at the end of a run: nothing when nothing was missing."""
    if not missing:
        return ""
    names = " and ".join(sorted(missing))
    headline = f"THE CONTAINER TESTS DID NOT RUN COMPLETELY: {names}: neither on PATH nor in the folder CI_RUNTIMES"
    return f"{BAR}\n{headline}\n{BAR}"
