from ci_publish.distributions.checks.comparison.local_releases import local_comparisons, versions_by_project
from ci_publish.model.distribution import Collection
from tests.unit.fakes import sdist, wheel


def test_each_release_of_a_run_is_compared_by_itself() -> None:
    collection = Collection(distributions=(wheel(), sdist(), wheel(version="2.0"), wheel("other")))
    assert versions_by_project(collection) == {"demo": {"1.0", "2.0"}, "other": {"1.0"}}
    first, second, third = local_comparisons(collection)
    assert [len(each.ours.files) for each in (first, second, third)] == [2, 1, 1]
    assert first.new_size == 15
    assert first.before is None
