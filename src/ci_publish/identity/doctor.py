"""``ci-publish doctor``: everything that publishing needs of identity and index, tried without publishing."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ci_publish.errors import CiPublishError, IndexUnavailable
from ci_publish.hints import Hint, option
from ci_publish.http.messages import HttpRequest, NoAnswer
from ci_publish.identity.context import IdentityContext
from ci_publish.identity.credential_choice import Credential, CredentialOptions, choose_credential
from ci_publish.identity.diagnosis import Diagnosis, DiagnosisRequest
from ci_publish.identity.doctor_findings import (
    Finding,
    Level,
    Readiness,
    Verdict,
    clock_finding,
    failure_finding,
    identity_findings,
    project_finding,
    readiness_verdict,
)
from ci_publish.identity.local_refusals import local_identity_refusal
from ci_publish.identity.oidc_client import OidcClient, index_question_deadline
from ci_publish.identity.oidc_protocol import exchange_response_date
from ci_publish.identity.served_publishers import newest_file_with_provenance, provenance_names_job_publisher
from ci_publish.identity.static_credentials import StaticCredential
from ci_publish.identity.upload_tokens import SIGSTORE_AUDIENCE, TrustedPublishingCredential
from ci_publish.model.coverage_errors import (
    absent_project_error,
    combined_coverage_error,
    exchange_omitted_note,
    is_absent_project_refused,
    project_not_named_error,
    too_few_projects_error,
)
from ci_publish.model.events import Retrying
from ci_publish.model.filename import version_in_filename
from ci_publish.model.identity import Claims, CredentialKind, CredentialState, Purpose
from ci_publish.model.index import (
    AlreadyPublished,
    Endpoints,
    IndexProfile,
    IndexState,
    NoSuchProject,
    Plan,
    ProjectListing,
)
from ci_publish.model.token_scope import projects_outside_scope, scope_has_too_few_projects

_PROVIDERS = {
    "github": "GitHub Actions",
    "gitlab": "GitLab CI",
    "google": "Google Cloud",
    "buildkite": "Buildkite",
    "circleci": "CircleCI",
}
_SPEND = Hint("If this job publishes nothing later: ", option("spend_token", "true"))


# Five more requests within 30 s for a project that the exchange should have created.
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)


class Doctor:
    """Examines one index and one job. ``fetch_listing`` is that of ``ports.Index``."""

    def __init__(
        self,
        *,
        endpoints: Endpoints,
        credential_options: CredentialOptions,
        tools: IdentityContext,
        fetch_listing: Callable[..., IndexState],
        request: DiagnosisRequest,
    ) -> None:
        self._endpoints = endpoints
        self._credential_options = credential_options
        self._tools = tools
        self._fetch_listing = fetch_listing
        self._request = request
        self._missing: CiPublishError | None = None
        self._published: set[str] = set()
        self._plans: list[Plan] = []
        self._states: dict[str, IndexState] = {}
        self._proven: set[str] = set()
        self._claims: Claims | None = None
        self._exchanged = False
        self._credential_state = CredentialState(kind=CredentialKind.NONE)

    def run_diagnosis(self) -> Diagnosis:
        """Look at everything; a failure in one place does not keep the others from being looked at. Never raises."""
        findings = [self._ci_environment_finding(), *self._index_findings()]
        projects = [self._project_finding(project) for project in self._request.all_projects]
        findings += self._credential_findings()
        findings += projects
        findings += self._file_check_findings()
        new = tuple(project for project, state in self._states.items() if isinstance(state, NoSuchProject))
        return Diagnosis(findings=tuple(findings), missing=self._missing, verdict=self._readiness_verdict(), new=new)

    def _readiness_verdict(self) -> Verdict:
        files = self._request.distributions
        if files and all(file.filename in self._published for file in files):
            return Verdict(Readiness.READY, "Ready to publish: every file is published already.")
        projects = self._request.all_projects
        scope = self._credential_state.scope
        proven = self._proven | {name for name in projects if scope is not None and scope.names_project(name)}
        unproven = [name for name in projects if name not in proven]
        if not projects:
            unproven = ["your project"]
        return readiness_verdict(self._endpoints, self._credential_state, unproven, exchanged=self._exchanged)

    def _find_projects_with_publisher(self) -> None:
        """Note the projects whose newest provenance names the publisher of this job."""
        for project, state in self._states.items():
            newest = newest_file_with_provenance(state) if isinstance(state, ProjectListing) else None
            version = None if newest is None else version_in_filename(newest.filename)
            if newest is None or version is None or self._claims is None:
                continue
            try:
                served = self._request.provenance(project, version, newest.filename)
            except CiPublishError:
                continue
            if served is not None and provenance_names_job_publisher(served, self._claims):
                self._proven.add(project)

    def _ci_environment_finding(self) -> Finding:
        provider = self._tools.source.provider
        if self._tools.runner is not None:
            message = f"This is {self._tools.runner}, which sets the variables of GitHub Actions."
            return Finding(
                name="environment",
                level=Level.WARNING,
                message=message,
                detail="Its identity, if it has one, is not GitHub's.",
            )
        if provider is None:
            return Finding(name="environment", level=Level.OK, message="Not running in a CI that issues OIDC tokens.")
        return Finding(name="environment", level=Level.OK, message=f"This is {_PROVIDERS[provider.value]}.")

    def _index_findings(self) -> tuple[Finding, ...]:
        """Reach the index, whatever it answers, and compare clocks."""
        address = self._endpoints.audience or self._endpoints.simple or self._endpoints.upload
        before = self._tools.clock()
        answer = self._tools.transport.send(
            HttpRequest(method="GET", url=address), deadline=index_question_deadline(self._tools)
        )
        if isinstance(answer, NoAnswer):
            summary = f"{self._endpoints.name} cannot be reached: {answer.text or answer.reason.value}"
            return (failure_finding("index", IndexUnavailable(summary)),)
        reached = Finding(
            name="index", level=Level.OK, message=f"{self._endpoints.name} answers (HTTP {answer.status})."
        )
        return reached, clock_finding(exchange_response_date(answer), before, self._tools.clock())

    def _credential_findings(self) -> list[Finding]:
        try:
            credential = choose_credential(
                self._endpoints, self._credential_options, self._tools, purpose=self._credential_purpose
            )
        except CiPublishError as error:
            return [failure_finding("credential", error)]
        self._missing = credential.missing_credential_error(self._credential_purpose)
        return [*self._authentication_findings(credential), *self._signing_findings(credential.state.kind)]

    @property
    def _credential_purpose(self) -> Purpose:
        return Purpose(self._request.all_projects, attesting=self._request.attesting(CredentialKind.TRUSTED_PUBLISHING))

    def _signing_findings(self, kind: CredentialKind) -> list[Finding]:
        """Check whether attestations can be made where they must: with this credential, and an identity for them."""
        try:
            needed = self._request.attesting(kind)
            self._request.inspect(kind, self._plans)
        except CiPublishError as error:
            return [failure_finding("attestations", error)]
        missing = self._tools.source.missing_identity_error(SIGSTORE_AUDIENCE) if needed else None
        return [] if missing is None else [failure_finding("signing", missing)]

    def _authentication_findings(self, credential: Credential) -> list[Finding]:
        if isinstance(credential, TrustedPublishingCredential):
            return self._trusted_publishing_findings(credential)
        try:
            credential.authenticate(self._credential_purpose)
        except CiPublishError as error:
            return [failure_finding("credential", error)]
        self._credential_state = credential.state
        if uncovered_error := self._uncovered_project_error():
            return [failure_finding("credential", uncovered_error)]
        kind = credential.state.kind.value
        if not isinstance(credential, StaticCredential):
            return [Finding(name="credential", level=Level.OK, message=f"The credential is of the kind {kind}.")]
        message = f"The credential is of the kind {kind}. Only an upload tells if it is valid."
        return [Finding(name="credential", level=Level.SKIPPED, message=message)]

    def _uncovered_project_error(self) -> CiPublishError | None:
        """Return the error for a project of the run that the credential says it is not for."""
        state, projects = self._credential_state, self._request.all_projects
        if state.scope is None:
            return None
        if refused := projects_outside_scope(state.scope, projects):
            errors = {
                name: project_not_named_error(self._endpoints, state, name, already_signed=False) for name in refused
            }
            return combined_coverage_error(errors)
        if scope_has_too_few_projects(state.scope, projects):
            return too_few_projects_error(self._endpoints, state, projects, already_signed=False)
        absent = [name for name in projects if isinstance(self._states.get(name), NoSuchProject)]
        if absent and is_absent_project_refused(self._endpoints, state):
            return combined_coverage_error(
                {name: absent_project_error(self._endpoints, state, name, already_signed=False) for name in absent}
            )
        return None

    def _trusted_publishing_findings(self, credential: TrustedPublishingCredential) -> list[Finding]:
        if missing := self._tools.source.missing_identity_error(self._endpoints.pinned_audience):
            return [failure_finding("identity", missing)]
        try:
            identity = self._tools.source.token(OidcClient(self._endpoints, self._tools).required_audience())
        except CiPublishError as error:
            return [failure_finding("identity", error)]
        credential_options = f"The CI gives an OIDC identity token for {identity.audience}."
        findings = [Finding(name="identity", level=Level.OK, message=credential_options)]
        claims_findings = identity_findings(identity.claims, self._endpoints, self._request.all_projects)
        if refusal := local_identity_refusal(
            identity.claims, self._endpoints, attesting=self._credential_purpose.attesting
        ):
            # No form: none would match.
            return [
                *findings,
                *(each for each in claims_findings if each.name != "publisher"),
                failure_finding("exchange", refusal),
            ]
        self._claims = identity.claims
        self._credential_state = credential.state
        exchange = self._token_exchange_finding(credential)
        if self._exchanged:
            self._find_projects_with_publisher()
            found = f"{self._endpoints.name} has a Trusted Publisher that matches this:"
            claims_findings = tuple(
                replace(each, level=Level.OK, message=found) if each.name == "publisher" else each
                for each in claims_findings
            )
        return [*findings, *claims_findings, exchange]

    def _token_exchange_finding(self, credential: TrustedPublishingCredential) -> Finding:
        if not self._request.mint:
            return Finding(
                name="exchange",
                level=Level.SKIPPED,
                message="The exchange was not tried.",
                hints=(Hint("Try it: ", option("mint", "true")),),
            )
        if not self._tools.source.repeatable and not self._request.spend_token:
            message = "The exchange was not tried: it would use up the job's only OIDC identity token."
            return Finding(name="exchange", level=Level.SKIPPED, message=message, hints=(_SPEND,))
        absent = [name for name, state in self._states.items() if isinstance(state, NoSuchProject)]
        if absent and not self._request.create_project:
            note = exchange_omitted_note(self._endpoints, absent)
            return Finding(name="exchange", level=Level.SKIPPED, message=note.message, hints=note.hints)
        try:
            credential.authorization()
        except CiPublishError as error:
            return failure_finding("exchange", error)
        finally:
            credential.burn()
        self._exchanged, self._credential_state = True, credential.state
        self._find_created_projects(absent)
        if uncovered_error := self._uncovered_project_error():
            return failure_finding("exchange", uncovered_error)
        return _exchanged_token_finding(burnt=credential.state.burnt is True)

    def _find_created_projects(self, absent: Sequence[str]) -> None:
        """Note which projects the exchange created; a cached 404 may be old, so the last answer of a few counts."""
        for name in absent:
            self._states[name] = self._fetch_listing(name, fresh=True)
            for attempt, pause in enumerate(_PAUSES, 1):
                if isinstance(self._states[name], ProjectListing) or not self._wait_for_created_project(
                    name, attempt, pause
                ):
                    break
                self._states[name] = self._fetch_listing(name, fresh=True)
            if isinstance(self._states[name], ProjectListing):
                self._proven.add(name)

    def _wait_for_created_project(self, name: str, attempt: int, pause: float) -> bool:
        """Wait before another question for a project, and say so; False where the answer decides nothing."""
        if not is_absent_project_refused(self._endpoints, self._credential_state):
            return False
        index = self._endpoints.name
        self._tools.emit(
            Retrying(
                what=f"{name} on {index}",
                attempt=attempt,
                reason="the index does not have it yet",
                wait=pause,
                index=index,
            )
        )
        return not self._tools.waiting.wait(pause)

    def _project_finding(self, project: str) -> Finding:
        files = [file for file in self._request.distributions if file.project == project]
        try:
            state = self._fetch_listing(project)
        except CiPublishError as error:
            return failure_finding(f"project {project}", error)
        self._states[project] = state
        plan = self._request.plan(files, state) if isinstance(state, ProjectListing) else Plan("", ())
        self._plans.append(plan)
        self._published |= {file.distribution.filename for file in plan.files if isinstance(file, AlreadyPublished)}
        if plan.conflicts and self._request.conflict is not None:
            return failure_finding(f"project {project}", self._request.conflict(plan.conflicts))
        return project_finding(
            project, state, self._endpoints, plan, self._tools.clock(), trusted=self._uses_trusted_publishing()
        )

    def _uses_trusted_publishing(self) -> bool:
        """Return whether the run would use Trusted Publishing, as far as its options say."""
        credential_options = self._credential_options
        return (
            credential_options.secret is None
            and not credential_options.anonymous
            and self._endpoints.profile is IndexProfile.PYPI
        )

    def _file_check_findings(self) -> list[Finding]:
        """Tell what the checks say of the files that lie there; what is published as it is need not pass them."""
        if self._request.checks is None:
            return []
        error = self._request.checks(self._published)
        return [
            Finding(name="files", level=Level.OK, message="The files pass the checks.")
            if error is None
            else failure_finding("files", error)
        ]


def _exchanged_token_finding(*, burnt: bool) -> Finding:
    message = "The index takes this identity: it gave an upload token"
    if burnt:
        return Finding(name="exchange", level=Level.OK, message=f"{message}, which was burned immediately.")
    return Finding(
        name="exchange", level=Level.WARNING, message=f"{message}, which could not be burnt; it expires within minutes."
    )
