"""The CI that a command runs in."""

from collections.abc import Mapping


def is_github_job(environ: Mapping[str, str]) -> bool:
    """Return whether a GitHub runner, or a compatible one, reads our output."""
    return environ.get("GITHUB_ACTIONS") == "true"


def is_gitlab_job(environ: Mapping[str, str]) -> bool:
    """Return whether this is a GitLab job; as in ``id``, any text counts (gitlab-ci-local sets ``false``)."""
    return bool(environ.get("GITLAB_CI"))
