"""The steps of a run that touch only the disk, ended at once by a signal."""

from collections.abc import Sequence

from ci_publish.distributions.checks.rendering import RunStopped
from ci_publish.distributions.local import LocalDistributions
from ci_publish.model.distribution import Collection
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Problem
from ci_publish.model.release import Comparison
from ci_publish.publishing.interruption import Interruption


class InterruptibleDistributions:
    """Implements ``publishing.ports.Distributions``."""

    def __init__(self, local: LocalDistributions, interruption: Interruption) -> None:
        self._local = local
        self._interruption = interruption

    def collect(self, paths: Sequence[str]) -> Collection:
        """Find, hash and read the files; see ``publishing.ports.Distributions``."""
        with self._interruption.interruptible_at_once():
            return self._local.collect(paths)

    def check(
        self, collection: Collection, profiles: Sequence[IndexProfile], *, compared: bool = False
    ) -> tuple[Problem, ...]:
        """Run every rule; see ``publishing.ports.Distributions``."""
        try:
            with self._interruption.interruptible_at_once():
                return self._local.check(collection, profiles, compared=compared)
        except RunStopped as stopped:
            raise self._interruption.error() from stopped

    def check_stated(self, collection: Collection) -> tuple[Problem, ...]:
        """Compare the run with what the user states; see ``publishing.ports.Distributions``."""
        return self._local.check_stated(collection)

    def compare(
        self, comparison: Comparison, profiles: Sequence[IndexProfile], *, differences: bool
    ) -> tuple[Problem, ...]:
        """Compare a release with the previous one; see ``publishing.ports.Distributions``."""
        with self._interruption.interruptible_at_once():
            return self._local.compare(comparison, profiles, differences=differences)
