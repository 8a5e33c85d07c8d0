"""What a credential covers, end to end: against an index that gives PyPI's tokens and refuses what PyPI refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from werkzeug.wrappers import Response

from ci_publish.rehearsal.registered_publishers import GitHubPublisher, GitLabPublisher
from ci_publish.rehearsal.trusted_publishing import registered
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release, make_wheel
from tests.e2e.harness_runs import Traffic
from tests.e2e.in_process import Shell, hooked
from tests.unit.identity.credential_harness import macaroon

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Result

pytestmark = pytest.mark.e2e

OF_GITHUB = GitHubPublisher(repository="octo-org/demo", workflow="release.yml")
OF_GITLAB = GitLabPublisher("octo-group/demo", ".gitlab-ci.yml")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def refused(result: Result, world: RehearsalWorld, slug: str = "project-not-covered") -> None:
    """Check that nothing was signed or uploaded, and no upload token is left."""
    assert (result.code, result.receipt["error"]["slug"]) == (6, slug), result.stdout
    assert world.sigstore.entries == ()
    assert world.index.files == {}
    assert all(token.burnt for token in world.index.mint_log)


def last_line(result: Result) -> str:
    return result.stdout.strip().splitlines()[-1]


def two_projects(shell: Shell) -> None:
    for name in ("demo", "other"):
        make_wheel(shell.folder / "dist", name)


def test_a_publisher_of_one_project_signs_nothing_of_two(shell: Shell) -> None:
    two_projects(shell)
    with RehearsalWorld(registrations=[registered(OF_GITHUB, "demo")]) as world:
        world.index.create_project("demo")
        world.index.create_project("other")
        result = shell.in_job_of(world)("publish")
        refused(result, world)
        assert "for 1 project, but this run has files of 2: demo, other" in result.stdout


def test_a_pending_publisher_of_another_name_signs_nothing(shell: Shell) -> None:
    make_wheel(shell.folder / "dist", "demo")
    with RehearsalWorld(registrations=[registered(OF_GITHUB, "deno", pending=True)]) as world:
        result = shell.in_job_of(world)("publish")
        refused(result, world)
        assert "no project demo" in result.stdout
        assert result.receipt["files"][0]["status"] == "not-attempted"


def test_a_pending_publisher_of_this_name_publishes(shell: Shell) -> None:
    make_wheel(shell.folder / "dist", "demo")
    with RehearsalWorld(registrations=[registered(OF_GITHUB, "demo", pending=True)]) as world:
        assert shell.in_job_of(world)("publish").code == 0


def test_on_gitlab_the_public_log_is_named_before_the_first_upload(shell: Shell) -> None:
    two_projects(shell)
    with RehearsalWorld(registrations=[registered(OF_GITLAB, "demo")]) as world:
        world.index.create_project("demo")
        world.index.create_project("other")
        result = shell.in_job_of(world, "gitlab")("publish")
        assert (result.code, result.receipt["error"]["slug"]) == (6, "project-not-covered")
        assert "public transparency log" in result.stdout
        assert world.index.files == {}
        assert len(world.sigstore.entries) == 2


@pytest.mark.parametrize("command", [["publish"], ["plan", "--prove-credential"], ["doctor"]])
def test_an_api_token_of_one_project_is_compared_before_the_first_upload(shell: Shell, command: list[str]) -> None:
    two_projects(shell)
    with RehearsalWorld() as world:
        token = world.issue_api_token("demo")
        result = shell(*command, CI_PUBLISH_REPOSITORY_URL=world.repository_url, CI_PUBLISH_PASSWORD=token)
        refused(result, world)
        assert "is for demo, not for other" in result.stdout
        assert token not in result.stdout


@pytest.mark.parametrize(("cut", "words"), [(None, "expired"), (60, "not a complete API token")])
def test_a_token_that_cannot_work_is_never_sent(shell: Shell, cut: int | None, words: str) -> None:
    make_wheel(shell.folder / "dist", "demo")
    with RehearsalWorld() as world:
        token = world.index.issue_api_token(expires=1_000_000_000)[:cut]
        result = shell("publish", CI_PUBLISH_REPOSITORY_URL=world.repository_url, CI_PUBLISH_PASSWORD=token)
        refused(result, world, "api-token-unusable")
        assert words in result.stdout


@pytest.mark.parametrize(
    ("user", "token", "slug", "asked"),
    [
        ("alice", macaroon(location="127.0.0.1"), "password-refused", False),
        ("__token__", macaroon(location="127.0.0.1")[:40], "api-token-unusable", False),
        ("__token__", macaroon(location="pypi.org"), "api-token-unusable", False),
        ("__token__", macaroon([0, 1, 0], location="127.0.0.1"), "api-token-unusable", True),
    ],
    ids=["password", "truncated", "another index's", "expired"],
)
def test_what_can_never_work_is_refused_before_the_index_is_asked(
    shell: Shell, user: str, token: str, slug: str, *, asked: bool
) -> None:
    """An expired API token is refused later: it does not stop a run that has nothing to upload."""
    make_wheel(shell.folder / "dist", "demo")
    with RehearsalWorld() as world, Traffic().of(world) as traffic:
        given = {"CI_PUBLISH_REPOSITORY_URL": world.repository_url, "CI_PUBLISH_USER": user}
        result = shell("publish", CI_PUBLISH_PASSWORD=token, **given)
        refused(result, world, slug)
        assert ("look" in traffic.seen) is asked, traffic.seen
        assert not [advice for advice in ("run again", "run it again", "try again") if advice in result.stdout.lower()]
        assert token not in result.stdout


def test_a_plan_creates_no_project_unless_told(shell: Shell) -> None:
    make_wheel(shell.folder / "dist", "demo")
    with RehearsalWorld(registrations=[registered(OF_GITHUB, "demo", pending=True)]) as world:
        job = shell.in_job_of(world)
        for command in (["plan", "--prove-credential"], ["doctor", "--mint"]):
            result = job(*command)
            assert result.code == 0, result.stdout
            assert "--create-project" in result.stdout
            assert world.index.mint_log == ()
            assert world.index.state.project("demo") is None
        assert job("doctor", "--mint", "--create-project").receipt["outcome"] == "ready"
        assert world.index.state.project("demo") is not None
        assert job("plan", "--prove-credential").code == 0


def test_doctor_says_what_is_known(shell: Shell) -> None:
    make_release(shell.folder / "dist", "demo")
    with RehearsalWorld(registrations=[registered(OF_GITHUB, "demo")]) as world:
        world.index.create_project("demo")
        job = shell.in_job_of(world)
        untried = job("doctor")
        assert (untried.code, untried.receipt["outcome"]) == (0, "undetermined")
        assert "can only be determined by trying the exchange" in last_line(untried)
        assert "Try it: --mint" in untried.stdout
        assert job("doctor", "--strict").code == 6
        works = job("doctor", "--mint")
        assert (works.code, works.receipt["outcome"]) == (0, "undetermined")
        assert last_line(works) == "The exchange works; only the first upload shows whether it covers demo."
        assert job("publish").code == 0
        for path in (shell.folder / "dist").iterdir():
            path.unlink()
        make_wheel(shell.folder / "wheelhouse", "demo", "9.0")
        ready = job("doctor", "--mint", "wheelhouse")
        assert (ready.code, ready.receipt["outcome"]) == (0, "ready"), ready.stdout
        assert last_line(ready) == "Ready to publish."


@pytest.mark.parametrize("command", ["publish", "doctor"])
@pytest.mark.parametrize(
    ("provider", "claims", "slug"),
    [
        ("github", {"iss": "https://ghe.example/_services/token"}, "invalid-payload"),
        ("github", {"iss": "https://token.actions.githubusercontent.com/octo"}, "invalid-payload"),
        ("github", {"job_workflow_ref": "octo-org/x/.github/workflows/p.yml@refs/heads/main"}, "reusable-workflow"),
        ("gitlab", {"ci_config_ref_uri": "gitlab.com/octo-group/ci//p.yml@refs/heads/main"}, "pipeline-elsewhere"),
    ],
)
def test_what_no_publisher_can_match_is_refused_before_signing(
    shell: Shell, command: str, provider: str, claims: dict[str, str], slug: str
) -> None:
    make_wheel(shell.folder / "dist", "demo")
    with RehearsalWorld() as world:
        result = shell.in_job_of(world, provider, **claims)(command)  # type: ignore[arg-type]
        refused(result, world, slug)
        assert "Trusted Publisher with these values" not in result.stdout


def test_required_attestations_and_a_file_that_has_none(shell: Shell) -> None:
    make_release(shell.folder / "dist", "demo")
    with RehearsalWorld() as world:
        job = shell.in_job_of(world)
        assert job("publish", "dist/*.whl", "--attestations", "off").code == 0
        required = job("publish", "--attestations", "required")
        assert (required.code, required.receipt["error"]["slug"]) == (7, "published-unattested")
        assert world.sigstore.entries == ()
        automatic = job("publish")
        assert automatic.code == 0
        assert "without an attestation, and it is too late to add one" in automatic.stdout


def test_verify_names_the_quarantine(shell: Shell) -> None:
    make_wheel(shell.folder / "dist", "demo")
    with RehearsalWorld() as world:
        job = shell.in_job_of(world)
        assert job("publish").code == 0
        world.index.set_status("demo", "quarantined")
        for target in ("dist", "demo==1.0"):
            result = job("verify", target)
            assert result.code == 11, result.stdout
            assert "demo is quarantined" in result.stdout
            assert "Publish them" not in result.stdout


def test_an_outage_of_sigstore_ends_as_one_within_a_short_deadline(shell: Shell) -> None:
    make_wheel(shell.folder / "dist", "demo")
    with RehearsalWorld() as world, hooked(world.sigstore.hooks, interpose=lambda _: Response("down", 503)):
        job = shell.in_job_of(world)
        required = job("publish", "--deadline", "12")
        assert (required.code, required.receipt["error"]["slug"]) == (7, "sigstore-unavailable"), required.stdout
        assert world.index.files == {}
        bounded = job("publish", "--attestations", "required", "--signing-timeout", "2")
        assert bounded.code == 7
        assert "within 2 s" in bounded.stdout
        possible = job("publish", "--deadline", "12", "--attestations", "if-possible")
        assert possible.code == 0, possible.stdout
        assert len(world.index.files) == 1


def test_a_broken_attestation_file_is_found_before_the_exchange(shell: Shell) -> None:
    wheel = make_wheel(shell.folder / "dist", "demo")
    wheel.with_name(f"{wheel.name}.publish.attestation").write_text("{}", encoding="utf-8")
    with RehearsalWorld() as world:
        result = shell.in_job_of(world)("publish")
        assert (result.code, result.receipt["error"]["slug"]) == (7, "attestation-invalid")
        assert world.index.mint_log == ()
