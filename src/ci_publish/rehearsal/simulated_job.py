"""Which CI job a rehearsal simulates: the one that it runs in, as far as its variables describe it, else an example.

The claims are made up from the job's variables, never from its identity: a rehearsal asks no real CI for a token.
Sources: GitHub's "Variables reference", GitLab's "Predefined CI/CD variables".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.ci_claims import simulated_github_claims, simulated_gitlab_claims

if TYPE_CHECKING:
    from collections.abc import Mapping

Provider: TypeAlias = Literal["github", "gitlab"]

_WORKFLOW_REF: Final = re.compile(r"(?P<repository>[^/]+/[^/]+)/\.github/workflows/(?P<workflow>[^@]+)@(?P<ref>.+)")
_VISIBILITIES: Final = frozenset({"public", "internal", "private"})


@frozen
class RehearsedJob:
    """A CI and what its identity tokens say about the job."""

    provider: Provider
    claims: dict[str, object]


def rehearsed_job(environ: Mapping[str, str]) -> RehearsedJob:
    """Return the job that a rehearsal in this environment simulates; an example of GitHub's by default."""
    if environ.get("GITLAB_CI") == "true" and environ.get("CI_PROJECT_PATH") and environ.get("CI_COMMIT_REF_NAME"):
        return RehearsedJob("gitlab", _rehearsed_gitlab_claims(environ))
    match = _WORKFLOW_REF.fullmatch(environ.get("GITHUB_WORKFLOW_REF", ""))
    if environ.get("GITHUB_ACTIONS") == "true" and match is not None:
        return RehearsedJob("github", _rehearsed_github_claims(environ, match))
    return RehearsedJob("github", simulated_github_claims())


def _rehearsed_github_claims(environ: Mapping[str, str], match: re.Match[str]) -> dict[str, object]:
    claims = simulated_github_claims(
        repository=match["repository"],
        workflow=match["workflow"],
        ref=match["ref"],
        event_name=environ.get("GITHUB_EVENT_NAME") or "push",
    )
    known = {
        "sha": environ.get("GITHUB_SHA"),
        "workflow_sha": environ.get("GITHUB_WORKFLOW_SHA"),
        "job_workflow_sha": environ.get("GITHUB_WORKFLOW_SHA"),
        "repository_id": environ.get("GITHUB_REPOSITORY_ID"),
        "repository_owner_id": environ.get("GITHUB_REPOSITORY_OWNER_ID"),
    }
    return claims | {name: value for name, value in known.items() if value}


def _rehearsed_gitlab_claims(environ: Mapping[str, str]) -> dict[str, object]:
    claims = simulated_gitlab_claims(
        project_path=environ["CI_PROJECT_PATH"],
        config_path=environ.get("CI_CONFIG_PATH") or ".gitlab-ci.yml",
        ref=environ["CI_COMMIT_REF_NAME"],
        ref_type="tag" if environ.get("CI_COMMIT_TAG") else "branch",
        environment=environ.get("CI_ENVIRONMENT_NAME") or None,
    )
    if (visibility := environ.get("CI_PROJECT_VISIBILITY")) in _VISIBILITIES:
        claims["project_visibility"] = visibility
    if sha := environ.get("CI_COMMIT_SHA"):
        claims["sha"] = claims["ci_config_sha"] = sha
    return claims
