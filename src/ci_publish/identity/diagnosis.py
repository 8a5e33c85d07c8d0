"""What a diagnosis is about, and what it found (pure)."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from ci_publish.errors import CiPublishError
from ci_publish.identity.doctor_findings import (
    Finding,
    Readiness,
    Verdict,
)
from ci_publish.model.distribution import Distribution
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    Conflict,
    IndexState,
    Plan,
    Upload,
)


@frozen(kw_only=True)
class Diagnosis:
    """What was found, in the order in which it was looked at.

    ``missing`` is what the credential lacks, as far as the environment tells: it wins over an index out of reach.
    ``verdict`` counts where there is no ``error``. ``new`` are the projects that the index does not have.
    """

    findings: tuple[Finding, ...]
    missing: CiPublishError | None = None
    verdict: Verdict = Verdict(Readiness.READY, "Ready to publish.")
    new: tuple[str, ...] = ()

    @property
    def error(self) -> CiPublishError | None:
        """The error that publishing would end with: its steps' order decides."""
        failures = [(_diagnosed_error_order(found, found.error), found.error) for found in self.findings if found.error]
        place, error = min(failures, key=lambda failure: failure[0], default=(0, None))
        return self.missing if self.missing is not None and place == _LOOK else error


_LOOK = 2


_IDENTITY = 6


def _diagnosed_error_order(finding: Finding, error: CiPublishError) -> int:
    """Return the place of an error in a run.

    Checks, options, the look, conflicts, a closed project, attestations beside the files, the identity.
    """
    if finding.name in {"identity", "exchange", "signing"}:
        return _IDENTITY
    return {4: 0, 2: 1, 10: _LOOK, 8: 3, 9: 4, 7: 5}.get(error.exit_code, _IDENTITY)


def _plan_all_uploads(distributions: Sequence[Distribution], state: IndexState) -> Plan:
    del state
    return Plan("", tuple(Upload(file) for file in distributions))


def _attests_with_trusted_publishing(kind: CredentialKind) -> bool:
    return kind is CredentialKind.TRUSTED_PUBLISHING


def _inspect_no_attestations(kind: CredentialKind, plans: Sequence[Plan]) -> None:
    del kind, plans


def _fetch_no_provenance(project: str, version: str, filename: str) -> None:
    del project, version, filename


@frozen(kw_only=True)
class DiagnosisRequest:
    """What a diagnosis is about. ``projects`` are normalised names, beside those of ``distributions``.

    ``attesting`` tells whether attestations must be made with a credential of a kind, and raises ConfigurationError
    where they cannot be. ``plan`` tells what would become of a project's files, by what the index lists of it.
    ``checks`` gives the error of failed checks, if any; it takes the names of files that are published as they are.
    ``inspect`` raises what attestations would end a run with, those beside the files and those that published files
    lack, by the kind of the credential and what would become of each project's files.
    ``mint``: exchange the identity for a real upload token, which is burnt at once; where the CI has only one identity
    token (GitLab), only with ``spend_token`` as well, and where a project does not exist, which the exchange could
    create, only with ``create_project``. ``conflict`` gives the error that names taken by other content end a run with.
    ``provenance`` fetches what the index serves for a file of a release.
    """

    distributions: Sequence[Distribution] = ()
    projects: Sequence[str] = ()
    attesting: Callable[[CredentialKind], bool] = _attests_with_trusted_publishing
    mint: bool = False
    spend_token: bool = False
    create_project: bool = False
    provenance: Callable[[str, str, str], bytes | None] = _fetch_no_provenance
    plan: Callable[[Sequence[Distribution], IndexState], Plan] = _plan_all_uploads
    checks: Callable[[AbstractSet[str]], CiPublishError | None] | None = None
    inspect: Callable[[CredentialKind, Sequence[Plan]], None] = _inspect_no_attestations
    conflict: Callable[[Sequence[Conflict]], CiPublishError] | None = None

    @property
    def all_projects(self) -> tuple[str, ...]:
        """Every project, once."""
        return tuple(dict.fromkeys([*(file.project for file in self.distributions), *self.projects]))
