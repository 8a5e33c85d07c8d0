"""Which CI a command runs in."""

import pytest

from ci_publish.cli.ci_detection import on_github, on_gitlab


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
    assert on_github(environ) is github
    assert on_gitlab(environ) is gitlab
