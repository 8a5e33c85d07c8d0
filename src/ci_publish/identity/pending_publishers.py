"""The forms for pending publishers of projects that do not exist yet, by the variables of a CI job (pure)."""

from ci_publish.identity.claims import GITHUB_ISSUER, GITLAB_ISSUER
from ci_publish.identity.publisher_forms import account_publishing_link, publisher_form_for
from ci_publish.model.identity import Claims
from ci_publish.model.index import Endpoints
from ci_publish.model.publisher_identity import JobIdentity, PublisherKind


def pending_publisher_link(job: JobIdentity | None, endpoints: Endpoints, project: str) -> str | None:
    """Return the link to the form for *project* with this job filled in; None where the index or the job has none.

    A pending publisher can be had for one project with one identity, so the form names an environment of the project.
    """
    if job is None or job.publisher.workflow is None:
        return None
    environment = f"{endpoints.name if endpoints.name == 'testpypi' else 'pypi'}-{project}"
    form = publisher_form_for(_claims_of_job(job, environment))
    return None if form is None else account_publishing_link(form, endpoints, project)


def _claims_of_job(job: JobIdentity, environment: str) -> Claims:
    """Return what the identity of such a job would claim, as far as the form has it."""
    name, workflow = job.publisher.name, job.publisher.workflow
    if job.publisher.kind is PublisherKind.GITHUB:
        reference = f"{name}/.github/workflows/{workflow}@HEAD"
        return {
            "iss": GITHUB_ISSUER,
            "repository": name,
            "workflow_ref": reference,
            "job_workflow_ref": reference,
            "environment": environment,
        }
    configuration = f"gitlab.com/{name}//{workflow}@HEAD"
    return {
        "iss": GITLAB_ISSUER,
        "project_path": name,
        "ci_config_ref_uri": configuration,
        "environment": environment,
    }
