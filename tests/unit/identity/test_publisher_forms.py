from dataclasses import replace
from typing import Any

import pytest

from ci_publish.identity.publisher_forms import (
    account_publishing_link,
    prefilled_publisher_links,
    publisher_form_for,
    publisher_form_table,
)
from ci_publish.index.endpoints import rehearsal_endpoints
from tests.unit.identity.credential_harness import GITHUB, GITLAB, OTHER, PYPI
from tests.unit.identity.job_claims import BUILDKITE, CALLED, CIRCLECI, GOOGLE, SHARED, values

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
    assert publisher_form_for(BUILDKITE) is None
    assert publisher_form_for({"iss": 5}) is None


# reusable workflows ---------------------------------------------------------------------------------------------


# local refusals -------------------------------------------------------------------------------------------------


# tables and links -----------------------------------------------------------------------------------------------


def test_the_field_that_differs_is_marked() -> None:
    form = publisher_form_for({**GITHUB, "environment": ""})
    assert form is not None
    table = publisher_form_table(form, frozenset({"repository"}))
    assert table.splitlines() == [
        "  Owner:             octo-org",
        "  Repository name:   demo  <-- differs on the index",
        "  Workflow name:     release.yml",
        "  Environment name:  (leave empty, or set an environment in the job)",
    ]
    nothing = publisher_form_for({"iss": "https://token.actions.githubusercontent.com"})
    assert nothing is not None
    assert "Owner:             (unknown: the claim is missing)" in publisher_form_table(nothing)
    assert nothing.values["owner"] == ""


def test_links_fill_the_forms() -> None:
    form = publisher_form_for(GITHUB)
    assert form is not None
    query = "provider=github&owner=octo-org&repository=demo&workflow_filename=release.yml&environment=release"
    assert prefilled_publisher_links(form, PYPI, ["demo", "a/b?"]) == (
        f"https://pypi.org/manage/project/demo/settings/publishing/?{query}",
        f"https://pypi.org/manage/project/a%2Fb%3F/settings/publishing/?{query}",
    )
    pending = query.replace("github&", "github&project_name=demo&")
    assert account_publishing_link(form, PYPI, "demo") == f"https://pypi.org/manage/account/publishing/?{pending}"
    assert account_publishing_link(form, PYPI, "") == f"https://pypi.org/manage/account/publishing/?{query}"


@pytest.mark.parametrize("endpoints", [OTHER, replace(PYPI, web=None), rehearsal_endpoints(PYPI)])
def test_there_are_links_for_pypi_only(endpoints: Any) -> None:  # noqa: ANN401
    form = publisher_form_for(GITHUB)
    assert form is not None
    assert prefilled_publisher_links(form, endpoints, ["demo"]) == ()
    assert account_publishing_link(form, endpoints, "demo") is None


def test_a_link_cannot_be_broken_out_of() -> None:
    form = publisher_form_for({**GITHUB, "repository": "octo-org/demo&owner=evil#\n::warning::"})
    assert form is not None
    [link] = prefilled_publisher_links(form, PYPI, ["demo"])
    assert "demo%26owner%3Devil%23%0A%3A%3Awarning%3A%3A" in link


# every refusal --------------------------------------------------------------------------------------------------
