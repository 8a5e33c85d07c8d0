"""Claims → the Trusted Publisher that would match them (pure).

Sources: warehouse/oidc/models/{github,gitlab,google,circleci}.py for what is compared and how,
warehouse/manage/views/oidc_publishers.py for the prefilled links.
"""

from collections.abc import Sequence
from urllib.parse import quote, urlencode, urlsplit

from ci_publish.identity.audiences import REHEARSAL_AUDIENCE
from ci_publish.identity.claims import (
    CIRCLECI_ISSUER,
    GITHUB_ISSUER,
    GITLAB_ISSUER,
    GOOGLE_ISSUER,
    ElsewhereReusable,
    claim_text,
    pipeline_file,
    reusable_workflow,
    text_of,
    workflow_file,
)
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims
from ci_publish.model.index import Endpoints, IndexProfile
from ci_publish.model.reusable_workflows import COMPARED_CLAIM

_CIRCLECI_PREFIX = "oidc.circleci.com/"

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
    workflow = workflow_file(text_of(claims, "workflow_ref" if elsewhere else COMPARED_CLAIM))
    fields = (
        Field(label="Owner", parameter="owner", value=owner, claim="repository_owner"),
        Field(label="Repository name", parameter="repository", value=name, claim="repository"),
        Field(label="Workflow name", parameter="workflow_filename", value=workflow, claim=COMPARED_CLAIM),
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


def form_table(form: Form, differing: frozenset[str] = frozenset()) -> str:
    """Return the form's fields, one a line; the ones that *differ* on the index are marked."""
    width = max(len(field.label) for field in form.fields)
    return "\n".join(_form_line(field, width, differing) for field in form.fields)


def _form_line(field: Field, width: int, differing: frozenset[str]) -> str:
    value = field.value or (ANY if field.optional else "(unknown: the claim is missing)")
    mark = "  <-- differs on the index" if field.claim in differing else ""
    return f"  {field.label + ':':<{width + 1}}  {claim_text(value)}{mark}"


def prefilled_links(form: Form, endpoints: Endpoints, projects: Sequence[str]) -> tuple[str, ...]:
    """Return links to the publishing pages with the form filled in: of each project, or of the account."""
    if endpoints.web is None or not _has_forms(endpoints):
        return ()
    query = urlencode({"provider": form.provider, **{f.parameter: f.value for f in form.fields if f.value}})
    web = _site(endpoints.web)
    return tuple(f"{web}/manage/project/{quote(name, safe='')}/settings/publishing/?{query}" for name in projects)


def account_link(form: Form, endpoints: Endpoints, project: str) -> str | None:
    """Return the link to the account's page for pending publishers: for a *project* that does not exist yet."""
    if endpoints.web is None or not _has_forms(endpoints):
        return None
    values = {f.parameter: f.value for f in form.fields if f.value}
    named = {"project_name": project} if project else {}
    query = urlencode({"provider": form.provider, **named, **values})
    return f"{_site(endpoints.web)}/manage/account/publishing/?{query}"


def _has_forms(endpoints: Endpoints) -> bool:
    """Whether the index has pages with forms: PyPI and TestPyPI have them, a rehearsal has not."""
    return endpoints.profile is IndexProfile.PYPI and endpoints.pinned_audience != REHEARSAL_AUDIENCE


def _site(web: str) -> str:
    parts = urlsplit(web)
    return f"{parts.scheme}://{parts.netloc}"
