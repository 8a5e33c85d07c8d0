"""The token exchange against the rehearsal world: real HTTP, real signatures, the words and rules of PyPI."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from ci_publish import errors
from ci_publish.http.messages import BasicAuthorization
from ci_publish.http.transport import HttpTransport
from ci_publish.identity.ambient_identity import AmbientIdentity
from ci_publish.identity.ci_environment import CiEnvironment
from ci_publish.identity.context import IdentityContext
from ci_publish.identity.credential_choice import CredentialOptions, choose_credential
from ci_publish.identity.doctor import Doctor
from ci_publish.identity.doctor_findings import Level
from ci_publish.identity.upload_tokens import TrustedPublishingCredential
from ci_publish.index.endpoints import rehearsal_endpoints, resolve_endpoints
from ci_publish.model.events import Event, Noted, Retrying
from ci_publish.model.identity import Purpose
from ci_publish.model.index import Endpoints, ProjectListing
from ci_publish.publishing.interruption import Interruption
from ci_publish.rehearsal.hooks import After, answer, drop, lose_answer, only, times
from ci_publish.rehearsal.registered_publishers import GitHubPublisher, GitLabPublisher
from ci_publish.rehearsal.trusted_publishing import Registration, registered
from ci_publish.rehearsal.world import RehearsalWorld
from tests.unit.identity.diagnoses import request

Provider = Literal["github", "gitlab"]
MINT = "/_/oidc/mint-token"
NO_CLAIMS: Mapping[str, Any] = {}


@dataclass
class Run:
    """One job's credential for the rehearsal's index, and what it said."""

    credential: TrustedPublishingCredential
    tools: IdentityContext
    endpoints: Endpoints
    events: list[Event] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)

    def noted(self) -> list[str]:
        return [event.slug for event in self.events if isinstance(event, Noted)]

    def retries(self) -> int:
        return len([event for event in self.events if isinstance(event, Retrying)])


@contextmanager
def run(  # noqa: PLR0913  (what a test changes, by name)
    world: RehearsalWorld,
    provider: Provider = "github",
    claims: Mapping[str, Any] = NO_CLAIMS,
    *,
    generic: bool = False,
    lost: int = 0,
    audience: str | None = None,
) -> Iterator[Run]:
    """Be a CI job of *world*; afterwards no identity was sent twice and no upload token lives but the *lost* ones."""
    endpoints = resolve_endpoints(world.repository_url)
    endpoints = endpoints if generic else rehearsal_endpoints(endpoints)
    endpoints = replace(endpoints, named_audience=audience)
    interruption = Interruption(600.0)
    events: list[Event] = []
    masked: list[str] = []
    with world.ambient(provider, os.environ, **claims):
        transport = HttpTransport(waiting=interruption, emit=events.append, environ=os.environ)
        source = AmbientIdentity(
            job=CiEnvironment(os.environ),
            mask=lambda secret: masked.append(secret.reveal()),
            waiting=interruption,
            emit=events.append,
        )
        tools = IdentityContext(
            source=source,
            transport=transport,
            waiting=interruption,
            emit=events.append,
            mask=lambda secret: masked.append(secret.reveal()),
            clock=time.time,
            random=random.random,
            shielded=interruption.shielded_from_cut,
        )
        credential = choose_credential(
            endpoints, CredentialOptions(), tools, purpose=Purpose(("demo",), attesting=True)
        )
        assert isinstance(credential, TrustedPublishingCredential)
        try:
            yield Run(credential, tools, endpoints, events, masked)
        finally:
            credential.burn()
            transport.close()
    assert_clean(world, lost=lost)
    assert not [secret for secret in masked if secret in repr(events)]


def assert_clean(world: RehearsalWorld, *, lost: int) -> None:
    """No identity token was exchanged twice, and no upload token that somebody holds is left unburnt."""
    used = [token.jti for token in world.index.mint_log]
    assert len(used) == len(set(used))
    assert len([token for token in world.index.mint_log if not token.burnt]) == lost
    assert world.failures == ()


@pytest.fixture
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as opened:
        yield opened


@pytest.mark.parametrize("provider", ["github", "gitlab"])
def test_an_identity_is_exchanged_once_and_its_token_burnt(world: RehearsalWorld, provider: Provider) -> None:
    with run(world, provider) as job:
        job.credential.authenticate()
        held = job.credential.authorization()
        assert isinstance(held, BasicAuthorization)
        assert job.credential.authorization() == held
        assert held.secret.satisfies(lambda text: text in job.masked)
    assert len(world.index.mint_log) == 1
    assert world.index.mint_log[0].burnt


def test_github_is_proved_by_minting_and_gitlab_by_its_claims(world: RehearsalWorld) -> None:
    with run(world, "github") as job:
        job.credential.authenticate()
        assert len(world.index.mint_log) == 1
    with run(world, "gitlab") as job:
        job.credential.authenticate()
        assert len(world.index.mint_log) == 1
        assert job.noted() == ["one-identity-token"]


def test_a_mint_that_fails_is_repeated_with_a_fresh_identity(world: RehearsalWorld) -> None:
    with run(world) as job:
        world.index.hooks.interpose = only(MINT, times(2, answer(503)))
        job.credential.authenticate()
        assert job.retries() == 2
    assert len(world.index.mint_log) == 1


def test_a_mint_whose_answer_is_lost_is_repeated_with_a_fresh_identity(world: RehearsalWorld) -> None:
    with run(world, lost=1) as job:  # nobody holds the lost answer's token; it expires by itself
        world.index.hooks.after = once(lose_answer)
        job.credential.authenticate()
        assert job.retries() == 1
    assert [token.burnt for token in world.index.mint_log] == [False, True]


def once(fault: After) -> After:
    left = [fault]

    def after(environ: dict[str, object], response: object) -> object:
        return left.pop()(environ, response) if environ["PATH_INFO"] == MINT and left else None  # type: ignore[arg-type]

    return after  # type: ignore[return-value]


@pytest.mark.parametrize("fault", [drop, answer(500)])
def test_gitlabs_lost_answer_is_explained(world: RehearsalWorld, fault: object) -> None:
    with run(world, "gitlab") as job:
        job.credential.authenticate()
        world.index.hooks.interpose = only(MINT, fault)  # type: ignore[arg-type]
        with pytest.raises(errors.MintAnswerLost):
            job.credential.authorization()
        world.index.hooks.interpose = None
        with pytest.raises(errors.MintAnswerLost):
            job.credential.authorization()
    assert world.index.mint_log == ()


def test_a_token_is_renewed_across_four_lifetimes() -> None:
    with RehearsalWorld(token_lifetime=2.0) as world:
        with run(world) as job:
            began = time.monotonic()
            while len(world.index.mint_log) < 5 and time.monotonic() < began + 60.0:
                assert job.credential.authorization() is not None
                time.sleep(0.05)
        assert len(world.index.mint_log) == 5
        assert time.monotonic() - began > 4.0, "each was used for half of its life or longer"


# every refusal --------------------------------------------------------------------------------------------------

DEMO = registered(GitHubPublisher(repository="octo-org/demo", workflow="publish.yml"), "demo")


@pytest.mark.parametrize(
    ("registrations", "claims", "error", "words"),
    [
        ([DEMO], {"repository": "octo-org/other"}, errors.InvalidPublisher, "Repository name:   other"),
        (
            [registered(GitHubPublisher(repository="octo-org/demo", workflow="other.yml"), "demo")],
            {},
            errors.InvalidPublisher,
            "no corresponding publisher",
        ),
        (
            [registered(GitHubPublisher(repository="x/y", workflow="z.yml"), "demo")],
            {"job_workflow_ref": "octo-org/shared/.github/workflows/publish.yml@v1"},
            errors.ReusableWorkflow,
            "warehouse/issues/11096",
        ),
        (
            [registered(GitHubPublisher(repository="x/y", workflow="z.yml"), "demo")],
            {"event_name": "pull_request_target"},
            errors.IdentityUnavailable,
            "pull_request_target",
        ),
    ],
)
def test_an_identity_that_matches_nothing_is_explained(
    registrations: list[Registration], claims: Mapping[str, Any], error: type[errors.CiPublishError], words: str
) -> None:
    with RehearsalWorld(registrations=registrations) as world, run(world, claims=claims) as job:
        with pytest.raises(error) as caught:
            job.credential.authenticate()
        assert words in "\n".join([caught.value.summary, caught.value.detail, *caught.value.hints])
        assert world.index.mint_log == ()


@pytest.mark.parametrize("flag", ["disallow-oidc", "disallow-github-oidc"])
def test_trusted_publishing_switched_off_is_said(world: RehearsalWorld, flag: str) -> None:
    world.index.rules.flags.add(flag)
    with run(world) as job, pytest.raises(errors.TrustedPublishingNotEnabled, match="not enabled"):
        job.credential.authenticate()


def test_a_used_identity_is_refused_with_its_reason(world: RehearsalWorld) -> None:
    with run(world, "gitlab") as first:
        first.credential.authorization()
        again = choose_credential(first.endpoints, CredentialOptions(), first.tools)
        with pytest.raises(errors.ReusedIdentityToken):
            again.authorization()


def test_an_unknown_issuer_is_named(world: RehearsalWorld) -> None:
    with (
        run(world, claims={"iss": "https://gitea.example"}) as job,
        pytest.raises(errors.InvalidIdentityPayload, match=r"gitea\.example"),
    ):
        job.credential.authenticate()


def test_a_pending_publisher_creates_its_project() -> None:
    pending = registered(GitLabPublisher("octo-group/demo"), "demo", pending=True)
    with RehearsalWorld(registrations=[pending]) as world:
        with run(world, "gitlab") as job:
            job.credential.authorization()
        assert world.index.state.project("demo") is not None


# other indexes --------------------------------------------------------------------------------------------------


def test_another_index_on_loopback_is_found_by_discovery() -> None:
    with RehearsalWorld(discovery=True) as world, run(world, generic=True) as job:
        assert job.endpoints.discovery is not None
        job.credential.authenticate()
        assert len(world.index.mint_log) == 1


def test_without_discovery_the_usual_addresses_hold(world: RehearsalWorld) -> None:
    with run(world, generic=True) as job:
        job.credential.authenticate()
        assert len(world.index.mint_log) == 1


@pytest.mark.parametrize("audience", ["pypi", "testpypi", "sigstore", "npm:registry.npmjs.org", "sts.amazonaws.com"])
@pytest.mark.parametrize("generic", [False, True])
def test_an_index_that_asks_for_anothers_audience_gets_nothing(
    world: RehearsalWorld, audience: str, generic: bool
) -> None:
    world.index.trusted_publishing.audience = audience
    issued = len(world.identity_provider.issued)
    with run(world, generic=generic) as job, pytest.raises(errors.AudienceRefused):
        job.credential.authenticate()
    assert len(world.identity_provider.issued) == issued
    assert world.index.mint_log == ()


@pytest.mark.parametrize("discovery", [False, True])
def test_an_audience_that_is_no_host_is_given_to_the_index_that_it_is_named_for(discovery: bool) -> None:
    with RehearsalWorld(discovery=discovery) as world:
        world.index.trusted_publishing.audience = "acme-packages"
        issued = len(world.identity_provider.issued)
        with run(world, generic=True) as job, pytest.raises(errors.AudienceRefused) as caught:
            job.credential.authenticate()
        assert "'acme-packages'" in caught.value.summary
        assert "this audience: audience: acme-packages (" in caught.value.hints[-1], "the line to write"
        assert caught.value.exit_code == 6
        assert len(world.identity_provider.issued) == issued
        with run(world, generic=True, audience="acme-packages") as job:
            job.credential.authenticate()
        assert len(world.index.mint_log) == 1


@pytest.mark.parametrize("audience", ["pypi", "testpypi", "sigstore"])
def test_no_other_index_gets_the_audiences_of_pypi_and_sigstore_even_if_they_are_named(
    world: RehearsalWorld, audience: str
) -> None:
    world.index.trusted_publishing.audience = audience
    issued = len(world.identity_provider.issued)
    with run(world, generic=True, audience=audience) as job, pytest.raises(errors.AudienceRefused) as caught:
        job.credential.authenticate()
    assert not [hint for hint in caught.value.hints if "--audience" in hint]
    assert len(world.identity_provider.issued) == issued


# the doctor -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("provider", "spend"), [("github", False), ("gitlab", True)])
def test_the_doctor_tries_the_exchange(world: RehearsalWorld, provider: Provider, spend: bool) -> None:
    with run(world, provider) as job:
        wanted = request("demo", mint=True, spend_token=spend)
        diagnosis = Doctor(
            endpoints=job.endpoints,
            credential_options=CredentialOptions(),
            tools=job.tools,
            fetch_listing=lambda project: ProjectListing(project=project),
            request=wanted,
        ).run_diagnosis()
    levels = {finding.name: finding.level for finding in diagnosis.findings}
    assert set(levels.values()) == {Level.OK}
    assert {"clock", "exchange", "publisher"} <= levels.keys()
    assert diagnosis.error is None
    assert [token.burnt for token in world.index.mint_log] == [True]


# certificates ---------------------------------------------------------------------------------------------------

CLIENTS = """
import os, sys
from ci_publish.http.certificates import apply_ca_variables
apply_ca_variables(os.environ)
import requests, urllib3
from ci_publish.identity.ambient_identity import fetch_token_with_id
from ci_publish.http.transport import HttpTransport
from ci_publish.publishing.interruption import Interruption
from ci_publish.http.messages import HttpRequest

url = sys.argv[1] + "/simple/"
with requests.get(url, timeout=20) as answer:
    print("requests", answer.status_code)
print("urllib3", urllib3.request("GET", url, timeout=20, retries=False).status)
transport = HttpTransport(waiting=Interruption(60), emit=lambda event: None, environ=os.environ)
print("httpx", transport.send(HttpRequest(method="GET", url=url)).status)
print("id", len(fetch_token_with_id("ci-publish-rehearsal").split(".")))
"""


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_one_setting_reaches_every_client(variable: str, tmp_path: Path) -> None:
    with RehearsalWorld(tls=True) as world:
        job = world.identity_provider.github_environment(f"{world.base_url}/ci")
        environ = {**job, variable: str(world.certificate_authority_path), "PATH": os.defpath}
        source = Path(__file__).resolve().parents[2] / "src"
        child = subprocess.run(
            [sys.executable, "-c", CLIENTS, world.base_url],
            env={**environ, "PYTHONPATH": str(source)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert child.stdout.split("\n")[:4] == ["requests 200", "urllib3 200", "httpx 200", "id 3"], child.stderr
