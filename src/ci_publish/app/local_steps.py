"""The steps of a run that touch only the disk, ended at once by a signal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ci_publish.app.settings import Settings
from ci_publish.app.stated import stated
from ci_publish.model.distribution import Collection
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Problem
from ci_publish.model.release import Comparison
from ci_publish.publishing.interruption import Interruption

if TYPE_CHECKING:
    from ci_publish.distributions.local import LocalDistributions
    from ci_publish.distributions.subfolders import Subfolders


class LocalSteps:
    """Implements ``publishing.ports.Distributions``. Remembers which projects were found.

    ``with_md5`` computes MD5 as well, for indexes that want it. *environ* says which tag the job runs for.
    """

    def __init__(
        self, settings: Settings, interruption: Interruption, *, with_md5: bool, environ: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._interruption = interruption
        self._local: LocalDistributions | None = None
        self._with_md5 = with_md5
        self.projects: tuple[str, ...] = ()
        self.unattested = True

    def collect(self, paths: Sequence[str]) -> Collection:
        """Find, hash and read the files; see ``publishing.ports.Distributions``."""
        with self._interruption.immediate():
            collection = self._distributions().collect(paths)
        self.projects = tuple(dict.fromkeys(file.project for file in collection.distributions))
        self.unattested = unattested(collection)
        return collection

    def check(
        self, collection: Collection, profiles: Sequence[IndexProfile], *, compared: bool = False
    ) -> tuple[Problem, ...]:
        """Run every rule; see ``publishing.ports.Distributions``."""
        from ci_publish.distributions.checks.rendering import RunStopped  # noqa: PLC0415  (late, see ``Composition.run``)

        try:
            with self._interruption.immediate():
                return self._distributions().check(collection, profiles, compared=compared)
        except RunStopped as stopped:
            raise self._interruption.error() from stopped

    def check_tag(self, collection: Collection) -> tuple[Problem, ...]:
        """Compare the versions with the tag; see ``publishing.ports.Distributions``."""
        return self._distributions().check_tag(collection)

    def compare(
        self, comparison: Comparison, profiles: Sequence[IndexProfile], *, differences: bool
    ) -> tuple[Problem, ...]:
        """Compare a release with the one before; see ``publishing.ports.Distributions``."""
        with self._interruption.immediate():
            return self._distributions().compare(comparison, profiles, differences=differences)

    def require_valid_settings(self) -> None:
        """Raise ConfigurationError for settings of the checks that only their code can judge."""
        if self._settings.rules or self._settings.expect_wheels:
            self._distributions()

    def _distributions(self) -> "LocalDistributions":
        from ci_publish.distributions.local import LocalDistributions  # noqa: PLC0415  (late, see ``Composition.run``)

        if self._local is None:
            self._local = LocalDistributions(
                strict=self._settings.strict,
                rules=self._settings.rules,
                stated=stated(self._settings, self._environ),
                subfolders=_subfolders(self._settings),
                verify_metadata=self._settings.verify_metadata,
                with_md5=self._with_md5,
                waiting=self._interruption,
            )
        return self._local


def _subfolders(settings: Settings) -> "Subfolders":
    from ci_publish.distributions.subfolders import Subfolders  # noqa: PLC0415  (late, see ``Composition.run``)

    if settings.recursive:
        return Subfolders.TAKE
    return Subfolders.IGNORE if settings.ignore_subfolders else Subfolders.REFUSE


def unattested(collection: Collection) -> bool:
    """Return whether a file has no publish attestation beside it: then one must be made."""
    attested = {found.distribution for found in collection.attestations if found.type == "publish"}
    return any(file.filename not in attested for file in collection.distributions)
