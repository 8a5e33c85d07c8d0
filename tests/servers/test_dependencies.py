"""The distributions of well-known projects, our own locked dependencies, pass without a false error.

Downloaded with pip from whatever index it is configured for, kept nowhere.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ci_publish.distributions.local import LocalDistributions
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Problem, Severity

pytestmark = [pytest.mark.stress, pytest.mark.servers]

LOCK = Path(__file__).parents[2] / "requirements" / "runtime.txt"
# Pure Python projects whose backends are small: pip has to run them to download an sdist.
SDISTS = ("idna", "mdurl", "markdown-it-py", "certifi", "h11", "packaging", "urllib3", "pygments")


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=600)


def errors(folder: Path) -> tuple[int, list[Problem]]:
    distributions = LocalDistributions()
    collection = distributions.collect([str(folder)])
    problems = distributions.check(collection, [IndexProfile.PYPI])
    return len(collection.distributions), [each for each in problems if each.severity is Severity.ERROR]


def test_the_wheels_of_our_dependencies_pass(tmp_path: Path) -> None:
    pip("download", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(LOCK), "-d", str(tmp_path))
    count, found = errors(tmp_path)
    assert found == []
    assert count == len(re.findall(r"^[a-zA-Z0-9].*==", LOCK.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("project", SDISTS)
def test_the_sdists_of_our_dependencies_pass(tmp_path: Path, project: str) -> None:
    match = re.search(rf"^{project}==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    assert match is not None
    pip("download", "--no-deps", "--no-binary", ":all:", f"{project}=={match[1]}", "-d", str(tmp_path))
    assert errors(tmp_path) == (1, [])
