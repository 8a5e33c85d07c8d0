"""The first steps of every command, without network: collect the distributions and check them."""

from collections.abc import Sequence

from ci_publish.model.distribution import Collection
from ci_publish.model.events import Checked, Collected, Step
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Problem, blocking_problems
from ci_publish.publishing import messages
from ci_publish.publishing.context import Run


def collect_distributions(run: Run) -> Collection:
    """Find, hash and read the distributions."""
    with run.step(Step.COLLECT):
        collection = run.distributions.collect(run.options.paths)
        run.emit(Collected(collection.distributions, collection.unreadable))
    return collection


def collect_readable_distributions(run: Run) -> Collection:
    """Find, hash and read the distributions. Raises InvalidDistribution for files that cannot be read."""
    collection = collect_distributions(run)
    if blocking_problems(collection.problems):
        run.emit(Checked(collection.problems))
        raise messages.failed_checks_error(collection.problems)
    return collection


def collect_and_check(run: Run, *, compared: bool = False) -> tuple[Collection, tuple[Problem, ...]]:
    """Collect and check. Problems are emitted immediately unless one is an error: then the caller decides.

    *compared*: the releases are compared with those of the index later.
    """
    collection = collect_distributions(run)
    with run.step(Step.CHECK):
        profiles = [destination.index.endpoints.profile for destination in run.destinations]
        problems = run.distributions.check(collection, profiles or [IndexProfile.PYPI], compared=compared)
        if not blocking_problems(problems):
            run.emit(Checked(problems))
    return collection, problems


def collect_valid_distributions(run: Run) -> Collection:
    """Collect and check. Raises InvalidDistribution for every problem that is an error."""
    collection, problems = collect_and_check(run)
    if blocking_problems(problems):
        emit_check_problems(run, problems)
        raise messages.failed_checks_error(problems)
    return collection


def emit_check_problems(run: Run, problems: Sequence[Problem]) -> None:
    """Report the problems in a step of their own, so that they appear under the checks."""
    with run.step(Step.CHECK):
        run.emit(Checked(tuple(problems)))
