"""The Trusted Publisher that would match a job's claims (pure).

Sources: warehouse/oidc/models/{github,gitlab,google,circleci}.py for what is compared and how,
warehouse/manage/views/oidc_publishers.py for the prefilled links.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode, urlsplit

from ci_publish.identity.audiences import REHEARSAL_AUDIENCE
from ci_publish.identity.claims import (
    CIRCLECI_ISSUER,
    GITHUB_ISSUER,
    GITLAB_ISSUER,
    GOOGLE_ISSUER,
    ElsewhereReusable,
    classify_reusable_workflow,
    github_workflow_file,
    gitlab_pipeline_file,
    printable_claim,
    text_claim,
)
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims
from ci_publish.model.index import Endpoints, IndexProfile
from ci_publish.model.reusable_workflows import COMPARED_CLAIM

ANY = "(leave empty, or set an environment in the job)"


@frozen
class PublisherFormField:
    """One field of a form on the index: its label, its name in a link, and the claim that it is compared with."""

    label: str
    parameter: str
    claim: str


_ENVIRONMENT = PublisherFormField("Environment name", "environment", "environment")
_OPTIONAL = frozenset({"environment", "sub"})
_FIELDS = {
    "GitHub": (
        PublisherFormField("Owner", "owner", "repository_owner"),
        PublisherFormField("Repository name", "repository", "repository"),
        PublisherFormField("Workflow name", "workflow_filename", COMPARED_CLAIM),
        _ENVIRONMENT,
    ),
    "GitLab": (
        PublisherFormField("Namespace", "namespace", "project_path"),
        PublisherFormField("Project name", "project", "project_path"),
        PublisherFormField("Top-level pipeline file path", "workflow_filepath", "ci_config_ref_uri"),
        _ENVIRONMENT,
        PublisherFormField("Issuer URL", "issuer_url", "iss"),
    ),
    "Google": (
        PublisherFormField("Email", "email", "email"),
        PublisherFormField("Subject", "sub", "sub"),
    ),
    "CircleCI": (
        PublisherFormField("Organization ID", "circleci_org_id", "oidc.circleci.com/org-id"),
        PublisherFormField("Project ID", "circleci_project_id", "oidc.circleci.com/project-id"),
        PublisherFormField(
            "Pipeline definition ID", "pipeline_definition_id", "oidc.circleci.com/pipeline-definition-id"
        ),
    ),
}


@frozen
class PublisherForm:
    """The Trusted Publisher that would match a job: the form's kind, and what each of its fields must say."""

    kind: str
    values: Mapping[str, str]

    @property
    def provider(self) -> str:
        """The kind as links name it."""
        return self.kind.lower()

    @property
    def fields(self) -> tuple[PublisherFormField, ...]:
        """The fields that this job's form has, in the form's order."""
        return tuple(field for field in _FIELDS[self.kind] if field.parameter in self.values)


def publisher_form_for(claims: Claims) -> PublisherForm | None:
    """Return the form that would match *claims*; None for a CI for which PyPI has no form."""
    issuer, environment = text_claim(claims, "iss"), text_claim(claims, "environment")
    if issuer == GITHUB_ISSUER or "job_workflow_ref" in claims:
        owner, _, name = text_claim(claims, "repository").partition("/")
        # PyPI compares the called file; a reusable workflow of another repository matches nothing, so a publisher
        # should name the caller's file, to which the job must be moved.
        elsewhere = isinstance(classify_reusable_workflow(claims), ElsewhereReusable)
        file = github_workflow_file(text_claim(claims, "workflow_ref" if elsewhere else COMPARED_CLAIM))
        values = {"owner": owner, "repository": name, "workflow_filename": file, "environment": environment}
        return PublisherForm("GitHub", values)
    if "ci_config_ref_uri" in claims or "project_path" in claims:
        namespace, _, name = text_claim(claims, "project_path").rpartition("/")
        file = gitlab_pipeline_file(claims)
        values = {"namespace": namespace, "project": name, "workflow_filepath": file, "environment": environment}
        return PublisherForm("GitLab", values if issuer == GITLAB_ISSUER else {**values, "issuer_url": issuer})
    if issuer != GOOGLE_ISSUER and not issuer.startswith(CIRCLECI_ISSUER):
        return None
    kind = "Google" if issuer == GOOGLE_ISSUER else "CircleCI"
    return PublisherForm(kind, {field.parameter: text_claim(claims, field.claim) for field in _FIELDS[kind]})


def publisher_form_table(form: PublisherForm, differing: frozenset[str] = frozenset()) -> str:
    """Return the form's fields, one per line; those whose claim is in *differing* are marked."""
    width = max(len(field.label) for field in form.fields) + 1
    lines = []
    for field in form.fields:
        absent = ANY if field.parameter in _OPTIONAL else "(unknown: the claim is missing)"
        mark = "  <-- differs on the index" if field.claim in differing else ""
        value = printable_claim(form.values[field.parameter] or absent)
        lines.append(f"  {field.label + ':':<{width}}  {value}{mark}")
    return "\n".join(lines)


def prefilled_publisher_links(form: PublisherForm, endpoints: Endpoints, projects: Sequence[str]) -> tuple[str, ...]:
    """Return links to the projects' publishing pages with the form filled in."""
    links = (_form_link(form, endpoints, f"project/{quote(name, safe='')}/settings") for name in projects)
    return tuple(link for link in links if link)


def account_publishing_link(form: PublisherForm, endpoints: Endpoints, project: str) -> str | None:
    """Return the link to the account's page for pending publishers: for a *project* that does not exist yet."""
    return _form_link(form, endpoints, "account", project)


def _form_link(form: PublisherForm, endpoints: Endpoints, page: str, project: str = "") -> str | None:
    """Return the link to a page with a form; None except for PyPI and TestPyPI: a rehearsal has no such pages."""
    is_rehearsal = endpoints.pinned_audience == REHEARSAL_AUDIENCE
    if endpoints.web is None or endpoints.profile is not IndexProfile.PYPI or is_rehearsal:
        return None
    site = urlsplit(endpoints.web)
    values = {"provider": form.provider, "project_name": project, **form.values}
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{site.scheme}://{site.netloc}/manage/{page}/publishing/?{query}"
