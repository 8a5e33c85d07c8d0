"""Git repositories for the runners to find."""

import shutil
import subprocess
from pathlib import Path


def git(folder: Path) -> list[str]:
    """Return the beginning of a git command in *folder*."""
    found = shutil.which("git")
    assert found is not None
    return [found, "-C", str(folder)]


def make_repository(folder: Path) -> None:
    """Commit all that lies in *folder*, with the remote that a clone would have."""
    who = ("-c", "user.email=tester@example.com", "-c", "user.name=Tester")
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        (*who, "commit", "--quiet", "--message", "All of it"),
        ("remote", "add", "origin", "https://gitlab.com/acme/demo.git"),
        ("update-ref", "refs/remotes/origin/main", "HEAD"),
        ("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"),
    ):
        subprocess.run([*git(folder), *arguments], check=True)
