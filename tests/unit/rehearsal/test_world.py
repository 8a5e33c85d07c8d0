"""The rehearsal world as a client meets it: one port, one identity, one Sigstore, real signatures."""

import json
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import httpx
import id as oidc
import pytest

from ci_publish.rehearsal.ci_claims import simulated_github_claims
from ci_publish.rehearsal.registered_publishers import GitHubPublisher
from ci_publish.rehearsal.simulated_job import Provider
from ci_publish.rehearsal.trusted_publishing import AUDIENCE, registered
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_sdist, make_wheel
from tests.unit.rehearsal.published_files import mint, provenance, sign, upload, verified


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as world:
        yield world
        assert world.failures == ()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


def test_every_answer_says_that_this_is_a_rehearsal(world: RehearsalWorld, client: httpx.Client) -> None:
    paths = (
        "/",
        "/simple/",
        "/nothing",
        "/ci/.well-known/jwks",
        "/ci",
        "/api/v1/log",
        "/api/v2/nothing",
        "/_/oidc/audience",
    )

    answers = [client.get(f"{world.base_url}{path}") for path in paths]

    assert [answer.headers["X-Ci-Publish-Rehearsal"] for answer in answers] == ["1"] * len(paths)
    assert [answer.status_code for answer in answers] == [200, 200, 404, 200, 404, 200, 404, 200]


class TestEnvironment:
    def test_a_github_job_has_what_it_needs(self, world: RehearsalWorld) -> None:
        environment = world.environment("github", environment="pypi")

        assert environment["CI_PUBLISH_REPOSITORY_URL"] == f"{world.base_url}/legacy/" == world.repository_url
        assert environment["CI_PUBLISH_SIGSTORE_TRUST_CONFIG"] == str(world.trust_config_path)
        assert environment["ACTIONS_ID_TOKEN_REQUEST_URL"].startswith(f"{world.base_url}/ci/")
        assert environment["GITHUB_ACTIONS"] == "true"
        assert "SSL_CERT_FILE" not in environment
        assert world.certificate_authority_path is None
        assert world.index_url == f"{world.base_url}/simple/"

    def test_a_gitlab_job_has_its_tokens(self, world: RehearsalWorld) -> None:
        environment = world.environment("gitlab")

        assert {"SIGSTORE_ID_TOKEN", "CI_PUBLISH_REHEARSAL_ID_TOKEN", "GITLAB_CI"} <= environment.keys()

    @pytest.mark.parametrize("provider", ["github", "gitlab"])
    def test_the_process_becomes_a_job_and_no_real_ci_is_asked(
        self, world: RehearsalWorld, monkeypatch: pytest.MonkeyPatch, provider: Provider
    ) -> None:
        real = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:9/real",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "real",
            "GITHUB_ACTIONS": "true",
            "GITLAB_CI": "true",
            "PYPI_ID_TOKEN": "real",
            "CIRCLECI": "true",
            "BUILDKITE": "true",
            "GOOGLE_SERVICE_ACCOUNT_NAME": "real",
        }
        for name, value in real.items():
            monkeypatch.setenv(name, value)
        before = dict(os.environ)

        with world.ambient(provider):
            token = oidc.detect_credential(AUDIENCE)
            within = dict(os.environ)

        assert token is not None
        assert world.identity_provider.verify(token, AUDIENCE)
        assert "real" not in within.values()
        assert dict(os.environ) == before

    def test_the_environment_comes_back_after_a_failure(self, world: RehearsalWorld) -> None:
        environ = {"GITHUB_SHA": "mine", "CIRCLECI": "true"}

        def fail() -> None:
            with world.ambient("github", environ):
                assert environ["GITHUB_SHA"] != "mine"
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert environ == {"GITHUB_SHA": "mine", "CIRCLECI": "true"}


def test_the_documented_settings_exist() -> None:
    page = (Path(__file__).parents[3] / "docs" / "rehearsal.md").read_text(encoding="utf-8")
    names = {"registered": registered, "GitHubPublisher": GitHubPublisher}
    settings: dict[str, object] = {}
    for call in re.findall(r"^\| `RehearsalWorld(\(.*\))` \|", page, re.MULTILINE):
        settings |= eval(f"dict{call.replace('…', '...')}", names)  # noqa: S307 - our own page

    assert settings.keys() <= {field.name for field in fields(RehearsalWorld)}
    assert settings["registrations"] == [
        registered(GitHubPublisher(repository="owner/repo", workflow="release.yml"), "demo")
    ]


def test_a_second_world_in_the_same_folder_goes_on(client: httpx.Client, tmp_path: Path) -> None:
    path, storage = make_wheel(tmp_path / "dist"), tmp_path / "world"
    with RehearsalWorld(storage=storage) as first:
        token = mint(client, first, simulated_github_claims())
        upload(client, first, path, token, f"[{sign(first, path, simulated_github_claims())}]")
    with RehearsalWorld(storage=storage) as second:
        statement = verified(second, provenance(client, second, path))
        again = upload(client, second, path, second.issue_api_token())
        other = make_sdist(tmp_path / "dist")
        token = mint(client, second, simulated_github_claims())
        added = upload(client, second, other, token, f"[{sign(second, other, simulated_github_claims())}]")
        assert verified(second, provenance(client, second, other))

        assert json.loads(second.trusted_root())["mediaType"]
    assert statement["subject"][0]["name"] == path.name
    assert (again, added) == ((200, "OK"), (200, "OK"))


def test_a_temporary_world_leaves_nothing_behind() -> None:
    with RehearsalWorld() as world:
        folder = world.trust_config_path.parent
        assert folder.is_dir()

    assert not folder.exists()


def test_waiting_ends_when_it_is_told_to() -> None:
    with RehearsalWorld() as world:
        world.wait(0.01)
        timer = threading.Timer(0.05, world.stop)
        timer.start()
        world.wait(30)
        timer.join()


def test_projects_that_come_in_parallel_are_all_kept(world: RehearsalWorld, tmp_path: Path) -> None:
    paths = [make_wheel(tmp_path, f"parallel{number}", payload=str(number).encode()) for number in range(12)]
    token = world.issue_api_token()

    def work(mine: list[Path]) -> None:
        with httpx.Client() as client:
            for path in mine:
                assert upload(client, world, path, token) == (200, "OK")

    threads = [threading.Thread(target=work, args=(paths[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {path.name for path in paths} <= world.index.files.keys()
