"""Which repository and workflow a CI job belongs to by its variables.

Nothing is proved by this: the identity token is. It serves to find a mismatch before a token is requested, and to
expect a job's own repository where the user names nobody. Sources: GitHub's "Variables reference", GitLab's
"Predefined CI/CD variables".
"""

from collections.abc import Mapping

from ci_publish.identity.ci_environment import github_compatible_runner
from ci_publish.model.publisher_identity import (
    JobIdentity,
    PublisherIdentity,
    PublisherKind,
    is_github_workflow,
    is_gitlab_configuration,
    parse_identity,
)


def identity_of_ci_job(environ: Mapping[str, str]) -> JobIdentity | None:
    """Return who this job is; None outside of github.com's and gitlab.com's CI, and where it does not say."""
    if environ.get("GITHUB_ACTIONS") == "true" and github_compatible_runner(environ) is None:
        return _github_job_identity(environ)
    if environ.get("GITLAB_CI") == "true":
        return _gitlab_job_identity(environ)
    return None


def _github_job_identity(environ: Mapping[str, str]) -> JobIdentity | None:
    publisher = _repository_identity(PublisherKind.GITHUB, environ.get("GITHUB_REPOSITORY", ""))
    if publisher is None or environ.get("GITHUB_SERVER_URL", "https://github.com") != "https://github.com":
        return None
    path = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    prefix = f"{publisher.name}/.github/workflows/"
    workflow = path.removeprefix(prefix) if path.startswith(prefix) else ""
    return _job_identity_with_workflow(
        publisher, workflow if is_github_workflow(workflow) else None, environ.get("GITHUB_SHA")
    )


def _gitlab_job_identity(environ: Mapping[str, str]) -> JobIdentity | None:
    publisher = _repository_identity(PublisherKind.GITLAB, environ.get("CI_PROJECT_PATH", ""))
    if publisher is None or environ.get("CI_SERVER_URL", "https://gitlab.com") != "https://gitlab.com":
        return None
    file = environ.get("CI_CONFIG_PATH", "")
    return _job_identity_with_workflow(
        publisher, file if is_gitlab_configuration(file) else None, environ.get("CI_COMMIT_SHA")
    )


def _repository_identity(kind: PublisherKind, name: str) -> PublisherIdentity | None:
    try:
        return parse_identity(f"{kind}:{name}")
    except ValueError:
        return None


def _job_identity_with_workflow(publisher: PublisherIdentity, workflow: str | None, commit: str | None) -> JobIdentity:
    return JobIdentity(PublisherIdentity(kind=publisher.kind, name=publisher.name, workflow=workflow), commit or None)
