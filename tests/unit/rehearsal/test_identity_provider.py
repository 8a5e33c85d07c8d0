from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.test import Client

from ci_publish.rehearsal.ci_claims import (
    KNOWN_ISSUERS,
    simulated_buildkite_claims,
    simulated_circleci_claims,
    simulated_github_claims,
    simulated_gitlab_claims,
    simulated_google_claims,
)
from ci_publish.rehearsal.identity_provider import (
    IdentityTokenError,
    IssuedToken,
    RehearsalIdentityProvider,
)
from tests.unit.rehearsal.provided_identities import NOW, Clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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


@pytest.mark.parametrize(
    ("claims", "not_before"),
    [
        (simulated_github_claims(), 1_799_999_400),
        (simulated_gitlab_claims(), 1_799_999_995),
        (simulated_google_claims(), None),
        (simulated_buildkite_claims(), None),
        (simulated_circleci_claims(), None),
    ],
)
def test_a_token_says_what_its_issuer_would_say(
    provider: RehearsalIdentityProvider, claims: Mapping[str, object], not_before: int | None
) -> None:
    said = provider.verify(provider.issue("pypi", claims), "pypi")

    assert {name: said[name] for name in claims} == claims
    assert (said["aud"], said["iat"], said["exp"]) == ("pypi", 1_800_000_000, 1_800_000_300)
    assert said.get("nbf") == not_before
    assert said["iss"] in KNOWN_ISSUERS


def test_single_claims_can_be_replaced_and_every_token_is_remembered(provider: RehearsalIdentityProvider) -> None:
    first = provider.verify(provider.issue("pypi", repository="other/demo", jti="fixed"), "pypi")
    second = provider.verify(provider.issue("sigstore", lifetime=60), "sigstore")

    assert first["repository"] == "other/demo"
    assert first["repository_owner"] == "octo-org"
    assert provider.issued == (
        IssuedToken(jti="fixed", audience="pypi", issued_at=1_800_000_000, expires_at=1_800_000_300),
        IssuedToken(jti=second["jti"], audience="sigstore", issued_at=1_800_000_000, expires_at=1_800_000_060),
    )


def test_no_jti_comes_twice(provider: RehearsalIdentityProvider) -> None:
    for _ in range(20):
        provider.issue("pypi")
    assert len({token.jti for token in provider.issued}) == 20


class TestVerify:
    @pytest.mark.parametrize("token", ["", "a", "a.b.c", "e30.e30.e30"])
    def test_malformed(self, provider: RehearsalIdentityProvider, token: str) -> None:
        with pytest.raises(IdentityTokenError, match="malformed JWT"):
            provider.verify(token, "pypi")

    @pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
    def test_a_time_that_is_no_number(self, provider: RehearsalIdentityProvider, claim: str) -> None:
        with pytest.raises(IdentityTokenError, match=rf"'{claim}' is not a number"):
            provider.verify(provider.issue("pypi", {**simulated_github_claims(), claim: "soon"}), "pypi")

    def test_unknown_issuer(self, provider: RehearsalIdentityProvider) -> None:
        with pytest.raises(IdentityTokenError, match="unknown issuer"):
            provider.verify(provider.issue("pypi", iss="https://gitlab.example"), "pypi")

    def test_another_key(self, provider: RehearsalIdentityProvider, stranger: RehearsalIdentityProvider) -> None:
        with pytest.raises(IdentityTokenError, match="unknown key"):
            provider.verify(stranger.issue("pypi"), "pypi")

    def test_a_changed_claim(self, provider: RehearsalIdentityProvider) -> None:
        header, _, signature = provider.issue("pypi").split(".")
        payload = provider.issue("pypi", repository="evil/demo").split(".")[1]
        with pytest.raises(IdentityTokenError, match="does not verify"):
            provider.verify(f"{header}.{payload}.{signature}", "pypi")

    def test_another_algorithm(self, provider: RehearsalIdentityProvider) -> None:
        key_id = jwt.get_unverified_header(provider.issue("pypi"))["kid"]
        claims = {**simulated_github_claims(), "aud": "pypi", "iat": int(NOW), "exp": int(NOW) + 60}
        forged = jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": key_id})
        with pytest.raises(IdentityTokenError, match="does not verify"):
            provider.verify(forged, "pypi")

    @pytest.mark.parametrize("audience", ["testpypi", ["pypi"], ["pypi", "sigstore"], []])
    def test_another_audience(self, provider: RehearsalIdentityProvider, audience: str | list[str]) -> None:
        with pytest.raises(IdentityTokenError, match="not for 'pypi'"):
            provider.verify(provider.issue(audience), "pypi")

    @pytest.mark.parametrize("audience", ["pypi", ["pypi"], ["x", "pypi"]])
    def test_a_list_of_audiences_where_it_is_allowed(
        self, provider: RehearsalIdentityProvider, audience: str | Sequence[str]
    ) -> None:
        assert provider.verify(provider.issue(audience), "pypi", single_audience=False)["aud"] == audience

    @pytest.mark.parametrize("audience", ["x", ["x"], {"pypi": 1}])
    def test_not_even_in_the_list(self, provider: RehearsalIdentityProvider, audience: str | list[str]) -> None:
        with pytest.raises(IdentityTokenError, match="not for 'pypi'"):
            provider.verify(provider.issue(audience), "pypi", single_audience=False)

    @pytest.mark.parametrize(("later", "leeway", "valid"), [(329, 30, True), (330, 30, False), (300, 0, False)])
    def test_its_end(
        self, provider: RehearsalIdentityProvider, clock: Clock, later: float, leeway: float, *, valid: bool
    ) -> None:
        token = provider.issue("pypi")
        clock.now += later
        if valid:
            assert provider.verify(token, "pypi", leeway=leeway)
        else:
            with pytest.raises(IdentityTokenError, match="expired"):
                provider.verify(token, "pypi", leeway=leeway)

    @pytest.mark.parametrize("claim", ["iat", "nbf"])
    def test_its_beginning(self, provider: RehearsalIdentityProvider, claim: str) -> None:
        token = provider.issue("pypi", {**simulated_github_claims(), claim: int(NOW) + 40})
        with pytest.raises(IdentityTokenError, match="not valid for another 40 s"):
            provider.verify(token, "pypi")
        assert provider.verify(token, "pypi", leeway=60)


class TestEndpoints:
    @staticmethod
    def bearer(environment: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"bearer {environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}

    def test_each_job_gets_tokens_with_its_own_claims(self, provider: RehearsalIdentityProvider) -> None:
        client = Client(provider.app)
        for repository in ("octo-org/one", "octo-org/two"):
            environment = provider.github_environment("http://localhost", repository=repository)
            url = f"{environment['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience=pypi"
            answer = client.get(url.removeprefix("http://localhost"), headers=self.bearer(environment))
            assert answer.status_code == 200
            assert answer.json is not None
            assert answer.json["count"] == len(answer.json["value"])
            assert provider.verify(answer.json["value"], "pypi")["repository"] == repository

    def test_the_default_audience_is_the_owner(self, provider: RehearsalIdentityProvider) -> None:
        environment = provider.github_environment("http://localhost")
        answer = Client(provider.app).get("/idtoken?api-version=2.0", headers=self.bearer(environment))
        assert answer.json is not None
        assert provider.verify(answer.json["value"], "https://github.com/octo-org")

    @pytest.mark.parametrize("authorization", [None, "bearer", "bearer wrong", "bearer é", "basic {}", "{}"])
    def test_anybody_else_is_turned_away(self, provider: RehearsalIdentityProvider, authorization: str | None) -> None:
        token = provider.github_environment("http://localhost")["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
        headers = {} if authorization is None else {"Authorization": authorization.format(token)}
        assert Client(provider.app).get("/idtoken?audience=pypi", headers=headers).status_code == 401
        assert provider.issued == ()

    def test_its_key_verifies_its_tokens_for_anybody(self, stranger: RehearsalIdentityProvider) -> None:
        client = Client(stranger.app)
        configuration = client.get("/.well-known/openid-configuration", base_url="https://ci.example/oidc").json
        assert configuration is not None
        assert configuration["issuer"] == "https://ci.example/oidc"
        assert configuration["jwks_uri"] == "https://ci.example/oidc/.well-known/jwks"
        keys = jwt.PyJWKSet.from_dict(client.get("/.well-known/jwks").json or {})
        token = stranger.issue("pypi")
        key = keys[jwt.get_unverified_header(token)["kid"]]
        assert jwt.decode(token, key, audience="pypi")["repository"] == "octo-org/demo"

    def test_nothing_else_is_served(self, provider: RehearsalIdentityProvider) -> None:
        client = Client(provider.app)
        assert client.get("/").status_code == 404
        assert client.post("/idtoken").status_code == 405
