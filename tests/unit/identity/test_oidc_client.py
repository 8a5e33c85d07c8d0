"""What an index is asked about its token exchange."""

from dataclasses import replace

import pytest

from ci_publish import errors
from ci_publish.identity.credential_choice import CredentialOptions, choose_credential
from ci_publish.model.events import Noted, Retrying
from tests.unit.identity.credential_harness import (
    OTHER,
    PYPI,
    FakeCI,
    FakeIndex,
    Harness,
    answer,
)
from tests.unit.identity.diagnoses import NO_TOKEN
from tests.unit.identity.exchange import LOST, credential

HOSTILE = [
    "pypi", "PyPI", "testpypi", "sigstore", "SIGSTORE", "npm", "npm:registry.npmjs.org", "crates.io", "rubygems.org",
    "sts.amazonaws.com", "api://AzureADTokenExchange", "//iam.googleapis.com/projects/1/x", "vault", "",
    "https://github.com/octo-org", None, 5, ["pypi"], {"a": 1}, "pypi\n", " pypi",
]  # fmt: skip


@pytest.mark.parametrize("audience", HOSTILE)
def test_a_hostile_audience_is_neither_asked_for_nor_answered(audience: object) -> None:
    world = Harness(index=FakeIndex(audience=audience))
    with pytest.raises(errors.AudienceRefused) as caught:
        credential(world, OTHER).authenticate()
    assert caught.value.exit_code == 6
    assert world.ci.asked == []
    assert world.index.identities == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", ["audience", "mint-token", "pytp"])
def test_no_redirect_is_followed(status: int, kind: str) -> None:
    world = Harness(index=FakeIndex(audience="index.example"))
    world.index.scripts[kind] = [answer(status, {"audience": "pypi", "token": "x"}, location="https://evil.example/")]
    if kind == "pytp":
        credential(world, OTHER).authenticate()
    else:
        with pytest.raises(errors.CiPublishError) as caught:
            credential(world, OTHER).authenticate()
        assert caught.value.exit_code in {5, 6}
    assert {request.url.split("/")[2] for request in world.index.requests} == {"index.example"}


def test_a_discovery_document_that_points_elsewhere_stops_the_exchange() -> None:
    world = Harness(index=FakeIndex(audience="index.example"))
    document = {
        "audience-endpoint": "https://index.example/a",
        "token-mint-endpoint": "https://evil.example/mint-token",
    }
    world.index.scripts["pytp"] = [answer(200, document)]
    with pytest.raises(errors.ExchangeElsewhere):
        credential(world, OTHER).authenticate()
    assert world.ci.asked == []
    assert len(world.index.requests) == 1


def test_a_discovery_document_is_followed_on_the_same_host() -> None:
    world = Harness(index=FakeIndex(audience="index.example"))
    document = {
        "audience-endpoint": "https://index.example/own/audience",
        "token-mint-endpoint": "https://index.example/own/mint-token",
    }
    world.index.scripts["pytp"] = [answer(200, document)]
    trusted = credential(world, OTHER)
    trusted.authenticate()
    trusted.burn()
    assert [request.url.removeprefix("https://index.example/") for request in world.index.requests] == [
        ".well-known/pytp?discover=%2Flegacy%2F",
        "own/audience",
        "own/mint-token",
        "_/oidc/burn-token",
    ]


def test_an_index_without_trusted_publishing_says_what_is_needed() -> None:
    world = Harness()
    world.index.scripts["audience"] = [answer(404, body=b"<html>")]
    with pytest.raises(errors.TrustedPublishingNotSupported) as caught:
        credential(world, OTHER).authenticate()
    assert "password" in caught.value.hints[0]
    world.index.scripts["audience"] = [answer(403, {"message": "not enabled"})]
    with pytest.raises(errors.TrustedPublishingNotEnabled):
        credential(world, OTHER).authenticate()
    with pytest.raises(errors.TrustedPublishingNotSupported):
        credential(world, replace(PYPI, audience=None)).authenticate()
    with pytest.raises(errors.TrustedPublishingNotSupported):
        credential(world, replace(PYPI, mint=None)).authenticate()


def test_an_audience_that_comes_late_is_waited_for() -> None:
    world = Harness()
    world.index.scripts["audience"] = [answer(503), LOST]
    credential(world).authenticate()
    assert [event.what for event in world.of(Retrying)] == ["the audience", "the audience"]


def test_an_index_whose_audience_is_not_known_is_asked_for_it() -> None:
    world = Harness(FakeIndex(audience="index.example"), FakeCI(lacks={"index.example": NO_TOKEN}))
    assert credential(world, OTHER).missing_credential_error() is None
    assert credential(Harness(ci=FakeCI(lacks={None: NO_TOKEN})), OTHER).missing_credential_error() is NO_TOKEN


@pytest.mark.parametrize(
    ("timeout", "expected"), [(None, [30, 30, 5]), (7.0, [7, 7, 5]), (90.0, [90, 90, 5]), (2, [2, 2, 2])]
)
def test_the_timeout_replaces_the_deadlines_of_the_exchange(timeout: float | None, expected: list[float]) -> None:
    world = Harness()
    trusted = choose_credential(PYPI, CredentialOptions(), world.tools(timeout=timeout))
    trusted.authenticate()
    trusted.burn()
    assert world.index.deadlines == expected


def test_an_index_that_burns_nothing_is_a_note() -> None:
    world = Harness()
    world.index.scripts["burn-token"] = [answer(404, body=b"<html>")]
    trusted = credential(world)
    trusted.authenticate()
    trusted.burn()
    assert [(note.slug, note.warning) for note in world.of(Noted)] == [("upload-token-not-burnt", False)]
    assert trusted.state.burnt is False


def test_an_index_without_an_address_for_burning_is_a_note() -> None:
    world = Harness()
    trusted = credential(world, replace(PYPI, burn=None))
    trusted.authenticate()
    trusted.burn()
    assert [(note.slug, note.warning) for note in world.of(Noted)] == [("upload-token-not-burnt", False)]


def test_a_burn_is_tried_again() -> None:
    world = Harness()
    world.index.scripts["burn-token"] = [answer(503)]
    trusted = credential(world)
    trusted.authenticate()
    trusted.burn()
    assert world.index.burnt == ["pypi-upload-1"]
    assert trusted.state.burnt is True
