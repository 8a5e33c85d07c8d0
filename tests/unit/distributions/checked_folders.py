"""Folders of files, collected and checked as a run does it."""

from pathlib import Path

from ci_publish.distributions.local import LocalDistributions
from ci_publish.distributions.subfolders import Subfolders
from ci_publish.model.distribution import Collection
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Problem
from tests.corpus.build import Sdist, Wheel


def checked(folder: Path) -> tuple[Collection, dict[str, Problem]]:
    distributions = LocalDistributions()
    collection = distributions.collect([str(folder)])
    problems = distributions.check(collection, [IndexProfile.PYPI])
    return collection, {problem.rule: problem for problem in problems}


PYPI = [IndexProfile.PYPI]


GENERIC = [IndexProfile.GENERIC]


def put(folder: Path, *files: Wheel | Sdist) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file.filename).write_bytes(file.build())


def check(
    folder: Path, profiles: list[IndexProfile] = PYPI, *, strict: bool = False, verify_metadata: bool = True
) -> dict[str, Problem]:
    distributions = LocalDistributions(strict=strict, verify_metadata=verify_metadata)
    problems = distributions.check(distributions.collect([str(folder)]), profiles)
    return {problem.rule: problem for problem in problems}


def advice(tmp_path: Path, rule: str, file: Wheel) -> str:
    (tmp_path / file.filename).write_bytes(file.build())
    local = LocalDistributions()
    problems = local.check(local.collect([str(tmp_path)]), [IndexProfile.PYPI])
    (found,) = [problem for problem in problems if problem.rule == rule]
    return found.advice


LINUX = "demo_pkg-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"


def place(path: str, content: Wheel | Sdist | bytes | None = None) -> Path:
    """Write a distribution under its own name, or other content."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        content = Sdist() if path.endswith(".tar.gz") else Wheel(file.name, members=((f"{file.name}.py", b""),))
    file.write_bytes(content if isinstance(content, bytes) else content.build())
    return file


def collected(
    *paths: str, subfolders: Subfolders = Subfolders.REFUSE, strict: bool = False
) -> tuple[Collection, tuple[Problem, ...]]:
    distributions = LocalDistributions(subfolders=subfolders, strict=strict)
    collection = distributions.collect(paths or ("dist",))
    return collection, distributions.check(collection, [IndexProfile.PYPI])
