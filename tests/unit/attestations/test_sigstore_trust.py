from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NoReturn, cast

import pytest

from ci_publish.attestations.sigstore_trust import TrustSource, sigstore_instance_hosts
from ci_publish.errors import ConfigurationError
from ci_publish.model.events import Noted
from tests.unit.attestations.signing_harness import Events, SigningHarness, signing_harness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sigstore.models import ClientTrustConfig

    from ci_publish.attestations.sigstore_trust import Load

FRESH = cast("ClientTrustConfig", object())
EMBEDDED = cast("ClientTrustConfig", object())


def trust(events: Events, refreshed: Load, *, seconds: float = 5.0) -> TrustSource:
    return TrustSource(emit=events.append, seconds=seconds, refreshed=refreshed, embedded=lambda: EMBEDDED)


def after(release: threading.Event) -> Load:
    def refresh() -> ClientTrustConfig:
        release.wait(10)
        return FRESH

    return refresh


@pytest.fixture(scope="module")
def world() -> Iterator[SigningHarness]:
    with signing_harness() as world:
        yield world


def test_the_root_is_refreshed_once_for_all_who_ask() -> None:
    calls: list[int] = []

    def refresh() -> ClientTrustConfig:
        calls.append(1)
        return FRESH

    source = trust(Events(), refresh)
    source.prefetch()
    source.prefetch()

    assert source.get() is FRESH
    assert source.get() is FRESH
    assert calls == [1]


def test_the_refresh_runs_while_other_things_happen() -> None:
    release = threading.Event()
    source = trust(Events(), after(release))
    source.prefetch()

    assert not source.wait_until_ready(0.01)
    release.set()
    assert source.wait_until_ready(5.0)
    assert source.get() is FRESH
    assert source.wait_until_ready(0.0)


def test_a_refresh_that_fails_falls_back_to_the_embedded_root_with_a_warning() -> None:
    events = Events()

    def fail() -> NoReturn:
        raise RuntimeError("Failed to refresh TUF metadata") from OSError("connection refused")

    assert trust(events, fail).get() is EMBEDDED

    (note,) = events.of(Noted)
    assert note.slug == "trust-root-not-refreshed"
    assert note.warning
    assert "Failed to refresh TUF metadata; connection refused" in note.message


def test_a_proxy_that_refuses_the_refresh_is_named_as_the_reason() -> None:
    def refused() -> NoReturn:
        broken = ConnectionError(
            "HTTPSConnectionPool(host='tuf-repo-cdn.sigstore.dev', port=443): Max retries exceeded"
        )
        broken.__cause__ = OSError("Tunnel connection failed: 407 Proxy Authentication Required")
        raise RuntimeError("Failed to refresh TUF metadata") from broken

    events = Events()

    assert trust(events, refused).get() is EMBEDDED

    (note,) = events.of(Noted)
    assert "(the proxy refuses the connection: 407 Proxy Authentication Required)" in note.message
    assert "HTTPS_PROXY" in note.hints[-1]


def test_a_refresh_that_hangs_falls_back_in_time() -> None:
    events, release = Events(), threading.Event()
    source = trust(events, after(release), seconds=0.1)
    began = time.monotonic()

    assert source.get() is EMBEDDED

    assert time.monotonic() - began < 2.0
    assert "no response within 0.1 s" in events.of(Noted)[0].message
    assert source.wait_until_ready(0.0)
    release.set()


def test_an_error_without_words_has_a_reason_all_the_same() -> None:
    events = Events()

    def fail() -> NoReturn:
        raise RuntimeError

    trust(events, fail).get()

    assert "RuntimeError" in events.of(Noted)[0].message


def test_a_configuration_describes_a_private_instance(world: SigningHarness) -> None:
    config = TrustSource(emit=Events().append, config=world.sigstore.trust_config(world.url)).get()

    assert len(config.trusted_root.get_fulcio_certs()) > 0


def test_another_instance_is_named(world: SigningHarness) -> None:
    events = Events()
    source = TrustSource(emit=events.append, config=world.sigstore.trust_config(world.url))
    assert not events.of(Noted), "nothing is said of an instance that is not used"

    source.get()
    source.get()

    host = world.url.removeprefix("http://")
    assert [(note.slug, note.message) for note in events.of(Noted)] == [
        ("sigstore-instance", f"This run uses a private Sigstore instance: {host}.")
    ]


def test_the_public_instance_is_not_mentioned() -> None:
    events = Events()
    trust(events, lambda: FRESH).get()
    assert not events.of(Noted)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            '{"signingConfig": {"caUrls": [{"url": "https://f.example:8443/x"}], "tsaUrls": [{"url": "https://t.example"}]}}',
            "f.example:8443, t.example",
        ),
        ('{"signingConfig": {}}', "one without services"),
        ('{"signingConfig": {"caUrls": [{"url": 7}, {"url": "no"}]}}', "one without services"),
        ("{}", "one that cannot be read"),
        ("[]", "one that cannot be read"),
        ("{", "one that cannot be read"),
        ('{"signingConfig": {"caUrls": [7]}}', "one that cannot be read"),
        ('{"signingConfig": {"caUrls": 7}}', "one that cannot be read"),
        ("[" * 100_000, "one that cannot be read"),
    ],
)
def test_any_configuration_has_a_name(config: str, words: str) -> None:
    assert sigstore_instance_hosts(config) == words


@pytest.mark.parametrize("content", ["", "{", "no", "[" * 100_000])
def test_a_configuration_that_is_not_json_is_refused_when_it_is_used(content: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        TrustSource(emit=Events().append, config=content).get()

    assert "is not valid JSON: " in caught.value.detail


@pytest.mark.parametrize("content", ["{}", "[]", '{"mediaType": "x"}'])
def test_a_configuration_that_describes_no_instance_is_refused_when_it_is_used(content: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        TrustSource(emit=Events().append, config=content).get()

    assert "does not describe a Sigstore instance" in caught.value.detail


def test_a_root_without_keys_is_refused(world: SigningHarness) -> None:
    config = world.sigstore.trust_config(world.url).replace('"tlogs"', '"tlogs": [], "unused"')

    with pytest.raises(ConfigurationError):
        TrustSource(emit=Events().append, config=config).get()
