"""The errors for an identity that an index rejected, with the publisher that would match (pure).

Sources: warehouse/oidc/views.py and docs.pypi.org/trusted-publishers/troubleshooting/.
"""

import re
from collections.abc import Sequence

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
from ci_publish.hints import SET_API_TOKEN, WITHOUT_ATTESTATIONS, Hint, option
from ci_publish.identity.claims import (
    ElsewhereReusable,
    SameReusable,
    claims_table,
    classify_reusable_workflow,
    printable_claim,
    text_claim,
    workflow_file_name,
)
from ci_publish.identity.oidc_protocol import MintRefused
from ci_publish.identity.publisher_forms import (
    PublisherForm,
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
        f"{endpoints.name} does not accept the identity of a workflow that was started by `pull_request_target`.",
        detail="Such a workflow runs with your permissions on code that others propose.",
        hints=("Publish from `release`, `push` of a tag, or `workflow_dispatch`.",),
    )


def claims_named_in_mint_refusal(description: str) -> frozenset[str]:
    """Return the claims that do not match, by a refusal's description (texts: warehouse/oidc/models/_core.py)."""
    named = re.findall(r"(?:Check failed for (?:required|optional) claim|Missing claim) '([^']+)'", description)
    named += re.findall(r"The (job_workflow_ref|workflow_ref|ci_config_ref_uri) claim", description)
    return frozenset(named)


def explain_mint_refusal(
    refusal: MintRefused, claims: Claims, endpoints: Endpoints, projects: Sequence[str] = ()
) -> CredentialRejected:
    """Return the error for an identity that the index rejected, with the publisher that would match."""
    if refusal.code == "invalid-publisher":
        return _no_matching_publisher_error(refusal, claims, endpoints, projects)
    if refusal.code == "not-enabled":
        return trusted_publishing_disabled_error(endpoints, refusal.description)
    if refusal.code == "invalid-payload" and "issuer" in refusal.description:
        issuer = printable_claim(claims.get("iss", "none"))
        hint = "From a self-managed GitLab, GitHub Enterprise, Gitea or Forgejo, publish with an API token: "
        return InvalidIdentityPayload(
            f"{endpoints.name} does not support the issuer of this identity: {issuer}",
            detail="PyPI supports GitHub.com, GitLab.com, Google Cloud and the issuers that it has registered for"
            " organizations.",
            hints=(Hint(hint, option("password")),),
        )
    said = ": ".join(part for part in (refusal.code, refusal.description) if part) or "no reason given"
    error, summary, detail, hints = _EXPLANATIONS.get(refusal.code, _OTHER_EXPLANATION)
    values = {"index": endpoints.name, "description": refusal.description, "status": refusal.status, "said": said}
    return error(summary.format_map(values), detail=detail.format(claims=claims_table(claims)), hints=hints)


def _no_matching_publisher_error(
    refusal: MintRefused, claims: Claims, endpoints: Endpoints, projects: Sequence[str]
) -> CredentialRejected:
    if "pull_request_target" in refusal.description:
        return pull_request_target_mint_error(endpoints)
    reusable = classify_reusable_workflow(claims)
    if isinstance(reusable, ElsewhereReusable):
        return reusable_workflow_error(reusable, endpoints)
    form = publisher_form_for(claims)
    matching = "PyPI has no Trusted Publisher for this CI."
    hints: tuple[str, ...] = (SET_API_TOKEN,)
    if form is not None:
        table = publisher_form_table(form, claims_named_in_mint_refusal(refusal.description))
        matching = f"A {form.kind} publisher that matches has these values:\n{table}"
        hints = _matching_publisher_hints(form, claims, endpoints, projects)
    parts = (refusal.description, matching, f"The claims in the job's identity token:\n{claims_table(claims)}")
    return InvalidPublisher(
        f"{endpoints.name} has no Trusted Publisher that matches this job.",
        detail="\n\n".join(part for part in parts if part),
        hints=hints,
    )


def _matching_publisher_hints(
    form: PublisherForm, claims: Claims, endpoints: Endpoints, projects: Sequence[str]
) -> tuple[str, ...]:
    hints = [
        "Compare each field with the publisher on the index, including letter case: attestations are compared exactly."
    ]
    if form.kind == "GitHub":
        owner = text_claim(claims, "repository_owner_id") or "missing"
        hints.append(
            f"If owner, repository and workflow match, the owner's ID differs (here {owner}): the account was"
            " renamed or replaced, or the repository was transferred. Remove the publisher and add it again."
        )
    if form.values.get("environment") == "":
        hints.append("This job names no environment; a publisher that names one does not match.")
    hints += [
        f"If the project exists, add the publisher at {link}"
        for link in prefilled_publisher_links(form, endpoints, projects[:3])
    ]
    if link := account_publishing_link(form, endpoints, projects[0] if projects else ""):
        hints.append(f"If it does not exist yet, add a pending publisher (it expires after 30 days) at {link}")
    return tuple(hints)


def reusable_workflow_error(reusable: ElsewhereReusable | SameReusable, endpoints: Endpoints) -> ReusableWorkflow:
    """Return the error for a job in a reusable workflow, of another repository or (with attestations) of its own."""
    if isinstance(reusable, ElsewhereReusable):
        summary = f"{endpoints.name} rejects this job's identity: the job is in another repository's reusable workflow."
        reason = "PyPI expects the called file in the publisher's repository"
        hint = "There, use the ci-publish action as a step: an action is not a reusable workflow."
    else:
        summary = f"{endpoints.name} would reject the attestations of this job, because it is in a reusable workflow."
        reason = (
            "The identity is compared with the called workflow and the attestation with the calling one, so no Trusted"
            " Publisher matches both"
        )
        hint = WITHOUT_ATTESTATIONS
    caller = workflow_file_name(reusable.caller)
    return ReusableWorkflow(
        summary,
        detail=f"The job is defined in {reusable.called}, called by {reusable.caller}. {reason}"
        " (https://github.com/pypi/warehouse/issues/11096).",
        hints=(f"Move the publishing job into {caller}; the build may stay in the reusable workflow.", hint),
    )


def trusted_publishing_disabled_error(endpoints: Endpoints, description: str) -> CredentialRejected:
    """Return the error for an index whose operators have disabled Trusted Publishing."""
    return TrustedPublishingNotEnabled(
        f"{endpoints.name} has disabled Trusted Publishing for now: {description}",
        detail="Its operators do this in an emergency; nothing is wrong with your project.",
        hints=("Check https://status.python.org/ and try again later.",),
    )


# For each code: the error, its summary, detail and hints.
_EXPLANATIONS: dict[str, tuple[type[CredentialRejected], str, str, tuple[str, ...]]] = {
    "invalid-pending-publisher": (
        InvalidPendingPublisher,
        "The pending publisher on {index} matches, but its project already exists.",
        (
            "A pending publisher creates its project at the first publish. Somebody, perhaps an earlier run, has"
            " already created the project; the index has now deleted the pending publisher."
        ),
        ("If the project is yours, add a publisher in its settings and try again.",),
    ),
    "invalid-token": (
        InvalidIdentityToken,
        "{index} does not accept the OIDC identity token: {description}",
        (
            "Its signature, audience or timestamps did not pass validation.\n\n"
            "The claims in the job's identity token:\n{claims}"
        ),
        (
            "Check the machine's clock: it must be accurate to within 30 s (`ci-publish doctor` measures it).",
            "A job that waited for a long time may have an expired token: run it again.",
        ),
    ),
    "invalid-reuse-token": (
        ReusedIdentityToken,
        "{index} has already exchanged this OIDC identity token; each can be used only once.",
        "Another step of this job exchanged it, or the response to an earlier exchange was lost.",
        ("A GitLab job has one token for each audience. Publish once per job, and run this job again.",),
    ),
    "invalid-payload": (
        InvalidIdentityPayload,
        "{index} cannot use the identity token: {description}",
        "The claims in the job's identity token:\n{claims}",
        ("If you use a pending publisher, check that the index allows a project of that name.",),
    ),
}
_OTHER_EXPLANATION = (
    CredentialRejected,
    "{index} rejects this identity (HTTP {status}): {said}",
    "The claims in the job's identity token:\n{claims}",
    ("https://docs.pypi.org/trusted-publishers/troubleshooting/",),
)
