"""Where an identity token may be sent."""

from dataclasses import replace

import pytest

from ci_publish.http.messages import HttpRequest
from ci_publish.identity import oidc_protocol
from ci_publish.model.identity import Secret
from tests.unit.identity.credential_harness import OTHER, PYPI, answer


def discovered(audience: object, mint: object, **more: object) -> dict[str, object]:
    return {"audience-endpoint": audience, "token-mint-endpoint": mint, **more}


IDENTITY = Secret("identity")

HOSTILE_ADDRESSES = [
    "https://evil.example/mint",
    "http://index.example/mint",
    "https://index.example.evil.example/mint",
    "https://evil.example/index.example/mint",
    "https://index.example@evil.example/mint",
    "https://user:secret@index.example/mint",
    "https://index.example:8443/mint",
    "https://index.example:0/mint",
    "https://index.example:99999/mint",
    "https://index.example:abc/mint",
    "//index.example/mint",
    "/mint",
    "mint",
    "",
    "ftp://index.example/mint",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https:///mint",
    "https://\\index.example/mint",
    "https://evil.example\\@index.example/mint",
    "https://evil.example\t.index.example/mint",
    "https://index.example/mint#fragment",
    "https://index.example\u3002evil.example/mint",
    "https://ind\u0435x.example/mint",
    "https://[::1/mint",
    "https://127.0.0.1/mint",
    "http://127.0.0.1/mint",
    "http://localhost/mint",
    " https://index.example/mint",
    "https://index.example/mint\r\nHost: evil.example",
    None,
    5,
    ["https://index.example/mint"],
    {"url": "https://index.example/mint"},
]


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
@pytest.mark.parametrize("which", ["audience", "mint"])
def test_a_discovery_document_cannot_lead_elsewhere(address: object, which: str) -> None:
    good = "https://index.example/fine"
    document = discovered(address, good) if which == "audience" else discovered(good, address)
    found = oidc_protocol.parse_discovery_response(answer(200, document), OTHER)
    assert isinstance(found, oidc_protocol.PointsElsewhere)
    assert found.reason


def test_a_document_cannot_use_the_exception_for_built_in_indexes() -> None:
    upload = replace(PYPI, discovery="https://upload.pypi.org/.well-known/pytp?discover=x")
    document = discovered("https://pypi.org/audience", "https://pypi.org/mint")
    assert isinstance(
        oidc_protocol.parse_discovery_response(answer(200, document), upload), oidc_protocol.PointsElsewhere
    )


@pytest.mark.parametrize("address", [*HOSTILE_ADDRESSES[:31]])
def test_no_identity_is_ever_built_into_a_request_elsewhere(address: str | None) -> None:
    endpoints = replace(OTHER, audience=address, mint=address, burn=address)
    for request in (
        oidc_protocol.audience_request(endpoints),
        oidc_protocol.mint_request(endpoints, IDENTITY),
        oidc_protocol.burn_request(endpoints, IDENTITY),
    ):
        assert not isinstance(request, HttpRequest)


@pytest.mark.parametrize("upload", ["", "index.example", "https://[::1", "http://index.example/"])
def test_an_upload_address_that_is_none_leads_nowhere(upload: str) -> None:
    request = oidc_protocol.mint_request(replace(OTHER, upload=upload), IDENTITY)
    assert isinstance(request, oidc_protocol.PointsElsewhere)


def test_plain_http_is_for_loopback() -> None:
    local = replace(OTHER, upload="http://127.0.0.1:8000/legacy/", mint="http://127.0.0.1:8000/_/oidc/mint-token")
    assert isinstance(oidc_protocol.mint_request(local, IDENTITY), HttpRequest)
    other_port = replace(local, mint="http://127.0.0.1:8001/_/oidc/mint-token")
    assert isinstance(oidc_protocol.mint_request(other_port, IDENTITY), oidc_protocol.PointsElsewhere)


def test_pypis_exchange_is_on_its_main_domain() -> None:
    assert isinstance(oidc_protocol.mint_request(PYPI, IDENTITY), HttpRequest)
    elsewhere = replace(PYPI, mint="https://test.pypi.org/_/oidc/mint-token")
    assert isinstance(oidc_protocol.mint_request(elsewhere, IDENTITY), oidc_protocol.PointsElsewhere)
