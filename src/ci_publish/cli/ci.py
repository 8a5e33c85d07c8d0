"""Which CI is this, and what does it want?"""

from collections.abc import Mapping


def on_github(environ: Mapping[str, str]) -> bool:
    """Return whether a GitHub runner (or one that speaks its language) listens to our output."""
    return environ.get("GITHUB_ACTIONS") == "true"


def on_gitlab(environ: Mapping[str, str]) -> bool:
    """Return whether this is a GitLab job; gitlab-ci-local sets the text ``false``, which ``id`` takes for true, too."""
    return bool(environ.get("GITLAB_CI"))


def in_ci(environ: Mapping[str, str]) -> bool:
    """Return whether this is any CI: nobody is there to answer questions."""
    return environ.get("CI", "").lower() not in {"", "0", "false"} or on_github(environ) or on_gitlab(environ)
