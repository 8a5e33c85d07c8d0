"""Whatever an index or a CI answers: nothing is raised, and no identity is built into a request to anybody else."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
from hypothesis import given
from hypothesis import strategies as st

from ci_publish.errors import CredentialRejected
from ci_publish.http.messages import HttpAnswer, HttpRequest
from ci_publish.http.retries import OIDC
from ci_publish.identity import oidc_protocol
from ci_publish.identity.audiences import RESERVED_NAMES, AudienceForeign, validate_audience
from ci_publish.identity.jwt import audiences_of_claims, decode_jwt_claims
from ci_publish.identity.local_refusals import local_identity_refusal
from ci_publish.identity.mint_refusals import explain_mint_refusal
from ci_publish.identity.oidc_protocol import MintRefused
from ci_publish.model.identity import Secret
from tests.unit.identity.credential_harness import GITHUB, GITLAB, NOW, OTHER, PYPI

SECRET = Secret("the-identity")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["audience", "audience-endpoint", "token-mint-endpoint", "token", "expires", "errors", "message"]
)
DOCUMENTS = st.dictionaries(KEYS, JSON, max_size=5).map(json.dumps).map(str.encode)
HEADERS = st.dictionaries(st.sampled_from(["date", "retry-after", "location"]), st.text(max_size=40), max_size=3)
ANSWERS = st.builds(
    HttpAnswer,
    status=st.integers(100, 599),
    reason=st.text(max_size=30),
    headers=HEADERS,
    body=DOCUMENTS | st.binary(max_size=200),
    truncated=st.booleans(),
)
CLAIMS = st.dictionaries(st.sampled_from([*GITHUB, *GITLAB, "aud", "email"]), JSON, max_size=10)


@given(ANSWERS)
def test_any_answer_is_understood(answer: HttpAnswer) -> None:
    oidc_protocol.parse_discovery_response(answer, OTHER)
    oidc_protocol.parse_audience_response(answer, OTHER)
    oidc_protocol.parse_burn_response(answer)
    minted = oidc_protocol.parse_mint_response(answer, NOW)
    if isinstance(minted, oidc_protocol.Minted):
        assert 0 < minted.lifetime <= oidc_protocol.LONGEST_LIFETIME


def hostile_urls() -> st.SearchStrategy[str]:
    hosts = st.sampled_from(
        ["index.example", "evil.example", "INDEX.EXAMPLE", "index.example.evil.example", "127.0.0.1"]
    )
    odd = st.sampled_from(["", "@", ":", ":443", ":8443", "#", "?", "\\", "/", "%2f", "\t", " ", "\u3002", ".", "a:b@"])
    schemes = st.sampled_from(["https://", "http://", "//", "https:", "HTTPS://", "ftp://", ""])
    return st.tuples(schemes, odd, hosts, odd, hosts | st.just(""), odd, st.just("/mint")).map("".join)


@given(hostile_urls() | st.text(max_size=60))
def test_an_identity_goes_to_the_upload_host_or_nowhere(address: str) -> None:
    request = oidc_protocol.mint_request(replace(OTHER, mint=address), SECRET)
    if isinstance(request, HttpRequest):
        # as two parsers read it: ours, and that of the client that sends it
        sent = httpx.URL(request.url)
        assert (sent.scheme, sent.host, sent.port) == ("https", "index.example", None)
        assert urlsplit(request.url).hostname == "index.example"
        assert not sent.userinfo


@given(st.sampled_from(sorted(RESERVED_NAMES)), st.data())
def test_a_reserved_name_stays_reserved_in_any_spelling(name: str, data: st.DataObject) -> None:
    spelled = "".join(
        data.draw(st.sampled_from([letter, letter.upper()])) + data.draw(st.sampled_from(["", "", "", "-", "."]))
        for letter in name
    )
    assert isinstance(validate_audience(spelled, "index.example"), AudienceForeign)


@given(JSON)
def test_any_audience_is_judged(asked: object) -> None:
    judged = validate_audience(asked, "index.example")
    assert isinstance(judged, AudienceForeign) or judged.value == asked


@given(st.text(max_size=200))
def test_any_text_may_be_a_token(text: str) -> None:
    claims = decode_jwt_claims(text)
    assert claims is None or isinstance(audiences_of_claims(claims), tuple)


@given(
    CLAIMS,
    st.sampled_from(
        ["invalid-publisher", "invalid-payload", "invalid-token", "not-enabled", "invalid-reuse-token", "x", ""]
    ),
    st.text(max_size=80),
)
def test_any_refusal_of_any_claims_is_explained(claims: dict[str, Any], code: str, description: str) -> None:
    error = explain_mint_refusal(MintRefused(code, description, 422), claims, PYPI, ["demo"])
    assert isinstance(error, CredentialRejected)
    assert error.summary
    assert error.hints
    refusal = local_identity_refusal(claims, PYPI, attesting=True)
    assert refusal is None or refusal.hints


@given(st.integers(1, 100), st.floats(0, 1), st.none() | st.floats(0, 1e9))
def test_a_pause_is_bounded(attempt: int, chance: float, asked: float | None) -> None:
    assert 0 < OIDC.seconds_to_wait_as_asked(attempt, chance, asked) <= OIDC.longest_asked
