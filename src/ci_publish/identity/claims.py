"""What the claims of a CI job's identity say (pure)."""

import re

from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims
from ci_publish.model.reusable_workflows import CALLED_WORKFLOWS_PUBLISH

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
GOOGLE_ISSUER = "https://accounts.google.com"
GITLAB_ISSUER = "https://gitlab.com"
CIRCLECI_ISSUER = "https://oidc.circleci.com"

# The only claims that may appear in a public log: what indexes compare, and nothing about persons.
SHOWN_CLAIMS = (
    "iss", "aud", "sub", "event_name", "repository", "repository_owner", "repository_owner_id", "workflow_ref",
    "job_workflow_ref", "ref", "environment", "namespace_path", "project_path", "ci_config_ref_uri", "ref_path",
    "organization_slug", "pipeline_slug", "oidc.circleci.com/org-id", "oidc.circleci.com/project-id",
    "oidc.circleci.com/pipeline-definition-id", "email",
)  # fmt: skip
LONGEST_SHOWN = 200


def github_workflow_file(reference: str) -> str:
    """Return the file's name from ``owner/repository/.github/workflows/FILE@ref``; empty for anything else."""
    found = re.fullmatch(r"[^/]+/[^/]+/\.github/workflows/([^@]+)@.+", reference)
    return found[1] if found else ""


def gitlab_pipeline_file(claims: Claims) -> str:
    """Return the path of the pipeline's file from ``host/namespace/project//PATH@ref``; empty for anything else."""
    found = re.fullmatch(r".+?//([^@]+)@.+", text_claim(claims, "ci_config_ref_uri"))
    return found[1] if found else ""


@frozen
class ElsewhereReusable:
    """The job is in a reusable workflow of another repository: PyPI rejects the identity (warehouse#11096)."""

    caller: str
    called: str


@frozen
class SameReusable:
    """The job is in a reusable workflow of the same repository: PyPI rejects its attestations (warehouse#11096)."""

    caller: str
    called: str


def classify_reusable_workflow(
    claims: Claims, *, may_publish: bool = CALLED_WORKFLOWS_PUBLISH
) -> ElsewhereReusable | SameReusable | None:
    """Classify a job in a reusable workflow by ``workflow_ref`` (the caller) and ``job_workflow_ref``.

    None for a job in the workflow that was started, and for every job if reusable workflows *may publish*.
    """
    caller, called = (text_claim(claims, name).partition("@")[0] for name in ("workflow_ref", "job_workflow_ref"))
    if may_publish or not caller or not called or caller.casefold() == called.casefold():
        return None
    if "/".join(called.split("/")[:2]).casefold() == text_claim(claims, "repository").casefold():
        return SameReusable(caller, called)
    return ElsewhereReusable(caller, called)


def workflow_file_name(reference: str) -> str:
    """Return the last part of a path, the file's name."""
    return reference.rpartition("/")[2]


def claims_table(claims: Claims) -> str:
    """Return the claims that may be shown, one per line."""
    shown = [(name, claims[name]) for name in SHOWN_CLAIMS if claims.get(name) not in (None, "")]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"  {name:<{width}}  {printable_claim(value)}" for name, value in shown)


def printable_claim(value: object) -> str:
    """Return a claim for printing, truncated if it is long."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def text_claim(claims: Claims, name: str) -> str:
    """Return a claim that is a string; empty if it is absent or not a string."""
    value = claims.get(name)
    return value if isinstance(value, str) else ""
