"""Random families (2,000 with CI_PUBLISH_STRESS=1): what the order of their projects must be, said another way."""

import os
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ci_publish.errors import ConfigurationError
from ci_publish.model.train import Train, train_of_distributions
from ci_publish.publishing.new_projects import deferred_projects
from tests.unit.publishing.projects import project

STRESS = os.environ.get("CI_PUBLISH_STRESS") == "1"
NAMES = tuple("abcdefghijkl")
EXTRA = " ; extra == 'x'"


@st.composite
def families(draw: st.DrawFn) -> dict[str, dict[str, bool]]:
    """Return for each project which it requires, and whether whatever the extras."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    edge = st.tuples(st.sampled_from(names), st.sampled_from(names), st.booleans())
    family: dict[str, dict[str, bool]] = {name: {} for name in names}
    for one, other, always in draw(st.lists(edge, max_size=2 * len(names))):
        if one != other:
            family[one][other] = family[one].get(other, False) or always
    return family


def train(family: dict[str, dict[str, bool]]) -> Train:
    lines = {
        name: [f"{other}{'' if always else EXTRA}" for other, always in some.items()] for name, some in family.items()
    }
    return train_of_distributions(project(name, *some) for name, some in lines.items())


def reaches(family: dict[str, dict[str, bool]], start: str, end: str) -> bool:
    """Return whether *start* requires *end*, through whatever it takes; extras do not count."""
    todo, seen = [start], set[str]()
    while todo:
        for other, always in family[todo.pop()].items():
            if always and other not in seen:
                seen.add(other)
                todo.append(other)
    return end in seen


@settings(max_examples=2000 if STRESS else 100, deadline=None)
@given(families())
def test_every_project_follows_what_it_requires_but_within_a_cycle(family: dict[str, dict[str, bool]]) -> None:
    made = train(family)
    assert sorted(made.order) == sorted(family)
    place = {name: number for number, wave in enumerate(made.waves) for name in wave}
    for name in family:
        for other in family:
            if name == other:
                continue
            assert (other in made.requires[name]) == reaches(family, name, other)
            if reaches(family, name, other):
                together = reaches(family, other, name)
                assert place[other] == place[name] if together else place[other] < place[name]
                assert (other in made.cycle_of(name)) == together


@settings(max_examples=2000 if STRESS else 100, deadline=None)
@given(families())
def test_no_wave_could_go_out_earlier(family: dict[str, dict[str, bool]]) -> None:
    made = train(family)
    for before, wave in pairwise(made.waves):
        for name in wave:
            cycle = made.cycle_of(name)
            assert any(other in before for each in cycle for other in family[each]), "nothing of it waits"


@settings(max_examples=2000 if STRESS else 100, deadline=None)
@given(families(), st.integers(0, 12), st.data())
def test_what_a_run_creates_requires_nothing_that_waits(
    family: dict[str, dict[str, bool]], most: int, data: st.DataObject
) -> None:
    made = train(family)
    new = [name for name in made.order if data.draw(st.booleans(), label=name)]
    try:
        waiting = deferred_projects(new, made, most)
    except ConfigurationError:
        assert any(len([each for each in cycle if each in new]) > most for cycle in made.cycles)
        return
    created = [name for name in new if name not in waiting]
    assert len(created) <= most
    assert created == new[: len(created)]
    assert not waiting or len(new) > most
    for name in set(family) - waiting:
        assert not made.requires[name] & waiting
