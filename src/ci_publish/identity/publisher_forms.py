"""Claims → the Trusted Publisher that would match them, and what an index's refusal means (pure).

Sources: warehouse/oidc/models/{github,gitlab,google,circleci}.py for what is compared and how,
warehouse/manage/views/oidc_publishers.py for the prefilled links, docs.pypi.org/trusted-publishers/troubleshooting/.
"""

import re
from collections.abc import Callable, Sequence
from urllib.parse import quote, urlencode, urlsplit

from ci_publish.errors import (
    CredentialRejected,
    InvalidIdentityPayload,
    InvalidIdentityToken,
    InvalidPendingPublisher,
    InvalidPublisher,
    ReusableWorkflow,
    ReusedIdentityToken,
    TrustedPublishingNotEnabled,
)
from ci_publish.identity.oidc_protocol import MintRefused
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims
from ci_publish.model.index import Endpoints, IndexProfile

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
GOOGLE_ISSUER = "https://accounts.google.com"
GITLAB_ISSUER = "https://gitlab.com"
CIRCLECI_ISSUER = "https://oidc.circleci.com"
_CIRCLECI_PREFIX = "oidc.circleci.com/"

# The claims that may stand in a public log (and only these): what indexes compare, and nothing about the people.
SHOWN_CLAIMS = (
    "iss", "aud", "sub", "event_name", "repository", "repository_owner", "repository_owner_id", "workflow_ref",
    "job_workflow_ref", "ref", "environment", "namespace_path", "project_path", "ci_config_ref_uri", "ref_path",
    "organization_slug", "pipeline_slug", "oidc.circleci.com/org-id", "oidc.circleci.com/project-id",
    "oidc.circleci.com/pipeline-definition-id", "email",
)  # fmt: skip
LONGEST_SHOWN = 200
ANY = "(leave empty, or the job names an environment)"


@frozen(kw_only=True)
class Field:
    """One field of the form on the index: what it must say for this job, and the claim that it is compared with."""

    label: str
    parameter: str
    value: str
    claim: str
    optional: bool = False


@frozen
class Form:
    """The Trusted Publisher that would match a job: its kind and fields, as the index's form names them."""

    kind: str
    provider: str
    fields: tuple[Field, ...]

    def value(self, parameter: str) -> str:
        """Return what the field *parameter* must say; empty where the form has no such field."""
        return next((field.value for field in self.fields if field.parameter == parameter), "")


def form_for(claims: Claims) -> Form | None:
    """Return the form that would match *claims*; None for a CI that PyPI has no form for."""
    issuer = text_of(claims, "iss")
    if issuer == GITHUB_ISSUER or "job_workflow_ref" in claims:
        return _github_form(claims)
    if "ci_config_ref_uri" in claims or "project_path" in claims:
        return _gitlab_form(claims)
    if issuer == GOOGLE_ISSUER:
        return _google_form(claims)
    return _circleci_form(claims) if issuer.startswith(CIRCLECI_ISSUER) else None


def _github_form(claims: Claims) -> Form:
    owner, _, name = text_of(claims, "repository").partition("/")
    # PyPI compares the called file; a reusable workflow of another repository matches nothing, so there the caller's
    # file is what a publisher should name once the job has moved there.
    elsewhere = isinstance(reusable_workflow(claims), ElsewhereReusable)
    workflow = workflow_file(text_of(claims, "workflow_ref" if elsewhere else "job_workflow_ref"))
    fields = (
        Field(label="Owner", parameter="owner", value=owner, claim="repository_owner"),
        Field(label="Repository name", parameter="repository", value=name, claim="repository"),
        Field(label="Workflow name", parameter="workflow_filename", value=workflow, claim="job_workflow_ref"),
        Field(
            label="Environment name",
            parameter="environment",
            value=text_of(claims, "environment"),
            claim="environment",
            optional=True,
        ),
    )
    return Form("GitHub", "github", fields)


def _gitlab_form(claims: Claims) -> Form:
    namespace, _, project = text_of(claims, "project_path").rpartition("/")
    fields = [
        Field(label="Namespace", parameter="namespace", value=namespace, claim="project_path"),
        Field(label="Project name", parameter="project", value=project, claim="project_path"),
        Field(
            label="Top-level pipeline file path",
            parameter="workflow_filepath",
            value=pipeline_file(claims),
            claim="ci_config_ref_uri",
        ),
        Field(
            label="Environment name",
            parameter="environment",
            value=text_of(claims, "environment"),
            claim="environment",
            optional=True,
        ),
    ]
    if (issuer := text_of(claims, "iss")) != GITLAB_ISSUER:
        fields.append(Field(label="Issuer URL", parameter="issuer_url", value=issuer, claim="iss"))
    return Form("GitLab", "gitlab", tuple(fields))


def _google_form(claims: Claims) -> Form:
    fields = (
        Field(label="Email", parameter="email", value=text_of(claims, "email"), claim="email"),
        Field(label="Subject", parameter="sub", value=text_of(claims, "sub"), claim="sub", optional=True),
    )
    return Form("Google", "google", fields)


def _circleci_form(claims: Claims) -> Form:
    names = (
        ("Organization ID", "circleci_org_id", "org-id"),
        ("Project ID", "circleci_project_id", "project-id"),
        ("Pipeline definition ID", "pipeline_definition_id", "pipeline-definition-id"),
    )
    fields = tuple(
        Field(
            label=label,
            parameter=parameter,
            value=text_of(claims, f"{_CIRCLECI_PREFIX}{claim}"),
            claim=f"{_CIRCLECI_PREFIX}{claim}",
        )
        for label, parameter, claim in names
    )
    return Form("CircleCI", "circleci", fields)


def workflow_file(reference: str) -> str:
    """Return the file's name from ``owner/repository/.github/workflows/FILE@ref``; empty for anything else."""
    found = re.fullmatch(r"[^/]+/[^/]+/\.github/workflows/([^@]+)@.+", reference)
    return found[1] if found else ""


def pipeline_file(claims: Claims) -> str:
    """Return the path of the pipeline's file from ``host/namespace/project//PATH@ref``; empty for anything else."""
    found = re.fullmatch(r".+?//([^@]+)@.+", text_of(claims, "ci_config_ref_uri"))
    return found[1] if found else ""


@frozen
class ElsewhereReusable:
    """The job lies in a reusable workflow of another repository: PyPI refuses the identity (warehouse#11096)."""

    caller: str
    called: str


@frozen
class SameReusable:
    """The job lies in a reusable workflow of the same repository: PyPI refuses its attestations (warehouse#11096)."""

    caller: str
    called: str


def reusable_workflow(claims: Claims) -> ElsewhereReusable | SameReusable | None:
    """Tell from ``workflow_ref`` (the caller) and ``job_workflow_ref`` whether the job lies in a reusable workflow."""
    caller, called = (text_of(claims, name).partition("@")[0] for name in ("workflow_ref", "job_workflow_ref"))
    if not caller or not called or caller.casefold() == called.casefold():
        return None
    if _repository(called).casefold() == text_of(claims, "repository").casefold():
        return SameReusable(caller, called)
    return ElsewhereReusable(caller, called)


def _repository(reference: str) -> str:
    return "/".join(reference.split("/")[:2])


def pull_request_target(endpoints: Endpoints) -> CredentialRejected:
    """Return the error for a workflow that ``pull_request_target`` started."""
    return InvalidPublisher(
        f"{endpoints.name} takes no identity of a workflow that `pull_request_target` started.",
        detail="Such a workflow runs with your permissions on what others propose.",
        hints=("Publish from `release`, `push` of a tag, or `workflow_dispatch`.",),
    )


def file_of(reference: str) -> str:
    """Return the last part of a path: the file."""
    return reference.rpartition("/")[2]


def claims_table(claims: Claims) -> str:
    """Return the claims that matter and may be shown, one a line."""
    shown = [(name, claims[name]) for name in SHOWN_CLAIMS if claims.get(name) not in (None, "")]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"  {name:<{width}}  {claim_text(value)}" for name, value in shown)


def form_table(form: Form, differing: frozenset[str] = frozenset()) -> str:
    """Return the form's fields, one a line; the ones that *differ* on the index are marked."""
    width = max(len(field.label) for field in form.fields)
    return "\n".join(_form_line(field, width, differing) for field in form.fields)


def _form_line(field: Field, width: int, differing: frozenset[str]) -> str:
    value = field.value or (ANY if field.optional else "(unknown: the claim is missing)")
    mark = "  <-- differs on the index" if field.claim in differing else ""
    return f"  {field.label + ':':<{width + 1}}  {claim_text(value)}{mark}"


def claim_text(value: object) -> str:
    """Return a claim as it may be printed, cut where it is long."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def differing_claims(description: str) -> frozenset[str]:
    """Return the claims that a refusal's description names as not matching (texts: warehouse/oidc/models/_core.py)."""
    named = re.findall(r"(?:Check failed for (?:required|optional) claim|Missing claim) '([^']+)'", description)
    named += re.findall(r"The (job_workflow_ref|ci_config_ref_uri) claim", description)
    return frozenset(named)


def prefilled_links(form: Form, endpoints: Endpoints, projects: Sequence[str]) -> tuple[str, ...]:
    """Return links to the publishing pages with the form filled in: of each project, or of the account."""
    if endpoints.profile is not IndexProfile.PYPI or endpoints.web is None:
        return ()
    query = urlencode({"provider": form.provider, **{f.parameter: f.value for f in form.fields if f.value}})
    web = _site(endpoints.web)
    return tuple(f"{web}/manage/project/{quote(name, safe='')}/settings/publishing/?{query}" for name in projects)


def account_link(form: Form, endpoints: Endpoints, project: str) -> str | None:
    """Return the link to the account's page for pending publishers: for a *project* that does not exist yet."""
    if endpoints.profile is not IndexProfile.PYPI or endpoints.web is None:
        return None
    values = {f.parameter: f.value for f in form.fields if f.value}
    named = {"project_name": project} if project else {}
    query = urlencode({"provider": form.provider, **named, **values})
    return f"{_site(endpoints.web)}/manage/account/publishing/?{query}"


def _site(web: str) -> str:
    parts = urlsplit(web)
    return f"{parts.scheme}://{parts.netloc}"


def explain(
    refusal: MintRefused, claims: Claims, endpoints: Endpoints, projects: Sequence[str] = ()
) -> CredentialRejected:
    """Return the error for an identity that the index refused, in plain words, with what would match."""
    if refusal.code == "invalid-publisher":
        return _no_publisher(refusal, claims, endpoints, projects)
    reason = _REASONS.get(refusal.code, _other)
    return reason(refusal, claims, endpoints)


def _no_publisher(
    refusal: MintRefused, claims: Claims, endpoints: Endpoints, projects: Sequence[str]
) -> CredentialRejected:
    if "pull_request_target" in refusal.description:
        return pull_request_target(endpoints)
    reusable = reusable_workflow(claims)
    if isinstance(reusable, ElsewhereReusable):
        return elsewhere_reusable(reusable, endpoints)
    summary = f"{endpoints.name} knows no Trusted Publisher that matches this job."
    said = f"The job's identity says:\n{claims_table(claims)}"
    detail = _paragraphs(refusal.description, _comparison(refusal, claims), said)
    return InvalidPublisher(summary, detail=detail, hints=_publisher_hints(claims, endpoints, projects))


def _comparison(refusal: MintRefused, claims: Claims) -> str:
    form = form_for(claims)
    if form is None:
        return "PyPI has no Trusted Publisher for this CI."
    return f"A {form.kind} publisher that matches says:\n{form_table(form, differing_claims(refusal.description))}"


def _publisher_hints(claims: Claims, endpoints: Endpoints, projects: Sequence[str]) -> tuple[str, ...]:
    form = form_for(claims)
    if form is None:
        return ("Give an API token instead: set CI_PUBLISH_PASSWORD.",)
    hints = ["Compare each field with the publisher on the index, letter case too: attestations are compared exactly."]
    if form.provider == "github":
        owner = text_of(claims, "repository_owner_id") or "missing"
        hints.append(
            f"Owner, repository and workflow as registered? Then the owner's id differs (here {owner}): the account was"
            " renamed, replaced or the repository transferred. Remove the publisher and add it again."
        )
    if not form.value("environment") and form.provider in {"github", "gitlab"}:
        hints.append("This job names no environment; a publisher that names one does not match.")
    hints += [f"Project exists: add the publisher at {link}" for link in prefilled_links(form, endpoints, projects[:3])]
    if link := account_link(form, endpoints, projects[0] if projects else ""):
        hints.append(f"Project does not exist yet: add a pending publisher (gone after 30 days) at {link}")
    return tuple(hints)


def elsewhere_reusable(reusable: ElsewhereReusable, endpoints: Endpoints) -> ReusableWorkflow:
    """Return the error for a job in a reusable workflow of another repository."""
    return ReusableWorkflow(
        f"{endpoints.name} refuses this job's identity: the job lies in another repository's reusable workflow.",
        detail=(
            f"The job is defined in {reusable.called}, called by {reusable.caller}. PyPI compares the called file with "
            "the publisher's repository (https://github.com/pypi/warehouse/issues/11096)."
        ),
        hints=(
            f"Move the publishing job into {file_of(reusable.caller)}; building may stay in the reusable workflow.",
            "There, use the ci-publish action as a step: an action is no reusable workflow.",
        ),
    )


def _pending(_refusal: MintRefused, _claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    return InvalidPendingPublisher(
        f"The pending publisher on {endpoints.name} matches, but its project exists already.",
        detail=(
            "A pending publisher creates its project at the first publish. Somebody, perhaps an earlier run, created "
            "the project before; the index has now deleted the pending publisher."
        ),
        hints=("If the project is yours, add a publisher in its settings and run again.",),
    )


def not_enabled(endpoints: Endpoints, description: str) -> CredentialRejected:
    """Return the error for an index whose operators have switched Trusted Publishing off."""
    return TrustedPublishingNotEnabled(
        f"{endpoints.name} has Trusted Publishing switched off at the moment: {description}",
        detail="Its operators do this in an emergency; nothing is wrong with your project.",
        hints=("Look at https://status.python.org/ and run again later.",),
    )


def _not_enabled(refusal: MintRefused, _claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    return not_enabled(endpoints, refusal.description)


def _invalid_token(refusal: MintRefused, claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    return InvalidIdentityToken(
        f"{endpoints.name} does not accept the OIDC identity token: {refusal.description}",
        detail=_paragraphs(
            "Its signature, its audience or its times did not pass.",
            f"The job's identity says:\n{claims_table(claims)}",
        ),
        hints=(
            "Check that the machine's clock is right: 30 s off is too much (`ci-publish doctor` measures it).",
            "A job that waited for long may hold an expired token; run it again.",
        ),
    )


def _reused(_refusal: MintRefused, _claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    return ReusedIdentityToken(
        f"{endpoints.name} has seen this OIDC identity token before; each can be exchanged once.",
        detail="Another step of this job exchanged it, or the answer to an earlier exchange was lost.",
        hints=(
            "On GitLab a job has one token for each audience: publish once a job, and run the job again after this.",
        ),
    )


def _payload(refusal: MintRefused, claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    if "issuer" in refusal.description:
        return InvalidIdentityPayload(
            f"{endpoints.name} does not know the issuer of this identity: {claim_text(claims.get('iss', 'none'))}",
            detail="PyPI knows GitHub.com, GitLab.com, Google Cloud and what it has registered for organizations.",
            hints=("From a self-managed GitLab, GitHub Enterprise, Gitea or Forgejo, publish with an API token.",),
        )
    return InvalidIdentityPayload(
        f"{endpoints.name} cannot use what it was sent: {refusal.description}",
        detail=f"The job's identity says:\n{claims_table(claims)}",
        hints=("If a pending publisher is meant, check that the index allows a project of that name.",),
    )


def _other(refusal: MintRefused, claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    said = ": ".join(part for part in (refusal.code, refusal.description) if part) or "no reason given"
    return CredentialRejected(
        f"{endpoints.name} refuses this identity (HTTP {refusal.status}): {said}",
        detail=f"The job's identity says:\n{claims_table(claims)}",
        hints=("https://docs.pypi.org/trusted-publishers/troubleshooting/",),
    )


_REASONS: dict[str, Callable[[MintRefused, Claims, Endpoints], CredentialRejected]] = {
    "invalid-pending-publisher": _pending,
    "not-enabled": _not_enabled,
    "invalid-token": _invalid_token,
    "invalid-reuse-token": _reused,
    "invalid-payload": _payload,
}


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def text_of(claims: Claims, name: str) -> str:
    """Return a claim that is a text; empty where it is absent or anything else."""
    value = claims.get(name)
    return value if isinstance(value, str) else ""
