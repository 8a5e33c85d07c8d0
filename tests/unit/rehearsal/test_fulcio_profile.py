from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci_publish.rehearsal.ci_claims import (
    simulated_buildkite_claims,
    simulated_circleci_claims,
    simulated_github_claims,
    simulated_gitlab_claims,
    simulated_google_claims,
)
from ci_publish.rehearsal.fulcio_profile import (
    EmailName,
    FulcioProfile,
    ProfileError,
    UriName,
    der_utf8_string,
    fulcio_profile_of_claims,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ARC = "1.3.6.1.4.1.57264.1."


def text(profile: FulcioProfile, number: int) -> str | None:
    value = dict(profile.extensions).get(f"{ARC}{number}")
    if value is None:
        return None
    if number <= 6:
        return value.decode()
    assert value[0] == 0x0C
    return value[2 if value[1] < 0x80 else 2 + (value[1] & 0x7F) :].decode()


def test_a_github_job_of_a_reusable_workflow() -> None:
    shared = "octo-org/shared/.github/workflows/publish.yml@refs/heads/main"
    profile = fulcio_profile_of_claims(simulated_github_claims(reusable_workflow_ref=shared, environment="pypi"))

    assert profile.name == UriName(f"https://github.com/{shared}")
    assert {number: text(profile, number) for number in range(1, 24)} == {
        1: "https://token.actions.githubusercontent.com",
        2: "push",
        3: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        4: "Release",
        5: "octo-org/demo",
        6: "refs/tags/v1.0.0",
        7: None,
        8: "https://token.actions.githubusercontent.com",
        9: f"https://github.com/{shared}",
        10: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        11: "github-hosted",
        12: "https://github.com/octo-org/demo",
        13: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        14: "refs/tags/v1.0.0",
        15: "74",
        16: "https://github.com/octo-org",
        17: "65",
        18: "https://github.com/octo-org/demo/.github/workflows/release.yml@refs/tags/v1.0.0",
        19: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        20: "push",
        21: "https://github.com/octo-org/demo/actions/runs/1234567890/attempts/1",
        22: "public",
        23: "pypi",
    }


def test_extensions_ascend_and_empty_ones_are_left_out() -> None:
    numbers = [int(oid.removeprefix(ARC)) for oid, _ in fulcio_profile_of_claims(simulated_github_claims()).extensions]
    assert numbers == sorted(numbers)
    assert 23 not in numbers


@pytest.mark.parametrize(
    ("ref_type", "ref", "expected"), [("tag", "v1", "refs/tags/v1"), ("branch", "main", "refs/heads/main")]
)
def test_a_gitlab_job(ref_type: str, ref: str, expected: str) -> None:
    profile = fulcio_profile_of_claims(simulated_gitlab_claims(ref_type=ref_type, ref=ref))
    config = f"https://gitlab.com/octo-group/demo//.gitlab-ci.yml@{expected}"
    assert profile.name == UriName(config)
    assert text(profile, 12) == "https://gitlab.com/octo-group/demo"
    assert text(profile, 14) == expected
    assert text(profile, 18) == config
    assert text(profile, 21) == "https://gitlab.com/octo-group/demo/-/jobs/302"


def test_a_google_service_account() -> None:
    profile = fulcio_profile_of_claims(simulated_google_claims(email="me@example.org"))
    assert profile.name == EmailName("me@example.org")
    assert [oid.removeprefix(ARC) for oid, _ in profile.extensions] == ["1", "8"]


def test_a_buildkite_job() -> None:
    profile = fulcio_profile_of_claims(simulated_buildkite_claims())
    assert profile.name == UriName("https://buildkite.com/octo-org/demo")
    assert text(profile, 21) == "https://buildkite.com/octo-org/demo/builds/9#0184990a-477b-4fa8-9968-49607448a11b"


@pytest.mark.parametrize(("rerun", "expected"), [(False, '""'), (True, "ssh-rerun")])
def test_a_circleci_job(*, rerun: bool, expected: str) -> None:
    profile = fulcio_profile_of_claims({**simulated_circleci_claims(), "oidc.circleci.com/ssh-rerun": rerun})
    assert isinstance(profile.name, UriName)
    assert profile.name.value.startswith("https://circleci.com/api/v2/projects/f1d6a9b2-")
    assert text(profile, 9) == profile.name.value
    assert text(profile, 11) == expected
    assert text(profile, 12) == "github.com/octo-org/demo"


@pytest.mark.parametrize("issuer", ["https://token.actions.githubusercontent.com/enterprise"])
def test_an_issuer_below_a_known_one(issuer: str) -> None:
    assert text(fulcio_profile_of_claims({**simulated_github_claims(), "iss": issuer}), 8) == issuer


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({}, "the claim 'iss' is missing"),
        ({"iss": "https://evil.example"}, "unknown issuer 'https://evil.example'"),
        ({"iss": "https://token.actions.githubusercontent.com.evil.example"}, "unknown issuer"),
        ({"iss": "https://gitlab.com"}, "the claim '[a-z_]+' is missing"),
        ({**simulated_google_claims(), "email_verified": False}, "is not verified"),
        ({**simulated_google_claims(), "email_verified": "true"}, "is not verified"),
    ],
)
def test_no_certificate(claims: Mapping[str, object], reason: str) -> None:
    with pytest.raises(ProfileError, match=reason):
        fulcio_profile_of_claims(claims)


@pytest.mark.parametrize(
    ("length", "head"), [(0, "0c00"), (127, "0c7f"), (128, "0c8180"), (255, "0c81ff"), (256, "0c820100")]
)
def test_der_lengths(length: int, head: str) -> None:
    assert der_utf8_string("x" * length) == bytes.fromhex(head) + b"x" * length


def test_der_is_utf_8() -> None:
    assert der_utf8_string("é") == b"\x0c\x02\xc3\xa9"
