"""Files that are found and checked, over fakes."""

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    InvalidDistribution,
    NothingToPublish,
)
from ci_publish.model.events import (
    Outcome,
)
from ci_publish.model.problem import Problem, Severity
from ci_publish.publishing.publish import check
from tests.unit.fakes import (
    FakeDistributions,
    FakeRun,
    fake_run,
)
from tests.unit.publishing.run_harness import (
    ALL,
    credential_of,
    failing,
    index_of,
)


def test_failed_checks_stop_the_run_before_anything_leaves_the_machine() -> None:
    problems = (
        Problem(filename="a.whl", rule="rule-a", severity=Severity.ERROR, message="is broken", advice="mend it"),
        Problem(filename=None, rule="rule-b", severity=Severity.ERROR, message="does not fit"),
        Problem(filename="b.whl", rule="rule-c", severity=Severity.WARNING, message="is odd"),
    )
    played = fake_run(*ALL)
    played.distributions.problems = problems
    error = failing(played, InvalidDistribution)
    assert error.hints == ("mend it",)
    assert "a.whl: is broken [rule-a]" in error.detail
    assert "all files: does not fit [rule-b]" in error.detail
    assert index_of(played).looks == []
    assert credential_of(played).log == ["burn"], "which has nothing to burn"


def test_one_problem_of_the_whole_set_is_counted_as_one() -> None:
    played = fake_run(*ALL)
    played.distributions.problems = (
        Problem(filename=None, rule="rule", severity=Severity.ERROR, message="does not fit"),
    )
    assert "1 problem;" in failing(played, InvalidDistribution).summary


def test_check_without_a_destination_judges_as_pypi_would() -> None:
    played = FakeRun(FakeDistributions(ALL), ())
    assert check(played.run()) is Outcome.CHECKED
    assert [profile.value for profile in played.distributions.profiles] == ["pypi"]


def test_a_check_of_nothing_passes_only_where_that_is_allowed() -> None:
    with pytest.raises(NothingToPublish):
        check(FakeRun(FakeDistributions(()), ()).run())
    allowed = Settings(allow_empty=True)
    assert check(FakeRun(FakeDistributions(()), (), options=allowed).run()) is Outcome.CHECKED
    problem = Problem(filename="a.whl", rule="archive-damaged", severity=Severity.ERROR, message="It is damaged.")
    broken = FakeDistributions((), unreadable=(problem,))
    with pytest.raises(InvalidDistribution):
        check(FakeRun(broken, (), options=allowed).run())
