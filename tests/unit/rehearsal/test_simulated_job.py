"""Which job a rehearsal plays."""

import pytest

from ci_publish.rehearsal.ci_claims import (
    simulated_github_claims,
    simulated_github_variables,
    simulated_gitlab_claims,
    simulated_gitlab_variables,
)
from ci_publish.rehearsal.registered_publishers import GitHubPublisher, GitLabPublisher, publisher_of_claims
from ci_publish.rehearsal.simulated_job import RehearsedJob, rehearsed_job

GITHUB = simulated_github_claims(repository="me/mine", workflow="publish.yaml", ref="refs/heads/main") | dict.fromkeys(
    ("sha", "workflow_sha", "job_workflow_sha"), "a" * 40
)
GITLAB = simulated_gitlab_claims(
    project_path="me/sub/mine", ref="main", ref_type="branch", environment="pypi"
) | dict.fromkeys(("sha", "ci_config_sha"), "b" * 40)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"GITHUB_ACTIONS": "true"},
        {"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW_REF": "rubbish"},
        {**simulated_github_variables(GITHUB), "GITHUB_ACTIONS": "false"},
        {"GITLAB_CI": "true"},
        {"GITLAB_CI": "true", "CI_PROJECT_PATH": "me/mine"},
    ],
)
def test_where_nothing_is_known_an_example_is_played(environ: dict[str, str]) -> None:
    assert rehearsed_job(environ) == RehearsedJob("github", simulated_github_claims())


def test_a_github_job_plays_itself() -> None:
    job = rehearsed_job(simulated_github_variables(GITHUB))

    assert job.provider == "github"
    assert job.claims == GITHUB
    assert publisher_of_claims({**job.claims, "jti": "x"}) == GitHubPublisher(
        repository="me/mine", workflow="publish.yaml", environment="", owner_id="65"
    )


def test_a_gitlab_job_plays_itself() -> None:
    job = rehearsed_job(simulated_gitlab_variables(GITLAB))

    assert job.provider == "gitlab"
    assert job.claims == GITLAB
    assert publisher_of_claims({**job.claims, "jti": "x"}) == GitLabPublisher("me/sub/mine", ".gitlab-ci.yml", "pypi")


def test_a_gitlab_job_that_says_little() -> None:
    environ = {"GITLAB_CI": "true", "CI_PROJECT_PATH": "me/mine", "CI_COMMIT_REF_NAME": "1.0", "CI_COMMIT_TAG": "1.0"}

    claims = rehearsed_job({**environ, "CI_PROJECT_VISIBILITY": "odd"}).claims

    assert (claims["ref_path"], claims["project_visibility"]) == ("refs/tags/1.0", "public")
