"""Rejections that are certain because of a job's claims, so that nothing is exchanged or signed (pure).

Sources: warehouse/oidc/models/ and warehouse/oidc/utils.py for the issuers and claims that PyPI compares.
"""

import re

from ci_publish.errors import (
    CredentialRejected,
    InvalidIdentityPayload,
    InvalidIdentityToken,
    InvalidPublisher,
    PipelineElsewhere,
)
from ci_publish.hints import Hint, option
from ci_publish.identity.claims import (
    CIRCLECI_ISSUER,
    GITHUB_ISSUER,
    GITLAB_ISSUER,
    GOOGLE_ISSUER,
    LONGEST_SHOWN,
    ElsewhereReusable,
    claims_table,
    classify_reusable_workflow,
    printable_claim,
    text_claim,
)
from ci_publish.identity.jwt import audiences_of_claims
from ci_publish.identity.mint_refusals import pull_request_target_mint_error, reusable_workflow_error
from ci_publish.identity.publisher_forms import publisher_form_for
from ci_publish.model.identity import Claims
from ci_publish.model.index import Endpoints, IndexProfile
from ci_publish.model.reusable_workflows import COMPARED_CLAIM

ACTIVESTATE_ISSUER = "https://platform.activestate.com/api/v1/oauth/oidc"
_ISSUERS = frozenset({GITHUB_ISSUER, GITLAB_ISSUER, GOOGLE_ISSUER, ACTIVESTATE_ISSUER})


def local_identity_refusal(claims: Claims, endpoints: Endpoints, *, attesting: bool) -> CredentialRejected | None:
    """Return why an index with PyPI's rules will reject this job, as far as its claims show; None if nothing does."""
    if endpoints.profile is not IndexProfile.PYPI:
        return None
    if isinstance(claims.get("aud"), list):
        return InvalidIdentityToken(
            f"{endpoints.name} does not accept an OIDC identity token whose audience is a list.",
            detail=f"This one is for {', '.join(audiences_of_claims(claims))[:LONGEST_SHOWN]}.",
            hints=("In `id_tokens:`, declare one token for each audience, with a single string as its `aud:`.",),
        )
    if not is_possibly_known_issuer(claims):
        hint = "From GitHub Enterprise, Gitea, Forgejo or Buildkite, publish with an API token: "
        return InvalidIdentityPayload(
            f"{endpoints.name} has no Trusted Publishers for the issuer of this identity:"
            f" {printable_claim(claims.get('iss'))}",
            detail="PyPI supports GitHub.com, GitLab.com, Google, ActiveState and the GitLab instances of registered"
            " organizations.",
            hints=(
                Hint(hint, option("password")),
                "An enterprise on GitHub.com can restore the default issuer in its OIDC settings.",
            ),
        )
    if text_claim(claims, "event_name") == "pull_request_target":
        return pull_request_target_mint_error(endpoints)
    return _workflow_elsewhere_local_refusal(claims, endpoints, attesting=attesting) or _missing_claims_local_refusal(
        claims, endpoints
    )


def _workflow_elsewhere_local_refusal(
    claims: Claims, endpoints: Endpoints, *, attesting: bool
) -> CredentialRejected | None:
    """Return why a job that is defined in another file or project is refused; None if it is not refused."""
    if elsewhere := gitlab_configuration_project(claims):
        return PipelineElsewhere(
            f"{endpoints.name} rejects this job's identity: its CI configuration is in another project, {elsewhere}.",
            detail=(
                f"The job runs in {text_claim(claims, 'project_path')} with {text_claim(claims, 'ci_config_ref_uri')}."
                " PyPI compares the configuration's project with the publisher's, so no Trusted Publisher matches."
            ),
            hints=(
                "Keep a .gitlab-ci.yml in the project itself and `include:` the shared configuration there.",
                Hint("Or publish with an API token: ", option("password"), " and ", option("attestations", "off")),
            ),
        )
    reusable = classify_reusable_workflow(claims)
    if reusable is None or not (attesting or isinstance(reusable, ElsewhereReusable)):
        return None
    return reusable_workflow_error(reusable, endpoints)


def is_possibly_known_issuer(claims: Claims) -> bool:
    """Return whether PyPI may have a Trusted Publisher for these claims' issuer.

    PyPI knows the issuers of GitHub.com, GitLab.com, Google and ActiveState, and GitLab instances that it has
    registered for organizations, of which there is no list. The index decides about CircleCI's. It does not know GitHub
    Enterprise Server, an enterprise's own issuer at GitHub.com, Gitea, Forgejo and Buildkite.
    """
    issuer = text_claim(claims, "iss")
    of_gitlab = "ci_config_ref_uri" in claims or "project_path" in claims
    return issuer in _ISSUERS or of_gitlab or issuer.startswith(CIRCLECI_ISSUER) or not issuer


def gitlab_configuration_project(claims: Claims) -> str | None:
    """Return the path of the project with a GitLab job's CI configuration; None if it is the job's own project."""
    found = re.fullmatch(r"[^/]+/(.+?)//[^@]+@.+", text_claim(claims, "ci_config_ref_uri"))
    own = text_claim(claims, "project_path")
    return found[1] if found and own and found[1].casefold() != own.casefold() else None


_NEEDED_CLAIMS = {
    "GitHub": ("repository", "repository_owner", "repository_owner_id", COMPARED_CLAIM, "ref", "sha", "jti"),
    "GitLab": ("sub", "project_path", "ci_config_ref_uri", "ref_path", "sha", "jti"),
    "Google": ("email", "email_verified"),
}


def _missing_claims_local_refusal(claims: Claims, endpoints: Endpoints) -> CredentialRejected | None:
    form = publisher_form_for(claims)
    needed = _NEEDED_CLAIMS.get(form.kind, ()) if form else ()
    missing = [name for name in needed if claims.get(name) in (None, "")]
    if form is None or not missing:
        return None
    return InvalidPublisher(
        f"{endpoints.name} will reject this identity: it lacks the claims {', '.join(missing)}.",
        detail=f"A {form.kind} identity must have these claims.\n\n{claims_table(claims)}",
        hints=("On GitHub Enterprise or an older GitLab, ask the administrators for these claims.",),
    )
