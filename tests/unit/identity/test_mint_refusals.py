"""What an index's refusal means."""

from collections.abc import Mapping
from typing import Any

import pytest

from ci_publish import errors
from ci_publish.identity.mint_refusals import claims_named_in_mint_refusal, explain_mint_refusal
from ci_publish.identity.oidc_protocol import MintRefused
from tests.unit.identity.credential_harness import GITHUB, GITLAB, OTHER, PYPI
from tests.unit.identity.job_claims import BUILDKITE, GOOGLE, SHARED


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("valid token, but no corresponding publisher (Publisher with matching claims was not found)", set()),
        ("(Check failed for required claim 'repository')", {"repository"}),
        ("(Check failed for optional claim 'environment')", {"environment"}),
        ("(Missing claim 'jti')", {"jti"}),
        ("(The job_workflow_ref claim does not match, expecting one of ['a'], got 'b')", {"job_workflow_ref"}),
        ("(The ci_config_ref_uri claim is empty)", {"ci_config_ref_uri"}),
    ],
)
def test_the_claim_that_differs_is_read_from_the_refusal(description: str, expected: set[str]) -> None:
    assert claims_named_in_mint_refusal(description) == expected


NO_PUBLISHER = "valid token, but no corresponding publisher ({})"
MESSAGES: list[tuple[str, str, Mapping[str, Any], type[errors.CredentialRejected], tuple[str, ...]]] = [
    (
        "invalid-publisher",
        NO_PUBLISHER.format("Publisher with matching claims was not found"),
        GITHUB,
        errors.InvalidPublisher,
        (
            "no Trusted Publisher that matches",
            "Workflow name:     release.yml",
            "/manage/project/demo/",
            "pending publisher",
        ),
    ),
    (
        "invalid-publisher",
        NO_PUBLISHER.format("Check failed for required claim 'repository'"),
        GITHUB,
        errors.InvalidPublisher,
        ("Repository name:   demo  <-- differs", "letter case"),
    ),
    (
        "invalid-publisher",
        NO_PUBLISHER.format("The job_workflow_ref claim does not match, expecting one of ['x'], got 'y'"),
        GITHUB,
        errors.InvalidPublisher,
        ("release.yml  <-- differs", "expecting one of ['x'], got 'y'"),
    ),
    (
        "invalid-publisher",
        NO_PUBLISHER.format("Check failed for optional claim 'environment'"),
        {**GITLAB, "environment": ""},
        errors.InvalidPublisher,
        ("Top-level pipeline file path:", "names no environment", "provider=gitlab"),
    ),
    (
        "invalid-publisher",
        NO_PUBLISHER.format("Publisher with matching claims was not found"),
        GOOGLE,
        errors.InvalidPublisher,
        ("Email:    ci@p.iam.gserviceaccount.com", "provider=google"),
    ),
    (
        "invalid-publisher",
        "x",
        BUILDKITE,
        errors.InvalidPublisher,
        ("has no Trusted Publisher for this CI", "password"),
    ),
    (
        "invalid-publisher",
        NO_PUBLISHER.format("Publishing from a workflow invoked via 'pull_request_target' is not supported."),
        GITHUB,
        errors.InvalidPublisher,
        ("`pull_request_target`",),
    ),
    (
        "invalid-publisher",
        NO_PUBLISHER.format("Publisher with matching claims was not found"),
        {**GITHUB, "job_workflow_ref": SHARED},
        errors.ReusableWorkflow,
        ("another repository's reusable workflow", "warehouse/issues/11096", "into release.yml"),
    ),
    (
        "invalid-pending-publisher",
        "valid token, but project already exists",
        GITHUB,
        errors.InvalidPendingPublisher,
        ("project already exists", "deleted the pending publisher"),
    ),
    (
        "not-enabled",
        "GitHub-based trusted publishing functionality not enabled",
        GITHUB,
        errors.TrustedPublishingNotEnabled,
        ("has disabled", "GitHub-based", "status.python.org"),
    ),
    (
        "invalid-token",
        "malformed or invalid token",
        GITHUB,
        errors.InvalidIdentityToken,
        ("malformed or invalid token", "clock", "repo:octo-org/demo"),
    ),
    (
        "invalid-reuse-token",
        "invalid token: already used",
        GITLAB,
        errors.ReusedIdentityToken,
        ("each can be used only once", "Publish once per job"),
    ),
    (
        "invalid-payload",
        "unknown trusted publishing issuer",
        {"iss": "https://gitea.example"},
        errors.InvalidIdentityPayload,
        ("does not support the issuer of this identity: https://gitea.example", "self-managed"),
    ),
    (
        "invalid-payload",
        "The name 'os' isn't allowed",
        GITHUB,
        errors.InvalidIdentityPayload,
        ("The name 'os' isn't allowed", "pending publisher"),
    ),
    ("", "no entry", GITHUB, errors.CredentialRejected, ("rejects this identity (HTTP 422): no entry",)),
    ("quota", "too many", GITHUB, errors.CredentialRejected, ("(HTTP 422): quota: too many", "troubleshooting")),
    ("", "", {}, errors.CredentialRejected, ("no reason given",)),
]


@pytest.mark.parametrize(("code", "description", "claims", "error", "words"), MESSAGES)
def test_every_refusal_is_explained(
    code: str,
    description: str,
    claims: Mapping[str, Any],
    error: type[errors.CredentialRejected],
    words: tuple[str, ...],
) -> None:
    found = explain_mint_refusal(MintRefused(code, description, 422), claims, PYPI, ["demo"])
    assert type(found) is error
    said = "\n".join([found.summary, found.detail, *found.hints])
    assert [word for word in words if word not in said] == []
    assert found.hints
    assert "None" not in said


def test_without_projects_the_account_is_where_to_go() -> None:
    found = explain_mint_refusal(MintRefused("invalid-publisher", "", 422), GITHUB, PYPI)
    assert any("/manage/account/publishing/?provider=github" in hint for hint in found.hints)
    assert not any("/manage/project/" in hint for hint in found.hints)


def test_another_index_gets_no_links_to_pypi() -> None:
    found = explain_mint_refusal(MintRefused("invalid-publisher", "", 422), GITHUB, OTHER, ["demo"])
    assert "pypi.org" not in "".join(found.hints)
