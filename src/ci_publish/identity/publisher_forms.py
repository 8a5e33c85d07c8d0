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

_CIRCLECI_PREFIX = "oidc.circleci.com/"

ANY = "(leave empty, or the job names an environment)"


@frozen(kw_only=True)
class PublisherFormField:
    """One field of the form on the index: what it must say for this job, and the claim that it is compared with."""

    label: str
    parameter: str
    value: str
    claim: str
    optional: bool = False


@frozen
class PublisherForm:
    """The Trusted Publisher that would match a job: its kind and fields, as the index's form names them."""

    kind: str
    provider: str
    fields: tuple[PublisherFormField, ...]

    def field_value(self, parameter: str) -> str:
        """Return what the field *parameter* must say; empty where the form has no such field."""
        return next((field.value for field in self.fields if field.parameter == parameter), "")


def publisher_form_for(claims: Claims) -> PublisherForm | None:
    """Return the form that would match *claims*; None for a CI that PyPI has no form for."""
    issuer = text_claim(claims, "iss")
    if issuer == GITHUB_ISSUER or "job_workflow_ref" in claims:
        return _github_publisher_form(claims)
    if "ci_config_ref_uri" in claims or "project_path" in claims:
        return _gitlab_publisher_form(claims)
    if issuer == GOOGLE_ISSUER:
        return _google_publisher_form(claims)
    return _circleci_publisher_form(claims) if issuer.startswith(CIRCLECI_ISSUER) else None


def _github_publisher_form(claims: Claims) -> PublisherForm:
    owner, _, name = text_claim(claims, "repository").partition("/")
    # PyPI compares the called file; a reusable workflow of another repository matches nothing, so there the caller's
    # file is what a publisher should name once the job has moved there.
    elsewhere = isinstance(classify_reusable_workflow(claims), ElsewhereReusable)
    workflow = github_workflow_file(text_claim(claims, "workflow_ref" if elsewhere else COMPARED_CLAIM))
    fields = (
        PublisherFormField(label="Owner", parameter="owner", value=owner, claim="repository_owner"),
        PublisherFormField(label="Repository name", parameter="repository", value=name, claim="repository"),
        PublisherFormField(label="Workflow name", parameter="workflow_filename", value=workflow, claim=COMPARED_CLAIM),
        PublisherFormField(
            label="Environment name",
            parameter="environment",
            value=text_claim(claims, "environment"),
            claim="environment",
            optional=True,
        ),
    )
    return PublisherForm("GitHub", "github", fields)


def _gitlab_publisher_form(claims: Claims) -> PublisherForm:
    namespace, _, project = text_claim(claims, "project_path").rpartition("/")
    fields = [
        PublisherFormField(label="Namespace", parameter="namespace", value=namespace, claim="project_path"),
        PublisherFormField(label="Project name", parameter="project", value=project, claim="project_path"),
        PublisherFormField(
            label="Top-level pipeline file path",
            parameter="workflow_filepath",
            value=gitlab_pipeline_file(claims),
            claim="ci_config_ref_uri",
        ),
        PublisherFormField(
            label="Environment name",
            parameter="environment",
            value=text_claim(claims, "environment"),
            claim="environment",
            optional=True,
        ),
    ]
    if (issuer := text_claim(claims, "iss")) != GITLAB_ISSUER:
        fields.append(PublisherFormField(label="Issuer URL", parameter="issuer_url", value=issuer, claim="iss"))
    return PublisherForm("GitLab", "gitlab", tuple(fields))


def _google_publisher_form(claims: Claims) -> PublisherForm:
    fields = (
        PublisherFormField(label="Email", parameter="email", value=text_claim(claims, "email"), claim="email"),
        PublisherFormField(
            label="Subject", parameter="sub", value=text_claim(claims, "sub"), claim="sub", optional=True
        ),
    )
    return PublisherForm("Google", "google", fields)


def _circleci_publisher_form(claims: Claims) -> PublisherForm:
    names = (
        ("Organization ID", "circleci_org_id", "org-id"),
        ("Project ID", "circleci_project_id", "project-id"),
        ("Pipeline definition ID", "pipeline_definition_id", "pipeline-definition-id"),
    )
    fields = tuple(
        PublisherFormField(
            label=label,
            parameter=parameter,
            value=text_claim(claims, f"{_CIRCLECI_PREFIX}{claim}"),
            claim=f"{_CIRCLECI_PREFIX}{claim}",
        )
        for label, parameter, claim in names
    )
    return PublisherForm("CircleCI", "circleci", fields)


def publisher_form_table(form: PublisherForm, differing: frozenset[str] = frozenset()) -> str:
    """Return the form's fields, one a line; the ones that *differ* on the index are marked."""
    width = max(len(field.label) for field in form.fields)
    return "\n".join(_publisher_form_line(field, width, differing) for field in form.fields)


def _publisher_form_line(field: PublisherFormField, width: int, differing: frozenset[str]) -> str:
    value = field.value or (ANY if field.optional else "(unknown: the claim is missing)")
    mark = "  <-- differs on the index" if field.claim in differing else ""
    return f"  {field.label + ':':<{width + 1}}  {printable_claim(value)}{mark}"


def prefilled_publisher_links(form: PublisherForm, endpoints: Endpoints, projects: Sequence[str]) -> tuple[str, ...]:
    """Return links to the publishing pages with the form filled in: of each project, or of the account."""
    if endpoints.web is None or not _has_publisher_forms(endpoints):
        return ()
    query = urlencode({"provider": form.provider, **{f.parameter: f.value for f in form.fields if f.value}})
    web = _publisher_form_site(endpoints.web)
    return tuple(f"{web}/manage/project/{quote(name, safe='')}/settings/publishing/?{query}" for name in projects)


def account_publishing_link(form: PublisherForm, endpoints: Endpoints, project: str) -> str | None:
    """Return the link to the account's page for pending publishers: for a *project* that does not exist yet."""
    if endpoints.web is None or not _has_publisher_forms(endpoints):
        return None
    values = {f.parameter: f.value for f in form.fields if f.value}
    named = {"project_name": project} if project else {}
    query = urlencode({"provider": form.provider, **named, **values})
    return f"{_publisher_form_site(endpoints.web)}/manage/account/publishing/?{query}"


def _has_publisher_forms(endpoints: Endpoints) -> bool:
    """Return whether the index has pages with forms: PyPI and TestPyPI have them, a rehearsal has not."""
    return endpoints.profile is IndexProfile.PYPI and endpoints.pinned_audience != REHEARSAL_AUDIENCE


def _publisher_form_site(web: str) -> str:
    parts = urlsplit(web)
    return f"{parts.scheme}://{parts.netloc}"
