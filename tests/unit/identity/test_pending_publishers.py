"""Forms for projects that do not exist yet."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from ci_publish.identity.pending_publishers import pending_publisher_link
from ci_publish.index.endpoints import rehearsal_endpoints
from ci_publish.model.publisher_identity import JobIdentity, PublisherIdentity, PublisherKind
from tests.unit.fakes import GENERIC, PYPI

WEB = replace(PYPI, web="https://pypi.org/project/")
GITHUB = JobIdentity(PublisherIdentity(kind=PublisherKind.GITHUB, name="octo/family", workflow="release.yml"), None)
GITLAB = JobIdentity(PublisherIdentity(kind=PublisherKind.GITLAB, name="a/b/family", workflow="ci/x.yml"), None)


def form(job: JobIdentity) -> dict[str, list[str]]:
    link = pending_publisher_link(job, WEB, "core")
    assert link is not None
    assert link.startswith("https://pypi.org/manage/account/publishing/?")
    return parse_qs(urlsplit(link).query)


def test_the_form_of_github_names_an_environment_of_the_project() -> None:
    assert form(GITHUB) == {
        "provider": ["github"],
        "project_name": ["core"],
        "owner": ["octo"],
        "repository": ["family"],
        "workflow_filename": ["release.yml"],
        "environment": ["pypi-core"],
    }


def test_the_form_of_gitlab_has_the_file_of_the_pipeline() -> None:
    assert form(GITLAB) == {
        "provider": ["gitlab"],
        "project_name": ["core"],
        "namespace": ["a/b"],
        "project": ["family"],
        "workflow_filepath": ["ci/x.yml"],
        "environment": ["pypi-core"],
    }


@pytest.mark.parametrize(
    "job", [None, JobIdentity(PublisherIdentity(kind=PublisherKind.GITHUB, name="octo/family"), None)]
)
def test_a_job_that_does_not_say_which_workflow_it_is_has_no_form(job: JobIdentity | None) -> None:
    assert pending_publisher_link(job, WEB, "core") is None


def test_an_environment_has_the_name_of_the_index_where_that_is_one() -> None:
    for index, environment in (("testpypi", "testpypi-core"), ("127.0.0.1:8000", "pypi-core")):
        assert f"environment={environment}" in (pending_publisher_link(GITHUB, replace(WEB, name=index), "core") or "")


def test_an_index_without_such_a_page_has_no_form() -> None:
    assert pending_publisher_link(GITHUB, GENERIC, "core") is None


def test_a_rehearsal_is_gone_before_anybody_opens_a_form() -> None:
    assert rehearsal_endpoints(WEB).web is not None
    assert pending_publisher_link(GITHUB, rehearsal_endpoints(WEB), "core") is None
