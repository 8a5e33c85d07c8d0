"""What ``doctor`` examines at one index, and the result (pure)."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from ci_publish.errors import CiPublishError
from ci_publish.identity.doctor_findings import Finding, Readiness, Verdict
from ci_publish.model.distribution import Distribution
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import Conflict, IndexState, Plan

# The place in a run of an error with each exit code: checks, options, the index's listing, conflicts, a closed project,
# attestations next to the files; all else is about the identity.
_PLACES = {4: 0, 2: 1, 10: 2, 8: 3, 9: 4, 7: 5}
_LISTING, _IDENTITY = _PLACES[10], 6


@frozen(kw_only=True)
class Diagnosis:
    """The findings, in the order of the checks.

    ``missing`` is why there is no credential, as far as the environment shows; it takes precedence over an index that
    cannot be reached. ``verdict`` applies if there is no ``error``. ``new`` are the projects that the index does not
    have.
    """

    findings: tuple[Finding, ...]
    missing: CiPublishError | None = None
    verdict: Verdict = Verdict(Readiness.READY, "Ready to publish.")
    new: tuple[str, ...] = ()

    @property
    def error(self) -> CiPublishError | None:
        """The error that publishing would end with: the one of its earliest step."""
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
    """What ``doctor`` examines at one index, and how.

    ``attesting`` returns whether attestations are required with this kind of credential, and raises ConfigurationError
    if they are impossible. ``plan`` plans a project's files by the index's listing. ``checks`` returns the error of
    failed checks, if any; it takes the names of files that are published with the same content. ``inspect`` takes the
    kind of credential and the plans; it raises the error of invalid attestation files, and of published files that
    lack required attestations.
    ``mint``: exchange the identity for a real upload token, burned immediately. If the CI has only one identity
    token (GitLab), this also requires ``spend_token``; if a project does not exist, so that the exchange could create
    it, ``create_project``. ``conflict`` returns the error for names that are taken by other content. ``provenance``
    fetches the provenance that the index serves for a file of a release.
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
