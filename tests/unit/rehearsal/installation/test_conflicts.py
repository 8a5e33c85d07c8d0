"""The smallest set of requirements that do not resolve together, whatever else is asked for beside them."""

from itertools import combinations, product

import pytest

from ci_publish.rehearsal.installation.conflicts import find_unmet_requirements

ALL = ("a", "b", "c", "d", "e")
SETS = [frozenset(chosen) for size in (1, 2, 3) for chosen in combinations(ALL, size)]


class Index:
    """Resolves what contains none of some conflicts; counts how often it is asked."""

    def __init__(self, *conflicts: frozenset[str]) -> None:
        self.conflicts, self.asked = conflicts, 0

    def resolves(self, requirements: tuple[str, ...]) -> bool:
        assert requirements, "nobody asks an installer for nothing"
        self.asked += 1
        return not any(conflict <= set(requirements) for conflict in self.conflicts)


def test_nothing_is_wrong_where_all_resolve_and_nobody_is_asked_about_nothing() -> None:
    assert find_unmet_requirements(ALL, Index().resolves) == ()
    assert find_unmet_requirements((), Index(frozenset()).resolves) == ()


@pytest.mark.parametrize("conflict", SETS)
def test_the_conflict_is_found_in_the_order_of_the_file(conflict: frozenset[str]) -> None:
    assert find_unmet_requirements(ALL, Index(conflict).resolves) == tuple(sorted(conflict))


def test_it_is_one_of_the_conflicts_and_never_more_than_that() -> None:
    for conflicts in product(SETS, repeat=2):
        found = frozenset(find_unmet_requirements(ALL, Index(*conflicts).resolves))

        assert found in conflicts
        assert not any(other < found for other in conflicts)


def test_one_of_many_takes_few_questions() -> None:
    index = Index(frozenset({"r77"}))

    assert find_unmet_requirements(tuple(f"r{number}" for number in range(128)), index.resolves) == ("r77",)
    assert index.asked <= 15
