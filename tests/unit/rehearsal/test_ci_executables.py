"""Child processes find the identity of the job that is rehearsed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from ci_publish.rehearsal.ci_claims import (
    simulated_circleci_claims,
    simulated_gitlab_claims,
    simulated_gitlab_token_variable,
)
from ci_publish.rehearsal.identity_provider import (
    RehearsalIdentityProvider,
)
from tests.unit.rehearsal.provided_identities import Clock
from tests.unit.rehearsal.served_sigstore import served

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def stranger() -> RehearsalIdentityProvider:
    return RehearsalIdentityProvider()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def provider(clock: Clock, key: rsa.RSAPrivateKey) -> RehearsalIdentityProvider:
    return RehearsalIdentityProvider(clock=clock, key=key)


DETECT = "import id, sys; print(id.detect_credential(sys.argv[1]))"


def detect(audience: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Ask unmodified `id`, in a child process that has this environment."""
    inherited = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", DETECT, audience],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestChildEnvironments:
    def test_github(self, stranger: RehearsalIdentityProvider) -> None:
        with served(stranger.app) as url:
            environment = stranger.github_environment(url, ref="refs/heads/main", environment="pypi")
            done = detect("ci-publish-rehearsal", environment)
        claims = stranger.verify(done.stdout.strip(), "ci-publish-rehearsal")
        assert (claims["ref"], claims["environment"]) == ("refs/heads/main", "pypi")
        assert environment["GITHUB_REPOSITORY"] == claims["repository"]
        assert environment["GITHUB_WORKFLOW_REF"] == claims["workflow_ref"]
        assert environment["GITHUB_RUN_ID"] == claims["run_id"]
        assert environment["GITHUB_REF_NAME"] == "main"

    def test_github_without_permission(self, stranger: RehearsalIdentityProvider) -> None:
        done = detect("pypi", stranger.github_environment("http://127.0.0.1:1", may_request_tokens=False))
        assert done.returncode == 1
        assert "GitHubOidcPermissionCredentialError" in done.stderr

    @pytest.mark.parametrize("audience", ["pypi", "sigstore", "ci-publish-rehearsal", "https://index.example"])
    def test_gitlab(self, stranger: RehearsalIdentityProvider, audience: str) -> None:
        environment = stranger.gitlab_environment([audience, "other"], environment="pypi")
        claims = stranger.verify(detect(audience, environment).stdout.strip(), audience)
        assert claims["exp"] == int(str(claims["iat"])) + 3600
        assert environment["CI_PROJECT_PATH"] == claims["project_path"]
        assert environment["CI_CONFIG_PATH"] == ".gitlab-ci.yml"
        assert environment["CI_COMMIT_TAG"] == "v1.0.0"
        assert environment["CI_ENVIRONMENT_NAME"] == "pypi"

    def test_gitlab_without_the_variable(self, stranger: RehearsalIdentityProvider) -> None:
        done = detect("pypi", stranger.gitlab_environment(["sigstore"], ref_type="branch", ref="main"))
        assert done.returncode == 1
        assert "PYPI_ID_TOKEN not found" in done.stderr

    @pytest.mark.skipif(sys.platform == "win32", reason="the rehearsed executables are POSIX scripts")
    def test_buildkite(self, stranger: RehearsalIdentityProvider, tmp_path: Path) -> None:
        with served(stranger.app) as url:
            done = detect("pypi", stranger.buildkite_environment(url, tmp_path / "bin", job_id="42"))
        claims = stranger.verify(done.stdout.strip(), "pypi")
        assert (claims["iss"], claims["job_id"]) == ("https://agent.buildkite.com", "42")

    @pytest.mark.skipif(sys.platform == "win32", reason="the rehearsed executables are POSIX scripts")
    def test_circleci(self, stranger: RehearsalIdentityProvider, tmp_path: Path) -> None:
        job = simulated_circleci_claims(vcs_origin="github.com/a/b")
        with served(stranger.app) as url:
            environment = stranger.circleci_environment(url, tmp_path / "bin", **job)
            done = detect("https://index.example/?a=b&c", environment)
        claims = stranger.verify(done.stdout.strip(), "https://index.example/?a=b&c")
        assert claims["oidc.circleci.com/vcs-origin"] == "github.com/a/b"
        assert environment["CIRCLE_PROJECT_REPONAME"] == "b"

    @pytest.mark.skipif(sys.platform == "win32", reason="the rehearsed executables are POSIX scripts")
    @pytest.mark.parametrize("name", ["buildkite-agent", "circleci"])
    def test_the_executables_know_one_command(
        self, stranger: RehearsalIdentityProvider, tmp_path: Path, name: str
    ) -> None:
        stranger.buildkite_environment("http://127.0.0.1:1", tmp_path)
        stranger.circleci_environment("http://127.0.0.1:1", tmp_path)
        done = subprocess.run([tmp_path / name, "version"], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert f"the rehearsal's {name} supports only: {name} " in done.stderr

    def test_a_provider_of_one_ci_can_play_the_other(self) -> None:
        provider = RehearsalIdentityProvider(claims=simulated_gitlab_claims(project_path="a/b"))
        assert provider.gitlab_environment([])["CI_PROJECT_PATH"] == "a/b"
        assert provider.github_environment("http://127.0.0.1:1")["GITHUB_REPOSITORY"] == "octo-org/demo"

    @pytest.mark.parametrize(
        ("audience", "variable"),
        [
            ("pypi", "PYPI_ID_TOKEN"),
            ("ci-publish-rehearsal", "CI_PUBLISH_REHEARSAL_ID_TOKEN"),
            ("http://test.audience", "HTTP___TEST_AUDIENCE_ID_TOKEN"),
            ("1password", "_PASSWORD_ID_TOKEN"),
        ],
    )
    def test_names_of_gitlab_variables(self, audience: str, variable: str) -> None:
        assert simulated_gitlab_token_variable(audience) == variable
