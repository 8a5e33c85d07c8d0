"""The CI that a command runs in."""

import pytest

from ci_publish.reports.ci_detection import is_github_job, is_gitlab_job


@pytest.mark.parametrize(
    ("environ", "github", "gitlab"),
    [
        ({}, False, False),
        ({"CI": "true"}, False, False),
        ({"GITHUB_ACTIONS": "true"}, True, False),
        ({"GITHUB_ACTIONS": "false"}, False, False),
        ({"GITLAB_CI": "true"}, False, True),
        ({"GITLAB_CI": "false"}, False, True),
        ({"GITLAB_CI": ""}, False, False),
    ],
)
def test_a_ci_is_known_by_its_variable(environ: dict[str, str], *, github: bool, gitlab: bool) -> None:
    assert is_github_job(environ) is github
    assert is_gitlab_job(environ) is gitlab
