"""The credential stage: whether an index accepts this run's credential, and for which projects."""

from dataclasses import replace

from ci_publish.errors import CiPublishError
from ci_publish.model.coverage_errors import (
    combined_coverage_error,
    credential_coverage_text,
    exchange_omitted_note,
    left_out_project_error,
)
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Noted, Step
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims, CredentialKind, Purpose
from ci_publish.model.index import NoSuchProject, Upload
from ci_publish.publishing.context import Destination, Run
from ci_publish.publishing.credential_coverage import CredentialCoverage
from ci_publish.publishing.index_plan import IndexPlan


@frozen
class Covered:
    """A plan without the files that the credential does not cover; these are ``left_out``, each with its error.

    ``claims`` are those of the identity that was sent, if any.
    """

    planned: IndexPlan
    left_out: tuple[tuple[Distribution, CiPublishError], ...] = ()
    claims: Claims | None = None


class Authentication:
    """Authenticates at one index, and compares the projects that the credential covers with the plan.

    Every method raises IdentityUnavailable, CredentialRejected or IndexUnavailable. It raises ProjectNotCovered unless
    the user wants to continue and other projects are covered.
    """

    def __init__(self, run: Run, destination: Destination, purpose: Purpose) -> None:
        self._run = run
        self._endpoints = destination.index.endpoints
        self._credential = destination.credential
        self._purpose = purpose
        self._coverage = CredentialCoverage(run, destination)

    def authenticate(self, planned: IndexPlan) -> Covered:
        """Check whether the index accepts the run's identity, before anything is signed."""
        with self._run.step(Step.AUTHENTICATE, self._endpoints.name):
            claims = self._credential.authenticate(self._purpose)
            return replace(self._restrict_to_covered_or_raise(planned, already_signed=False), claims=claims)

    def authorize(self, planned: IndexPlan, *, already_signed: bool) -> Covered:
        """Obtain what the uploads need. *already_signed*: attestations of this run are in the public log already."""
        with self._run.step(Step.AUTHENTICATE, self._endpoints.name):
            self._credential.authorization()
            return self._restrict_to_covered_or_raise(planned, already_signed=already_signed)

    def try_authentication(self, planned: IndexPlan) -> Covered:
        """Authenticate for a plan, and report what is then known.

        A token exchange may create a project. If a project does not exist, there is no exchange unless the user asked
        for it.
        """
        projects = tuple(dict.fromkeys(file.project for file in planned.uploads))
        absent = [project for project in projects if isinstance(planned.states[project], NoSuchProject)]
        trusted = self._credential.state.kind is CredentialKind.TRUSTED_PUBLISHING
        mint = not (trusted and absent) or self._run.options.create_project
        with self._run.step(Step.AUTHENTICATE, self._endpoints.name):
            self._credential.authenticate(self._purpose, mint=mint)
            covered = self._restrict_to_covered_or_raise(planned, already_signed=False)
            if not mint:
                self._run.emit(exchange_omitted_note(self._endpoints, absent))
            message = credential_coverage_text(self._endpoints, self._credential.state, projects)
            self._run.emit(Noted(slug="credential-proof", message=message, warning=False))
        return covered

    def _restrict_to_covered_or_raise(self, planned: IndexPlan, *, already_signed: bool) -> Covered:
        """Raise ProjectNotCovered; with ``--keep-going``, leave out the projects that the credential does not cover.

        Projects that require one that is left out are left out, too.
        """
        uploads = planned.uploads
        refusals = self._coverage.find_uncovered_projects_once(uploads, planned.states, already_signed=already_signed)
        if not refusals:
            return Covered(planned)
        projects = planned.train.projects_requiring(refusals)
        if not self._run.options.keep_going or all(file.project in projects for file in uploads):
            raise combined_coverage_error(refusals)
        kept = [
            file
            for file in planned.plan.files
            if not (isinstance(file, Upload) and file.distribution.project in projects)
        ]
        left_out = [
            (file, left_out_project_error(file.project, refusals)) for file in uploads if file.project in projects
        ]
        return Covered(replace(planned, plan=replace(planned.plan, files=tuple(kept))), tuple(left_out))
