"""What is said where a job has no identity token."""

import pytest

from ci_publish import errors
from ci_publish.identity.ci_environment import (
    github_compatible_runner,
)
from tests.unit.identity.ci_jobs import NO_PERMISSION, environment_of


def test_the_missing_lines_of_configuration_are_written_out() -> None:
    missing = environment_of(NO_PERMISSION).missing_identity_error("pypi")
    assert missing is not None
    assert missing.hints[0].splitlines()[1:] == ["permissions:", "  id-token: write  # for the publishing job"]
    missing = environment_of({"GITLAB_CI": "true"}).missing_identity_error("sigstore")
    assert missing is not None
    (hint,) = missing.hints
    assert hint.splitlines() == [
        "Add to the job that publishes:",
        "id_tokens:",
        "  SIGSTORE_ID_TOKEN:",
        "    aud: sigstore",
    ]
    assert environment_of({"BUILDKITE": "true"}).missing_identity_error("pypi") is None
    assert type(environment_of({}).missing_identity_error("pypi")) is errors.IdentityUnavailable


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"FORGEJO_ACTIONS": "true", "GITEA_ACTIONS": "true"}, "Forgejo Actions"),
        ({"GITEA_ACTIONS": "true"}, "Gitea Actions"),
        ({"ACT": "true"}, "act"),
        ({"ACT": "false", "GITEA_ACTIONS": ""}, None),
        ({}, None),
    ],
)
def test_a_runner_that_passes_for_githubs_is_known(environ: dict[str, str], name: str | None) -> None:
    assert github_compatible_runner(environ) == name
    missing = environment_of({"GITHUB_ACTIONS": "true", **environ}).missing_identity_error("pypi")
    assert missing is not None
    assert (name or "GitHub") in missing.summary
    assert isinstance(missing, errors.NoIdTokenPermission) is (name is None)
