"""Which claims match which Trusted Publisher, as on PyPI."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_publish.rehearsal.ci_claims import simulated_github_claims, simulated_gitlab_claims, simulated_google_claims
from ci_publish.rehearsal.registered_publishers import (
    GitHubPublisher,
    GitLabPublisher,
    GooglePublisher,
    TrustedPublisher,
)
from ci_publish.rehearsal.trusted_publishing import AUDIENCE, registered
from tests.unit.rehearsal.served_index import GITHUB, ServedIndex, served_index

GITLAB = GitLabPublisher("octo-group/demo")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


@pytest.mark.parametrize(
    ("publisher", "claims", "accepted"),
    [
        (GITHUB, simulated_github_claims(), True),
        (GITHUB, simulated_github_claims(repository="octo-org/other"), False),
        (GITHUB, simulated_github_claims(repository="Octo-Org/demo"), False),
        (GITHUB, simulated_github_claims(workflow="other.yml"), False),
        (
            GitHubPublisher(repository="octo-org/demo", workflow="release.yml", environment="pypi"),
            simulated_github_claims(environment="PyPI"),
            True,
        ),
        (
            GitHubPublisher(repository="octo-org/demo", workflow="release.yml", environment="pypi"),
            simulated_github_claims(),
            False,
        ),
        (GITHUB, simulated_github_claims(environment="pypi"), True),
        (
            GitHubPublisher(repository="octo-org/demo", workflow="release.yml", owner_id="1"),
            simulated_github_claims(),
            False,
        ),
        (GITLAB, simulated_gitlab_claims(), True),
        (GITLAB, simulated_gitlab_claims(project_path="Octo-Group/Demo"), False),
        (GITLAB, simulated_gitlab_claims(config_path="ci/other.yml"), False),
        (GitLabPublisher("octo-group/demo", environment="pypi"), simulated_gitlab_claims(environment="pypi"), True),
        (GitLabPublisher("octo-group/demo", environment="pypi"), simulated_gitlab_claims(environment="PyPI"), False),
        (GooglePublisher("publisher@demo-project.iam.gserviceaccount.com"), simulated_google_claims(), True),
        (GooglePublisher("publisher@demo-project.iam.gserviceaccount.com", "other"), simulated_google_claims(), False),
        (GooglePublisher("other@example.org"), simulated_google_claims(), False),
        (GITHUB, simulated_gitlab_claims(), False),
    ],
)
def test_publishers_match_as_on_pypi(
    tmp_path: Path,
    publisher: TrustedPublisher,
    claims: dict[str, object],
    accepted: bool,
) -> None:
    with served_index(tmp_path, registrations=[registered(publisher, "demo")]) as world:
        answer = world.mint(world.provider.issue(AUDIENCE, claims))

    assert (answer.status_code == 200) is accepted, answer.text


@pytest.mark.parametrize(
    ("publisher", "claims", "reason"),
    [
        (GITHUB, simulated_github_claims(repository="octo-org/other"), "Publisher with matching claims was not found"),
        (GITHUB, {**simulated_github_claims(), "sha": None}, "Missing claim 'sha'"),
        (GITHUB, {**simulated_github_claims(), "ref": "", "sha": ""}, "The ref and sha claims are empty"),
        (
            GITHUB,
            {**simulated_github_claims(), "ref": "refs/heads/x", "sha": ""},
            (
                "The job_workflow_ref claim does not match, expecting one of "
                "['octo-org/demo/.github/workflows/release.yml@refs/heads/x'], got "
                "'octo-org/demo/.github/workflows/release.yml@refs/tags/v1.0.0'"
            ),
        ),
        (
            GITHUB,
            {**simulated_github_claims(), "job_workflow_ref": "x"},
            "Could not job extract workflow filename from OIDC claims",
        ),
        (GITLAB, {**simulated_gitlab_claims(), "ref_path": ""}, "The ref_path and sha claims are empty"),
        (
            GITLAB,
            {**simulated_gitlab_claims(), "sub": "project_path:other/demo:x"},
            "Check failed for required claim 'sub'",
        ),
        (
            GITLAB,
            {**simulated_gitlab_claims(), "ci_config_ref_uri": "x"},
            "Could not extract workflow filename from OIDC claims",
        ),
        (
            GooglePublisher("publisher@demo-project.iam.gserviceaccount.com"),
            {**simulated_google_claims(), "email_verified": False},
            "Check failed for required claim 'email_verified'",
        ),
    ],
)
def test_the_reason_is_pypis(
    tmp_path: Path, publisher: TrustedPublisher, claims: dict[str, object], reason: str
) -> None:
    with served_index(tmp_path, registrations=[registered(publisher, "demo")]) as world:
        said = world.refusal(world.provider.issue(AUDIENCE, claims))

    assert said == ("invalid-publisher", f"valid token, but no corresponding publisher ({reason})")


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_workflow_reference_names_no_workflow(tmp_path: Path, empty: str) -> None:
    with served_index(tmp_path) as world:
        said = world.refusal(world.provider.issue(AUDIENCE, {**simulated_github_claims(), "job_workflow_ref": empty}))

    assert said[0] == "invalid-publisher"


@pytest.mark.parametrize(
    "claims", [simulated_github_claims(environment="pypi"), simulated_gitlab_claims(), simulated_google_claims()]
)
def test_without_registrations_every_identity_is_its_own_publisher(tmp_path: Path, claims: dict[str, object]) -> None:
    with served_index(tmp_path) as world:
        token = world.mint(world.provider.issue(AUDIENCE, claims)).json["token"]  # type: ignore[index]
        answer = world.upload(token=token)

    assert answer.status_code == 200
