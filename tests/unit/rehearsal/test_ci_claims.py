"""Claims and variables of the CI systems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from ci_publish.rehearsal.ci_claims import (
    simulated_github_claims,
    simulated_gitlab_claims,
)
from ci_publish.rehearsal.identity_provider import (
    RehearsalIdentityProvider,
)
from tests.unit.rehearsal.provided_identities import Clock

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def provider(clock: Clock, key: rsa.RSAPrivateKey) -> RehearsalIdentityProvider:
    return RehearsalIdentityProvider(clock=clock, key=key)


@pytest.mark.parametrize(
    ("claims", "subject"),
    [
        (simulated_github_claims(), "repo:octo-org/demo:ref:refs/tags/v1.0.0"),
        (simulated_github_claims(environment="pypi"), "repo:octo-org/demo:environment:pypi"),
        (simulated_github_claims(event_name="pull_request"), "repo:octo-org/demo:pull_request"),
        (simulated_gitlab_claims(environment="pypi"), "project_path:octo-group/demo:ref_type:tag:ref:v1.0.0"),
    ],
)
def test_subjects(claims: Mapping[str, object], subject: str) -> None:
    assert claims["sub"] == subject


def test_environments_are_complete_and_of_strings() -> None:
    provider = RehearsalIdentityProvider()
    for environment in (provider.github_environment("http://127.0.0.1:1"), provider.gitlab_environment(["pypi"])):
        assert environment["CI"] == "true"
        assert all(isinstance(value, str) for value in environment.values())
        assert json.dumps(environment)
