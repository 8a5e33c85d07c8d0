"""What is read from a job's claims, and which of them are shown."""

import pytest

from ci_publish.identity.claims import ElsewhereReusable, SameReusable, claims_table, classify_reusable_workflow
from tests.unit.identity.credential_harness import GITHUB, GITLAB
from tests.unit.identity.job_claims import CALLED, SHARED, values


@pytest.mark.parametrize(
    "reference", ["", "x", "octo-org/demo/release.yml@main", "octo-org/demo/.github/workflows/a.yml"]
)
def test_a_reference_of_another_shape_names_no_file(reference: str) -> None:
    assert values({**GITHUB, "job_workflow_ref": reference, "workflow_ref": reference})["workflow_filename"] == ""
    assert values({**GITLAB, "ci_config_ref_uri": reference})["workflow_filepath"] == ""


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
    found = classify_reusable_workflow({**GITHUB, **change})
    assert (type(found) if found else None) is expected


def test_only_harmless_claims_are_shown() -> None:
    private = {"jti": "secret-id", "actor": "octocat", "repo_property_cost": "9", "actor_id": "1"}
    table = claims_table({**GITHUB, **private, "aud": ["a", "b"], "ref": "x" * 1000})
    assert "repository_owner_id  42" in table
    assert "a, b" in table
    assert "x" * 200 + "…" in table
    assert not any(value in table for value in ("secret-id", "octocat", "repo_property", "0000"))
    assert claims_table({}) == ""
