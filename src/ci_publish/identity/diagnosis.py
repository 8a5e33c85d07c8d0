"""``ci-publish doctor``: everything that publishing needs of identity and index, tried without publishing."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from ci_publish.errors import CiPublishError, ConfigurationError, IndexUnavailable
from ci_publish.http.messages import HttpRequest, NoAnswer
from ci_publish.identity.credential import Credential, Given, choose_credential
from ci_publish.identity.findings import Finding, Level, failed, judge_clock, judge_identity, judge_project
from ci_publish.identity.local_refusals import local_refusal
from ci_publish.identity.oidc_client import Exchanger, question_deadline
from ci_publish.identity.oidc_protocol import server_date
from ci_publish.identity.static import StaticCredential
from ci_publish.identity.tools import Tools
from ci_publish.identity.upload_tokens import SIGSTORE_AUDIENCE, TrustedPublishingCredential
from ci_publish.model.distribution import Distribution
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import AlreadyPublished, Endpoints, IndexState, Plan, ProjectListing, Upload

_PROVIDERS = {
    "github": "GitHub Actions",
    "gitlab": "GitLab CI",
    "google": "Google Cloud",
    "buildkite": "Buildkite",
    "circleci": "CircleCI",
}


@frozen
class Diagnosis:
    """What was found, in the order in which it was looked at.

    ``missing`` is what the credential lacks, as far as the environment tells: it wins over an index out of reach.
    """

    findings: tuple[Finding, ...]
    missing: CiPublishError | None = None

    @property
    def error(self) -> CiPublishError | None:
        """The error that publishing would end with: its steps' order decides."""
        failures = [(_publishing_order(found, found.error), found.error) for found in self.findings if found.error]
        place, error = min(failures, key=lambda failure: failure[0], default=(0, None))
        return self.missing if self.missing is not None and place == _LOOK else error


_LOOK = 2
_IDENTITY = 5


def _publishing_order(finding: Finding, error: CiPublishError) -> int:
    """Return the place of an error in a run: checks, options, the look, conflicts, a closed project, the identity."""
    if finding.name in {"identity", "exchange", "signing"}:
        return _IDENTITY
    return {4: 0, 2: 1, 10: _LOOK, 8: 3, 9: 4}.get(error.exit_code, _IDENTITY)


def _all_uploads(distributions: Sequence[Distribution], state: IndexState) -> Plan:
    del state
    return Plan("", tuple(Upload(file) for file in distributions))


def _with_trusted_publishing(kind: CredentialKind) -> bool:
    return kind is CredentialKind.TRUSTED_PUBLISHING


@frozen
class Wanted:
    """What a diagnosis is about. ``projects`` are normalised names, beside those of ``distributions``.

    ``attesting`` tells whether attestations must be made with a credential of a kind, and raises ConfigurationError
    where they cannot be. ``plan`` tells what would become of a project's files, by what the index lists of it.
    ``checks`` gives the error of failed checks, if any; it takes the names of files that are published as they are.
    ``mint``: exchange the identity for a real upload token, which is burnt at once; where the CI has only one identity
    token (GitLab), only with ``spend_token`` as well.
    """

    distributions: Sequence[Distribution] = ()
    projects: Sequence[str] = ()
    attesting: Callable[[CredentialKind], bool] = _with_trusted_publishing
    mint: bool = False
    spend_token: bool = False
    plan: Callable[[Sequence[Distribution], IndexState], Plan] = _all_uploads
    checks: Callable[[AbstractSet[str]], CiPublishError | None] | None = None

    @property
    def all_projects(self) -> tuple[str, ...]:
        """Every project, once."""
        return tuple(dict.fromkeys([*(file.project for file in self.distributions), *self.projects]))


class Doctor:
    """Looks at one index and one job. ``look`` asks the index for a project, as ``ports.Index.look`` does."""

    def __init__(
        self, endpoints: Endpoints, given: Given, tools: Tools, look: Callable[[str], IndexState], wanted: Wanted
    ) -> None:
        self._endpoints = endpoints
        self._given = given
        self._tools = tools
        self._look = look
        self._wanted = wanted
        self._missing: CiPublishError | None = None
        self._published: set[str] = set()

    def run(self) -> Diagnosis:
        """Look at everything; a failure in one place does not keep the others from being looked at. Never raises."""
        findings = [self._environment(), *self._index()]
        findings += self._credential()
        findings += [self._project(project) for project in self._wanted.all_projects]
        findings += self._files()
        return Diagnosis(tuple(findings), self._missing)

    def _environment(self) -> Finding:
        provider = self._tools.source.provider
        if provider is None:
            return Finding("environment", Level.OK, "This is no CI that gives OIDC identity tokens.")
        return Finding("environment", Level.OK, f"This is {_PROVIDERS[provider.value]}.")

    def _index(self) -> tuple[Finding, ...]:
        """Reach the index, whatever it answers, and compare clocks."""
        address = self._endpoints.audience or self._endpoints.simple or self._endpoints.upload
        before = self._tools.clock()
        answer = self._tools.transport.send(HttpRequest("GET", address), deadline=question_deadline(self._tools))
        if isinstance(answer, NoAnswer):
            summary = f"{self._endpoints.name} cannot be reached: {answer.text or answer.reason.value}"
            return (failed("index", IndexUnavailable(summary)),)
        reached = Finding("index", Level.OK, f"{self._endpoints.name} answers (HTTP {answer.status}).")
        return reached, judge_clock(server_date(answer), before, self._tools.clock())

    def _credential(self) -> list[Finding]:
        try:
            credential = choose_credential(
                self._endpoints,
                self._given,
                self._tools,
                projects=self._wanted.all_projects,
                attesting=self._must_attest,
            )
        except CiPublishError as error:
            return [failed("credential", error)]
        self._missing = credential.missing()
        return [*self._proof(credential), *self._signing(credential.state.kind)]

    def _must_attest(self) -> bool:
        return self._wanted.attesting(CredentialKind.TRUSTED_PUBLISHING)

    def _signing(self, kind: CredentialKind) -> list[Finding]:
        """Look whether attestations can be made where they must: with this credential, and an identity for them."""
        try:
            needed = self._wanted.attesting(kind)
        except ConfigurationError as error:
            return [failed("attestations", error)]
        missing = self._tools.source.missing(SIGSTORE_AUDIENCE) if needed else None
        return [] if missing is None else [failed("signing", missing)]

    def _proof(self, credential: Credential) -> list[Finding]:
        if isinstance(credential, TrustedPublishingCredential):
            return self._trusted_publishing(credential)
        try:
            credential.prove()
        except CiPublishError as error:
            return [failed("credential", error)]
        kind = credential.state.kind.value
        static = isinstance(credential, StaticCredential)
        message = f"The credential is of the kind {kind}." + (" Only an upload tells if it is valid." if static else "")
        return [Finding("credential", Level.OK, message)]

    def _trusted_publishing(self, credential: TrustedPublishingCredential) -> list[Finding]:
        if missing := self._tools.source.missing(self._endpoints.pinned_audience):
            return [failed("identity", missing)]
        try:
            identity = self._tools.source.token(Exchanger(self._endpoints, self._tools).audience())
        except CiPublishError as error:
            return [failed("identity", error)]
        given = f"The CI gives an OIDC identity token for {identity.audience}."
        findings = [Finding("identity", Level.OK, given)]
        findings += judge_identity(identity.claims, self._endpoints, self._wanted.all_projects)
        if refusal := local_refusal(identity.claims, self._endpoints, attesting=self._must_attest()):
            return [*findings, failed("exchange", refusal)]
        return [*findings, self._exchange(credential)]

    def _exchange(self, credential: TrustedPublishingCredential) -> Finding:
        if not self._wanted.mint:
            return Finding("exchange", Level.SKIPPED, "The exchange was not tried.", hints=("Try it: --mint",))
        if not self._tools.source.repeatable and not self._wanted.spend_token:
            message = "The exchange was not tried: it would use up the job's only OIDC identity token."
            return Finding("exchange", Level.SKIPPED, message, hints=("If nothing is published later: --spend-token",))
        try:
            credential.hold()
        except CiPublishError as error:
            return failed("exchange", error)
        finally:
            credential.burn()
        return _exchanged(burnt=credential.state.burnt is True)

    def _project(self, project: str) -> Finding:
        files = [file for file in self._wanted.distributions if file.project == project]
        try:
            state = self._look(project)
        except CiPublishError as error:
            return failed(f"project {project}", error)
        plan = self._wanted.plan(files, state) if isinstance(state, ProjectListing) else Plan("", ())
        self._published |= {file.distribution.filename for file in plan.files if isinstance(file, AlreadyPublished)}
        return judge_project(project, state, self._endpoints, plan, self._tools.clock())

    def _files(self) -> list[Finding]:
        """Tell what the checks say of the files that lie there; what is published as it is need not pass them."""
        if self._wanted.checks is None:
            return []
        error = self._wanted.checks(self._published)
        return [Finding("files", Level.OK, "The files pass the checks.") if error is None else failed("files", error)]


def _exchanged(*, burnt: bool) -> Finding:
    message = "The index takes this identity: it gave an upload token"
    if burnt:
        return Finding("exchange", Level.OK, f"{message}, which was burnt at once.")
    return Finding("exchange", Level.WARNING, f"{message}, which could not be burnt; it expires within minutes.")
