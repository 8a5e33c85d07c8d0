from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci_publish.attestations.attestation_publishers import Extension
from ci_publish.attestations.provenance_predicates import (
    GITHUB_BUILD_TYPE,
    GITLAB_BUILD_TYPE,
    NoBuildProvenance,
    build_provenance_predicate,
    provenance_contradiction,
    why_build_is_unprovable,
)
from ci_publish.attestations.slsa_model import slsa_predicate_fault
from ci_publish.rehearsal.ci_claims import (
    simulated_circleci_claims,
    simulated_github_claims,
    simulated_gitlab_claims,
    simulated_google_claims,
)
from tests.unit.attestations.provenance_cases import BUILDER, GITHUB, GITLAB, certificate, changed, predicate

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME = "https://github.com/octo-org/demo"
COMMIT = str(GITHUB["sha"])


def test_a_github_job_says_what_github_s_own_builder_says() -> None:
    assert build_provenance_predicate(GITHUB) == {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {"ref": "refs/tags/v1.0.0", "repository": HOME, "path": ".github/workflows/release.yml"}
            },
            "internalParameters": {
                "github": {
                    "event_name": "push",
                    "repository_id": "74",
                    "repository_owner_id": "65",
                    "runner_environment": "github-hosted",
                }
            },
            "resolvedDependencies": [
                {"uri": f"git+{HOME}@refs/tags/v1.0.0", "digest": {"gitCommit": COMMIT}},
            ],
        },
        "runDetails": {
            "builder": {"id": f"https://github.com/{BUILDER}"},
            "metadata": {"invocationId": f"{HOME}/actions/runs/1234567890/attempts/1"},
        },
    }


def test_a_gitlab_job_says_project_ref_commit_job_and_runner() -> None:
    made = build_provenance_predicate(GITLAB)

    assert made["buildDefinition"]["buildType"] == GITLAB_BUILD_TYPE
    assert made["buildDefinition"]["externalParameters"] == {
        "source": "https://gitlab.com/octo-group/demo",
        "ref": "refs/tags/v1.0.0",
        "config": "https://gitlab.com/octo-group/demo//.gitlab-ci.yml@refs/tags/v1.0.0",
    }
    assert made["buildDefinition"]["internalParameters"]["gitlab"]["runner_environment"] == "gitlab-hosted"
    assert made["buildDefinition"]["resolvedDependencies"] == [
        {"uri": "git+https://gitlab.com/octo-group/demo@refs/tags/v1.0.0", "digest": {"gitCommit": GITLAB["sha"]}}
    ]
    assert made["runDetails"] == {
        "builder": {"id": "https://gitlab.com/octo-group/demo/-/runners/1"},
        "metadata": {"invocationId": "https://gitlab.com/octo-group/demo/-/jobs/302"},
    }


CASES = [
    GITHUB,
    simulated_github_claims(),
    simulated_github_claims(ref="refs/heads/a@b", event_name="release"),
    GITLAB,
    simulated_gitlab_claims(ref="main", ref_type="branch"),
]


@pytest.mark.parametrize("claims", CASES)
def test_what_is_made_is_valid_and_agrees_with_the_certificate(claims: Mapping[str, object]) -> None:
    made = build_provenance_predicate(claims)

    assert slsa_predicate_fault(made) is None
    assert provenance_contradiction(made, certificate(claims)) is None


@pytest.mark.parametrize("claims", [simulated_google_claims(), simulated_circleci_claims(), {}])
def test_other_identities_have_no_build_provenance(claims: Mapping[str, object]) -> None:
    with pytest.raises(NoBuildProvenance, match=r"created in jobs on GitHub\.com and GitLab\.com"):
        build_provenance_predicate(claims)


@pytest.mark.parametrize(
    ("claims", "name"),
    [(GITHUB, name) for name in ("repository", "workflow_ref", "job_workflow_ref", "sha", "run_id", "run_attempt")]
    + [(GITHUB, name) for name in ("ref", "event_name", "repository_id", "repository_owner_id", "runner_environment")]
    + [(GITLAB, name) for name in ("project_path", "ref", "ref_type", "sha", "job_id", "runner_id", "project_id")],
)
@pytest.mark.parametrize("value", [None, "", True, ["x"]])
def test_a_claim_that_is_no_text_is_named(claims: Mapping[str, object], name: str, value: object) -> None:
    with pytest.raises(NoBuildProvenance, match=f"no usable claim '{name}'"):
        build_provenance_predicate({**claims, name: value})


@pytest.mark.parametrize("value", ["other/demo/.github/workflows/release.yml@v1", "octo-org/demo/.github/x.yml"])
def test_a_workflow_of_another_repository_is_refused(value: str) -> None:
    with pytest.raises(NoBuildProvenance, match="a file in another repository"):
        build_provenance_predicate({**GITHUB, "workflow_ref": value})


def test_a_commit_that_is_none_makes_no_valid_predicate() -> None:
    assert why_build_is_unprovable(GITHUB) is None
    assert "do not result in valid SLSA provenance" in str(why_build_is_unprovable({**GITHUB, "sha": "main"}))


WORKFLOW = "buildDefinition.externalParameters.workflow"
SOURCE = "buildDefinition.resolvedDependencies.0"


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("runDetails.builder.id", "https://github.com/evil/evil/.github/workflows/b.yml@refs/tags/v1", "builder"),
        ("runDetails.builder.id", "https://github.com/actions/runner/self-hosted", "builder"),
        ("runDetails.metadata.invocationId", f"{HOME}/actions/runs/1/attempts/1", "run"),
        (f"{WORKFLOW}.ref", "refs/tags/v2", "workflow"),
        (f"{WORKFLOW}.path", ".github/workflows/other.yml", "workflow"),
        (f"{WORKFLOW}.path", ..., "workflow"),
        (f"{WORKFLOW}.repository", "https://github.com/evil/demo", "repository"),
        (WORKFLOW, "release.yml", "repository"),
        ("buildDefinition.externalParameters", {}, "repository"),
        ("buildDefinition.internalParameters.github.event_name", "pull_request", "event_name"),
        ("buildDefinition.internalParameters.github.runner_environment", "self-hosted", "runner_environment"),
        ("buildDefinition.internalParameters.github.repository_id", "75", "repository_id"),
        ("buildDefinition.internalParameters.github.repository_owner_id", 65, "repository_owner_id"),
        ("buildDefinition.resolvedDependencies", ..., "source"),
        ("buildDefinition.resolvedDependencies", [], "source"),
        (f"{SOURCE}.uri", ..., "source"),
        (f"{SOURCE}.uri", f"git+https://github.com/evil/demo@{COMMIT}", "source"),
        (f"{SOURCE}.uri", f"git+{HOME}@refs/tags/v2", "ref"),
        (f"{SOURCE}.digest.gitCommit", "b" * 40, "commit"),
        (f"{SOURCE}.digest", ..., "commit"),
    ],
)
def test_a_github_predicate_that_differs_from_its_certificate_is_noticed(path: str, value: object, what: str) -> None:
    said = provenance_contradiction(changed(predicate(), path, value), certificate(GITHUB))

    assert said is not None
    assert said.startswith(f"its predicate names the {what} ")


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("runDetails.builder.id", "https://gitlab.com/evil/demo/-/runners/1", "builder"),
        ("runDetails.builder.id", "https://gitlab.com/octo-group/demo/-/runners/1/../2", "builder"),
        ("runDetails.metadata.invocationId", "https://gitlab.com/octo-group/demo/-/jobs/303", "run"),
        ("buildDefinition.externalParameters.source", "https://gitlab.com/evil/demo", "repository"),
        ("buildDefinition.externalParameters.ref", "refs/heads/main", "ref"),
        (
            "buildDefinition.externalParameters.config",
            "https://gitlab.com/evil/demo//x.yml@main",
            "pipeline definition",
        ),
        ("buildDefinition.internalParameters.gitlab.project_id", "21", "project_id"),
        (f"{SOURCE}.digest.gitCommit", "b" * 40, "commit"),
    ],
)
def test_a_gitlab_predicate_that_differs_from_its_certificate_is_noticed(path: str, value: object, what: str) -> None:
    said = provenance_contradiction(changed(predicate(GITLAB), path, value), certificate(GITLAB))

    assert said is not None
    assert said.startswith(f"its predicate names the {what} ")


# What other builders write, and earlier versions of GitHub's, is no contradiction.
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("runDetails.builder.id", "https://github.com/actions/runner/github-hosted"),
        ("runDetails.metadata", ...),
        ("runDetails.metadata", None),
        ("runDetails.metadata.invocationId", "1234567890"),
        ("buildDefinition.internalParameters", ...),
        ("buildDefinition.internalParameters", {"github": "none"}),
        ("buildDefinition.internalParameters.github.repository_id", ...),
        (SOURCE, {"uri": f"git+{HOME}", "digest": {"sha1": COMMIT}}),
    ],
)
def test_what_may_be_left_open_is_no_contradiction(path: str, value: object) -> None:
    assert provenance_contradiction(changed(predicate(), path, value), certificate(GITHUB)) is None


def test_parameters_of_other_build_types_are_their_own() -> None:
    other = changed(
        predicate(), "buildDefinition", {"buildType": "https://example.org/make/v1", "externalParameters": {}}
    )

    assert provenance_contradiction(other, certificate(GITHUB)) is None


@pytest.mark.parametrize("dependency", [{"digest": {"sha256": "ab"}}, {"uri": "pkg:pypi/build@1.0"}])
def test_dependencies_of_other_build_types_that_are_not_the_source_are_their_own(dependency: object) -> None:
    other = changed(predicate(), "buildDefinition.buildType", "https://example.org/make/v1")

    assert (
        provenance_contradiction(
            changed(other, "buildDefinition.resolvedDependencies", [dependency]), certificate(GITHUB)
        )
        is None
    )


def test_a_certificate_that_says_nothing_about_builds_contradicts_nothing() -> None:
    assert provenance_contradiction(predicate(), certificate(simulated_google_claims())) is None


def test_a_certificate_without_a_builder_proves_none() -> None:
    silent = {oid: text for oid, text in certificate(GITHUB).items() if oid != Extension.BUILD_SIGNER_URI}

    assert provenance_contradiction(predicate(), silent) == (
        f"its predicate names the builder https://github.com/{BUILDER}, its certificate none"
    )


def test_a_long_value_is_cut_in_a_message() -> None:
    said = provenance_contradiction(
        changed(predicate(), "runDetails.builder.id", f"x:{'y' * 500}"), certificate(GITHUB)
    )

    assert said is not None
    assert "…" in said
    assert len(said) < 500


def test_github_s_build_type_is_github_s() -> None:
    assert predicate()["buildDefinition"]["buildType"] == GITHUB_BUILD_TYPE
