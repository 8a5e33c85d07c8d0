"""What the CI systems say about a job: the claims of its identity tokens and the variables of its environment (pure).

The sets are complete, so that tests meet everything that real jobs contain. Sources: GitHub's "OpenID Connect
reference" and "Variables reference", GitLab's "OpenID Connect (OIDC) authentication using ID tokens" and "Predefined
CI/CD variables", Google's "OpenID Connect", Buildkite's "buildkite-agent oidc", CircleCI's "Using OpenID Connect tokens
in jobs".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Claims: TypeAlias = "Mapping[str, object]"

GITHUB_ISSUER: Final = "https://token.actions.githubusercontent.com"
GITLAB_ISSUER: Final = "https://gitlab.com"
GOOGLE_ISSUER: Final = "https://accounts.google.com"
BUILDKITE_ISSUER: Final = "https://agent.buildkite.com"
CIRCLECI_ISSUER: Final = "https://oidc.circleci.com"
KNOWN_ISSUERS: Final = frozenset({GITHUB_ISSUER, GITLAB_ISSUER, GOOGLE_ISSUER, BUILDKITE_ISSUER, CIRCLECI_ISSUER})

# The digest of no bytes, so that it is not mistaken for a real commit.
_COMMIT: Final = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
_NOT_IN_A_VARIABLE: Final = re.compile(r"[^A-Z0-9_]|^[^A-Z_]")


def simulated_github_claims(  # noqa: PLR0913 - each is a fact of the job that others are derived from
    *,
    repository: str = "octo-org/demo",
    workflow: str = "release.yml",
    ref: str = "refs/tags/v1.0.0",
    environment: str | None = None,
    event_name: str = "push",
    reusable_workflow_ref: str | None = None,
    **claims: object,
) -> dict[str, object]:
    """Return a GitHub Actions job's claims: those that depend on each other agree, except for single `claims`.

    `workflow` is the caller's file below `.github/workflows/`. `reusable_workflow_ref`
    (`owner/repo/.github/workflows/file.yml@ref`) makes the job one of a reusable workflow that `workflow` calls.
    """
    workflow_ref = f"{repository}/.github/workflows/{workflow}@{ref}"
    if environment is not None:
        subject = f"environment:{environment}"
    else:
        subject = "pull_request" if event_name == "pull_request" else f"ref:{ref}"
    job: dict[str, object] = {
        "iss": GITHUB_ISSUER,
        "sub": f"repo:{repository}:{subject}",
        "repository": repository,
        "repository_id": "74",
        "repository_owner": repository.partition("/")[0],
        "repository_owner_id": "65",
        "repository_visibility": "public",
        "workflow": "Release",
        "workflow_ref": workflow_ref,
        "workflow_sha": _COMMIT,
        "job_workflow_ref": reusable_workflow_ref or workflow_ref,
        "job_workflow_sha": _COMMIT,
        "ref": ref,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "ref_protected": "false",
        "head_ref": "",
        "base_ref": "",
        "sha": _COMMIT,
        "run_id": "1234567890",
        "run_number": "17",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
        "actor": "octocat",
        "actor_id": "583231",
        "event_name": event_name,
    }
    if environment is not None:
        job["environment"] = environment
    return job | claims


def simulated_gitlab_claims(
    *,
    project_path: str = "octo-group/demo",
    config_path: str = ".gitlab-ci.yml",
    ref: str = "v1.0.0",
    ref_type: str = "tag",
    environment: str | None = None,
    **claims: object,
) -> dict[str, object]:
    """Return a gitlab.com job's claims, as `simulated_github_claims`. `ref_type` is `tag` or `branch`."""
    ref_path = f"refs/{'tags' if ref_type == 'tag' else 'heads'}/{ref}"
    job: dict[str, object] = {
        "iss": GITLAB_ISSUER,
        "sub": f"project_path:{project_path}:ref_type:{ref_type}:ref:{ref}",
        "namespace_id": "72",
        "namespace_path": project_path.rpartition("/")[0],
        "project_id": "20",
        "project_path": project_path,
        "project_visibility": "public",
        "user_id": "1",
        "user_login": "sample-user",
        "user_email": "sample-user@example.org",
        "user_access_level": "maintainer",
        "pipeline_id": "574",
        "pipeline_source": "push",
        "job_id": "302",
        "ref": ref,
        "ref_type": ref_type,
        "ref_path": ref_path,
        "ref_protected": "true",
        "runner_id": 1,
        "runner_environment": "gitlab-hosted",
        "sha": _COMMIT,
        "ci_config_ref_uri": f"gitlab.com/{project_path}//{config_path}@{ref_path}",
        "ci_config_sha": _COMMIT,
    }
    if environment is not None:
        job |= {"environment": environment, "environment_protected": "false", "deployment_tier": "production"}
    return job | claims


def simulated_google_claims(*, email: str = "publisher@demo-project.iam.gserviceaccount.com") -> dict[str, object]:
    """Return a Google service account's claims."""
    subject = "112233445566778899001"
    return {"iss": GOOGLE_ISSUER, "sub": subject, "azp": subject, "email": email, "email_verified": True}


def simulated_buildkite_claims() -> dict[str, object]:
    """Return a Buildkite job's claims."""
    return {
        "iss": BUILDKITE_ISSUER,
        "sub": f"organization:octo-org:pipeline:demo:ref:refs/tags/v1.0.0:commit:{_COMMIT}:step:publish",
        "organization_slug": "octo-org",
        "organization_id": "0184990a-477b-4fa8-9968-496074483cee",
        "pipeline_slug": "demo",
        "pipeline_id": "0184990a-477b-4fa8-9968-496074483k77",
        "build_number": 9,
        "build_branch": "main",
        "build_tag": "v1.0.0",
        "build_commit": _COMMIT,
        "build_source": "webhook",
        "step_key": "publish",
        "job_id": "0184990a-477b-4fa8-9968-49607448a11b",
        "agent_id": "0184990a-4782-42b5-afc1-16715b10b8ff",
        "runner_environment": "self-hosted",
    }


def simulated_circleci_claims(
    *,
    project_id: str = "f1d6a9b2-5b7c-4c6d-8e9f-0a1b2c3d4e5f",
    pipeline_definition_id: str = "0c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f",
    vcs_origin: str = "github.com/octo-org/demo",
) -> dict[str, object]:
    """Return a CircleCI job's claims, as `circleci run oidc get --root-issuer` has them."""
    organization, user = "9e8d7c6b-5a4f-4e3d-8c2b-1a0f9e8d7c6b", "3f2e1d0c-9b8a-4756-8413-2f1e0d9c8b7a"
    vcs_ref = "refs/tags/v1.0.0"
    return {
        "iss": CIRCLECI_ISSUER,
        "sub": f"org/{organization}/project/{project_id}/user/{user}/vcs-origin/{vcs_origin}/vcs-ref/{vcs_ref}",
        "oidc.circleci.com/org-id": organization,
        "oidc.circleci.com/project-id": project_id,
        "oidc.circleci.com/pipeline-definition-id": pipeline_definition_id,
        "oidc.circleci.com/pipeline-id": "6a7b8c9d-0e1f-4a2b-8c3d-4e5f6a7b8c9d",
        "oidc.circleci.com/workflow-id": "7b8c9d0e-1f2a-4b3c-8d4e-5f6a7b8c9d0e",
        "oidc.circleci.com/job-id": "8c9d0e1f-2a3b-4c4d-8e5f-6a7b8c9d0e1f",
        "oidc.circleci.com/ssh-rerun": False,
        "oidc.circleci.com/vcs-origin": vcs_origin,
        "oidc.circleci.com/vcs-ref": vcs_ref,
        "oidc.circleci.com/context-ids": [],
    }


def simulated_github_variables(claims: Claims) -> dict[str, str]:
    """Return the variables that a GitHub runner sets for the job of these claims, without the token endpoint."""
    ref = str(claims["ref"])
    taken_over = {
        name: str(claims[claim])
        for name, claim in {
            "GITHUB_REPOSITORY": "repository",
            "GITHUB_REPOSITORY_ID": "repository_id",
            "GITHUB_REPOSITORY_OWNER": "repository_owner",
            "GITHUB_REPOSITORY_OWNER_ID": "repository_owner_id",
            "GITHUB_WORKFLOW": "workflow",
            "GITHUB_WORKFLOW_REF": "workflow_ref",
            "GITHUB_WORKFLOW_SHA": "workflow_sha",
            "GITHUB_REF": "ref",
            "GITHUB_REF_TYPE": "ref_type",
            "GITHUB_REF_PROTECTED": "ref_protected",
            "GITHUB_HEAD_REF": "head_ref",
            "GITHUB_BASE_REF": "base_ref",
            "GITHUB_SHA": "sha",
            "GITHUB_RUN_ID": "run_id",
            "GITHUB_RUN_NUMBER": "run_number",
            "GITHUB_RUN_ATTEMPT": "run_attempt",
            "GITHUB_ACTOR": "actor",
            "GITHUB_ACTOR_ID": "actor_id",
            "GITHUB_EVENT_NAME": "event_name",
            "RUNNER_ENVIRONMENT": "runner_environment",
        }.items()
    }
    constant = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_API_URL": "https://api.github.com",
        "GITHUB_JOB": "publish",
        "RUNNER_OS": "Linux",
    }
    return {**constant, **taken_over, "GITHUB_REF_NAME": ref.removeprefix("refs/tags/").removeprefix("refs/heads/")}


def simulated_gitlab_variables(claims: Claims) -> dict[str, str]:
    """Return the variables that a GitLab runner sets for the job of these claims, the identity tokens excepted."""
    taken_over = {
        name: str(claims[claim])
        for name, claim in {
            "CI_PROJECT_ID": "project_id",
            "CI_PROJECT_PATH": "project_path",
            "CI_PROJECT_NAMESPACE": "namespace_path",
            "CI_PROJECT_VISIBILITY": "project_visibility",
            "CI_COMMIT_SHA": "sha",
            "CI_COMMIT_REF_NAME": "ref",
            "CI_COMMIT_REF_PROTECTED": "ref_protected",
            "CI_COMMIT_TAG" if claims["ref_type"] == "tag" else "CI_COMMIT_BRANCH": "ref",
            "CI_PIPELINE_ID": "pipeline_id",
            "CI_PIPELINE_SOURCE": "pipeline_source",
            "CI_JOB_ID": "job_id",
            "CI_ENVIRONMENT_NAME": "environment",
            "GITLAB_USER_LOGIN": "user_login",
        }.items()
        if claim in claims
    }
    project_url = f"{GITLAB_ISSUER}/{claims['project_path']}"
    return {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER_URL": GITLAB_ISSUER,
        "CI_SERVER_HOST": "gitlab.com",
        "CI_CONFIG_PATH": str(claims["ci_config_ref_uri"]).partition("//")[2].partition("@")[0],
        "CI_JOB_NAME": "publish",
        "CI_JOB_URL": f"{project_url}/-/jobs/{claims['job_id']}",
        "CI_PROJECT_URL": project_url,
        **taken_over,
    }


def simulated_buildkite_variables(claims: Claims) -> dict[str, str]:
    """Return the variables that a Buildkite agent sets for the job of these claims."""
    taken_over = {
        "BUILDKITE_ORGANIZATION_SLUG": "organization_slug",
        "BUILDKITE_PIPELINE_SLUG": "pipeline_slug",
        "BUILDKITE_BUILD_NUMBER": "build_number",
        "BUILDKITE_BRANCH": "build_branch",
        "BUILDKITE_TAG": "build_tag",
        "BUILDKITE_COMMIT": "build_commit",
        "BUILDKITE_SOURCE": "build_source",
        "BUILDKITE_STEP_KEY": "step_key",
        "BUILDKITE_JOB_ID": "job_id",
        "BUILDKITE_AGENT_ID": "agent_id",
    }
    return {"CI": "true", "BUILDKITE": "true"} | {name: str(claims[claim]) for name, claim in taken_over.items()}


def simulated_circleci_variables(claims: Claims) -> dict[str, str]:
    """Return the variables that CircleCI sets for the job of these claims."""
    origin = str(claims["oidc.circleci.com/vcs-origin"])
    owner, _, repository = origin.partition("/")[2].partition("/")
    return {
        "CI": "true",
        "CIRCLECI": "true",
        "CIRCLE_JOB": "publish",
        "CIRCLE_PROJECT_USERNAME": owner,
        "CIRCLE_PROJECT_REPONAME": repository,
        "CIRCLE_REPOSITORY_URL": f"https://{origin}",
        "CIRCLE_TAG": str(claims["oidc.circleci.com/vcs-ref"]).removeprefix("refs/tags/"),
        "CIRCLE_SHA1": _COMMIT,
        "CIRCLE_BUILD_NUM": "17",
        "CIRCLE_WORKFLOW_ID": str(claims["oidc.circleci.com/workflow-id"]),
        "CIRCLE_ORGANIZATION_ID": str(claims["oidc.circleci.com/org-id"]),
    }


def simulated_gitlab_token_variable(audience: str) -> str:
    """Return the variable in which `id` looks for a GitLab job's token for this audience (`id`, `detect_gitlab`)."""
    return f"{_NOT_IN_A_VARIABLE.sub('_', audience.upper())}_ID_TOKEN"
