"""Why a CI job has no identity token, and what to do about it (pure)."""

from ci_publish.errors import (
    ForkPullRequest,
    GitLabIdTokenAudience,
    GitLabIdTokenMissing,
    IdentityProviderFailed,
    IdentityUnavailable,
    NoIdTokenPermission,
    PullRequestTarget,
)
from ci_publish.hints import SET_API_TOKEN
from ci_publish.model.identity import Provider

_NAMES: dict[Provider | None, str] = {
    None: "This machine",
    Provider.GITHUB: "GitHub",
    Provider.GITLAB: "GitLab",
    Provider.GOOGLE: "Google Cloud",
    Provider.BUILDKITE: "Buildkite",
    Provider.CIRCLECI: "CircleCI",
}

_PERMISSION_LINES = "permissions:\n  id-token: write  # for the publishing job"


def identity_provider_failed_error(provider: Provider | None, reason: str) -> IdentityProviderFailed:
    """The CI issued no usable token, for *reason*."""
    return IdentityProviderFailed(
        f"{_NAMES[provider]} did not issue an OIDC identity token: {reason}",
        detail="The job may request one, so this is usually an outage of the CI's own identity service.",
        hints=("Run the job again; if it fails again, check your CI's status page.",),
    )


def no_ci_identity_error() -> IdentityUnavailable:
    """This is not a CI that issues tokens."""
    return IdentityUnavailable(
        "Not running in a CI that issues OIDC identity tokens.",
        detail="GitHub Actions, GitLab CI, Google Cloud, Buildkite and CircleCI are supported; this environment is"
        " none of them.",
        hints=(
            "Run it in a job on one of these; in a container or a child process, pass the CI's variables through.",
            SET_API_TOKEN,
        ),
    )


def runner_without_identity_error(name: str) -> IdentityUnavailable:
    """The runner *name* sets GitHub's variables, but issues no token."""
    return IdentityUnavailable(
        f"{name} does not issue an OIDC identity token to this job.",
        detail="It sets the variables of GitHub Actions, but not those with which a job requests an identity token.",
        hints=(SET_API_TOKEN,),
    )


def pull_request_target_error() -> PullRequestTarget:
    """A workflow that ``pull_request_target`` started must not publish."""
    return PullRequestTarget(
        "This workflow was started by `pull_request_target`, which may not publish.",
        detail="It runs with your permissions on code that others propose; PyPI has rejected its identity since"
        " March 2026.",
        hints=("Publish from `release`, `push` of a tag, or `workflow_dispatch`.",),
    )


def fork_pull_request_error(event: str) -> ForkPullRequest:
    """A pull request from a fork gets no token."""
    return ForkPullRequest(
        f"This workflow runs for a pull request from a fork ({event}), which gets no OIDC identity token.",
        detail="GitHub does not issue tokens to such workflows, even with `id-token: write`.",
        hints=("Publish from an event that forks cannot trigger: `release`, `push` of a tag, `workflow_dispatch`.",),
    )


def no_id_token_permission_error(variable: str) -> NoIdTokenPermission:
    """The job lacks the permission with which GitHub sets *variable*."""
    return NoIdTokenPermission(
        "This job may not request an OIDC identity token from GitHub: `id-token: write` is missing.",
        detail=f"{variable} is not set; GitHub sets it for jobs with that permission.",
        hints=(
            f"Add to the job that publishes:\n{_PERMISSION_LINES}",
            "If the job is in a reusable workflow, its caller must grant the permission as well.",
            "In your own container, pass ACTIONS_ID_TOKEN_REQUEST_TOKEN and ACTIONS_ID_TOKEN_REQUEST_URL through.",
        ),
    )


def gitlab_id_token_missing_error(name: str, audience: str) -> GitLabIdTokenMissing:
    """GitLab's variable *name*, for the token, is not set."""
    return GitLabIdTokenMissing(
        f"This GitLab job has no OIDC identity token for {audience}: the variable {name} is not set.",
        detail="GitLab gives a job only the tokens that its `id_tokens:` declares.",
        hints=_gitlab_id_tokens_hint(name, audience),
    )


def wrong_gitlab_audience_error(name: str, audience: str, said: str) -> GitLabIdTokenAudience:
    """The token in GitLab's variable *name* has another audience, *said*."""
    return GitLabIdTokenAudience(
        f"The token in {name} is for {said}, not for {audience}.",
        detail="Its `aud` in `id_tokens:` does not match the variable's name.",
        hints=_gitlab_id_tokens_hint(name, audience),
    )


def _gitlab_id_tokens_hint(name: str, audience: str) -> tuple[str, ...]:
    return (f"Add to the job that publishes:\nid_tokens:\n  {name}:\n    aud: {audience}",)
