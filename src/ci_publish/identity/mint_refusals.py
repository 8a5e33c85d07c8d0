"""Why an index refused an identity, in plain words, with what would match (pure).

Sources: warehouse/oidc/views.py and docs.pypi.org/trusted-publishers/troubleshooting/.
"""

import re
from collections.abc import Callable, Sequence

from ci_publish.errors import (
    CredentialRejected,
    InvalidIdentityPayload,
    InvalidIdentityToken,
    InvalidPendingPublisher,
    InvalidPublisher,
    ReusableWorkflow,
    ReusedIdentityToken,
    TrustedPublishingNotEnabled,
)
from ci_publish.hints import SET_API_TOKEN, Hint, option
from ci_publish.identity.claims import (
    ElsewhereReusable,
    claims_table,
    classify_reusable_workflow,
    printable_claim,
    text_claim,
    workflow_file_name,
)
from ci_publish.identity.oidc_protocol import MintRefused
from ci_publish.identity.publisher_forms import (
    account_publishing_link,
    prefilled_publisher_links,
    publisher_form_for,
    publisher_form_table,
)
from ci_publish.model.identity import Claims
from ci_publish.model.index import Endpoints


def pull_request_target_mint_error(endpoints: Endpoints) -> CredentialRejected:
    """Return the error for a workflow that ``pull_request_target`` started."""
    return InvalidPublisher(
        f"{endpoints.name} takes no identity of a workflow that `pull_request_target` started.",
        detail="Such a workflow runs with your permissions on what others propose.",
        hints=("Publish from `release`, `push` of a tag, or `workflow_dispatch`.",),
    )


def claims_named_in_mint_refusal(description: str) -> frozenset[str]:
    """Return the claims that a refusal's description names as not matching (texts: warehouse/oidc/models/_core.py)."""
    named = re.findall(r"(?:Check failed for (?:required|optional) claim|Missing claim) '([^']+)'", description)
    named += re.findall(r"The (job_workflow_ref|workflow_ref|ci_config_ref_uri) claim", description)
    return frozenset(named)


def explain_mint_refusal(
    refusal: MintRefused, claims: Claims, endpoints: Endpoints, projects: Sequence[str] = ()
) -> CredentialRejected:
    """Return the error for an identity that the index refused, in plain words, with what would match."""
    if refusal.code == "invalid-publisher":
        return _no_publisher_mint_refusal(refusal, claims, endpoints, projects)
    reason = _REASONS.get(refusal.code, _other_mint_refusal)
    return reason(refusal, claims, endpoints)


def _no_publisher_mint_refusal(
    refusal: MintRefused, claims: Claims, endpoints: Endpoints, projects: Sequence[str]
) -> CredentialRejected:
    if "pull_request_target" in refusal.description:
        return pull_request_target_mint_error(endpoints)
    reusable = classify_reusable_workflow(claims)
    if isinstance(reusable, ElsewhereReusable):
        return reusable_workflow_elsewhere_error(reusable, endpoints)
    summary = f"{endpoints.name} has no Trusted Publisher that matches this job."
    said = f"The job's identity token says:\n{claims_table(claims)}"
    detail = _mint_refusal_paragraphs(refusal.description, _matching_publisher_paragraph(refusal, claims), said)
    return InvalidPublisher(summary, detail=detail, hints=_matching_publisher_hints(claims, endpoints, projects))


def _matching_publisher_paragraph(refusal: MintRefused, claims: Claims) -> str:
    form = publisher_form_for(claims)
    if form is None:
        return "PyPI has no Trusted Publisher for this CI."
    table = publisher_form_table(form, claims_named_in_mint_refusal(refusal.description))
    return f"A {form.kind} publisher that matches has these values:\n{table}"


def _matching_publisher_hints(claims: Claims, endpoints: Endpoints, projects: Sequence[str]) -> tuple[str, ...]:
    form = publisher_form_for(claims)
    if form is None:
        return (SET_API_TOKEN,)
    hints = [
        "Compare each field with the publisher on the index, including letter case: attestations are compared exactly."
    ]
    if form.provider == "github":
        owner = text_claim(claims, "repository_owner_id") or "missing"
        hints.append(
            f"If owner, repository and workflow match, the owner's ID differs (here {owner}): the account was"
            " renamed or replaced, or the repository was transferred. Remove the publisher and add it again."
        )
    if not form.field_value("environment") and form.provider in {"github", "gitlab"}:
        hints.append("This job names no environment; a publisher that names one does not match.")
    hints += [
        f"If the project exists, add the publisher at {link}"
        for link in prefilled_publisher_links(form, endpoints, projects[:3])
    ]
    if link := account_publishing_link(form, endpoints, projects[0] if projects else ""):
        hints.append(f"If it does not exist yet, add a pending publisher (it expires after 30 days) at {link}")
    return tuple(hints)


def reusable_workflow_elsewhere_error(reusable: ElsewhereReusable, endpoints: Endpoints) -> ReusableWorkflow:
    """Return the error for a job in a reusable workflow of another repository."""
    caller = workflow_file_name(reusable.caller)
    return ReusableWorkflow(
        f"{endpoints.name} refuses this job's identity: the job is in another repository's reusable workflow.",
        detail=(
            f"The job is defined in {reusable.called}, called by {reusable.caller}. PyPI expects the called file in "
            "the publisher's repository (https://github.com/pypi/warehouse/issues/11096)."
        ),
        hints=(
            f"Move the publishing job into {caller}; the build may stay in the reusable workflow.",
            "There, use the ci-publish action as a step: an action is not a reusable workflow.",
        ),
    )


def _pending_publisher_mint_refusal(_refusal: MintRefused, _claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    return InvalidPendingPublisher(
        f"The pending publisher on {endpoints.name} matches, but its project already exists.",
        detail=(
            "A pending publisher creates its project at the first publish. Somebody, perhaps an earlier run, has"
            " already created the project; the index has now deleted the pending publisher."
        ),
        hints=("If the project is yours, add a publisher in its settings and try again.",),
    )


def trusted_publishing_disabled_error(endpoints: Endpoints, description: str) -> CredentialRejected:
    """Return the error for an index whose operators have switched Trusted Publishing off."""
    return TrustedPublishingNotEnabled(
        f"{endpoints.name} has disabled Trusted Publishing for now: {description}",
        detail="Its operators do this in an emergency; nothing is wrong with your project.",
        hints=("Check https://status.python.org/ and try again later.",),
    )


def _not_enabled_mint_refusal(refusal: MintRefused, _claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    return trusted_publishing_disabled_error(endpoints, refusal.description)


def _invalid_identity_mint_refusal(refusal: MintRefused, claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    return InvalidIdentityToken(
        f"{endpoints.name} does not accept the OIDC identity token: {refusal.description}",
        detail=_mint_refusal_paragraphs(
            "Its signature, audience or timestamps did not pass validation.",
            f"The job's identity token says:\n{claims_table(claims)}",
        ),
        hints=(
            "Check the machine's clock: an error of 30 s is too much (`ci-publish doctor` measures it).",
            "A job that waited for a long time may hold an expired token: run it again.",
        ),
    )


def _reused_identity_mint_refusal(_refusal: MintRefused, _claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    return ReusedIdentityToken(
        f"{endpoints.name} has seen this OIDC identity token before; each can be exchanged only once.",
        detail="Another step of this job exchanged it, or the answer to an earlier exchange was lost.",
        hints=("A GitLab job has one token for each audience. Publish once per job, and run this job again.",),
    )


def _identity_payload_mint_refusal(refusal: MintRefused, claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    if "issuer" in refusal.description:
        return InvalidIdentityPayload(
            f"{endpoints.name} does not know the issuer of this identity: {printable_claim(claims.get('iss', 'none'))}",
            detail="PyPI knows GitHub.com, GitLab.com, Google Cloud and the issuers that it has registered for"
            " organizations.",
            hints=(
                Hint(
                    "From a self-managed GitLab, GitHub Enterprise, Gitea or Forgejo, publish with an API token: ",
                    option("password"),
                ),
            ),
        )
    return InvalidIdentityPayload(
        f"{endpoints.name} cannot use what it was sent: {refusal.description}",
        detail=f"The job's identity token says:\n{claims_table(claims)}",
        hints=("If a pending publisher is meant, check that the index allows a project of that name.",),
    )


def _other_mint_refusal(refusal: MintRefused, claims: Claims, endpoints: Endpoints) -> CredentialRejected:
    said = ": ".join(part for part in (refusal.code, refusal.description) if part) or "no reason given"
    return CredentialRejected(
        f"{endpoints.name} refuses this identity (HTTP {refusal.status}): {said}",
        detail=f"The job's identity token says:\n{claims_table(claims)}",
        hints=("https://docs.pypi.org/trusted-publishers/troubleshooting/",),
    )


_REASONS: dict[str, Callable[[MintRefused, Claims, Endpoints], CredentialRejected]] = {
    "invalid-pending-publisher": _pending_publisher_mint_refusal,
    "not-enabled": _not_enabled_mint_refusal,
    "invalid-token": _invalid_identity_mint_refusal,
    "invalid-reuse-token": _reused_identity_mint_refusal,
    "invalid-payload": _identity_payload_mint_refusal,
}


def _mint_refusal_paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
