"""Trusted Publishing at the rehearsal's index: the exchange, its refusals, and the tokens it gives."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest

from ci_publish.rehearsal.ci_claims import simulated_buildkite_claims, simulated_github_claims
from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.registered_publishers import GitHubPublisher
from ci_publish.rehearsal.trusted_publishing import AUDIENCE, Registration, registered
from ci_publish.rehearsal.upload_token_store import TokenPublisher
from tests.unit.rehearsal.served_index import GITHUB, NOW, ServedIndex, served_index

NOT_FOUND = "valid token, but no corresponding publisher (Publisher with matching claims was not found)"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


def test_the_audience_is_the_rehearsals_own(world: ServedIndex) -> None:
    assert world.get("/_/oidc/audience").json == {"audience": "ci-publish-rehearsal"}


def test_what_is_switched_off_says_so(world: ServedIndex) -> None:
    world.index.rules.flags.add("disallow-oidc")

    assert world.get("/_/oidc/audience").status_code == 403
    assert world.refusal() == ("not-enabled", "github trusted publishing functionality not enabled")
    world.index.rules.flags.clear()
    world.index.rules.flags.add("disallow-github-oidc")
    assert world.get("/_/oidc/audience").status_code == 200
    assert world.refusal() == ("not-enabled", "github trusted publishing functionality not enabled")


def test_an_identity_token_is_exchanged_for_an_upload_token(world: ServedIndex) -> None:
    answer = world.mint()

    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["success"], answer.json["expires"]) == (True, NOW + 900)
    assert world.upload(token=answer.json["token"]).status_code == 200
    (entry,) = world.index.mint_log
    assert (entry.jti, entry.expires, entry.burnt) == (world.provider.issued[-1].jti, NOW + 900, False)
    assert isinstance(entry.owner, TokenPublisher)
    assert entry.owner.publisher == GitHubPublisher(repository="octo-org/demo", workflow="release.yml", owner_id="65")


def test_the_old_address_works_too(world: ServedIndex) -> None:
    answer = world.client.post("/_/oidc/github/mint-token", json={"token": world.provider.issue(AUDIENCE)})

    assert answer.status_code == 200


def test_a_token_can_be_read_without_a_key(world: ServedIndex) -> None:
    token = world.minted().removeprefix("pypi-")
    content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))

    assert content[:1] == b"\x02"
    assert json.dumps([0, int(NOW) + 900, int(NOW)], separators=(",", ":")).encode() in content


def test_the_lifetime_is_a_knob(tmp_path: Path) -> None:
    with served_index(tmp_path, token_lifetime=60) as world:
        token = world.minted()
        world.clock.now += 59
        in_time = world.upload(token=token).status_code
        world.clock.now += 1
        late = world.upload(token=token).status_code

    assert (in_time, late) == (200, 403)


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "description"),
        [
            (b"rubbish", "Invalid JSON"),
            (b"\xff", "Invalid JSON"),
            (b"{}", "Field required"),
            (b"[]", "Input should be an object"),
            (b'{"token": 1}', "Input should be a valid string"),
        ],
    )
    def test_a_body_without_a_token(self, world: ServedIndex, body: bytes, description: str) -> None:
        answer = world.client.post("/_/oidc/mint-token", data=body)

        assert answer.status_code == 422
        (error,) = answer.json["errors"]  # type: ignore[index]
        assert error["code"] == "invalid-payload"
        assert description in error["description"]

    @pytest.mark.parametrize("token", ["", "rubbish", "a.b.c", jwt.encode({"sub": "x"}, "k" * 32)])
    def test_what_is_no_jwt(self, world: ServedIndex, token: str) -> None:
        assert world.refusal(token) == ("invalid-payload", "malformed JWT")

    def test_an_issuer_that_pypi_does_not_know(self, world: ServedIndex) -> None:
        token = world.provider.issue(AUDIENCE, simulated_buildkite_claims())

        assert world.refusal(token) == ("invalid-payload", "unknown trusted publishing issuer")

    def test_somebody_elses_signature(self, world: ServedIndex) -> None:
        token = RehearsalIdentityProvider(clock=world.clock).issue(AUDIENCE)

        assert world.refusal(token) == ("invalid-token", "malformed or invalid token")

    @pytest.mark.parametrize("audience", ["pypi", ["ci-publish-rehearsal"], []])
    def test_another_audience_or_a_list(self, world: ServedIndex, audience: str | list[str]) -> None:
        assert world.refusal(world.provider.issue(audience))[0] == "invalid-token"

    @pytest.mark.parametrize(("late", "status"), [(29, 200), (30, 422)])
    def test_the_leeway_is_thirty_seconds(self, world: ServedIndex, late: float, status: int) -> None:
        token = world.provider.issue(AUDIENCE, lifetime=0)
        world.clock.now += late

        assert world.mint(token).status_code == status

    def test_a_token_is_good_for_one_exchange(self, world: ServedIndex) -> None:
        token = world.provider.issue(AUDIENCE)

        assert world.mint(token).status_code == 200
        assert world.refusal(token) == ("invalid-reuse-token", "invalid token: already used")

    def test_only_one_of_many_at_once_gets_it(self, world: ServedIndex) -> None:
        token = world.provider.issue(AUDIENCE)
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: world.mint(token).status_code, range(16)))

        assert sorted(statuses) == [200] + [422] * 15

    def test_claims_that_no_publisher_could_have(self, world: ServedIndex) -> None:
        token = world.provider.issue(AUDIENCE, simulated_github_claims(event_name="pull_request_target"))

        assert world.refusal(token) == (
            "invalid-publisher",
            (
                "valid token, but no corresponding publisher (Publishing from a workflow invoked via "
                "'pull_request_target' is not supported.)"
            ),
        )


class TestRegistrations:
    def test_the_publisher_with_an_environment_is_preferred(self, tmp_path: Path) -> None:
        specific = GitHubPublisher(repository="octo-org/demo", workflow="release.yml", environment="pypi")
        registrations = [registered(GITHUB, "general"), registered(specific, "specific")]
        with served_index(tmp_path, registrations=registrations) as world:
            world.mint(world.provider.issue(AUDIENCE, simulated_github_claims(environment="pypi")))
            (entry,) = world.index.mint_log

        assert isinstance(entry.owner, TokenPublisher)
        assert (entry.owner.publisher, entry.owner.projects) == (specific, frozenset({"specific"}))

    def test_one_token_is_good_for_all_projects_of_a_publisher(self, tmp_path: Path) -> None:
        with served_index(tmp_path, registrations=[registered(GITHUB, "demo"), registered(GITHUB, "Other")]) as world:
            for name in ("demo", "other"):
                world.index.create_project(name)
            token = world.minted()
            statuses = [world.upload(world.wheel(name), token=token).status_code for name in ("demo", "other")]

        assert statuses == [200, 200]

    def test_a_token_for_many_projects_can_still_be_read(self, tmp_path: Path) -> None:
        names = [f"project-{number}" for number in range(40)]
        with served_index(tmp_path, registrations=[registered(GITHUB, *names, "demo")]) as world:
            world.index.create_project("demo")
            answer = world.upload(token=world.minted())

        assert answer.status_code == 200

    def test_a_pending_publisher_creates_its_project_at_once(self, tmp_path: Path) -> None:
        with served_index(tmp_path, registrations=[registered(GITHUB, "demo", pending=True)]) as world:
            token = world.minted()
            empty = world.detail()
            taken = world.upload(token=token).status_code
            again = world.mint().status_code

        assert (empty["files"], taken, again) == ([], 200, 200)

    def test_a_pending_publisher_of_a_project_that_exists_is_dropped(self, tmp_path: Path) -> None:
        with served_index(tmp_path, registrations=[registered(GITHUB, "demo", pending=True)]) as world:
            world.index.create_project("demo")
            first, second = world.refusal(), world.refusal()

        assert first == ("invalid-pending-publisher", "valid token, but project already exists")
        assert second == ("invalid-publisher", NOT_FOUND)

    def test_a_pending_publisher_of_a_forbidden_name_creates_nothing(self, tmp_path: Path) -> None:
        with served_index(tmp_path, registrations=[registered(GITHUB, "json", pending=True)]) as world:
            code, description = world.refusal()

            assert world.index.state.projects == {}
        assert code == "invalid-payload"
        assert "conflict with Python Standard Library" in description

    def test_a_registration_keeps_normalised_names(self) -> None:
        assert registered(GITHUB, "De.Mo", "x_y") == Registration(GITHUB, frozenset({"de-mo", "x-y"}))


class TestBurning:
    def test_a_burnt_token_is_worthless(self, world: ServedIndex) -> None:
        token = world.minted()

        answer = world.client.post("/_/oidc/burn-token", json={"token": token})

        assert (answer.status_code, answer.json) == (202, {"message": "Accepted"})
        assert world.upload(token=token).status_code == 403

    @pytest.mark.parametrize("token", ["rubbish", "pypi-rubbish", "pypi-Ag", "pypi-"])
    def test_anything_can_be_burnt(self, world: ServedIndex, token: str) -> None:
        assert world.client.post("/_/oidc/burn-token", json={"token": token}).status_code == 202

    def test_only_the_real_token_burns(self, world: ServedIndex) -> None:
        token = world.minted()
        raw = bytearray(base64.urlsafe_b64decode(token.removeprefix("pypi-") + "=="))
        raw[-1] ^= 1
        forged = "pypi-" + base64.urlsafe_b64encode(raw).decode()

        world.client.post("/_/oidc/burn-token", json={"token": forged})

        assert [entry.burnt for entry in world.index.mint_log] == [False]

    def test_a_body_without_a_token_is_refused(self, world: ServedIndex) -> None:
        assert world.client.post("/_/oidc/burn-token", json={}).status_code == 422


class TestDiscovery:
    def test_it_is_off_by_default(self, world: ServedIndex) -> None:
        assert world.get("/.well-known/pytp?discover=%252Flegacy%252F").status_code == 404

    def test_it_names_the_endpoints(self, tmp_path: Path) -> None:
        with served_index(tmp_path, discovery=True) as world:
            answer = world.get("/.well-known/pytp?discover=%252Flegacy%252F")
            other = world.get("/.well-known/pytp?discover=%252Fother%252F")

        assert answer.mimetype == "application/vnd.pypi.pytp.v1+json"
        assert answer.json == {
            "audience-endpoint": "http://localhost/_/oidc/audience",
            "token-mint-endpoint": "http://localhost/_/oidc/mint-token",
        }
        assert other.status_code == 404


@pytest.mark.parametrize("claim", ["repo_property_team", "repo_property_cost-centre", "something_new"])
def test_claims_that_pypi_does_not_know_are_ignored(world: ServedIndex, claim: str) -> None:
    assert (
        world.mint(world.provider.issue(AUDIENCE, {**simulated_github_claims(), claim: ["a", "b"]})).status_code == 200
    )
