"""The rehearsal over TLS."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_wheel
from tests.unit.rehearsal.published_files import upload


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as world:
        yield world
        assert world.failures == ()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


def test_over_tls_the_own_authority_is_the_only_one(client: httpx.Client, tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    with RehearsalWorld(tls=True) as world:
        environment = world.environment("github")
        authority = environment["SSL_CERT_FILE"]
        with httpx.Client(verify=ssl.create_default_context(cafile=authority)) as trusting:
            answer = upload(trusting, world, path, world.issue_api_token())
            urls = [
                file["url"]
                for file in trusting.get(
                    f"{world.index_url}demo/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
                ).json()["files"]
            ]
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            client.get(world.base_url)

        assert world.base_url.startswith("https://127.0.0.1:")
        assert Path(authority) == world.certificate_authority_path
        assert world.failures == ()
    assert answer == (200, "OK")
    assert urls == [url for url in urls if url.startswith("https://")] != []


def test_a_client_that_never_shakes_hands_hinders_nobody(tmp_path: Path) -> None:
    import socket  # noqa: PLC0415 - only here

    with RehearsalWorld(tls=True) as world:
        port = int(world.base_url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            context = ssl.create_default_context(cafile=world.certificate_authority_path)
            with httpx.Client(verify=context) as client:
                assert client.get(world.base_url).status_code == 200
