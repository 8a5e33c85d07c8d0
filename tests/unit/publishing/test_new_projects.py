"""How many projects a run creates."""

import pytest

from ci_publish.errors import ConfigurationError
from ci_publish.model.index import Conflict, Deferred, NoSuchProject, Plan, ProjectListing, Upload
from ci_publish.model.train import Train, train_of_distributions
from ci_publish.publishing.new_projects import deferred_projects, limit_new_projects
from tests.unit.fakes import PYPI, published, sha, wheel
from tests.unit.publishing.projects import project

TRAIN = train_of_distributions(
    [
        project("a"),
        project("b", "d"),
        project("c", "a", "x"),
        project("d", "b"),
        project("x"),
        project("z", "c"),
        project("old", "c"),
    ]
)


def deferred(most: int, *existing: str) -> set[str]:
    new = [name for name in TRAIN.order if name not in {"old", *existing}]
    return set(deferred_projects(new, TRAIN, most))


def test_the_longest_beginning_of_the_order_is_created() -> None:
    assert TRAIN.order == ("a", "b", "d", "x", "c", "old", "z")
    assert deferred(6) == set()
    assert deferred(5) == {"z"}
    assert deferred(4) == {"c", "z", "old"}, "which exists, and requires what waits"
    assert deferred(3) == {"x", "c", "z", "old"}
    assert deferred(2) == {"b", "d", "x", "c", "z", "old"}, "a cycle is created as a whole"
    assert deferred(0) == {"a", "b", "d", "x", "c", "z", "old"}


def test_a_cycle_that_no_run_could_create_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigurationError, match="new-projects: 1 can never publish b, d"):
        deferred(1)
    assert deferred(1, "d") == {"b", "x", "c", "z", "old", "d"}


def test_only_uploads_are_deferred() -> None:
    new, taken, other = wheel("a"), wheel("a", tag="py2"), wheel("b")
    conflict = Conflict(taken, published(taken, sha256=sha("x")))
    plan = limit_new_projects(
        endpoints=PYPI,
        plan=Plan("pypi", (Upload(new), conflict, Upload(other))),
        states={"a": NoSuchProject("a"), "b": ProjectListing(project="b")},
        train=Train(waves=(("a", "b"),), requires={"a": frozenset(), "b": frozenset()}),
        most=0,
    )
    [deferral, *others] = plan.files
    assert isinstance(deferral, Deferred)
    assert deferral.distribution == new
    assert others == [conflict, Upload(other)]
    assert plan.uploads == (other,)


def test_an_empty_train_has_nothing_to_defer() -> None:
    assert deferred_projects([], Train(requires={}), 0) == frozenset()
