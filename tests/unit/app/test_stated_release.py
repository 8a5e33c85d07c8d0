from collections.abc import Mapping

import pytest

from ci_publish import Settings
from ci_publish.app.stated_release import environment_with_tag, release_tag_of_job, stated_release
from ci_publish.errors import ConfigurationError


@pytest.mark.parametrize(
    ("environ", "tag"),
    [
        ({"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.2"}, "v1.2"),
        ({"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "v1.2"}, ""),
        ({"GITHUB_REF_TYPE": "tag"}, ""),
        ({"CI_COMMIT_TAG": "v1.2"}, "v1.2"),
        ({"CI_COMMIT_REF_NAME": "v1.2"}, ""),
        ({}, ""),
    ],
)
def test_the_tag_that_a_job_runs_for(environ: Mapping[str, str], tag: str) -> None:
    assert release_tag_of_job(environ) == tag


def test_a_job_can_be_given_the_tag_of_another() -> None:
    given = {"CI_COMMIT_TAG": "v1", "GITHUB_REF_NAME": "main", "HOME": "/root"}
    assert release_tag_of_job(environment_with_tag(given, "v2")) == "v2"
    assert environment_with_tag(given, "") == {"HOME": "/root"}


def test_what_settings_state() -> None:
    nothing = stated_release(Settings(), {})
    assert (nothing.expected, nothing.file_limit, nothing.project_limit, nothing.tag) == ((), None, None, "")
    off = stated_release(Settings.model_validate({"file_size_limit": "off", "project_size_limit": "off"}), {})
    assert (off.file_limit, off.project_limit) == (None, None)
    settings = Settings(
        expect_wheels=("cp3{12,13}-*",), file_size_limit=200 * 2**20, project_size_limit=1000, version_tag="warn"
    )
    said = stated_release(settings, {"CI_COMMIT_TAG": "v1"})
    assert [each.pattern for each in said.expected] == ["cp312-*", "cp313-*"]
    assert (said.file_limit, said.project_limit, said.tag, said.version_tag) == (200 * 2**20, 1000, "v1", "warn")


def test_a_pattern_that_cannot_be_read_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigurationError, match="expect-wheels"):
        stated_release(Settings(expect_wheels=("cp3{12",)), {})
