"""What a diagnosis is about, and what it found (pure)."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from ci_publish.errors import CiPublishError
from ci_publish.identity.doctor_findings import Finding, Readiness, Verdict
from ci_publish.model.distribution import Distribution
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import Conflict, IndexState, Plan

# The place in a run of an error with each exit code: checks, options, the index's listing, conflicts, a closed project,
# attestations beside the files; all else is about the identity.
_PLACES = {4: 0, 2: 1, 10: 2, 8: 3, 9: 4, 7: 5}
_LISTING, _IDENTITY = _PLACES[10], 6


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
        errors: list[tuple[int, CiPublishError]] = []
        for found in self.findings:
            if found.error is not None:
                of_identity = found.name in {"identity", "exchange", "signing"}
                place = _IDENTITY if of_identity else _PLACES.get(found.error.exit_code, _IDENTITY)
                errors.append((place, found.error))
        place, error = min(errors, key=lambda each: each[0], default=(0, None))
        return self.missing if self.missing is not None and place == _LISTING else error


@frozen(kw_only=True)
class DiagnosisRequest:
    """What a diagnosis is about.

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

    distributions: Sequence[Distribution]
    attesting: Callable[[CredentialKind], bool]
    mint: bool
    spend_token: bool
    create_project: bool
    provenance: Callable[[str, str, str], bytes | None]
    plan: Callable[[Sequence[Distribution], IndexState], Plan]
    checks: Callable[[AbstractSet[str]], CiPublishError | None] | None
    inspect: Callable[[CredentialKind, Sequence[Plan]], None]
    conflict: Callable[[Sequence[Conflict]], CiPublishError]

    @property
    def projects(self) -> tuple[str, ...]:
        """Every project, once."""
        return tuple(dict.fromkeys(file.project for file in self.distributions))
