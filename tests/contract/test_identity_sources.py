"""The port ``IdentitySource``: the fake of the unit tests and the real one in every CI keep the same contract.

GitHub and GitLab are played by the rehearsal world in this process's environment; Buildkite and CircleCI by executables
on PATH, in a child process. Google's metadata server has a fixed name in ``id`` (``http://metadata/``), which a test
confined to loopback cannot play: there the contract is tried at the port to ``id``.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ci_publish import errors
from ci_publish.identity.ambient_identity import AmbientIdentity, Fetching
from ci_publish.identity.ci_environment import CiEnvironment
from ci_publish.identity.jwt import audiences_of_claims
from ci_publish.model.identity import IdentitySource, Provider, Secret
from ci_publish.rehearsal import ci_claims
from ci_publish.rehearsal.hooks import answer, times
from ci_publish.rehearsal.world import RehearsalWorld
from tests.unit.identity.credential_harness import FakeCI, Harness

AUDIENCE = "ci-publish-rehearsal"


@dataclass
class Job:
    """A source, and what the masking port was given."""

    source: IdentitySource
    masked: list[str] = field(default_factory=list)
    masks: bool = True


def ambient(environ: Mapping[str, str], **options: Any) -> Job:  # noqa: ANN401
    world = Harness()
    source = AmbientIdentity(
        job=CiEnvironment(environ, machine=lambda: ""),
        mask=lambda secret: world.masked.append(secret.reveal()),
        waiting=world.waiting,
        emit=world.events.append,
        fetching=Fetching(random=lambda: 0.5, **options),
    )
    return Job(source, world.masked)


def fake(_world: RehearsalWorld, _stack: ExitStack) -> Job:
    return Job(FakeCI(), masks=False)


def fake_gitlab(_world: RehearsalWorld, _stack: ExitStack) -> Job:
    return Job(FakeCI(Provider.GITLAB), masks=False)


def github(world: RehearsalWorld, stack: ExitStack) -> Job:
    stack.enter_context(world.ambient("github"))
    return ambient(os.environ)


def gitlab(world: RehearsalWorld, stack: ExitStack) -> Job:
    stack.enter_context(world.ambient("gitlab"))
    return ambient(os.environ)


def google(world: RehearsalWorld, _stack: ExitStack) -> Job:
    claims = ci_claims.simulated_google_claims()
    environ = {"GOOGLE_SERVICE_ACCOUNT_NAME": "ci@project.iam.gserviceaccount.com"}
    return ambient(environ, detect=lambda audience: world.identity_provider.issue(audience, claims))


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as opened:
        yield opened
        assert opened.failures == ()


@pytest.fixture(params=[fake, fake_gitlab, github, gitlab, google], ids=lambda make: make.__name__)
def job(world: RehearsalWorld, request: pytest.FixtureRequest) -> Iterator[Job]:
    make: Callable[[RehearsalWorld, ExitStack], Job] = request.param
    with ExitStack() as stack:
        yield make(world, stack)


def test_a_token_is_for_the_audience_and_says_whose_it_is(job: Job) -> None:
    identity = job.source.token(AUDIENCE)
    assert identity.audience == AUDIENCE
    assert audiences_of_claims(identity.claims) == (AUDIENCE,)
    assert identity.provider is job.source.provider


def test_a_token_is_masked_before_it_is_returned(job: Job) -> None:
    identity = job.source.token(AUDIENCE)
    assert not job.masks or identity.secret in [Secret(text) for text in job.masked]
    assert "eyJ" not in f"{identity!r} {identity.secret}"


def test_a_repeatable_source_gives_another_token_each_time(job: Job) -> None:
    first, second = job.source.token(AUDIENCE), job.source.token(AUDIENCE)
    assert (first.secret != second.secret) is job.source.repeatable


def test_github_without_the_permission_is_told_before_any_network(world: RehearsalWorld) -> None:
    issued = len(world.identity_provider.issued)
    environ = world.identity_provider.github_environment(f"{world.base_url}/ci", may_request_tokens=False)
    with pytest.raises(errors.NoIdTokenPermission):
        ambient(environ).source.token(AUDIENCE)
    assert len(world.identity_provider.issued) == issued


def test_gitlab_without_the_variable_is_told_which(world: RehearsalWorld) -> None:
    environ = world.identity_provider.gitlab_environment(["sigstore"])
    with pytest.raises(errors.GitLabIdTokenMissing, match="CI_PUBLISH_REHEARSAL_ID_TOKEN"):
        ambient(environ).source.token(AUDIENCE)


def test_githubs_service_failing_for_a_while_is_waited_for(world: RehearsalWorld) -> None:
    with world.ambient("github"):
        world.identity_provider.hooks.interpose = times(2, answer(503))
        try:
            assert ambient(os.environ).source.token(AUDIENCE).audience == AUDIENCE
        finally:
            world.identity_provider.hooks.interpose = None


CHILD = """
import json, os
from ci_publish.identity.ambient_identity import AmbientIdentity, Fetching
from ci_publish.identity.ci_environment import CiEnvironment
from tests.unit.identity.credential_harness import Harness

world = Harness()
source = AmbientIdentity(
    job=CiEnvironment(os.environ, machine=lambda: ""),
    mask=lambda secret: world.masked.append(secret.reveal()),
    waiting=world.waiting,
    emit=world.events.append,
    fetching=Fetching(random=lambda: 0.5),
)
tokens = [source.token("ci-publish-rehearsal") for _ in range(2)]
print(json.dumps({
    "provider": source.provider, "repeatable": source.repeatable, "claims": [dict(token.claims) for token in tokens],
    "masked": len(set(world.masked)), "tokens": len(set(token.secret for token in tokens)),
}))
"""


@pytest.mark.skipif(os.name == "nt", reason="the rehearsal's executables are scripts for POSIX")
@pytest.mark.parametrize("provider", ["buildkite", "circleci"])
def test_executables_on_path_give_tokens(world: RehearsalWorld, provider: str, tmp_path: Path) -> None:
    give = getattr(world.identity_provider, f"{provider}_environment")
    environ = give(f"{world.base_url}/ci", tmp_path / "bin")
    root = Path(__file__).resolve().parents[2]
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        env={**environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    told = json.loads(child.stdout)
    assert (told["provider"], told["repeatable"]) == (provider, True)
    assert {claims["aud"] for claims in told["claims"]} == {AUDIENCE}
    assert told["tokens"] == 2
    assert told["masked"] >= 2
    assert all(claims["exp"] > time.time() for claims in told["claims"])
