from __future__ import annotations

import pytest

from ci_publish.attestations.attestation_publishers import (
    CIRCLECI_ISSUER,
    GITHUB_ISSUER,
    GITLAB_ISSUER,
    Extension,
    Publisher,
    attestation_publisher_of_claims,
    certificate_mismatch,
    circleci_attestation_publisher,
    facts_made_public,
    github_attestation_publisher,
    gitlab_attestation_publisher,
    google_attestation_publisher,
    reusable_workflow_attestation_error,
    token_validity_start,
    unattestable_workflow_error,
)
from ci_publish.model.identity import IdentityToken, Provider, Secret
from ci_publish.rehearsal.ci_claims import (
    simulated_buildkite_claims,
    simulated_circleci_claims,
    simulated_github_claims,
    simulated_gitlab_claims,
    simulated_google_claims,
)

SHA = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
CERTIFICATE: dict[str, str] = {
    Extension.ISSUER: GITHUB_ISSUER,
    Extension.SOURCE_REPOSITORY_URI: "https://github.com/octo/demo",
    Extension.SOURCE_REPOSITORY_DIGEST: SHA,
    Extension.SOURCE_REPOSITORY_REF: "refs/tags/v1",
    Extension.BUILD_CONFIG_URI: "https://github.com/octo/demo/.github/workflows/release.yml@refs/tags/v1",
}


@pytest.mark.parametrize(
    ("claims", "publisher"),
    [
        (simulated_github_claims(repository="Octo/demo"), github_attestation_publisher("Octo/demo", "release.yml")),
        (
            simulated_gitlab_claims(project_path="a/b/c", config_path="ci/pub.yml"),
            gitlab_attestation_publisher("a/b/c", "ci/pub.yml"),
        ),
        (simulated_google_claims(email="a@b.iam"), google_attestation_publisher("a@b.iam")),
        (
            simulated_circleci_claims(project_id="p", pipeline_definition_id="d"),
            circleci_attestation_publisher("p", "d"),
        ),
    ],
)
def test_claims_name_the_publisher_that_the_index_will_compare_with(
    claims: dict[str, object], publisher: object
) -> None:
    assert attestation_publisher_of_claims(claims) == publisher


@pytest.mark.parametrize(
    "claims",
    [
        simulated_buildkite_claims(),
        {**simulated_github_claims(), "iss": "https://ghes.example/_services/token"},
        {**simulated_github_claims(), "workflow_ref": "someone/else/.github/workflows/x.yml@main"},
        {**simulated_github_claims(), "repository": None},
        {**simulated_gitlab_claims(), "ci_config_ref_uri": "gitlab.example/octo-group/demo//.gitlab-ci.yml@main"},
        {**simulated_gitlab_claims(), "project_path": ""},
        {**simulated_google_claims(), "email": ""},
        {**simulated_circleci_claims(), "oidc.circleci.com/pipeline-definition-id": None},
        {},
    ],
)
def test_claims_without_a_publisher_are_compared_by_issuer_only(claims: dict[str, object]) -> None:
    publisher = attestation_publisher_of_claims(claims)

    assert not publisher.known
    assert publisher.label
    assert (publisher.issuer, publisher.extensions, publisher.build_config) == (claims.get("iss", ""), (), None)


def test_the_workflow_that_was_started_counts_not_the_one_that_is_called() -> None:
    called = "octo-org/demo/.github/workflows/publish.yml@refs/heads/main"

    publisher = attestation_publisher_of_claims(
        simulated_github_claims(workflow="release.yml", reusable_workflow_ref=called)
    )

    assert publisher == github_attestation_publisher("octo-org/demo", "release.yml")


@pytest.mark.parametrize("suffix", [SHA, "refs/tags/v1"])
def test_a_certificate_at_its_own_commit_or_ref_is_the_publishers(suffix: str) -> None:
    config = f"https://github.com/octo/demo/.github/workflows/release.yml@{suffix}"

    assert (
        certificate_mismatch(
            github_attestation_publisher("octo/demo", "release.yml"),
            {**CERTIFICATE, Extension.BUILD_CONFIG_URI: config},
        )
        is None
    )


@pytest.mark.parametrize(
    ("publisher", "words"),
    [
        (
            github_attestation_publisher("octo/other", "release.yml"),
            "names the repository https://github.com/octo/demo, not https://github.com/octo/other",
        ),
        (github_attestation_publisher("Octo/demo", "release.yml"), "in letter case"),
        (github_attestation_publisher("octo/demo", "publish.yml"), "names the workflow"),
        (gitlab_attestation_publisher("octo/demo", ".gitlab-ci.yml"), "names the identity provider"),
    ],
)
def test_a_certificate_of_another_identity_says_what_differs(publisher: Publisher, words: str) -> None:
    mismatch = certificate_mismatch(publisher, CERTIFICATE)

    assert mismatch is not None
    assert words in mismatch


def test_a_certificate_at_a_foreign_ref_is_not_the_publishers() -> None:
    config = "https://github.com/octo/demo/.github/workflows/release.yml@refs/heads/other"

    assert certificate_mismatch(
        github_attestation_publisher("octo/demo", "release.yml"), {**CERTIFICATE, Extension.BUILD_CONFIG_URI: config}
    )


def test_a_certificate_without_the_extension_says_which() -> None:
    certificate = {key: value for key, value in CERTIFICATE.items() if key is not Extension.BUILD_CONFIG_URI}

    mismatch = certificate_mismatch(github_attestation_publisher("octo/demo", "release.yml"), certificate)

    assert mismatch is not None
    assert "names no workflow" in mismatch


def test_a_publisher_without_a_workflow_is_compared_by_its_other_values() -> None:
    signer = "https://circleci.com/api/v2/projects/p/pipeline-definitions/d"
    certificate: dict[str, str] = {Extension.ISSUER: CIRCLECI_ISSUER, Extension.BUILD_SIGNER_URI: signer}

    assert certificate_mismatch(circleci_attestation_publisher("p", "d"), certificate) is None
    assert certificate_mismatch(circleci_attestation_publisher("p", "e"), certificate)
    assert certificate_mismatch(circleci_attestation_publisher("p", "d", "github.com/o/r"), certificate)


def test_a_pipeline_of_another_project_is_explained_before_anything_is_signed() -> None:
    job = simulated_gitlab_claims(project_path="group/demo")
    assert unattestable_workflow_error(job) is None
    assert unattestable_workflow_error({**job, "ci_config_ref_uri": "gitlab.com/Group/Demo//x.yml@main"}) is None
    assert unattestable_workflow_error({**job, "ci_config_ref_uri": None}) is None
    error = unattestable_workflow_error({**job, "ci_config_ref_uri": "gitlab.com/group/ci//x.yml@main"})
    assert error is not None
    assert "group/ci" in error.summary
    assert error.exit_code == 7
    assert error.hints


def test_a_reusable_workflow_is_explained_before_anything_is_signed() -> None:
    called = "octo-org/demo/.github/workflows/publish.yml@refs/heads/main"

    error = reusable_workflow_attestation_error(simulated_github_claims(reusable_workflow_ref=called))

    assert error is not None
    assert called in error.summary
    assert "release.yml" in error.summary
    assert "warehouse/issues/11096" in error.detail
    assert error.exit_code == 7
    assert error.hints


@pytest.mark.parametrize(
    "claims",
    [
        simulated_github_claims(),
        simulated_gitlab_claims(),
        {**simulated_github_claims(), "job_workflow_ref": None},
        {**simulated_github_claims(), "workflow_ref": None},
        {**simulated_github_claims(), "job_workflow_ref": "x", "iss": GITLAB_ISSUER},
    ],
)
def test_a_job_of_its_own_workflow_is_no_mismatch(claims: dict[str, object]) -> None:
    assert reusable_workflow_attestation_error(claims) is None


@pytest.mark.parametrize("claims", [simulated_github_claims(), simulated_gitlab_claims(), simulated_google_claims()])
def test_a_public_project_gives_nothing_away(claims: dict[str, object]) -> None:
    assert facts_made_public(claims) == ()


@pytest.mark.parametrize(
    ("claims", "facts"),
    [
        (
            simulated_github_claims(repository_visibility="private"),
            ("repository octo-org/demo", "ref refs/tags/v1.0.0", "run 1234567890"),
        ),
        (simulated_github_claims(repository_visibility="internal"), ("repository octo-org/demo",)),
        (simulated_gitlab_claims(project_visibility="private"), ("repository octo-group/demo", "run 302")),
    ],
)
def test_what_becomes_public_is_named(claims: dict[str, object], facts: tuple[str, ...]) -> None:
    assert set(facts) <= set(facts_made_public(claims))


@pytest.mark.parametrize(
    ("claims", "moment"), [({}, 0.0), ({"nbf": 5}, 5.0), ({"nbf": 5, "iat": 7.5}, 7.5), ({"nbf": "5", "iat": 3}, 3.0)]
)
def test_a_tokens_life_begins_with_the_later_of_its_own_words(claims: dict[str, object], moment: float) -> None:
    assert (
        token_validity_start(
            IdentityToken(secret=Secret("x"), audience="sigstore", provider=Provider.GITHUB, claims=claims)
        )
        == moment
    )
