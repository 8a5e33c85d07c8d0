"""Credentials as a run chooses them."""

from ci_publish.identity.credential_choice import (
    Credential,
    CredentialOptions,
    choose_credential,
)
from ci_publish.identity.keyring import Keyring
from ci_publish.model.identity import Secret
from ci_publish.model.index import Endpoints
from tests.unit.identity.credential_harness import PYPI, FakeCI, Harness, macaroon

API_TOKEN = Secret(macaroon([3, "user"]))


NOWHERE = FakeCI(provider=None)


def choose(
    given: CredentialOptions,
    world: Harness | None = None,
    endpoints: Endpoints = PYPI,
    keyring: Keyring | None = None,
) -> Credential:
    world = world or Harness()
    return choose_credential(endpoints, given, world.tools(keyring))
