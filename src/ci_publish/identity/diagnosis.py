"""``ci-publish doctor``: everything that publishing needs of identity and index, tried without publishing."""

from collections.abc import Callable, Sequence

from ci_publish.errors import CiPublishError, IndexUnavailable
from ci_publish.identity.credential import Given, choose_credential
from ci_publish.identity.exchange import server_date
from ci_publish.identity.exchanger import QUESTION_DEADLINE, Exchanger
from ci_publish.identity.findings import Finding, Level, failed, judge_clock, judge_identity, judge_project
from ci_publish.identity.static import StaticCredential
from ci_publish.identity.tools import Tools
from ci_publish.identity.trusted_publisher import local_refusal
from ci_publish.identity.trusted_publishing import TrustedPublishingCredential
from ci_publish.model.distribution import Distribution
from ci_publish.model.frozen import frozen
from ci_publish.model.http import HttpRequest, NoAnswer
from ci_publish.model.index import Endpoints, IndexState

_PROVIDERS = {
    "github": "GitHub Actions",
    "gitlab": "GitLab CI",
    "google": "Google Cloud",
    "buildkite": "Buildkite",
    "circleci": "CircleCI",
}


@frozen
class Diagnosis:
    """What was found, in the order in which it was looked at."""

    findings: tuple[Finding, ...]

    @property
    def error(self) -> CiPublishError | None:
        """The error that publishing would end with: reading the index comes first there, then the credential."""
        errors = [finding.error for finding in self.findings if finding.error is not None]
        return min(errors, key=_publishing_order, default=None)


def _publishing_order(error: CiPublishError) -> int:
    """Return the place of an error in a run: the index is read, then conflicts, credential, upload."""
    return {10: 0, 8: 1, 5: 2, 6: 2}.get(error.exit_code, 3)


@frozen
class Wanted:
    """What a diagnosis is about. ``projects`` are normalised names, beside those of ``distributions``.

    ``mint``: exchange the identity for a real upload token, which is burnt at once; where the CI has only one identity
    token (GitLab), only with ``spend_token`` as well.
    """

    distributions: Sequence[Distribution] = ()
    projects: Sequence[str] = ()
    attesting: bool = True
    mint: bool = False
    spend_token: bool = False

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

    def run(self) -> Diagnosis:
        """Look at everything; a failure in one place does not keep the others from being looked at. Never raises."""
        findings = [self._environment(), *self._index()]
        findings += self._credential()
        findings += [self._project(project) for project in self._wanted.all_projects]
        return Diagnosis(tuple(findings))

    def _environment(self) -> Finding:
        provider = self._tools.source.provider
        if provider is None:
            return Finding("environment", Level.OK, "This is no CI that gives OIDC identity tokens.")
        return Finding("environment", Level.OK, f"This is {_PROVIDERS[provider.value]}.")

    def _index(self) -> tuple[Finding, ...]:
        """Reach the index, whatever it answers, and compare clocks."""
        address = self._endpoints.audience or self._endpoints.simple or self._endpoints.upload
        before = self._tools.clock()
        answer = self._tools.transport.send(HttpRequest("GET", address), deadline=QUESTION_DEADLINE)
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
                attesting=self._wanted.attesting,
            )
            if isinstance(credential, TrustedPublishingCredential):
                return self._trusted_publishing(credential)
            credential.prove()
        except CiPublishError as error:
            return [failed("credential", error)]
        kind = credential.state.kind.value
        static = isinstance(credential, StaticCredential)
        message = f"The credential is of the kind {kind}." + (" Only an upload tells if it is valid." if static else "")
        return [Finding("credential", Level.OK, message)]

    def _trusted_publishing(self, credential: TrustedPublishingCredential) -> list[Finding]:
        try:
            identity = self._tools.source.token(Exchanger(self._endpoints, self._tools).audience())
        except CiPublishError as error:
            return [failed("identity", error)]
        given = f"The CI gives an OIDC identity token for {identity.audience}."
        findings = [Finding("identity", Level.OK, given)]
        findings += judge_identity(identity.claims, self._endpoints, self._wanted.all_projects)
        if refusal := local_refusal(identity.claims, self._endpoints, attesting=self._wanted.attesting):
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
        return judge_project(project, state, self._endpoints, files, self._tools.clock())


def _exchanged(*, burnt: bool) -> Finding:
    message = "The index takes this identity: it gave an upload token"
    if burnt:
        return Finding("exchange", Level.OK, f"{message}, which was burnt at once.")
    return Finding("exchange", Level.WARNING, f"{message}, which could not be burnt; it expires within minutes.")
