"""The port ``Distributions``: the pipeline's fake and the files of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ci_publish.distributions.local import LocalDistributions
from ci_publish.errors import NothingToPublish
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Problem, Severity
from tests.distributions import make_sdist, make_wheel
from tests.unit.fakes import FakeDistributions, sdist, wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ci_publish.publishing.ports import Distributions

UNREADABLE = "demo-1.0-py2-none-any.whl"


@dataclass(frozen=True)
class Kind:
    """Distributions of a folder with some kinds of content."""

    empty: Callable[[], Distributions]
    release: Callable[[], Distributions]
    with_unreadable: Callable[[], Distributions]
    only_unreadable: Callable[[], Distributions]
    path: str


def fake(_: Path) -> Kind:
    broken = Problem(filename=UNREADABLE, rule="archive-readable", severity=Severity.ERROR, message="It is no archive.")
    return Kind(
        lambda: FakeDistributions([]),
        lambda: FakeDistributions([wheel(), sdist()]),
        lambda: FakeDistributions([wheel(), sdist()], unreadable=(broken,)),
        lambda: FakeDistributions([], unreadable=(broken,)),
        "dist",
    )


def local(folder: Path) -> Kind:
    dist = folder / "dist"
    dist.mkdir()

    def made(*, release: bool, unreadable: bool) -> Distributions:
        if release:
            make_wheel(dist)
            make_sdist(dist)
        if unreadable:
            (dist / UNREADABLE).write_bytes(b"no archive")
        return LocalDistributions()

    return Kind(
        lambda: made(release=False, unreadable=False),
        lambda: made(release=True, unreadable=False),
        lambda: made(release=True, unreadable=True),
        lambda: made(release=False, unreadable=True),
        str(dist),
    )


@pytest.fixture(params=[fake, local], ids=["fake", "local"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    make: Callable[[Path], Kind] = request.param
    return make(tmp_path)


def test_nothing_is_raised_as_such(kind: Kind) -> None:
    with pytest.raises(NothingToPublish):
        kind.empty().collect([kind.path])


def test_a_release_is_found_with_its_digests(kind: Kind) -> None:
    collection = kind.release().collect([kind.path])
    assert {file.filename for file in collection} == {"demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"}
    assert {file.release for file in collection} == {("demo", "1.0")}
    assert all(len(file.sha256) == 64 and file.sha256 == file.sha256.lower() for file in collection)
    assert all(file.size > 0 for file in collection)


def test_a_file_that_cannot_be_read_is_a_problem_and_no_distribution(kind: Kind) -> None:
    collection = kind.with_unreadable().collect([kind.path])
    assert UNREADABLE not in {file.filename for file in collection}
    assert (UNREADABLE, Severity.ERROR) in {(problem.filename, problem.severity) for problem in collection.problems}
    assert len(collection.distributions) == 2


def test_a_problem_that_explains_why_there_is_nothing_is_told_instead(kind: Kind) -> None:
    distributions = kind.only_unreadable()
    collection = distributions.collect([kind.path])
    assert collection.distributions == ()
    assert UNREADABLE in {problem.filename for problem in distributions.check(collection, [IndexProfile.PYPI])}


@pytest.mark.parametrize("profiles", [[IndexProfile.PYPI], [IndexProfile.GENERIC], list(IndexProfile)])
def test_a_check_tells_of_collecting_too_and_goes_file_by_file(kind: Kind, profiles: list[IndexProfile]) -> None:
    distributions = kind.with_unreadable()
    collection = distributions.collect([kind.path])
    problems = distributions.check(collection, profiles)
    assert set(collection.problems) <= set(problems)
    names = [problem.filename or "" for problem in problems]
    assert names == sorted(names)


def test_a_release_without_fault_has_no_errors(kind: Kind) -> None:
    distributions = kind.release()
    problems = distributions.check(distributions.collect([kind.path]), list(IndexProfile))
    assert not [problem for problem in problems if problem.severity is Severity.ERROR]
