"""Links to the forms for pending publishers of projects that do not exist yet, filled in for a CI job (pure)."""

from ci_publish.identity.publisher_forms import PublisherForm, account_publishing_link
from ci_publish.model.index import Endpoints
from ci_publish.model.publisher_identity import JobIdentity, PublisherKind


def pending_publisher_link(job: JobIdentity | None, endpoints: Endpoints, project: str) -> str | None:
    """Return the link to the form for *project*, filled in for this job; None if the index or the job has no form.

    Only one project can have a pending publisher with the same identity, so the form names an environment per project.
    """
    if job is None or job.publisher.workflow is None:
        return None
    name, file = job.publisher.name, job.publisher.workflow
    environment = f"{endpoints.name if endpoints.name == 'testpypi' else 'pypi'}-{project}"
    if job.publisher.kind is PublisherKind.GITHUB:
        owner, _, name = name.partition("/")
        values = {"owner": owner, "repository": name, "workflow_filename": file, "environment": environment}
        return account_publishing_link(PublisherForm("GitHub", values), endpoints, project)
    namespace, _, name = name.rpartition("/")
    values = {"namespace": namespace, "project": name, "workflow_filepath": file, "environment": environment}
    return account_publishing_link(PublisherForm("GitLab", values), endpoints, project)
