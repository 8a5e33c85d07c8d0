"""The errors and notes about projects that a credential does not cover (pure).

Sources: warehouse/macaroons/caveats/ for what tokens state, warehouse/oidc/views.py for pending publishers.
"""

from collections.abc import Callable, Mapping, Sequence

from ci_publish.errors import ProjectNotCovered
from ci_publish.hints import Hint, option
from ci_publish.model.events import Noted
from ci_publish.model.identity import CredentialKind, CredentialState
from ci_publish.model.index import Endpoints, IndexProfile
from ci_publish.model.token_scope import TokenScope

# Six requests within 30 seconds: a 404 may be cached, and the token exchange creates a project in the background.
CREATION_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)

_BUILT_IN = frozenset({"pypi", "testpypi"})
_IN_PUBLIC_LOG = (
    "The files are signed already: their attestations are in Sigstore's public transparency log. On GitLab the job has"
    " one identity token for each audience, so the token exchange comes after signing."
)


def is_absent_project_refused(endpoints: Endpoints, state: CredentialState) -> bool:
    """Return whether a project that does not exist after the exchange is one that the index will reject.

    On PyPI and TestPyPI it is: neither a Trusted Publisher nor a token of single projects creates one at the upload.
    """
    scope = state.scope or TokenScope()
    if endpoints.profile is not IndexProfile.PYPI:
        return False
    if state.kind is CredentialKind.TRUSTED_PUBLISHING:
        return endpoints.name in _BUILT_IN or scope.is_limited_to_projects
    return scope.count is not None or (endpoints.name in _BUILT_IN and scope.is_limited_to_projects)


# messages ----------------------------------------------------------------------------------------------------------


def project_not_named_error(
    endpoints: Endpoints, state: CredentialState, project: str, *, already_signed: bool
) -> ProjectNotCovered:
    """Return the error for a token that names its projects, of which *project* is none."""
    names = sorted(state.scope.projects or ()) if state.scope else []
    listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004
    return ProjectNotCovered(
        f"{_credential_text(endpoints, state)} is for {listed or 'no project'}, not for {project}.",
        detail=_nothing_sent_text(already_signed=already_signed),
        hints=(*_not_covered_hints(endpoints, state, project), _KEEP_GOING),
    )


def too_few_projects_error(
    endpoints: Endpoints, state: CredentialState, projects: Sequence[str], *, already_signed: bool
) -> ProjectNotCovered:
    """Return the error for a token that lists the ids of fewer projects than the run has."""
    count = (state.scope.count if state.scope else None) or 0
    covered = "1 project" if count == 1 else f"{count} projects"
    return ProjectNotCovered(
        f"{_credential_text(endpoints, state)} is for {covered}, but this run has files of {len(projects)}:"
        f" {', '.join(sorted(projects)[:10])}.",
        detail=_nothing_sent_text(already_signed=already_signed),
        hints=(
            *_not_covered_hints(endpoints, state, "each of these projects"),
            "Or publish each project in a separate run.",
        ),
    )


def absent_project_error(
    endpoints: Endpoints, state: CredentialState, project: str, *, already_signed: bool
) -> ProjectNotCovered:
    """Return the error for a project that still does not exist after the exchange succeeded."""
    trusted = state.kind is CredentialKind.TRUSTED_PUBLISHING
    reason = (
        f"{endpoints.name} accepts this job's identity, but has no project {project}, and none was created: the Trusted"
        " Publisher that matches is for another project."
        if trusted
        else f"{_credential_text(endpoints, state)} is limited to certain projects,"
        f" and {endpoints.name} has no project {project}."
    )
    return ProjectNotCovered(
        reason,
        detail=_nothing_sent_text(already_signed=already_signed),
        hints=(
            f"Register a pending publisher for {project}: its project name must match the metadata exactly."
            if trusted
            else f"Create {project} with a pending publisher, or with an API token for the whole account.",
            _KEEP_GOING,
        ),
    )


def combined_coverage_error(refused: Mapping[str, ProjectNotCovered]) -> ProjectNotCovered:
    """Return one error for all *refused* projects."""
    first = next(iter(refused.values()))
    if len(refused) == 1:
        return first
    return ProjectNotCovered(
        f"The credential does not cover {len(refused)} projects of this run: {', '.join(refused)}.",
        detail="\n".join([*(error.summary for error in refused.values()), first.detail]),
        hints=tuple(dict.fromkeys(hint for error in refused.values() for hint in error.hints)),
    )


def left_out_project_error(project: str, refused: Mapping[str, ProjectNotCovered]) -> ProjectNotCovered:
    """Return why *project* is left out: it is not covered, or it requires a project that is not."""
    return refused.get(project) or ProjectNotCovered(
        f"{project} was not uploaded: it requires {', '.join(refused)}, which the credential does not cover.",
        hints=("Run it again when these projects can be published: files that are already published are recognised.",),
    )


def credential_coverage_text(endpoints: Endpoints, state: CredentialState, projects: Sequence[str]) -> str:
    """Return what is known about a credential that was tried without uploading, in a sentence."""
    names = ", ".join(projects)
    if state.scope is not None and all(state.scope.names_project(project) for project in projects):
        return f"The credential for {endpoints.name} names {names}."
    match state.kind:
        case CredentialKind.TRUSTED_PUBLISHING if state.scope is not None:
            return (
                f"{endpoints.name} accepts this job's identity; only the first upload shows whether it covers {names}."
            )
        case CredentialKind.TRUSTED_PUBLISHING:
            return f"The token exchange with {endpoints.name} was not tried; only publishing shows whether it succeeds."
        case CredentialKind.NONE:
            return f"No credential is sent to {endpoints.name}; only the first upload shows whether it accepts that."
        case _:
            return f"Whether {endpoints.name} accepts this credential for {names} cannot be known without an upload."


def exchange_omitted_note(endpoints: Endpoints, absent: Sequence[str]) -> Noted:
    """Return the note that the token exchange was not tried, because it could create a project."""
    verb = "does" if len(absent) == 1 else "do"
    return Noted(
        slug="exchange-not-tried",
        message=f"The token exchange with {endpoints.name} was not tried: {', '.join(absent)} {verb} not exist there,"
        " and an exchange that uses a pending publisher creates its project immediately.",
        warning=False,
        hints=(Hint("To try it anyway, and let it create the project: ", option("create_project", "true")),),
    )


def pending_publishers_note(endpoints: Endpoints, new: Sequence[str], link: Callable[[str], str | None]) -> Noted:
    """Return the note that several projects do not exist; *link* returns the form for a pending publisher, if any."""
    shown = tuple(f"{project}: {form}" for project in new if (form := link(project)) is not None)
    return Noted(
        slug="pending-publishers",
        message=f"{endpoints.name} has no project {', '.join(new)}. For Trusted Publishing, register a pending"
        " publisher for each, in this order: a user can have three at a time, and each identity can be pending for"
        " only one"
        " project, so each needs its own environment.",
        warning=False,
        hints=shown[:_FORMS] + ((f"and {len(shown) - _FORMS} more",) if len(shown) > _FORMS else ()),
    )


_FORMS = 20
_KEEP_GOING = Hint("To publish the other projects of this run: ", option("keep_going", "true"))


def _credential_text(endpoints: Endpoints, state: CredentialState) -> str:
    trusted = state.kind is CredentialKind.TRUSTED_PUBLISHING
    return f"The Trusted Publisher on {endpoints.name}" if trusted else f"The API token for {endpoints.name}"


def _not_covered_hints(endpoints: Endpoints, state: CredentialState, project: str) -> tuple[str, ...]:
    if state.kind is CredentialKind.TRUSTED_PUBLISHING:
        return (
            f"Add this job's publisher to {project}: on {endpoints.name}, under the project's settings, Publishing.",
        )
    return (f"Use an API token that covers {project}, or Trusted Publishing.",)


def _nothing_sent_text(*, already_signed: bool) -> str:
    return f"Nothing was uploaded. {_IN_PUBLIC_LOG}" if already_signed else "Nothing was signed or uploaded."
