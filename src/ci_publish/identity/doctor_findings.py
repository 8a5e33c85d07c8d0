"""The findings of ``doctor`` that are computed from values (pure)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from ci_publish.errors import CiPublishError, IndexUnavailable
from ci_publish.identity.claims import ElsewhereReusable, claims_table, classify_reusable_workflow
from ci_publish.identity.publisher_forms import (
    account_publishing_link,
    prefilled_publisher_links,
    publisher_form_for,
    publisher_form_table,
)
from ci_publish.model.foreseen_refusals import foreseen_upload_refusal, is_reserved_project_name, reserved_name_refusal
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims, Provider
from ci_publish.model.index import (
    Endpoints,
    IndexProfile,
    IndexState,
    KeptPublished,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    Plan,
    ProjectListing,
)

# PyPI's leeway for an identity token's times.
TOLERATED_SKEW = 30.0


class Level(StrEnum):
    """The severity of a finding: publishing would end with a failure, and may end with a warning's cause."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"
    SKIPPED = "skipped"


@frozen(kw_only=True)
class Finding:
    """The result of one check. ``detail`` may have several lines; only failures have an ``error``."""

    name: str
    level: Level
    message: str
    detail: str = ""
    hints: tuple[str, ...] = ()
    error: CiPublishError | None = None


class Readiness(StrEnum):
    """What is known about publishing from this job."""

    READY = "ready"
    WORKS = "works"
    UNTRIED = "untried"


@frozen
class Verdict:
    """The last line of a diagnosis without failures."""

    readiness: Readiness
    message: str


def failure_finding(name: str, error: CiPublishError) -> Finding:
    """Return the finding for an error, with its text."""
    return Finding(
        name=name, level=Level.FAILURE, message=error.summary, detail=error.detail, hints=error.hints, error=error
    )


_PROVIDERS = {
    Provider.GITHUB: "GitHub Actions",
    Provider.GITLAB: "GitLab CI",
    Provider.GOOGLE: "Google Cloud",
    Provider.BUILDKITE: "Buildkite",
    Provider.CIRCLECI: "CircleCI",
}


def ci_environment_finding(provider: Provider | None, runner: str | None) -> Finding:
    """Name the CI, or the *runner* that sets GitHub's variables without being GitHub's."""
    if runner is not None:
        return Finding(
            name="environment",
            level=Level.WARNING,
            message=f"This is {runner}, which sets the variables of GitHub Actions.",
            detail="Its identity, if it has one, is not GitHub's.",
        )
    known = None if provider is None else f"This is {_PROVIDERS[provider]}."
    message = known or "Not running in a CI that issues OIDC tokens."
    return Finding(name="environment", level=Level.OK, message=message)


def clock_finding(date: float | None, before: float, after: float) -> Finding:
    """Compare the index's Date with this machine's clock, read *before* the request and *after* the answer."""
    if date is None:
        return Finding(
            name="clock",
            level=Level.SKIPPED,
            message="The index's responses have no date, so the clock was not compared.",
        )
    # The header has whole seconds, and the response was made at some time between the two readings.
    skew = max(before - (date + 1.0), date - after, 0.0)
    if skew <= TOLERATED_SKEW:
        return Finding(name="clock", level=Level.OK, message="This machine's clock agrees with the index's.")
    word = "behind" if date > after else "ahead of"
    return Finding(
        name="clock",
        level=Level.WARNING,
        message=f"This machine's clock is {skew:.0f} s {word} the index's.",
        detail="Identity tokens and signing certificates are valid for minutes; if the clock is off by more than 30"
        " s, they may be rejected.",
        hints=("Synchronise the clock of the runner (NTP).",),
    )


def claims_finding(claims: Claims) -> Finding:
    """Show the claims."""
    message = "The claims in the job's identity token:"
    return Finding(name="claims", level=Level.OK, message=message, detail=claims_table(claims))


def publisher_form_finding(claims: Claims, endpoints: Endpoints, projects: Sequence[str]) -> Finding:
    """Show the Trusted Publisher that would match the claims.

    Whether the index has such a publisher cannot be known from here.
    """
    form = publisher_form_for(claims)
    if form is None:
        message = "ci-publish knows no Trusted Publisher form for this CI."
        hint = "Ask the index's operators what it compares."
        return Finding(name="publisher", level=Level.WARNING, message=message, hints=(hint,))
    account = account_publishing_link(form, endpoints, projects[0] if projects else "")
    links = [f"In a project's settings: {link}" for link in prefilled_publisher_links(form, endpoints, projects[:3])]
    links += [f"For a project that does not exist yet: {account}"] if account else []
    message = f"Not checked: {endpoints.name} must have a {form.kind} Trusted Publisher with these values:"
    table = publisher_form_table(form)
    return Finding(name="publisher", level=Level.SKIPPED, message=message, detail=table, hints=tuple(links))


def reusable_workflow_findings(claims: Claims, endpoints: Endpoints) -> tuple[Finding, ...]:
    """Warn about a reusable workflow if the index rejects its identity or its attestations."""
    reusable = classify_reusable_workflow(claims)
    if reusable is None or endpoints.profile is not IndexProfile.PYPI:
        return ()
    message = (
        "The job is in a reusable workflow of another repository: PyPI rejects its identity."
        if isinstance(reusable, ElsewhereReusable)
        else "The job is in a reusable workflow of this repository: PyPI rejects its attestations."
    )
    detail = f"Called: {reusable.called}\nCaller: {reusable.caller}\nhttps://github.com/pypi/warehouse/issues/11096"
    hint = "Move the publishing job into the calling workflow."
    return (Finding(name="workflow", level=Level.WARNING, message=message, detail=detail, hints=(hint,)),)


def project_finding(  # noqa: PLR0913  (everything that is known about a project)
    project: str, state: IndexState, endpoints: Endpoints, plan: Plan, now: float, *, trusted: bool
) -> Finding:
    """Return the finding about *project*: its status, the result of *plan* for its files, the age of its releases.

    *plan* has no conflicts, and is used only if *state* is a listing. *trusted*: the credential is a Trusted Publisher,
    which creates a project only if a pending publisher is registered.
    """
    name = f"project {project}"
    match state:
        case ProjectListing():
            return _project_listing_finding(name, state, endpoints, plan, now)
        case NoSuchProject() if endpoints.profile is IndexProfile.PYPI and is_reserved_project_name(project):
            return failure_finding(name, reserved_name_refusal(project, endpoints))
        case NoSuchProject():
            # Other indexes have rules of their own for creating projects.
            hint = ""
            if trusted:
                hint = (
                    "For the first publish with Trusted Publishing, add a pending publisher, which expires after"
                    " 30 days."
                )
            elif endpoints.profile is IndexProfile.PYPI:
                hint = (
                    "The first upload creates it. This requires an API token for the whole account, not one for a"
                    " project."
                )
            return Finding(
                name=name,
                level=Level.WARNING,
                message=f"{project} is not on {endpoints.name} yet.",
                hints=(hint,) if hint else (),
            )
        case NotVisible(reason=reason):
            return Finding(name=name, level=Level.SKIPPED, message=f"{endpoints.name} cannot list {project}: {reason}")
        case ListingUnavailable(reason=reason):
            return failure_finding(
                name, IndexUnavailable(f"The files of {project} on {endpoints.name} cannot be listed: {reason}")
            )
        case _:
            assert_never(state)


def _project_listing_finding(
    name: str, listing: ProjectListing, endpoints: Endpoints, plan: Plan, now: float
) -> Finding:
    refusal = foreseen_upload_refusal(listing, plan.uploads, endpoints, now) if plan.uploads or not plan.files else None
    if refusal is not None:
        return failure_finding(name, refusal)
    if kept := [file.distribution.filename for file in plan.files if isinstance(file, KeptPublished)]:
        return Finding(
            name=name,
            level=Level.WARNING,
            message=f"Published files are kept, as requested: {', '.join(kept)}.",
        )
    published = "Every file of this release is already published." if plan.files and not plan.uploads else ""
    message = published or f"The project is {listing.status} and accepts files."
    return Finding(name=name, level=Level.OK, message=message)
