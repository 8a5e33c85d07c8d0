"""Which CI a job runs in, and what its environment lacks for an identity token."""

import json
from pathlib import Path

import pytest

from ci_publish import errors
from ci_publish.identity.ambient_identity import (
    fetch_token_with_id,
)
from ci_publish.identity.ci_environment import (
    CiEnvironment,
    gitlab_id_token_variable,
    is_fork_pull_request,
    read_github_event,
    read_machine_product,
)
from ci_publish.model.identity import Provider
from tests.unit.identity.ci_jobs import GITHUB_JOB, NO_PERMISSION, environment_of
from tests.unit.identity.credential_harness import GITLAB, jwt

FORK = {
    "pull_request": {"head": {"repo": {"full_name": "fork/demo"}}, "base": {"repo": {"full_name": "octo-org/demo"}}}
}


OWN = {
    "pull_request": {"head": {"repo": {"full_name": "octo-org/demo"}}, "base": {"repo": {"full_name": "octo-org/demo"}}}
}


@pytest.mark.parametrize(
    ("environ", "machine", "provider"),
    [
        ({}, "", None),
        ({"GITHUB_ACTIONS": "true"}, "", Provider.GITHUB),
        ({"GITHUB_ACTIONS": ""}, "", None),
        ({"GITLAB_CI": "true"}, "", Provider.GITLAB),
        ({"GITLAB_CI": "false"}, "", Provider.GITLAB),
        ({"GITLAB_CI": "true"}, "Google Compute Engine", Provider.GITLAB),
        ({"BUILDKITE": "true"}, "Google Compute Engine", Provider.BUILDKITE),
        ({"CIRCLECI": "true"}, "", Provider.CIRCLECI),
        ({"GOOGLE_SERVICE_ACCOUNT_NAME": "ci@p"}, "", Provider.GOOGLE),
        ({}, "Google", Provider.GOOGLE),
        ({}, "KVM", None),
    ],
)
def test_the_ci_is_told_by_its_variables(environ: dict[str, str], machine: str, provider: Provider | None) -> None:
    assert CiEnvironment(environ, machine=lambda: machine).provider is provider


@pytest.mark.parametrize(
    ("environ", "event", "error", "words"),
    [
        ({}, {}, errors.IdentityUnavailable, "Not running in a CI"),
        (NO_PERMISSION, {}, errors.NoIdTokenPermission, "`id-token: write` is missing"),
        ({**GITHUB_JOB, "ACTIONS_ID_TOKEN_REQUEST_URL": ""}, {}, errors.NoIdTokenPermission, "id-token"),
        (
            {**NO_PERMISSION, "GITHUB_EVENT_NAME": "pull_request"},
            FORK,
            errors.ForkPullRequest,
            "from a fork (pull_request)",
        ),
        ({**NO_PERMISSION, "GITHUB_EVENT_NAME": "pull_request"}, OWN, errors.NoIdTokenPermission, "id-token"),
        (
            {**GITHUB_JOB, "GITHUB_EVENT_NAME": "pull_request_target"},
            FORK,
            errors.PullRequestTarget,
            "pull_request_target",
        ),
        ({"GITLAB_CI": "true"}, {}, errors.GitLabIdTokenMissing, "PYPI_ID_TOKEN is not set"),
        ({"GITLAB_CI": "true", "PYPI_ID_TOKEN": ""}, {}, errors.GitLabIdTokenMissing, "PYPI_ID_TOKEN"),
    ],
)
def test_what_is_missing_is_said_before_any_network(
    environ: dict[str, str], event: object, error: type[errors.IdentityUnavailable], words: str
) -> None:
    environment = environment_of(environ, lambda path: json.dumps(event).encode() if path == "/event.json" else b"")
    missing = environment.missing_identity_error("pypi")
    assert type(missing) is error
    assert words in missing.summary
    assert missing.exit_code == 5
    assert missing.hints


def test_without_an_audience_only_what_it_decides_is_left_open() -> None:
    assert environment_of({"GITLAB_CI": "true"}).missing_identity_error(None) is None
    assert isinstance(environment_of(NO_PERMISSION).missing_identity_error(None), errors.NoIdTokenPermission)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (FORK, True),
        (OWN, False),
        ({"pull_request": {"head": {"repo": None}, "base": {"repo": {}}}}, True),
        ({"pull_request": {"head": {}, "base": {}}}, False),
        ({"pull_request": None}, False),
        ({"ref": "refs/tags/v1"}, False),
        ([], False),
    ],
)
def test_forks_are_seen_from_the_event(payload: object, expected: bool) -> None:
    assert is_fork_pull_request(json.dumps(payload).encode()) is expected


@pytest.mark.parametrize("payload", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_an_event_that_cannot_be_read_is_no_fork(payload: bytes) -> None:
    assert is_fork_pull_request(payload) is False


def test_the_event_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(b"{}")
    assert read_github_event(str(path)) == b"{}"
    assert read_github_event(str(tmp_path / "none.json")) == read_github_event("") == read_github_event("\0") == b""


def test_the_machine_is_asked_without_failing() -> None:
    assert isinstance(read_machine_product(), str)


@pytest.mark.parametrize(
    ("audience", "name"),
    [
        ("pypi", "PYPI_ID_TOKEN"),
        ("testpypi", "TESTPYPI_ID_TOKEN"),
        ("sigstore", "SIGSTORE_ID_TOKEN"),
        ("http://test.audience", "HTTP___TEST_AUDIENCE_ID_TOKEN"),
        ("1st", "_ST_ID_TOKEN"),
        ("ci-publish-rehearsal", "CI_PUBLISH_REHEARSAL_ID_TOKEN"),
    ],
)
def test_gitlabs_variable_has_the_name_that_id_gives_it(
    audience: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gitlab_id_token_variable(audience) == name
    for variable in ("GITHUB_ACTIONS", "BUILDKITE", "GOOGLE_SERVICE_ACCOUNT_NAME"):
        monkeypatch.delenv(variable, raising=False)
    token = jwt({**GITLAB, "aud": audience})
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv(name, token)
    assert fetch_token_with_id(audience) == token
