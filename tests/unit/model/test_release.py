from dataclasses import replace

from ci_publish.model.release import Comparison, local_release_files, sum_of_sizes
from tests.unit.distributions.checks.comparison.compared_releases import release
from tests.unit.fakes import sdist, wheel


def test_a_sum_is_known_where_every_size_is() -> None:
    assert sum_of_sizes([]) == 0
    assert sum_of_sizes([1, 2]) == 3
    assert sum_of_sizes([1, None]) is None
    assert release("1.0", sizes=5).size == 5
    assert release("1.0", sizes=None).size is None


def test_files_here_are_known_by_their_names() -> None:
    files = local_release_files([wheel(), sdist(), replace(wheel(), filename="no distribution")])
    assert [(file.name.text, file.size) for file in files] == [
        ("demo-1.0-py3-none-any.whl", 10),
        ("demo-1.0.tar.gz", 5),
    ]


def test_what_a_run_adds_is_the_sum_of_its_new_files() -> None:
    files = local_release_files([wheel(), sdist()])
    assert Comparison(ours=release("1.0"), new_files=files).new_size == 15
    assert Comparison(ours=release("1.0")).new_size == 0
