"""The repository and workflow that a CI job's variables name.

The variables prove nothing; only the identity token does. They are used to detect a mismatch before a token is
requested, and as the expected publisher if the user names none. Sources: GitHub's "Variables reference", GitLab's
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
    parse_identity_or_none,
)


def identity_of_ci_job(environ: Mapping[str, str]) -> JobIdentity | None:
    """Return the identity that the variables state; None outside the CI of github.com and gitlab.com."""
    if environ.get("GITHUB_ACTIONS") == "true" and github_compatible_runner(environ) is None:
        kind, name, commit = PublisherKind.GITHUB, environ.get("GITHUB_REPOSITORY", ""), environ.get("GITHUB_SHA")
        is_public = environ.get("GITHUB_SERVER_URL", "https://github.com") == "https://github.com"
        path = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
        repository, _, workflow = path.partition("/.github/workflows/")
        is_workflow = repository == name and is_github_workflow(workflow)
    elif environ.get("GITLAB_CI") == "true":
        kind, name, commit = PublisherKind.GITLAB, environ.get("CI_PROJECT_PATH", ""), environ.get("CI_COMMIT_SHA")
        is_public = environ.get("CI_SERVER_URL", "https://gitlab.com") == "https://gitlab.com"
        workflow = environ.get("CI_CONFIG_PATH", "")
        is_workflow = is_gitlab_configuration(workflow)
    else:
        return None
    publisher = parse_identity_or_none(f"{kind}:{name}")
    if publisher is None or not is_public:
        return None
    identity = PublisherIdentity(kind=kind, name=publisher.name, workflow=workflow if is_workflow else None)
    return JobIdentity(identity, commit or None)
