from dataclasses import replace

import pytest

from ci_publish.http.messages import HttpAnswer, HttpRequest, NoAnswer, NoAnswerReason, SecretJson
from ci_publish.identity import oidc_protocol
from ci_publish.identity.audiences import Audience, AudienceForeign
from ci_publish.model.identity import Secret
from ci_publish.model.token_scope import TokenScope
from tests.unit.identity.credential_harness import NOW, OTHER, PYPI, answer, macaroon
from tests.unit.identity.test_exchange_addresses import discovered

DATE = "Fri, 15 Jan 2027 08:00:00 GMT"
DATE_EPOCH = 1_800_000_000.0
IDENTITY = Secret("identity")


# discovery ------------------------------------------------------------------------------------------------------


def test_built_in_indexes_are_not_asked_where_their_exchange_is() -> None:
    assert oidc_protocol.discovery_request(PYPI) is None


def test_other_indexes_are_asked_by_pep_807() -> None:
    request = oidc_protocol.discovery_request(OTHER)
    assert request == HttpRequest(
        method="GET", url=str(OTHER.discovery), headers={"Accept": "application/vnd.pypi.pytp.v1+json"}
    )


def test_a_discovery_address_on_another_host_is_not_asked() -> None:
    assert oidc_protocol.discovery_request(replace(OTHER, discovery="https://evil.example/.well-known/pytp")) is None


def test_endpoints_on_the_upload_host_are_taken() -> None:
    document = discovered("https://index.example/tp/aud", "https://INDEX.example:443/tp/mint", expires=900)
    found = oidc_protocol.parse_discovery_response(answer(200, document), OTHER)
    assert found == replace(OTHER, audience="https://index.example/tp/aud", mint="https://INDEX.example:443/tp/mint")


@pytest.mark.parametrize(
    "given",
    [
        answer(404, body=b"<html>"),
        answer(200, body=b"<html>all is well</html>"),
        answer(200, []),
        answer(200, {"audience-endpoint": "https://index.example/a"}),
        answer(302, location="https://login.example/"),
        answer(401, {"detail": "log in"}),
        answer(503),
        NoAnswer(NoAnswerReason.RESET, "reset"),
        answer(200, body=b"[" * 100_000),
        HttpAnswer(
            status=200,
            reason="OK",
            headers={},
            body=b'{"audience-endpoint": "x", "token-mint-endpoint": "y"}',
            truncated=True,
        ),
    ],
)
def test_without_a_document_the_usual_addresses_hold(given: HttpAnswer | NoAnswer) -> None:
    assert oidc_protocol.parse_discovery_response(given, OTHER) == OTHER


def test_an_unknown_address_is_no_support() -> None:
    assert isinstance(oidc_protocol.audience_request(replace(OTHER, audience=None)), oidc_protocol.NotSupported)


# audience -------------------------------------------------------------------------------------------------------


def test_the_audience_is_asked_for_and_judged() -> None:
    assert oidc_protocol.audience_request(PYPI) == HttpRequest(
        method="GET", url=str(PYPI.audience), headers={"Accept": "application/json"}
    )
    assert oidc_protocol.parse_audience_response(answer(200, {"audience": "pypi"}), PYPI) == Audience("pypi")
    assert isinstance(oidc_protocol.parse_audience_response(answer(200, {"audience": "pypi"}), OTHER), AudienceForeign)
    assert oidc_protocol.parse_audience_response(answer(200, {"audience": "index.example"}), OTHER) == Audience(
        "index.example"
    )


def test_an_index_can_have_trusted_publishing_switched_off() -> None:
    given = answer(403, {"message": "Trusted publishing functionality not enabled"})
    assert oidc_protocol.parse_audience_response(given, PYPI) == oidc_protocol.NotEnabled(
        "Trusted publishing functionality not enabled"
    )


@pytest.mark.parametrize(
    "given",
    [
        answer(404, body=b"<html>"),
        answer(403, body=b"<html>"),
        answer(401, {"detail": "log in"}),
        answer(200, body=b"<html>"),
        answer(200, {"aud": "x"}),
        answer(200, ["audience"]),
        answer(204, body=b""),
        *[answer(status, location="https://evil.example/") for status in (301, 302, 303, 307, 308)],
    ],
)
def test_without_an_audience_there_is_no_trusted_publishing(given: HttpAnswer) -> None:
    assert isinstance(oidc_protocol.parse_audience_response(given, OTHER), oidc_protocol.NotSupported)


@pytest.mark.parametrize("status", [100, 408, 421, 425, 429, 500, 502, 503, 504, 599])
def test_an_audience_may_come_later(status: int) -> None:
    found = oidc_protocol.parse_audience_response(answer(status, retry_after="3"), OTHER)
    assert isinstance(found, oidc_protocol.Unclear)
    assert found.again
    assert found.wait == 3.0


# mint -----------------------------------------------------------------------------------------------------------


def test_a_mint_request_keeps_the_identity_secret() -> None:
    request = oidc_protocol.mint_request(PYPI, IDENTITY)
    assert isinstance(request, HttpRequest)
    assert request.body == SecretJson((("token", IDENTITY),))
    assert "identity" not in repr(request)


def test_an_upload_token_lives_by_the_indexs_own_clock() -> None:
    given = answer(200, {"success": True, "token": "pypi-x", "expires": DATE_EPOCH + 900}, date=DATE)
    assert oidc_protocol.parse_mint_response(given, now=12345.0) == oidc_protocol.Minted(
        token=Secret("pypi-x"), lifetime=900.0
    )


@pytest.mark.parametrize(
    ("expires", "lifetime"),
    [
        (NOW + 100, 100.0),
        (NOW + 10**9, 21_600.0),
        (NOW - 1, 900.0),
        (None, 900.0),
        ("soon", 900.0),
        (True, 900.0),
        (float("inf"), 900.0),
    ],
)
def test_an_odd_end_of_life_is_replaced(expires: object, lifetime: float) -> None:
    minted = oidc_protocol.parse_mint_response(answer(200, {"token": "t", "expires": expires}), NOW)
    assert isinstance(minted, oidc_protocol.Minted)
    assert minted.lifetime == lifetime


@pytest.mark.parametrize(
    ("caveats", "lifetime"),
    [
        ([[4, "publisher"], [0, 1800000900, 1800000000]], 900.0),
        ([[1, ["a"]], [0, 1800000300, 1800000000]], 300.0),
        ([[0, 1800000000, 1800000900]], 900.0),
        ([], 900.0),
    ],
)
def test_a_token_says_itself_how_long_it_lives(caveats: list[object], lifetime: float) -> None:
    minted = oidc_protocol.parse_mint_response(answer(200, {"token": macaroon(*caveats)}), NOW)
    assert isinstance(minted, oidc_protocol.Minted)
    assert minted.lifetime == lifetime


def test_a_token_says_itself_what_it_is_for() -> None:
    token = macaroon([4, "publisher"], [2, ["id"]], [0, 1800000900, 1800000000])
    minted = oidc_protocol.parse_mint_response(answer(200, {"token": token, "expires": NOW + 100}), NOW)
    assert isinstance(minted, oidc_protocol.Minted)
    assert minted.scope == TokenScope(count=1, begins=1800000000.0, expires=1800000900.0)
    assert minted.lifetime == 100.0


def test_a_token_of_another_kind_says_nothing() -> None:
    minted = oidc_protocol.parse_mint_response(answer(200, {"token": "x"}), NOW)
    assert isinstance(minted, oidc_protocol.Minted)
    assert minted.lifetime == 900.0


@pytest.mark.parametrize(
    "given",
    [
        answer(200, body=b""),
        answer(200, body=b"<html>"),
        answer(200, {"success": True}),
        answer(200, {"token": ""}),
        answer(200, {"token": None}),
        answer(200, {"token": "two words"}),
        answer(200, {"token": "line\nend"}),
        answer(200, {"token": "é"}),
        answer(200, {"token": "x" * 20_000}),
        HttpAnswer(status=200, reason="OK", headers={}, body=b'{"token": "pypi-x"', truncated=True),
        answer(500),
        answer(503),
        NoAnswer(NoAnswerReason.RESET, "reset", sent=True),
        NoAnswer(NoAnswerReason.TIMEOUT, "", sent=True),
    ],
)
def test_an_answer_without_a_token_may_have_used_the_identity(given: HttpAnswer | NoAnswer) -> None:
    found = oidc_protocol.parse_mint_response(given, NOW)
    assert isinstance(found, oidc_protocol.Unclear)
    assert (found.again, found.sent) == (True, True)
    assert found.reason


@pytest.mark.parametrize(
    "reason", [NoAnswerReason.UNTRUSTED_CERTIFICATE, NoAnswerReason.REFUSED_LOCALLY, NoAnswerReason.CANCELLED]
)
def test_what_cannot_get_better_is_not_tried_again(reason: NoAnswerReason) -> None:
    found = oidc_protocol.parse_mint_response(NoAnswer(reason, ""), NOW)
    assert isinstance(found, oidc_protocol.Unclear)
    assert not found.again
    assert found.untrusted is (reason is NoAnswerReason.UNTRUSTED_CERTIFICATE)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 399])
def test_an_identity_is_never_redirected(status: int) -> None:
    found = oidc_protocol.parse_mint_response(answer(status, {"token": "x"}, location="https://evil.example/"), NOW)
    assert isinstance(found, oidc_protocol.PointsElsewhere)


@pytest.mark.parametrize(
    ("given", "code", "description"),
    [
        (answer(422, {"errors": [{"code": "invalid-publisher", "description": "no"}]}), "invalid-publisher", "no"),
        (answer(422, {"errors": ["x", {"description": "y"}, {"code": "c"}]}), "c", ""),
        (answer(422, {"errors": "x", "message": "Token request failed"}), "", "Token request failed"),
        (answer(403, {"title": "Forbidden", "detail": "not you", "status": 403}), "", "not you"),
        (answer(400, {"title": "Bad"}), "", "Bad"),
        (answer(400, {"message": " "}), "", ""),
        (HttpAnswer(status=418, reason="I'm a teapot", headers={}, body=b"<html>"), "", "I'm a teapot"),
        (answer(404, {"errors": [{"code": "gone", "description": "d"}]}), "gone", "d"),
    ],
)
def test_a_refusal_is_understood(given: HttpAnswer, code: str, description: str) -> None:
    assert oidc_protocol.parse_mint_response(given, NOW) == oidc_protocol.MintRefused(code, description, given.status)


@pytest.mark.parametrize("status", [404, 405])
def test_a_mint_address_that_is_none_is_no_support(status: int) -> None:
    assert isinstance(
        oidc_protocol.parse_mint_response(answer(status, body=b"<html>"), NOW), oidc_protocol.NotSupported
    )


def test_the_words_of_an_index_are_cut() -> None:
    error = {"code": "c" * 1000, "description": "d" * 10_000}
    found = oidc_protocol.parse_mint_response(answer(422, {"errors": [error]}), NOW)
    assert found == oidc_protocol.MintRefused("c" * 100, "d" * 500, 422)


# burn and headers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer(202), oidc_protocol.Burnt),
        (answer(200), oidc_protocol.Burnt),
        (answer(404), oidc_protocol.BurnNotOffered),
        (answer(405), oidc_protocol.BurnNotOffered),
        (answer(410), oidc_protocol.BurnNotOffered),
        (answer(400), oidc_protocol.Unclear),
        (answer(301), oidc_protocol.Unclear),
        (answer(503), oidc_protocol.Unclear),
        (NoAnswer(NoAnswerReason.TIMEOUT, "no answer"), oidc_protocol.Unclear),
    ],
)
def test_a_burn_answer_is_understood(given: HttpAnswer | NoAnswer, expected: type) -> None:
    assert isinstance(oidc_protocol.parse_burn_response(given), expected)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry_after": "12"}, 12.0),
        ({"retry_after": "Fri, 15 Jan 2027 08:00:30 GMT", "date": DATE}, 30.0),
        ({"retry_after": "Fri, 15 Jan 2027 08:00:30 GMT"}, None),
    ],
)
def test_a_retry_after_date_is_compared_with_the_indexs_own_clock(
    headers: dict[str, str], expected: float | None
) -> None:
    given = HttpAnswer(
        status=503, reason="", headers={name.replace("_", "-"): value for name, value in headers.items()}, body=b""
    )
    found = oidc_protocol.parse_burn_response(given)

    assert isinstance(found, oidc_protocol.Unclear)
    assert found.wait == expected


@pytest.mark.parametrize(("date", "expected"), [(DATE, DATE_EPOCH), ("yesterday", None), ("", None)])
def test_the_indexs_date(date: str, expected: float | None) -> None:
    assert oidc_protocol.exchange_response_date(answer(200, date=date)) == expected
