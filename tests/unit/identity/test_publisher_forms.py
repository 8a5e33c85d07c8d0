from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ci_publish import errors
from ci_publish.identity.local_refusals import local_refusal, pipeline_elsewhere
from ci_publish.identity.oidc_protocol import MintRefused
from ci_publish.identity.publisher_forms import (
    ElsewhereReusable,
    SameReusable,
    account_link,
    claims_table,
    differing_claims,
    explain,
    form_for,
    form_table,
    prefilled_links,
    reusable_workflow,
)
from tests.unit.identity.credential_harness import GITHUB, GITLAB, OTHER, PYPI

GOOGLE = {
    "iss": "https://accounts.google.com",
    "email": "ci@p.iam.gserviceaccount.com",
    "sub": "1",
    "email_verified": True,
}
CIRCLECI = {
    "iss": "https://oidc.circleci.com/org/123",
    "oidc.circleci.com/org-id": "org",
    "oidc.circleci.com/project-id": "project",
    "oidc.circleci.com/pipeline-definition-id": "pipeline",
}
BUILDKITE = {"iss": "https://agent.buildkite.com", "organization_slug": "octo", "pipeline_slug": "demo"}

GITLAB_CONFIG = "gitlab.corp.example/Group/Sub/demo//ci/publish.yml@refs/tags/v1"
SHARED = "octo-org/shared/.github/workflows/publish.yml@v1"
CALLED = "octo-org/demo/.github/workflows/_publish.yml@refs/tags/v1"


def values(claims: Mapping[str, Any]) -> dict[str, str]:
    form = form_for(claims)
    assert form is not None
    return {"provider": form.provider, **{field.parameter: field.value for field in form.fields}}


# forms ----------------------------------------------------------------------------------------------------------


def test_a_github_job_has_a_form() -> None:
    assert values(GITHUB) == {
        "provider": "github",
        "owner": "octo-org",
        "repository": "demo",
        "workflow_filename": "release.yml",
        "environment": "release",
    }


def test_a_called_workflow_of_the_same_repository_is_what_the_form_names() -> None:
    assert values({**GITHUB, "job_workflow_ref": CALLED})["workflow_filename"] == "_publish.yml"


def test_a_called_workflow_of_another_repository_is_not() -> None:
    assert values({**GITHUB, "job_workflow_ref": SHARED})["workflow_filename"] == "release.yml"


def test_a_gitlab_job_has_a_form() -> None:
    assert values(GITLAB) == {
        "provider": "gitlab",
        "namespace": "group/sub",
        "project": "demo",
        "workflow_filepath": "ci/publish.yml",
        "environment": "release",
    }


def test_a_self_managed_gitlab_names_its_issuer() -> None:
    assert values({**GITLAB, "iss": "https://gitlab.corp.example"})["issuer_url"] == "https://gitlab.corp.example"


def test_google_and_circleci_have_forms_and_buildkite_has_none() -> None:
    assert values(GOOGLE) == {"provider": "google", "email": "ci@p.iam.gserviceaccount.com", "sub": "1"}
    assert values(CIRCLECI) == {
        "provider": "circleci",
        "circleci_org_id": "org",
        "circleci_project_id": "project",
        "pipeline_definition_id": "pipeline",
    }
    assert form_for(BUILDKITE) is None
    assert form_for({"iss": 5}) is None


@pytest.mark.parametrize(
    "reference", ["", "x", "octo-org/demo/release.yml@main", "octo-org/demo/.github/workflows/a.yml"]
)
def test_a_reference_of_another_shape_names_no_file(reference: str) -> None:
    assert values({**GITHUB, "job_workflow_ref": reference, "workflow_ref": reference})["workflow_filename"] == ""
    assert values({**GITLAB, "ci_config_ref_uri": reference})["workflow_filepath"] == ""


# reusable workflows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"job_workflow_ref": "octo-org/demo/.github/workflows/release.yml@0123456789"}, None),
        ({"job_workflow_ref": "Octo-Org/demo/.github/workflows/release.yml@refs/tags/v1"}, None),
        ({"job_workflow_ref": ""}, None),
        ({"workflow_ref": None}, None),
        ({"job_workflow_ref": CALLED}, SameReusable),
        ({"job_workflow_ref": SHARED}, ElsewhereReusable),
    ],
)
def test_reusable_workflows_are_seen_from_the_claims(change: dict[str, object], expected: type | None) -> None:
    found = reusable_workflow({**GITHUB, **change})
    assert (type(found) if found else None) is expected


# local refusals -------------------------------------------------------------------------------------------------


SELF_MANAGED = {**GITLAB, "iss": "https://gitlab.corp.example", "ci_config_ref_uri": GITLAB_CONFIG}
ACTIVESTATE = {"iss": "https://platform.activestate.com/api/v1/oauth/oidc", "sub": "org:demo"}


@pytest.mark.parametrize("claims", [GITHUB, GITLAB, GOOGLE, CIRCLECI, SELF_MANAGED, ACTIVESTATE])
def test_nothing_is_held_against_good_claims(claims: Mapping[str, Any]) -> None:
    assert local_refusal({**claims, "aud": "pypi"}, PYPI, attesting=True) is None


@pytest.mark.parametrize(
    ("claims", "error", "words"),
    [
        ({**GITLAB, "aud": ["pypi"]}, errors.InvalidIdentityToken, "a list"),
        ({**GITHUB, "event_name": "pull_request_target"}, errors.InvalidPublisher, "pull_request_target"),
        ({**GITHUB, "job_workflow_ref": CALLED}, errors.ReusableWorkflow, "attestations"),
        ({**GITHUB, "job_workflow_ref": SHARED}, errors.ReusableWorkflow, "another repository's"),
        (BUILDKITE, errors.InvalidIdentityPayload, "agent.buildkite.com"),
        ({**GITHUB, "iss": "https://ghe.example/_services/token"}, errors.InvalidIdentityPayload, "ghe.example"),
        ({**GITHUB, "iss": f"{GITHUB['iss']}/octo-enterprise"}, errors.InvalidIdentityPayload, "octo-enterprise"),
        ({**GITHUB, "iss": "https://codeberg.org/api/actions"}, errors.InvalidIdentityPayload, "codeberg.org"),
        ({**GITLAB, "ci_config_ref_uri": "gitlab.com/group/ci//p.yml@x"}, errors.PipelineElsewhere, "group/ci"),
        ({**GITHUB, "jti": None, "sha": ""}, errors.InvalidPublisher, "sha, jti"),
        ({**GITLAB, "ref_path": ""}, errors.InvalidPublisher, "ref_path"),
        ({**GOOGLE, "email": ""}, errors.InvalidPublisher, "email"),
    ],
)
def test_what_pypi_will_refuse_is_known_from_the_claims(
    claims: Mapping[str, Any], error: type[errors.CredentialRejected], words: str
) -> None:
    found = local_refusal(claims, PYPI, attesting=True)
    assert type(found) is error
    assert words in found.summary
    assert found.hints
    assert local_refusal(claims, OTHER, attesting=True) is None


def test_without_attestations_a_called_workflow_of_the_same_repository_is_fine() -> None:
    assert local_refusal({**GITHUB, "job_workflow_ref": CALLED}, PYPI, attesting=False) is None


@pytest.mark.parametrize(
    ("uri", "elsewhere"),
    [
        (GITLAB["ci_config_ref_uri"], None),
        ("gitlab.com/Group/Sub/Demo//x.yml@refs/tags/v1", None),
        ("gitlab.com/group/sub/ci//x.yml@refs/tags/v1", "group/sub/ci"),
        ("gitlab.com:8443/ci//x/y.yml@refs/tags/v1", "ci"),
        ("", None),
        ("https://templates.example/x.yml", None),
    ],
)
def test_where_the_configuration_of_a_pipeline_is(uri: str, elsewhere: str | None) -> None:
    assert pipeline_elsewhere({**GITLAB, "ci_config_ref_uri": uri}) == elsewhere
    assert pipeline_elsewhere({"ci_config_ref_uri": uri}) is None


# tables and links -----------------------------------------------------------------------------------------------


def test_only_harmless_claims_are_shown() -> None:
    private = {"jti": "secret-id", "actor": "octocat", "repo_property_cost": "9", "actor_id": "1"}
    table = claims_table({**GITHUB, **private, "aud": ["a", "b"], "ref": "x" * 1000})
    assert "repository_owner_id  42" in table
    assert "a, b" in table
    assert "x" * 200 + "…" in table
    assert not any(value in table for value in ("secret-id", "octocat", "repo_property", "0000"))
    assert claims_table({}) == ""


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
    assert differing_claims(description) == expected


def test_the_field_that_differs_is_marked() -> None:
    form = form_for({**GITHUB, "environment": ""})
    assert form is not None
    table = form_table(form, frozenset({"repository"}))
    assert table.splitlines() == [
        "  Owner:             octo-org",
        "  Repository name:   demo  <-- differs on the index",
        "  Workflow name:     release.yml",
        "  Environment name:  (leave empty, or the job names an environment)",
    ]
    nothing = form_for({"iss": "https://token.actions.githubusercontent.com"})
    assert nothing is not None
    assert "Owner:             (unknown: the claim is missing)" in form_table(nothing)
    assert nothing.value("owner") == nothing.value("no such field") == ""


def test_links_fill_the_forms() -> None:
    form = form_for(GITHUB)
    assert form is not None
    query = "provider=github&owner=octo-org&repository=demo&workflow_filename=release.yml&environment=release"
    assert prefilled_links(form, PYPI, ["demo", "a/b?"]) == (
        f"https://pypi.org/manage/project/demo/settings/publishing/?{query}",
        f"https://pypi.org/manage/project/a%2Fb%3F/settings/publishing/?{query}",
    )
    pending = query.replace("github&", "github&project_name=demo&")
    assert account_link(form, PYPI, "demo") == f"https://pypi.org/manage/account/publishing/?{pending}"
    assert account_link(form, PYPI, "") == f"https://pypi.org/manage/account/publishing/?{query}"


@pytest.mark.parametrize("endpoints", [OTHER, replace(PYPI, web=None)])
def test_there_are_links_for_pypi_only(endpoints: Any) -> None:  # noqa: ANN401
    form = form_for(GITHUB)
    assert form is not None
    assert prefilled_links(form, endpoints, ["demo"]) == ()
    assert account_link(form, endpoints, "demo") is None


def test_a_link_cannot_be_broken_out_of() -> None:
    form = form_for({**GITHUB, "repository": "octo-org/demo&owner=evil#\n::warning::"})
    assert form is not None
    [link] = prefilled_links(form, PYPI, ["demo"])
    assert "demo%26owner%3Devil%23%0A%3A%3Awarning%3A%3A" in link


# every refusal --------------------------------------------------------------------------------------------------

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
        ("has no Trusted Publisher for this CI", "CI_PUBLISH_PASSWORD"),
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
        ("project exists already", "deleted the pending publisher"),
    ),
    (
        "not-enabled",
        "GitHub-based trusted publishing functionality not enabled",
        GITHUB,
        errors.TrustedPublishingNotEnabled,
        ("switched off", "GitHub-based", "status.python.org"),
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
        ("each can be exchanged once", "publish once a job"),
    ),
    (
        "invalid-payload",
        "unknown trusted publishing issuer",
        {"iss": "https://gitea.example"},
        errors.InvalidIdentityPayload,
        ("does not know the issuer of this identity: https://gitea.example", "self-managed"),
    ),
    (
        "invalid-payload",
        "The name 'os' isn't allowed",
        GITHUB,
        errors.InvalidIdentityPayload,
        ("The name 'os' isn't allowed", "pending publisher"),
    ),
    ("", "no entry", GITHUB, errors.CredentialRejected, ("refuses this identity (HTTP 422): no entry",)),
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
    found = explain(MintRefused(code, description, 422), claims, PYPI, ["demo"])
    assert type(found) is error
    said = "\n".join([found.summary, found.detail, *found.hints])
    assert [word for word in words if word not in said] == []
    assert found.hints
    assert "None" not in said


def test_without_projects_the_account_is_where_to_go() -> None:
    found = explain(MintRefused("invalid-publisher", "", 422), GITHUB, PYPI)
    assert any("/manage/account/publishing/?provider=github" in hint for hint in found.hints)
    assert not any("/manage/project/" in hint for hint in found.hints)


def test_another_index_gets_no_links_to_pypi() -> None:
    found = explain(MintRefused("invalid-publisher", "", 422), GITHUB, OTHER, ["demo"])
    assert "pypi.org" not in "".join(found.hints)
