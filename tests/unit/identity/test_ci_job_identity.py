from __future__ import annotations

import pytest

from ci_publish.identity.ci_job_identity import identity_of_ci_job
from ci_publish.rehearsal.ci_claims import (
    simulated_github_claims,
    simulated_github_variables,
    simulated_gitlab_claims,
    simulated_gitlab_variables,
)

GITHUB = simulated_github_variables(simulated_github_claims())
GITLAB = simulated_gitlab_variables(simulated_gitlab_claims())


def told(environ: dict[str, str]) -> str | None:
    job = identity_of_ci_job(environ)
    return None if job is None else str(job.publisher)


def test_a_job_says_who_it_is() -> None:
    assert told(GITHUB) == "github:octo-org/demo:release.yml"
    assert told(GITLAB) == "gitlab:octo-group/demo:.gitlab-ci.yml"
    for environ, commit in ((GITHUB, simulated_github_claims()["sha"]), (GITLAB, simulated_gitlab_claims()["sha"])):
        job = identity_of_ci_job(environ)
        assert job is not None
        assert job.commit == commit


@pytest.mark.parametrize(
    ("environ", "identity"),
    [
        ({}, None),
        ({**GITHUB, "GITHUB_SERVER_URL": "https://github.corp.example"}, None),
        ({**GITHUB, "FORGEJO_ACTIONS": "true"}, None),
        ({**GITHUB, "GITEA_ACTIONS": "true"}, None),
        ({**GITHUB, "ACT": "true"}, None),
        ({**GITHUB, "GITHUB_REPOSITORY": ""}, None),
        ({**GITHUB, "GITHUB_REPOSITORY": "octo-org"}, None),
        ({**GITHUB, "GITHUB_WORKFLOW_REF": ""}, "github:octo-org/demo"),
        (
            {**GITHUB, "GITHUB_WORKFLOW_REF": "octo-org/shared/.github/workflows/release.yml@main"},
            "github:octo-org/demo",
        ),
        ({**GITLAB, "CI_SERVER_URL": "https://gitlab.corp.example"}, None),
        ({**GITLAB, "CI_PROJECT_PATH": ""}, None),
        ({**GITLAB, "CI_CONFIG_PATH": ""}, "gitlab:octo-group/demo"),
        ({**GITLAB, "CI_CONFIG_PATH": "ci.yml@octo-group/shared:main"}, "gitlab:octo-group/demo"),
        ({**GITLAB, "CI_CONFIG_PATH": "https://example.org/ci.yml"}, "gitlab:octo-group/demo"),
    ],
)
def test_a_job_that_does_not_say_who_it_is_is_not_guessed(environ: dict[str, str], identity: str | None) -> None:
    assert told(environ) == identity
