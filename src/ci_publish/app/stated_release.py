"""What the settings and the CI job state about a release, for the checks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ci_publish.app.settings import Settings

if TYPE_CHECKING:
    from ci_publish.distributions.checks.comparison.stated import Stated


def release_tag_of_job(environ: Mapping[str, str]) -> str:
    """Return the tag that the job runs for, empty if it runs for none.

    Sources: GitHub's "Variables reference", which Forgejo and Gitea follow; GitLab's "Predefined CI/CD variables".
    """
    if environ.get("GITHUB_REF_TYPE") == "tag":
        return environ.get("GITHUB_REF_NAME", "")
    return environ.get("CI_COMMIT_TAG", "")


def environment_with_tag(environ: Mapping[str, str], tag: str) -> dict[str, str]:
    """Return *environ* as that of a job that runs for *tag*, or (empty) for none."""
    ours = {"GITHUB_REF_TYPE", "GITHUB_REF_NAME", "CI_COMMIT_TAG"}
    rest = {name: value for name, value in environ.items() if name not in ours}
    return {**rest, "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": tag} if tag else rest


def stated_release(settings: Settings, environ: Mapping[str, str]) -> "Stated":
    """Return what is stated. Raises ConfigurationError for patterns that cannot be read."""
    from ci_publish.distributions.checks.comparison.stated import Stated, VersionTag, parse_expected_wheels  # noqa: PLC0415  (late, see ``Composition.compose_run``)

    return Stated(
        expected=parse_expected_wheels(settings.expect_wheels),
        file_limit=settings.file_size_limit,
        project_limit=settings.project_size_limit,
        tag=release_tag_of_job(environ),
        version_tag=VersionTag(settings.version_tag),
    )
