"""``ci-publish doctor``: tests everything that publishing needs of the identity and the index, without publishing."""

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
    ci_environment_finding,
    claims_finding,
    clock_finding,
    failure_finding,
    project_finding,
    publisher_form_finding,
    reusable_workflow_findings,
)
from ci_publish.identity.local_refusals import local_identity_refusal
from ci_publish.identity.oidc_client import OidcClient, index_question_deadline
from ci_publish.identity.oidc_protocol import exchange_response_date
from ci_publish.identity.served_publishers import projects_with_job_publisher
from ci_publish.identity.static_credentials import StaticCredential
from ci_publish.identity.upload_tokens import SIGSTORE_AUDIENCE, TrustedPublishingCredential
from ci_publish.model.coverage_errors import (
    CREATION_PAUSES,
    absent_project_error,
    combined_coverage_error,
    exchange_omitted_note,
    is_absent_project_refused,
    project_not_named_error,
    too_few_projects_error,
)
from ci_publish.model.events import Retrying
from ci_publish.model.identity import CredentialKind, CredentialState, Purpose
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

_SPEND = Hint("If this job publishes nothing later: ", option("spend_token", "true"))


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
        self._exchanged = False
        self._credential_state = CredentialState(kind=CredentialKind.NONE)

    def run_diagnosis(self) -> Diagnosis:
        """Run every check, also after one has failed. Never raises."""
        findings = [ci_environment_finding(self._tools.source.provider, self._tools.runner), *self._index_findings()]
        projects = [self._project_finding(project) for project in self._request.projects]
        findings += self._credential_findings()
        findings += projects
        if self._request.checks is not None:
            failed = self._request.checks(self._published)
            passed = Finding(name="files", level=Level.OK, message="The files pass the checks.")
            findings.append(passed if failed is None else failure_finding("files", failed))
        new = tuple(project for project, state in self._states.items() if isinstance(state, NoSuchProject))
        return Diagnosis(findings=tuple(findings), missing=self._missing, verdict=self._readiness_verdict(), new=new)

    def _readiness_verdict(self) -> Verdict:
        """Return whether the credential is known to cover the projects."""
        files, projects = self._request.distributions, self._request.projects
        if files and all(file.filename in self._published for file in files):
            return Verdict(Readiness.READY, "Ready to publish: every file is already published.")
        scope = self._credential_state.scope
        proven = self._proven | {name for name in projects if scope is not None and scope.names_project(name)}
        unproven = ", ".join(name for name in projects if name not in proven) if projects else "your project"
        index = self._endpoints.name
        if not unproven:
            return Verdict(Readiness.READY, "Ready to publish.")
        if self._exchanged:
            message = f"The exchange works; only the first upload shows whether it covers {unproven}."
            return Verdict(Readiness.WORKS, message)
        if self._credential_state.kind is CredentialKind.TRUSTED_PUBLISHING:
            message = f"Whether {index} accepts this job for {unproven} can only be determined by trying the exchange."
        else:
            message = f"Only an upload shows whether {index} accepts this credential for {unproven}."
        return Verdict(Readiness.UNTRIED, message)

    def _index_findings(self) -> tuple[Finding, ...]:
        """Check that the index responds, with any status, and compare the clocks."""
        address = self._endpoints.audience or self._endpoints.simple or self._endpoints.upload
        before = self._tools.clock()
        answer = self._tools.transport.send(
            HttpRequest(method="GET", url=address), deadline=index_question_deadline(self._tools)
        )
        if isinstance(answer, NoAnswer):
            summary = f"{self._endpoints.name} cannot be reached: {answer.text or answer.reason.value}"
            return (failure_finding("index", IndexUnavailable(summary)),)
        reached = Finding(
            name="index", level=Level.OK, message=f"{self._endpoints.name} responds (HTTP {answer.status})."
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
        findings = self._authentication_findings(credential)
        # Whether required attestations can be made: with this credential, and with an identity for Sigstore.
        kind = credential.state.kind
        try:
            needed = self._request.attesting(kind)
            self._request.inspect(kind, self._plans)
        except CiPublishError as error:
            return [*findings, failure_finding("attestations", error)]
        missing = self._tools.source.missing_identity_error(SIGSTORE_AUDIENCE) if needed else None
        return findings if missing is None else [*findings, failure_finding("signing", missing)]

    @property
    def _credential_purpose(self) -> Purpose:
        return Purpose(self._request.projects, attesting=self._request.attesting(CredentialKind.TRUSTED_PUBLISHING))

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
            return [Finding(name="credential", level=Level.OK, message=f"Credential type: {kind}.")]
        message = f"Credential type: {kind}. Only an upload shows whether it is valid."
        return [Finding(name="credential", level=Level.SKIPPED, message=message)]

    def _uncovered_project_error(self) -> CiPublishError | None:
        """Return the error for projects that the credential does not cover, as far as it states that."""
        state, projects = self._credential_state, self._request.projects
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
        message = f"The CI issues an OIDC identity token for {identity.audience}."
        findings = [Finding(name="identity", level=Level.OK, message=message), claims_finding(identity.claims)]
        workflow = reusable_workflow_findings(identity.claims, self._endpoints)
        attesting = self._credential_purpose.attesting
        if refusal := local_identity_refusal(identity.claims, self._endpoints, attesting=attesting):
            return [*findings, *workflow, failure_finding("exchange", refusal)]  # no form, because none would match
        publisher = publisher_form_finding(identity.claims, self._endpoints, self._request.projects)
        self._credential_state = credential.state
        exchange = self._token_exchange_finding(credential)
        if self._exchanged:
            self._proven |= projects_with_job_publisher(self._states, self._request.provenance, identity.claims)
            found = f"{self._endpoints.name} has a Trusted Publisher that matches this one:"
            publisher = replace(publisher, level=Level.OK, message=found)
        return [*findings, publisher, *workflow, exchange]

    def _token_exchange_finding(self, credential: TrustedPublishingCredential) -> Finding:
        if not self._request.mint:
            hint, message = Hint("Try it: ", option("mint", "true")), "The exchange was not tried."
            return Finding(name="exchange", level=Level.SKIPPED, message=message, hints=(hint,))
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
        message = "The index accepts this identity: it issued an upload token"
        level, end = Level.OK, "which was burned immediately."
        if credential.state.burnt is not True:
            level, end = Level.WARNING, "which could not be burned; it expires within minutes."
        return Finding(name="exchange", level=level, message=f"{message}, {end}")

    def _find_created_projects(self, absent: Sequence[str]) -> None:
        """Record which projects the exchange created; a 404 may be cached, so each is requested several times."""
        index = self._endpoints.name
        for name in absent:
            self._states[name] = self._fetch_listing(name, fresh=True)
            for attempt, pause in enumerate(CREATION_PAUSES, 1):
                if isinstance(self._states[name], ProjectListing):
                    break
                if not is_absent_project_refused(self._endpoints, self._credential_state):
                    break  # whether it exists makes no difference
                reason = "the index does not have it yet"
                what = f"{name} on {index}"
                self._tools.emit(Retrying(what=what, attempt=attempt, reason=reason, wait=pause, index=index))
                if self._tools.waiting.wait(pause):
                    break
                self._states[name] = self._fetch_listing(name, fresh=True)
            if isinstance(self._states[name], ProjectListing):
                self._proven.add(name)

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
        if plan.conflicts:
            return failure_finding(f"project {project}", self._request.conflict(plan.conflicts))
        options = self._credential_options
        no_secret = options.secret is None and not options.anonymous
        trusted = no_secret and self._endpoints.profile is IndexProfile.PYPI
        return project_finding(project, state, self._endpoints, plan, self._tools.clock(), trusted=trusted)
